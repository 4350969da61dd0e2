/* Images from files: an OCI layout or what `docker save` writes, as a directory or an archive. */
#include "base/fs.h"
#include "base/json.h"
#include "runtime/image/store-internal.h"
#include "runtime/image/unpack.h"
#include "runtime/image/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

struct import {
	const char *dir, *archive, *tag;
	struct strings *names;
	struct str temp;                /* where an archive was unpacked; removed at the end */
	int root;                       /* the directory that is imported */
	int result;
	struct err err;
};

/* ---- blobs of the other side ---- */

/* Streams a file below root into the store. want NULL: its digest is whatever it is. */
static int copy_blob(struct import *im, const char *path, const char *want, struct str *digest, struct err *err)
{
	AUTO(blob_writer) w = { .fd = -1 };
	AUTO(str) real = { 0 };
	struct stat st;
	char buf[8192];
	ssize_t n;

	int exists = view_find(im->root, path, &real, &st, err);
	TRY(exists);
	AUTO_FD fd = exists ? openat(im->root, str_c(&real), O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0)
		return err_set(err, ERR_INVALID, "'%s' is named in the archive, but not in it", path);
	TRY(blob_create(&w, im->dir, err));
	while ((n = read(fd, buf, sizeof buf)) > 0)
		TRY(blob_write(&w, (struct sv){ buf, (size_t)n }, err));
	if (n < 0)
		return err_errno(err, "read '%s'", path);
	return blob_commit(&w, want, digest, err);
}

static int copy_by_digest(struct import *im, const char *digest, struct err *err)
{
	AUTO(str) path = { 0 };

	if (blob_exists(im->dir, digest))
		return 0;
	str_addf(&path, "blobs/sha256/%s", digest + strlen("sha256:"));
	return copy_blob(im, str_c(&path), digest, NULL, err);
}

static int install_layers(struct import *im, const struct manifest *m, struct err *err)
{
	for (size_t i = 0; i < m->layers.n; i++)
		TRY(layer_install(im->dir, str_c(&m->layers.v[i].digest), str_c(&m->layers.v[i].diff_id), err));
	return 0;
}

/* The name that was asked for, or the archive's own ("v1" alone is no name). */
static int put_name(struct import *im, const char *own, const struct descriptor *d, struct err *err)
{
	AUTO(image_name) n = { 0 };
	AUTO(str) full = { 0 };
	const char *name = im->tag ? im->tag : own;

	if (!name)
		return err_set(err, ERR_INVALID, "'%s' does not name its image: give a name with -t", im->archive);
	TRY(image_name_parse(&n, name, err));
	image_name_text(&n, n.registry.n ? str_c(&n.registry) : "localhost", &full);
	TRY(index_put(im->dir, str_c(&full), d, err));
	strings_add(im->names, str_c(&full));
	return 0;
}

/* ---- OCI layout ---- */

static int import_manifest(struct import *im, const struct descriptor *d, const char *name, struct err *err)
{
	AUTO(manifest) m = { 0 };
	AUTO(str) text = { 0 };

	TRY(copy_by_digest(im, str_c(&d->digest), err));
	TRY(blob_read(im->dir, str_c(&d->digest), MANIFEST_MAX, &text, err));
	if (str_eq(str_c(&d->media_type), TYPE_INDEX) || str_eq(str_c(&d->media_type), TYPE_DOCKER_LIST)) {
		AUTO_DOC index = NULL;
		AUTO(descriptor) chosen = { 0 };

		TRY(json_read(str_sv(&text), "image index", 0, &index, err));
		TRY(index_choose(doc_root(index), &chosen, err));
		if (str_eq(str_c(&chosen.media_type), TYPE_INDEX))
			return err_set(err, ERR_INVALID, "an index of indexes");
		return import_manifest(im, &chosen, name, err);
	}
	TRY(manifest_parse(str_sv(&text), "image manifest", &m, err));
	TRY(copy_by_digest(im, str_c(&m.config_digest), err));
	for (size_t i = 0; i < m.layers.n; i++)
		TRY(copy_by_digest(im, str_c(&m.layers.v[i].digest), err));
	str_cut(&text, 0);
	TRY(blob_read(im->dir, str_c(&m.config_digest), MANIFEST_MAX, &text, err));
	TRY(manifest_add_config(str_sv(&text), &m, err));
	TRY(install_layers(im, &m, err));
	return put_name(im, name, d, err);
}

static const char *own_name(const struct node *entry)
{
	const struct node *notes = node_get(entry, "annotations");
	const char *name = node_text(node_get(notes, "io.containerd.image.name"));

	if (!name)
		name = node_text(node_get(notes, "org.opencontainers.image.ref.name"));
	return name && strpbrk(name, ":/@") ? name : NULL;
}

static int import_layout(struct import *im, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO_DOC d = NULL;
	struct node *entry;

	TRY(view_read(im->root, "index.json", MANIFEST_MAX, &text, err));
	TRY(json_read(str_sv(&text), "index.json", 0, &d, err));
	const struct node *list = node_get(doc_root(d), "manifests");
	if (!node_n(list))
		return err_set(err, ERR_INVALID, "'%s': index.json names no image", im->archive);
	if (im->tag && list->n > 1)
		return err_set(err, ERR_INVALID, "'%s' has %u images: they keep their own names, leave out -t",
			       im->archive, list->n);
	node_each(entry, list) {
		AUTO(descriptor) desc = { .size = node_int_at(entry, "size", 0) };

		str_addc(&desc.digest, node_str_or(entry, "digest", ""));
		str_addc(&desc.media_type, node_str_or(entry, "mediaType", TYPE_MANIFEST));
		if (!digest_is_valid(str_sv(&desc.digest)))
			return err_set(err, ERR_INVALID, "index.json: \"%s\" is not a sha256 digest",
				       str_c(&desc.digest));
		TRY(import_manifest(im, &desc, own_name(entry), err));
	}
	return 0;
}

/* ---- docker-archive ---- */

static bool is_gzip(const char *dir, const char *digest)
{
	AUTO(str) path = { 0 };
	unsigned char magic[2] = { 0 };

	blob_path(dir, digest, &path);
	AUTO_FD fd = open(str_c(&path), O_RDONLY | O_CLOEXEC);
	return fd >= 0 && pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
}

static int add_layer(struct import *im, const char *path, struct manifest *m, struct err *err)
{
	struct layer_ref ref = { 0 };
	int r = copy_blob(im, path, NULL, &ref.digest, err);

	if (r >= 0) {
		str_addf(&ref.media_type, TYPE_LAYER "%s", is_gzip(im->dir, str_c(&ref.digest)) ? "+gzip" : "");
		ref.size = blob_size(im->dir, str_c(&ref.digest));
	}
	vec_push(&m->layers, ref);
	return r;
}

static int import_saved(struct import *im, const struct node *entry, struct err *err)
{
	AUTO(manifest) m = { 0 };
	AUTO(descriptor) d = { 0 };
	AUTO(str) config = { 0 };
	struct node *item;
	bool named = false;

	TRY(view_read(im->root, node_str_or(entry, "Config", "?"), MANIFEST_MAX, &config, err));
	node_each(item, node_get(entry, "Layers"))
		TRY(add_layer(im, node_text(item) ? node_text(item) : "?", &m, err));
	TRY(manifest_add_config(str_sv(&config), &m, err));
	TRY(install_layers(im, &m, err));
	TRY(manifest_write(im->dir, doc_root(m.config), &m.layers, &d, err));
	if (!im->tag)
		node_each(item, node_get(entry, "RepoTags")) {
			TRY(put_name(im, node_text(item), &d, err));
			named = true;
		}
	return named ? 0 : put_name(im, NULL, &d, err);
}

static int import_docker(struct import *im, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO_DOC d = NULL;
	struct node *entry;

	TRY(view_read(im->root, "manifest.json", MANIFEST_MAX, &text, err));
	TRY(json_read(str_sv(&text), "manifest.json", 0, &d, err));
	if (!node_n(doc_root(d)))
		return err_set(err, ERR_INVALID, "'%s': manifest.json names no image", im->archive);
	if (im->tag && node_n(doc_root(d)) > 1)
		return err_set(err, ERR_INVALID, "'%s' has several images: they keep their own names, leave out -t",
			       im->archive);
	node_each(entry, doc_root(d))
		TRY(import_saved(im, entry, err));
	return 0;
}

/* ---- all of it ---- */

static int open_root(struct import *im, struct err *err)
{
	static const struct unpack_opts opts = { .plain = true };
	struct stat st;

	if (stat(im->archive, &st))
		return err_errno(err, "open '%s'", im->archive);
	if (!S_ISDIR(st.st_mode)) {
		TRY(store_temp(im->dir, "import", &im->temp, err));
		TRY(err_wrap(err, unpack_file(im->archive, str_c(&im->temp), &opts, NULL, err), "'%s'", im->archive));
	}
	im->root = open(im->temp.n ? str_c(&im->temp) : im->archive, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return im->root < 0 ? err_errno(err, "open '%s'", im->archive) : 0;
}

static int import(struct import *im, struct err *err)
{
	AUTO(str) ignored = { 0 };
	AUTO_FD shared = store_share(im->dir, err);

	TRY(shared);
	TRY(open_root(im, err));
	if (view_read(im->root, "index.json", MANIFEST_MAX, &ignored, NULL) >= 0)
		return import_layout(im, err);
	if (view_read(im->root, "manifest.json", MANIFEST_MAX, &ignored, NULL) >= 0)
		return import_docker(im, err);
	return err_set(err, ERR_INVALID,
		       "'%s' is neither an OCI layout (index.json) nor a docker archive (manifest.json)", im->archive);
}

static void import_job(void *arg)
{
	struct import *im = arg;

	im->result = import(im, &im->err);
	fd_close(&im->root);
	if (im->temp.n)
		(void)!tree_remove(str_c(&im->temp), NULL);
	str_free(&im->temp);
}

int image_import(struct images *i, const char *archive, const char *tag, struct strings *names, struct err *err)
{
	struct import im = { .dir = str_c(&i->dir), .archive = archive, .tag = tag, .names = names, .root = -1 };

	fiber_job_long(import_job, &im);
	return im.result < 0 ? err_move(err, &im.err) : 0;
}
