/* Layers of earlier builds. */
#include "base/fs.h"
#include "runtime/image/copy.h"

#include <inttypes.h>

static void step_path(const char *store, const char *key, struct str *out)
{
	str_addf(out, "%s/steps/%s", store, key + strlen("sha256:"));
}

/* "<diff id> <created, ms>\n": a built layer's blob is not compressed, so its digest is the diff id too. */
bool step_find(const char *store, const char *key, struct layer_ref *out)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };

	step_path(store, key, &path);
	if (file_read(str_c(&path), 4096, &text, NULL) < 0)
		return false;
	struct sv id, created;
	if (!sv_cut(sv_trim(str_sv(&text)), ' ', &id, &created) || !digest_is_valid(id) ||
	    !sv_to_i64(created, &out->created_ms))
		return false;
	str_set(&out->digest, "");
	str_add(&out->digest, id);
	str_set(&out->diff_id, str_c(&out->digest));
	str_set(&out->media_type, TYPE_LAYER);
	out->size = blob_size(store, str_c(&out->digest));
	return out->size >= 0 && layer_exists(store, str_c(&out->diff_id));
}

int step_keep(const char *store, const char *key, const struct layer_ref *layer, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };

	step_path(store, key, &path);
	str_addf(&text, "%s %" PRId64 "\n", str_c(&layer->diff_id), layer->created_ms);
	return file_write(str_c(&path), str_sv(&text), 0644, err);
}

int step_finish(const char *store, const char *key, struct pack *p, struct layer_ref *out, struct err *err)
{
	TRY(pack_end(p, &out->digest, &out->size, err));
	str_set(&out->diff_id, str_c(&out->digest));
	str_set(&out->media_type, TYPE_LAYER);
	out->created_ms = clock_ms();
	TRY(layer_install(store, str_c(&out->digest), str_c(&out->diff_id), err));
	return step_keep(store, key, out, err);
}
