/* operator/chart/charts.c - charts from elsewhere, and the cache of their packages. */
#include "operator/chart/charts-internal.h"

#include "base/encode.h"
#include "base/fs.h"
#include "base/semver.h"

#define NAME_MAX_N 256

void chart_package_free(struct chart_package *p)
{
	str_free(&p->version);
	str_free(&p->digest);
	str_free(&p->path);
	str_free(&p->from);
}

struct charts *charts_new(struct loop *l, const char *dir)
{
	struct charts *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->loop = l;
	c->http = httpc_new(l);
	c->dir = sv_dup(sv_c(dir));
	return c;
}

const char *charts_dir(const struct charts *c) { return c->dir; }

void chart_repo_forget(struct chart_repo *r)
{
	struct map_slot *s;

	map_each(s, &r->charts) {
		chart_versions_free(s->value);
		free(s->value);
	}
	map_free(&r->charts);
}

void charts_free(struct charts **cp)
{
	struct charts *c = TAKE(*cp);
	struct map_slot *s;

	if (!c)
		return;
	map_each(s, &c->repos) {
		chart_repo_forget(s->value);
		str_free(&((struct chart_repo *)s->value)->etag);
		free(s->value);
	}
	map_free(&c->repos);
	httpc_free(&c->http);
	free(c->dir);
	free(c);
}

void chart_key(struct str *out, const char *repo, const char *chart, const char *version)
{
	AUTO(str) text = { 0 };

	str_addf(&text, "%s\n%s\n%s", repo, chart, version);
	sha256_hex(out, str_sv(&text));
}

bool chart_version_is_exact(const char *version)
{
	struct semver v;
	size_t dots = 0;

	if (!version || !semver_parse(sv_c(version), &v))
		return false;
	for (const char *c = version; *c && *c != '-' && *c != '+'; c++)
		dots += *c == '.';
	return dots == 2;
}

/* ---- where a chart is ---- */

static void place_free(struct chart_place *p)
{
	str_free(&p->repo);
	str_free(&p->chart);
	str_free(&p->url);
	str_free(&p->version);
}

/* "oci://host:5000/team/redis:1.2.3": repository, name, and a version when there is one. */
static int split_reference(struct chart_place *p, const char *reference, struct err *err)
{
	struct sv repo, chart, name, version;

	if (!sv_cut_last(sv_c(reference), '/', &repo, &chart) || repo.n <= sizeof "oci://" - 1)
		return err_set(err, ERR_BAD_REQUEST, "'%s' names no chart of a registry: oci://HOST/PATH/CHART", reference);
	bool tagged = sv_cut(chart, ':', &name, &version);
	str_add(&p->repo, repo);
	str_add(&p->chart, name);
	if (tagged && p->version.n && !sv_eq(str_sv(&p->version), version))
		return err_set(err, ERR_BAD_REQUEST, "'%s' has a version, and another one is asked for: %s", reference, str_c(&p->version));
	if (tagged) {
		str_cut(&p->version, 0);
		for (size_t i = 0; i < version.n; i++)
			str_add1(&p->version, version.p[i] == '_' ? '+' : version.p[i]);
	}
	return 0;
}

static int find_place(struct chart_place *p, const struct chart_want *w, struct err *err)
{
	const char *chart = w->chart ? w->chart : "", *repo = w->repo ? w->repo : "";

	str_addc(&p->version, w->version);
	bool bare = *repo && !strstr(repo, "://");       /* "registry.example.org/team", as Argo CD's sources have it */
	p->protocol = bare || chart_is_oci(*repo ? repo : chart) ? &chart_protocol_oci : &chart_protocol_http;
	if (!*repo && chart_is_oci(chart)) {
		TRY(split_reference(p, chart, err));
	} else if (!*repo && strstr(chart, "://")) {
		str_addc(&p->url, chart);
	} else if (!*repo) {
		return err_set(err, ERR_BAD_REQUEST, "chart '%s': which repository is it in?", chart);
	} else {
		struct sv rest = sv_c(repo);
		while (rest.n && rest.p[rest.n - 1] == '/')
			rest.n--;
		str_addc(&p->repo, bare ? "oci://" : "");
		str_add(&p->repo, rest);
		str_addc(&p->chart, chart);
	}
	if (p->repo.n && !chart_is_oci(str_c(&p->repo)) && strncmp(str_c(&p->repo), "https://", 8) && strncmp(str_c(&p->repo), "http://", 7))
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not the address of a chart repository: https://..., http://... or oci://...",
			       str_c(&p->repo));
	if (!p->url.n && (!p->chart.n || p->chart.n > NAME_MAX_N || strpbrk(str_c(&p->chart), "?#%\\ ") || strstr(str_c(&p->chart), "..")))
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not the name of a chart", chart);
	return 0;
}

static struct chart_repo *repo_of(struct charts *c, const struct chart_place *p)
{
	struct chart_repo *r = map_get(&c->repos, str_sv(&p->repo));

	if (!r) {
		r = calloc(1, sizeof *r);
		if (!r)
			abort();
		map_put(&c->repos, str_sv(&p->repo), r);
	}
	return r;
}

/* ---- which version ---- */

static void copy_version(struct chart_version *out, const struct chart_version *v)
{
	*out = (struct chart_version){ sv_dup(sv_c(v->version)), sv_dup(sv_c(v->url)), sv_dup(sv_c(v->digest)) };
}

static void version_free(struct chart_version *v)
{
	free(v->version);
	free(v->url);
	free(v->digest);
}

/* A registry need not be asked for an exact version: it is the tag. */
static int choose(struct charts *c, const struct chart_want *w, const struct chart_place *p, struct chart_version *out, struct err *err)
{
	const struct chart_version given = { (char *)str_c(&p->version), (char *)str_c(&p->url), (char *)"" };

	if (p->url.n || (p->protocol == &chart_protocol_oci && chart_version_is_exact(str_c(&p->version)))) {
		copy_version(out, &given);
		return 0;
	}
	struct chart_repo *repo = repo_of(c, p);
	TRY(p->protocol->list(c, w, p, repo, err));
	const struct chart_versions *all = map_get(&repo->charts, str_sv(&p->chart));
	const struct chart_version *found = chart_versions_choose(all ? all : &(struct chart_versions){ 0 }, str_c(&p->version), w->devel,
								  str_c(&p->chart), err);
	if (!found)
		return err && err->code ? -(int)err->code : -ERR_NOT_FOUND;
	copy_version(out, found);
	return 0;
}

int charts_resolve(struct charts *c, const struct chart_want *w, struct str *version, struct err *err)
{
	struct chart_place p = { 0 };
	struct chart_version v = { 0 };
	int r = find_place(&p, w, err);

	if (r >= 0 && chart_version_is_exact(str_c(&p.version)))
		str_add(version, str_sv(&p.version));
	else if (r >= 0 && (r = choose(c, w, &p, &v, err)) >= 0)
		str_addc(version, v.version);
	version_free(&v);
	place_free(&p);
	return r;
}

/* ---- the cache ---- */

static void package_path(const struct charts *c, const char *hex, struct str *out)
{
	str_addf(out, "%s/packages/%s.tgz", c->dir, hex);
}

static void name_path(const struct charts *c, const struct chart_place *p, const char *version, struct str *out)
{
	AUTO(str) key = { 0 };

	chart_key(&key, str_c(&p->repo), p->url.n ? str_c(&p->url) : str_c(&p->chart), version);
	str_addf(out, "%s/names/%s", c->dir, str_c(&key));
}

static bool is_hex(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.p[i]))
			return false;
	return s.n == 64;
}

/* The package with this digest, when it is here. */
static bool take_package(const struct charts *c, struct sv hex, const char *version, struct chart_package *out)
{
	AUTO(str) digits = { 0 };

	str_add(&digits, hex);
	if (!is_hex(hex))
		return false;
	str_cut(&out->path, 0);
	package_path(c, str_c(&digits), &out->path);
	if (!path_exists(str_c(&out->path)))
		return false;
	str_set(&out->version, version);
	str_set(&out->digest, "sha256:");
	str_add(&out->digest, hex);
	return true;
}

static bool find_by_name(const struct charts *c, const struct chart_place *p, const char *version, struct chart_package *out)
{
	AUTO(str) path = { 0 };
	AUTO(str) hex = { 0 };

	name_path(c, p, version, &path);
	return file_read(str_c(&path), 128, &hex, NULL) >= 0 && take_package(c, str_sv(&hex), version, out);
}

static int store(const struct charts *c, const struct chart_place *p, const char *version, struct sv bytes, struct chart_package *out,
		 struct err *err)
{
	static const char *const dirs[] = { "packages", "names" };
	AUTO(str) hex = { 0 };
	AUTO(str) name = { 0 };

	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		AUTO(str) dir = { 0 };
		str_addf(&dir, "%s/%s", c->dir, dirs[i]);
		TRY(dir_make(str_c(&dir), 0700, err));
	}
	sha256_hex(&hex, bytes);
	str_cut(&out->path, 0);
	package_path(c, str_c(&hex), &out->path);
	TRY(file_write(str_c(&out->path), bytes, 0600, err));
	name_path(c, p, version, &name);
	TRY(file_write(str_c(&name), str_sv(&hex), 0600, err));
	(void)take_package(c, str_sv(&hex), version, out);
	return 0;
}

/* ---- fetching ---- */

static int check_package(struct sv bytes, const struct chart_version *v, struct err *err)
{
	AUTO(str) hex = { 0 };

	if (bytes.n < 2 || memcmp(bytes.p, "\x1f\x8b", 2))
		return err_set(err, ERR_INVALID, "what came is no chart package: it is not compressed by gzip");
	sha256_hex(&hex, bytes);
	if (*v->digest && strcmp(v->digest, str_c(&hex)))
		return err_set(err, ERR_INVALID, "the package is sha256:%s, and the index says sha256:%s", str_c(&hex), v->digest);
	return 0;
}

static int fetch(struct charts *c, const struct chart_want *w, const struct chart_place *p, const struct chart_version *v,
		 struct chart_package *out, struct err *err)
{
	AUTO(str) bytes = { 0 };

	if (*v->digest && take_package(c, sv_c(v->digest), v->version, out)) {
		chart_url_join(&out->from, str_c(&p->repo), v->url);
		return 0;
	}
	str_cut(&out->from, 0);
	TRY(p->protocol->download(c, w, p, v, &bytes, &out->from, err));
	TRY(err_wrap(err, check_package(str_sv(&bytes), v, err), "%s", str_c(&out->from)));
	return store(c, p, v->version, str_sv(&bytes), out, err);
}

static int find_or_fetch(struct charts *c, const struct chart_want *w, struct chart_place *p, struct chart_package *out, struct err *err)
{
	struct chart_version v = { 0 };

	TRY(find_place(p, w, err));
	bool cached_is_fine = w->max_age_ms == CHARTS_CACHED && chart_version_is_exact(str_c(&p->version));
	if (cached_is_fine && find_by_name(c, p, str_c(&p->version), out))
		return 0;
	int r = choose(c, w, p, &v, err);
	if (r >= 0)
		r = fetch(c, w, p, &v, out, err);
	version_free(&v);
	return r;
}

bool charts_find(const char *dir, const struct chart_want *w, struct chart_package *out)
{
	const struct charts c = { .dir = (char *)(uintptr_t)dir };
	struct chart_place p = { 0 };
	bool found = find_place(&p, w, NULL) >= 0 && chart_version_is_exact(str_c(&p.version)) &&
		     find_by_name(&c, &p, str_c(&p.version), out);

	place_free(&p);
	return found;
}

int charts_fetch(struct charts *c, const struct chart_want *w, struct chart_package *out, struct err *err)
{
	struct chart_place p = { 0 };
	int r = find_or_fetch(c, w, &p, out, err);

	place_free(&p);
	return r;
}
