/* Manifests and configurations: read with suspicion, written canonically. */
#include "base/json.h"
#include "runtime/image/store-internal.h"

#include <stdlib.h>
#include <time.h>

#define LAYERS_MAX 256

const char *platform_arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#else
#error "no OCI name for this processor yet"
#endif
}

static void layer_refs_free(struct layer_refs *l)
{
	for (size_t i = 0; i < l->n; i++) {
		str_free(&l->v[i].digest);
		str_free(&l->v[i].diff_id);
		str_free(&l->v[i].media_type);
	}
	vec_free(l);
}

void manifest_free(struct manifest *m)
{
	str_free(&m->digest);
	str_free(&m->config_digest);
	layer_refs_free(&m->layers);
	doc_drop(&m->config);
}

/* ---- reading ---- */

static int read_digest(const struct node *n, const char *path, const char *what, struct str *out, struct err *err)
{
	const char *digest = node_str_at(n, path);

	if (!digest || !digest_is_valid(sv_c(digest)))
		return err_set(err, ERR_INVALID, "%s: %s: want a sha256 digest, got \"%s\"", what, path,
			       digest ? digest : "");
	str_addc(out, digest);
	return 0;
}

int manifest_parse(struct sv text, const char *what, struct manifest *m, struct err *err)
{
	AUTO_DOC d = NULL;

	TRY(json_read(text, what, 0, &d, err));
	const struct node *root = doc_root(d), *layers = node_get(root, "layers");
	TRY(read_digest(root, "config.digest", what, &m->config_digest, err));
	if (!node_is(layers, NODE_SEQ) || layers->n > LAYERS_MAX)
		return err_set(err, ERR_INVALID, "%s: layers: want a list of at most %d", what, LAYERS_MAX);
	for (size_t i = 0; i < layers->n; i++) {
		struct layer_ref ref = { .size = node_int_at(layers->items[i], "size", -1) };
		int r = read_digest(layers->items[i], "digest", what, &ref.digest, err);

		str_addc(&ref.media_type, node_str_or(layers->items[i], "mediaType", ""));
		vec_push(&m->layers, ref);
		TRY(r);
		if (ref.size < 0)
			return err_set(err, ERR_INVALID, "%s: layers.%zu.size: want a size", what, i);
	}
	return 0;
}

int manifest_add_config(struct sv text, struct manifest *m, struct err *err)
{
	TRY(json_read(text, "image configuration", 0, &m->config, err));
	const struct node *ids = node_at(doc_root(m->config), "rootfs.diff_ids");
	if (node_n(ids) != m->layers.n)
		return err_set(err, ERR_INVALID, "image configuration: rootfs.diff_ids: %zu entries for %zu layers",
			       node_n(ids), m->layers.n);
	for (size_t i = 0; i < m->layers.n; i++) {
		const char *id = node_text(ids->items[i]);

		if (!id || !digest_is_valid(sv_c(id)))
			return err_set(err, ERR_INVALID,
				       "image configuration: rootfs.diff_ids.%zu: want a sha256 digest", i);
		str_addc(&m->layers.v[i].diff_id, id);
	}
	return 0;
}

int manifest_read(const char *dir, const char *digest, struct manifest *m, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO(str) config = { 0 };

	*m = (struct manifest){ 0 };
	TRY(blob_read(dir, digest, MANIFEST_MAX, &text, err));
	str_addc(&m->digest, digest);
	int r = manifest_parse(str_sv(&text), "image manifest", m, err);
	if (r >= 0)
		r = blob_read(dir, str_c(&m->config_digest), MANIFEST_MAX, &config, err);
	if (r >= 0)
		r = manifest_add_config(str_sv(&config), m, err);
	if (r < 0)
		manifest_free(m);
	return r;
}

int index_choose(const struct node *index, struct descriptor *out, struct err *err)
{
	struct node *entry;

	node_each(entry, node_get(index, "manifests")) {
		const char *digest = node_str_at(entry, "digest");

		if (str_eq(node_str_at(entry, "platform.architecture"), platform_arch()) &&
		    str_eq(node_str_at(entry, "platform.os"), "linux") && digest && digest_is_valid(sv_c(digest))) {
			str_set(&out->digest, digest);
			str_set(&out->media_type, node_str_or(entry, "mediaType", TYPE_MANIFEST));
			out->size = node_int_at(entry, "size", -1);
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "the image is not offered for linux/%s", platform_arch());
}

/* ---- as an image ---- */

static void add_strings(const struct node *seq, struct strings *out)
{
	struct node *item;

	node_each(item, seq)
		if (node_text(item))
			strings_add(out, node_text(item));
}

static void add_keys(const struct node *map, struct strings *out)
{
	const struct member *m;

	for (size_t i = 0; i < (node_is(map, NODE_MAP) ? map->n : 0); i++) {
		m = &map->members[i];
		strings_add(out, m->key);
	}
}

/* RFC 3339 as configurations have it; 0: none, or not one. */
static int64_t time_ms(const char *text)
{
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	return end ? (int64_t)timegm(&tm) * 1000 : 0;
}

int image_fill(const char *dir, const char *name, const struct manifest *m, struct image *out, struct err *err)
{
	const struct node *root = doc_root(m->config), *config = node_get(root, "config");

	str_set(&out->name, name);
	str_set(&out->digest, str_c(&m->digest));
	add_strings(node_get(config, "Env"), &out->env);
	add_strings(node_get(config, "Entrypoint"), &out->entrypoint);
	add_strings(node_get(config, "Cmd"), &out->cmd);
	add_keys(node_get(config, "Volumes"), &out->volumes);
	add_keys(node_get(config, "ExposedPorts"), &out->ports);
	str_set(&out->user, node_str_or(config, "User", ""));
	str_set(&out->workdir, node_str_or(config, "WorkingDir", ""));
	str_set(&out->stop_signal, node_str_or(config, "StopSignal", ""));
	out->created_ms = time_ms(node_str_at(root, "created"));
	for (size_t i = m->layers.n; i-- > 0;) {
		AUTO(str) path = { 0 };

		if (!layer_exists(dir, str_c(&m->layers.v[i].diff_id)))
			return err_set(err, ERR_NOT_FOUND,
				       "image %s: layer %s is not unpacked: import or pull it again", name,
				       str_c(&m->layers.v[i].diff_id));
		layer_path(dir, str_c(&m->layers.v[i].diff_id), &path);
		strings_add(&out->layers, str_c(&path));
		out->size_bytes += m->layers.v[i].size;
	}
	return 0;
}

/* ---- writing ---- */

static struct node *descriptor_node(struct doc *d, const char *media_type, const char *digest, int64_t size)
{
	struct node *n = node_map(d);

	node_set(d, n, "mediaType", node_str(d, media_type));
	node_set(d, n, "digest", node_str(d, digest));
	node_set(d, n, "size", node_int(d, size));
	return n;
}

int manifest_write(const char *dir, const struct node *config, const struct layer_refs *layers, struct descriptor *out,
		   struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO(str) config_digest = { 0 };
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d), *list = node_seq(d);

	json_write(&text, config, 0);
	TRY(blob_put(dir, str_sv(&text), &config_digest, err));
	node_set(d, root, "schemaVersion", node_int(d, 2));
	node_set(d, root, "mediaType", node_str(d, TYPE_MANIFEST));
	node_set(d, root, "config", descriptor_node(d, TYPE_CONFIG, str_c(&config_digest), (int64_t)text.n));
	for (size_t i = 0; i < layers->n; i++)
		node_add(d, list, descriptor_node(d, str_c(&layers->v[i].media_type), str_c(&layers->v[i].digest),
						  layers->v[i].size));
	node_set(d, root, "layers", list);
	str_cut(&text, 0);
	json_write(&text, root, 0);
	TRY(blob_put(dir, str_sv(&text), &out->digest, err));
	str_set(&out->media_type, TYPE_MANIFEST);
	out->size = (int64_t)text.n;
	return 0;
}
