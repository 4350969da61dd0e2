#include "base/fs.h"
#include "runtime/image/store-internal.h"
#include "runtime/image/unpack.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- lists and images ---- */

void strings_add(struct strings *s, const char *text) { vec_push(s, sv_dup(sv_c(text))); }

void strings_free(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	vec_free(s);
}

void image_free(struct image *i)
{
	struct strings *lists[] = { &i->env, &i->entrypoint, &i->cmd, &i->volumes, &i->ports, &i->layers };
	struct str *texts[] = { &i->name, &i->digest, &i->user, &i->workdir, &i->stop_signal };

	for (size_t n = 0; n < sizeof lists / sizeof *lists; n++)
		strings_free(lists[n]);
	for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
		str_free(texts[n]);
}

void image_list_free(struct image_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		image_free(&l->v[i]);
	vec_free(l);
}

/* ---- opening ---- */

static int make_file(const char *dir, const char *name, const char *text, struct err *err)
{
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	return path_exists(str_c(&path)) ? 0 : file_write(str_c(&path), sv_c(text), 0644, err);
}

static int make_store(const char *dir, struct err *err)
{
	static const char *const parts[] = { "blobs/sha256", "layers", "steps", "tmp" };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		AUTO(str) path = { 0 };

		str_addf(&path, "%s/%s", dir, parts[i]);
		TRY(dir_make(str_c(&path), 0755, err));
	}
	TRY(make_file(dir, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}\n", err));
	return make_file(dir, "index.json", "{\"schemaVersion\":2,\"mediaType\":\"" TYPE_INDEX "\",\"manifests\":[]}\n",
			 err);
}

struct images *images_open(struct loop *l, const char *dir, struct err *err)
{
	struct images *i = calloc(1, sizeof *i);
	char real[PATH_MAX];

	if (!i)
		abort();
	i->loop = l;
	if (make_store(dir, err) < 0) {
		images_close(&i);
		return NULL;
	}
	if (!realpath(dir, real)) {
		(void)err_errno(err, "open the image store '%s'", dir);
		images_close(&i);
		return NULL;
	}
	str_addc(&i->dir, real);
	return i;
}

void images_close(struct images **ip)
{
	struct images *i = TAKE(*ip);

	if (!i)
		return;
	containers_close(&i->containers);
	str_free(&i->dir);
	free(i);
}

/* ---- layers ---- */

void layer_path(const char *dir, const char *diff_id, struct str *out)
{
	str_addf(out, "%s/layers/%s", dir, diff_id + strlen("sha256:"));
}

bool layer_exists(const char *dir, const char *diff_id)
{
	AUTO(str) path = { 0 };

	layer_path(dir, diff_id, &path);
	return path_exists(str_c(&path));
}

int store_temp(const char *dir, const char *name, struct str *path, struct err *err)
{
	str_addf(path, "%s/tmp/%s-XXXXXX", dir, name);
	if (!mkdtemp(path->p) || chmod(path->p, 0755))
		return err_errno(err, "create '%s'", str_c(path));
	return 0;
}

static int put_layer(const char *dir, const char *temp, const char *got, const char *want, struct err *err)
{
	AUTO(str) path = { 0 };

	if (want && !str_eq(got, want))
		return err_set(err, ERR_INVALID, "layer content is %s, not %s as the configuration says", got, want);
	layer_path(dir, got, &path);
	if (rename(temp, str_c(&path)) && errno != ENOTEMPTY && errno != EEXIST)        /* somebody else was faster */
		return err_errno(err, "write '%s'", str_c(&path));
	return 0;
}

int layer_install(const char *dir, const char *blob_digest, const char *diff_id, struct err *err)
{
	static const struct unpack_opts opts = { 0 };
	AUTO(str) temp = { 0 };
	AUTO(str) blob = { 0 };
	AUTO(str) got = { 0 };

	if (diff_id && layer_exists(dir, diff_id))
		return 0;
	TRY(store_temp(dir, "layer", &temp, err));
	blob_path(dir, blob_digest, &blob);
	int r = unpack_file(str_c(&blob), str_c(&temp), &opts, &got, err);
	if (r >= 0)
		r = put_layer(dir, str_c(&temp), str_c(&got), diff_id, err);
	if (path_exists(str_c(&temp)))
		(void)!tree_remove(str_c(&temp), NULL);
	return r;
}

/* ---- find, list, remove ---- */

struct find { const char *dir, *name; struct image *out; int result; struct err err; };

static int find_image(struct find *f, struct err *err)
{
	AUTO(descriptor) d = { 0 };
	AUTO(str) full_name = { 0 };
	AUTO(manifest) m = { 0 };

	TRY(index_find(f->dir, f->name, &d, &full_name, err));
	TRY(manifest_read(f->dir, str_c(&d.digest), &m, err));
	return image_fill(f->dir, f->name, &m, f->out, err);
}

static void find_job(void *arg)
{
	struct find *f = arg;

	f->result = find_image(f, &f->err);
}

int image_find(struct images *i, const char *name, struct image *out, struct err *err)
{
	struct find f = { .dir = str_c(&i->dir), .name = name, .out = out };

	*out = (struct image){ 0 };
	fiber_job(find_job, &f);
	if (f.result >= 0)
		return 0;
	image_free(out);
	*out = (struct image){ 0 };
	return err_move(err, &f.err);
}

struct list { const char *dir; struct image_list *out; int result; struct err err; };

/* An image that is damaged or lacks a layer is listed by its name: it can be removed, or pulled again. */
static int list_one(void *arg, const char *full_name, const struct descriptor *d, struct err *err)
{
	struct list *l = arg;
	AUTO(manifest) m = { 0 };
	struct image image = { 0 };

	(void)err;
	str_addc(&image.name, full_name);
	str_addc(&image.digest, str_c(&d->digest));
	if (manifest_read(l->dir, str_c(&d->digest), &m, NULL) >= 0)
		(void)!image_fill(l->dir, full_name, &m, &image, NULL);
	vec_push(l->out, image);
	return 0;
}

static void list_job(void *arg)
{
	struct list *l = arg;

	l->result = index_each(l->dir, list_one, l, &l->err);
}

int image_list(struct images *i, struct image_list *out, struct err *err)
{
	struct list l = { .dir = str_c(&i->dir), .out = out };

	*out = (struct image_list){ 0 };
	fiber_job(list_job, &l);
	if (l.result < 0)
		image_list_free(out);
	return l.result < 0 ? err_move(err, &l.err) : 0;
}

struct removal { const char *dir, *name; int result; struct err err; };         /* name NULL: only what is unused */

static int remove_image(struct removal *r, struct err *err)
{
	AUTO(descriptor) d = { 0 };
	AUTO(str) full_name = { 0 };

	if (r->name) {
		TRY(index_find(r->dir, r->name, &d, &full_name, err));
		TRY(index_remove(r->dir, str_c(&full_name), err));
	}
	return store_collect(r->dir, err);
}

static void remove_job(void *arg)
{
	struct removal *r = arg;

	r->result = remove_image(r, &r->err);
}

int image_remove(struct images *i, const char *name, struct err *err)
{
	struct removal r = { .dir = str_c(&i->dir), .name = name };

	fiber_job_long(remove_job, &r);
	return r.result < 0 ? err_move(err, &r.err) : 0;
}

int image_prune(struct images *i, struct err *err) { return image_remove(i, NULL, err); }
