/* index.json: the names of a store, and taking away what no name needs. */
#include "base/fs.h"
#include "base/json.h"
#include "base/map.h"
#include "runtime/image/pack.h"
#include "runtime/image/store-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#define REF_NAME "org.opencontainers.image.ref.name"

void descriptor_free(struct descriptor *d)
{
	str_free(&d->digest);
	str_free(&d->media_type);
}

/* ---- locks ---- */

static int lock(const char *dir, const char *name, int how, struct err *err)
{
	AUTO(str) path = { 0 };
	int r;

	str_addf(&path, "%s/%s", dir, name);
	AUTO_FD fd = open(str_c(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "open '%s'", str_c(&path));
	while ((r = flock(fd, how)) && errno == EINTR)
		;
	if (r)
		return errno == EWOULDBLOCK ? err_set(err, ERR_BUSY, "'%s' is in use", str_c(&path))
					    : err_errno(err, "lock '%s'", str_c(&path));
	int taken = fd;
	fd = -1;
	return taken;
}

int store_share(const char *dir, struct err *err) { return lock(dir, "lock", LOCK_SH, err); }

/* ---- reading and writing ---- */

static int index_load(const char *dir, struct doc **d, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };

	str_addf(&path, "%s/index.json", dir);
	TRY(file_read(str_c(&path), MANIFEST_MAX, &text, err));
	return json_read(str_sv(&text), str_c(&path), 0, d, err);
}

/* Layers and blobs are on disk before a name says that they are. */
static int index_save(const char *dir, const struct node *root, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	AUTO_FD fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd))
		return err_errno(err, "sync '%s'", dir);
	str_addf(&path, "%s/index.json", dir);
	json_write(&text, root, JSON_INDENT);
	str_add1(&text, '\n');
	return file_write(str_c(&path), str_sv(&text), 0644, err);
}

static const char *ref_name(const struct node *entry)
{
	return node_text(node_get(node_get(entry, "annotations"), REF_NAME));
}

static void to_descriptor(const struct node *entry, struct descriptor *out)
{
	str_set(&out->digest, node_str_or(entry, "digest", ""));
	str_set(&out->media_type, node_str_or(entry, "mediaType", ""));
	out->size = node_int_at(entry, "size", 0);
}

int index_each(const char *dir, index_fn *fn, void *arg, struct err *err)
{
	AUTO_DOC d = NULL;
	struct node *entry;

	TRY(index_load(dir, &d, err));
	node_each(entry, node_get(doc_root(d), "manifests")) {
		AUTO(descriptor) desc = { 0 };

		to_descriptor(entry, &desc);
		if (ref_name(entry) && digest_is_valid(str_sv(&desc.digest)))
			TRY(fn(arg, ref_name(entry), &desc, err));
	}
	return 0;
}

/* A new index without one name. */
static struct node *without(struct doc *out, const struct node *old, const char *full_name)
{
	struct node *root = node_map(out), *list = node_seq(out), *entry;

	node_set(out, root, "schemaVersion", node_int(out, 2));
	node_set(out, root, "mediaType", node_str(out, TYPE_INDEX));
	node_each(entry, node_get(old, "manifests"))
		if (!str_eq(ref_name(entry), full_name))
			node_add(out, list, node_copy(out, entry));
	node_set(out, root, "manifests", list);
	return root;
}

int index_put(const char *dir, const char *full_name, const struct descriptor *d, struct err *err)
{
	AUTO_FD held = lock(dir, "index.lock", LOCK_EX, err);
	AUTO_DOC old = NULL;
	AUTO_DOC new = doc_new();

	TRY(held);
	TRY(index_load(dir, &old, err));
	struct node *root = without(new, doc_root(old), full_name), *entry = node_map(new), *notes = node_map(new);
	node_set(new, entry, "mediaType", node_str(new, str_c(&d->media_type)));
	node_set(new, entry, "digest", node_str(new, str_c(&d->digest)));
	node_set(new, entry, "size", node_int(new, d->size));
	node_set(new, notes, REF_NAME, node_str(new, full_name));
	node_set(new, entry, "annotations", notes);
	node_add(new, node_get(root, "manifests"), entry);
	return index_save(dir, root, err);
}

int index_remove(const char *dir, const char *full_name, struct err *err)
{
	AUTO_FD held = lock(dir, "index.lock", LOCK_EX, err);
	AUTO_DOC old = NULL;
	AUTO_DOC new = doc_new();

	TRY(held);
	TRY(index_load(dir, &old, err));
	return index_save(dir, without(new, doc_root(old), full_name), err);
}

/* ---- finding a name ---- */

struct search {
	struct str local, hub, exact;
	const char *digest;
	struct descriptor *out;
	struct str *full_name;
	int rank;
};

static int match(void *arg, const char *full_name, const struct descriptor *d, struct err *err)
{
	struct search *s = arg;
	int rank = str_eq(full_name, str_c(&s->exact)) ? 4 : str_eq(full_name, str_c(&s->local)) ? 3 :
		   str_eq(full_name, str_c(&s->hub)) ? 2 : s->digest && str_eq(str_c(&d->digest), s->digest) ? 1 : 0;

	(void)err;
	if (rank <= s->rank)
		return 0;
	s->rank = rank;
	str_set(&s->out->digest, str_c(&d->digest));
	str_set(&s->out->media_type, str_c(&d->media_type));
	s->out->size = d->size;
	str_set(s->full_name, full_name);
	return 0;
}

int index_find(const char *dir, const char *name, struct descriptor *out, struct str *full_name, struct err *err)
{
	AUTO(image_name) n = { 0 };
	struct search s = { .out = out, .full_name = full_name };
	int r;

	TRY(image_name_parse(&n, name, err));
	if (n.registry.n) {
		image_name_text(&n, str_c(&n.registry), &s.exact);
	} else {
		image_name_text(&n, "localhost", &s.local);
		image_name_text(&n, "docker.io", &s.hub);
	}
	s.digest = n.digest.n ? str_c(&n.digest) : NULL;
	r = index_each(dir, match, &s, err);
	str_free(&s.exact);
	str_free(&s.local);
	str_free(&s.hub);
	return r < 0 || s.rank ? r : err_set(err, ERR_NOT_FOUND, "image \"%s\" is not in the store", name);
}

/* ---- what no name needs ---- */

struct keep { const char *dir; struct map blobs, layers; };

static void keep_one(struct map *m, const char *digest) { (void)map_put(m, sv_drop(sv_c(digest), 7), m); }

static int keep_image(void *arg, const char *full_name, const struct descriptor *d, struct err *err)
{
	struct keep *k = arg;
	AUTO(manifest) m = { 0 };

	(void)full_name;
	keep_one(&k->blobs, str_c(&d->digest));
	TRY(manifest_read(k->dir, str_c(&d->digest), &m, err));
	keep_one(&k->blobs, str_c(&m.config_digest));
	for (size_t i = 0; i < m.layers.n; i++) {
		keep_one(&k->blobs, str_c(&m.layers.v[i].digest));
		keep_one(&k->layers, str_c(&m.layers.v[i].diff_id));
	}
	return 0;
}

/* A layer that a container uses is locked by its supervisor: it stays until a later time. */
static bool in_use(const char *path)
{
	AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);
}

/* Calls fn for every entry of DIR/PART. */
static int each_entry(const char *dir, const char *part, int (*fn)(const char *dir, const char *path, const char *name,
		      const struct map *keep, struct err *err), const struct map *keep, struct err *err)
{
	AUTO(str) path = { 0 };
	struct names names = { 0 };
	int r;

	str_addf(&path, "%s/%s", dir, part);
	AUTO_FD fd = open(str_c(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open '%s'", str_c(&path));
	r = names_read(fd, &names, err);
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		AUTO(str) one = { 0 };

		str_addf(&one, "%s/%s", str_c(&path), names.v[i]);
		r = fn(dir, str_c(&one), names.v[i], keep, err);
	}
	names_free(&names);
	return r;
}

static int sweep(const char *dir, const char *path, const char *name, const struct map *keep, struct err *err)
{
	(void)dir;
	return (keep && map_get(keep, sv_c(name))) || in_use(path) ? 0 : tree_remove(path, err);
}

/* A step whose layer is gone goes too. Its text begins with the layer's diff id; a broken one counts as gone. */
static int sweep_step(const char *dir, const char *path, const char *name, const struct map *keep, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO(str) digest = { 0 };
	struct sv id, rest;

	(void)keep;
	(void)name;
	if (file_read(path, 4096, &text, NULL) >= 0) {
		(void)sv_cut(str_sv(&text), ' ', &id, &rest);
		str_add(&digest, id);
	}
	return digest_is_valid(str_sv(&digest)) && layer_exists(dir, str_c(&digest)) ? 0 : tree_remove(path, err);
}

int store_collect(const char *dir, struct err *err)
{
	AUTO_FD held = lock(dir, "lock", LOCK_EX | LOCK_NB, NULL);
	struct keep k = { .dir = dir };
	int r;

	if (held < 0)
		return 0;               /* content is being added that has no name yet: another time */
	r = index_each(dir, keep_image, &k, err);
	if (r >= 0)
		r = each_entry(dir, "blobs/sha256", sweep, &k.blobs, err);
	if (r >= 0)
		r = each_entry(dir, "layers", sweep, &k.layers, err);
	if (r >= 0)
		r = each_entry(dir, "tmp", sweep, NULL, err);
	if (r >= 0)
		r = each_entry(dir, "steps", sweep_step, NULL, err);
	map_free(&k.blobs);
	map_free(&k.layers);
	return r;
}
