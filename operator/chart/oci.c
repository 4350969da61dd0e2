/* operator/chart/oci.c - charts in OCI registries: one repository a chart, one tag a version, Helm's media types. */
#include "operator/chart/charts-internal.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/registry.h"

#define TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE_CONFIG "application/vnd.cncf.helm.config.v1+json"
#define TYPE_CHART "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
#define TYPE_CHART_OLD "application/tar+gzip"

bool chart_is_oci(const char *repo) { return repo && !strncmp(repo, "oci://", 6); }

/* "oci://host/team" and "redis" as the repository team/redis of host. */
static void open_registry(struct registry *r, struct charts *c, const char *repo, const char *chart, const struct chart_access *a)
{
	struct sv host, path;
	AUTO(str) host_text = { 0 };
	AUTO(str) repository = { 0 };

	(void)sv_cut(sv_drop(sv_c(repo), 6), '/', &host, &path);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	str_add(&host_text, host);
	str_addf(&repository, SV_FMT "%s%s", SV_ARG(path), path.n ? "/" : "", chart);
	registry_init(r, c->http, str_c(&host_text), str_c(&repository), a ? a->username : NULL, a ? a->password : NULL);
	if (!a)
		return;
	r->plain = a->plain_http;
	r->insecure = a->insecure;
	r->ca_pem = a->ca_pem;
	r->cert_pem = a->cert_pem;
	r->key_pem = a->key_pem;
}

/* Tags cannot have the + of a version. */
static void tag_of(struct str *out, const char *version)
{
	for (; *version; version++)
		str_add1(out, *version == '+' ? '_' : *version);
}

static void version_of(struct str *out, const char *tag)
{
	for (; *tag; tag++)
		str_add1(out, *tag == '_' ? '+' : *tag);
}

static int list(struct charts *c, const struct chart_want *w, const struct chart_place *p, struct chart_repo *repo, struct err *err)
{
	bool fresh = repo->asked_ms && w->max_age_ms && clock_ms() - repo->asked_ms <= w->max_age_ms;
	struct registry_tags tags = { 0 };
	AUTO(registry) r = { 0 };

	if (fresh && map_get(&repo->charts, str_sv(&p->chart)))
		return 0;
	open_registry(&r, c, str_c(&p->repo), str_c(&p->chart), w->access);
	int64_t now = clock_ms();
	int result = registry_tags(&r, &tags, err);
	if (result >= 0) {
		struct chart_versions *keep = calloc(1, sizeof *keep), *old;

		if (!keep)
			abort();
		for (size_t i = 0; i < tags.n; i++) {
			AUTO(str) version = { 0 };
			version_of(&version, tags.v[i]);
			chart_versions_add(keep, str_sv(&version), sv_c(tags.v[i]), SV(""));
		}
		repo->asked_ms = now;
		if ((old = map_put(&repo->charts, str_sv(&p->chart), keep)))
			chart_versions_free(old);
		free(old);
	}
	registry_tags_free(&tags);
	return result;
}

/* ---- pulling ---- */

/* The layer that is the chart. */
static int chart_layer(const struct node *manifest, struct str *digest, int64_t *size, struct err *err)
{
	const struct node *layer;

	node_each(layer, node_get(manifest, "layers")) {
		const char *type = node_str_or(layer, "mediaType", "");

		if (!str_eq(type, TYPE_CHART) && !str_eq(type, TYPE_CHART_OLD))
			continue;
		str_addc(digest, node_str_or(layer, "digest", ""));
		*size = node_int_at(layer, "size", 0);
		if (!sv_starts(str_sv(digest), SV("sha256:")) || digest->n != 71 || strpbrk(str_c(digest), "/?# "))
			break;
		return 0;
	}
	return err_set(err, ERR_INVALID, "this is no chart but a %s: its manifest has no layer of type %s",
		       node_str_or(manifest, "config.mediaType", "something else"), TYPE_CHART);
}

struct blob { struct str *bytes; int64_t max; struct err err; };

static int on_data(void *arg, struct sv data)
{
	struct blob *b = arg;

	if ((int64_t)(b->bytes->n + data.n) > b->max)
		return err_set(&b->err, ERR_TOO_LARGE, "the package is larger than %lld bytes", (long long)b->max);
	str_add(b->bytes, data);
	return 0;
}

static int pull(struct registry *r, const char *tag, struct str *bytes, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO(str) type = { 0 };
	AUTO(str) digest = { 0 };
	AUTO(str) got = { 0 };
	AUTO_DOC manifest = NULL;
	int64_t size = 0;

	TRY(registry_manifest(r, tag, TYPE_MANIFEST, &text, &type, err));
	TRY(json_read(str_sv(&text), "manifest", 0, &manifest, err));
	TRY(chart_layer(doc_root(manifest), &digest, &size, err));
	struct blob b = { bytes, size < 0 || size > (int64_t)CHART_PACKAGE_MAX ? (int64_t)CHART_PACKAGE_MAX : size, { 0 } };
	int result = registry_blob(r, str_c(&digest), on_data, &b, err);
	if (b.err.code)
		result = err_move(err, &b.err);
	TRY(result);
	str_addc(&got, "sha256:");
	sha256_hex(&got, str_sv(bytes));
	if (!sv_eq(str_sv(&got), str_sv(&digest)))
		return err_set(err, ERR_INVALID, "the registry sent %s, and its manifest says %s", str_c(&got), str_c(&digest));
	return 0;
}

static int download(struct charts *c, const struct chart_want *w, const struct chart_place *p, const struct chart_version *v,
		    struct str *bytes, struct str *from, struct err *err)
{
	AUTO(registry) r = { 0 };
	AUTO(str) tag = { 0 };

	tag_of(&tag, v->version);
	str_addf(from, "%s/%s:%s", str_c(&p->repo), str_c(&p->chart), str_c(&tag));
	open_registry(&r, c, str_c(&p->repo), str_c(&p->chart), w->access);
	return err_wrap(err, pull(&r, str_c(&tag), bytes, err), "%s", str_c(from));
}

const struct chart_protocol chart_protocol_oci = { list, download };

/* ---- pushing ---- */

static struct node *descriptor(struct doc *d, const char *type, struct sv bytes, struct str *digest)
{
	struct node *n = node_map(d);

	str_addc(digest, "sha256:");
	sha256_hex(digest, bytes);
	node_set(d, n, "mediaType", node_str(d, type));
	node_set(d, n, "digest", node_strn(d, str_sv(digest)));
	node_set(d, n, "size", node_int(d, (int64_t)bytes.n));
	return n;
}

static int push(struct registry *r, const struct chart_push *p, const char *tag, struct str *digest, struct err *err)
{
	AUTO(str) config_digest = { 0 };
	AUTO(str) layer_digest = { 0 };
	AUTO(str) text = { 0 };
	AUTO_DOC d = doc_new();
	struct node *manifest = node_map(d), *layers = node_seq(d), *notes = node_map(d);

	node_set(d, manifest, "schemaVersion", node_int(d, 2));
	node_set(d, manifest, "config", descriptor(d, TYPE_CONFIG, p->meta_json, &config_digest));
	node_add(d, layers, descriptor(d, TYPE_CHART, p->package, &layer_digest));
	node_set(d, manifest, "layers", layers);
	node_set(d, notes, "org.opencontainers.image.title", node_str(d, p->name));
	node_set(d, notes, "org.opencontainers.image.version", node_str(d, p->version));
	node_set(d, manifest, "annotations", notes);
	json_write(&text, manifest, 0);
	TRY(registry_push_blob(r, str_c(&layer_digest), p->package, err));
	TRY(registry_push_blob(r, str_c(&config_digest), p->meta_json, err));
	TRY(registry_push_manifest(r, tag, TYPE_MANIFEST, str_sv(&text), err));
	str_addc(digest, "sha256:");
	sha256_hex(digest, str_sv(&text));
	return 0;
}

int charts_push(struct charts *c, const struct chart_push *p, struct str *name, struct str *digest, struct err *err)
{
	AUTO(registry) r = { 0 };
	AUTO(str) tag = { 0 };

	if (!chart_is_oci(p->to) || !p->to[6])
		return err_set(err, ERR_BAD_REQUEST, "'%s': charts are pushed to registries, as oci://HOST/PATH", p->to);
	tag_of(&tag, p->version);
	open_registry(&r, c, p->to, p->name, p->access);
	str_addf(name, "%s/%s:%s", str_c(&r.host), str_c(&r.repository), str_c(&tag));
	return err_wrap(err, push(&r, p, str_c(&tag), digest, err), "%s", str_c(name));
}
