/* A tree of files in memory. */
#include "base/encode.h"
#include "base/map.h"
#include "base/vfs.h"

#include <stdlib.h>

struct entry {
	bool dir;
	struct map entries;             /* of a directory: struct entry * */
	struct str content;             /* of a file */
};

struct memory {
	struct vfs vfs;
	struct entry root;
};

static struct entry *find(struct vfs *v, const char *path)
{
	struct entry *e = &((struct memory *)v)->root;
	struct sv rest = sv_c(path), part;

	while (e && rest.n) {
		sv_cut(rest, '/', &part, &rest);
		e = e->dir ? map_get(&e->entries, part) : NULL;
	}
	return e;
}

static int absent(const char *path, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "'%s' does not exist", path);
}

static int memory_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err)
{
	struct entry *e = find(v, path);

	if (!e)
		return absent(path, err);
	if (e->dir)
		return err_set(err, ERR_INVALID, "'%s' is a directory", path);
	if (e->content.n > max)
		return err_set(err, ERR_TOO_LARGE, "'%s' has %zu bytes; at most %zu are read", path, e->content.n, max);
	str_cut(out, 0);
	str_add(out, str_sv(&e->content));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vfs_entry *)a)->name, ((const struct vfs_entry *)b)->name);
}

static int memory_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err)
{
	struct entry *e = find(v, path), *child;
	struct map_slot *s;

	if (!e)
		return absent(path, err);
	if (!e->dir)
		return err_set(err, ERR_INVALID, "'%s' is a file", path);
	map_each(s, &e->entries) {
		child = s->value;
		vec_push(out, ((struct vfs_entry){ sv_dup((struct sv){ s->key, s->key_n }), child->dir ? VFS_DIR : VFS_FILE }));
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	return 0;
}

/* The id of a directory covers its names, their types and their ids, as a git tree's does. */
static void entry_id(const struct entry *e, struct str *id)
{
	AUTO(str) text = { 0 };
	AUTO(str) below = { 0 };
	struct map_slot *s;

	if (e->dir) {
		map_each(s, &e->entries) {
			entry_id(s->value, &below);
			str_addf(&text, "%s %d %s\n", s->key, ((struct entry *)s->value)->dir, str_c(&below));
		}
	}
	str_cut(id, 0);
	sha256_hex(id, e->dir ? str_sv(&text) : str_sv(&e->content));
}

static int memory_stat(struct vfs *v, const char *path, enum vfs_type *type, struct str *id, struct err *err)
{
	struct entry *e = find(v, path);

	if (!e)
		return absent(path, err);
	*type = e->dir ? VFS_DIR : VFS_FILE;
	if (id)
		entry_id(e, id);
	return 0;
}

static void entry_clear(struct entry *e)
{
	struct map_slot *s;

	map_each(s, &e->entries) {
		entry_clear(s->value);
		free(s->value);
	}
	map_free(&e->entries);
	str_free(&e->content);
}

static void memory_free(struct vfs *v)
{
	entry_clear(&((struct memory *)v)->root);
	free(v);
}

struct vfs *vfs_memory(void)
{
	static const struct vfs_ops ops = { memory_read, memory_list, memory_stat, NULL, memory_free };
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->vfs.ops = &ops;
	m->root.dir = true;
	return &m->vfs;
}

/* The entry of that name below a directory, made when absent. */
static struct entry *child_of(struct entry *dir, struct sv name)
{
	struct entry *e = map_get(&dir->entries, name);

	if (e)
		return e;
	if (!(e = calloc(1, sizeof(*e))))
		abort();
	map_put(&dir->entries, name, e);
	return e;
}

void vfs_memory_add(struct vfs *v, const char *path, struct sv content)
{
	struct entry *e = &((struct memory *)v)->root;
	AUTO(str) clean = { 0 };
	struct sv rest, part;

	if (vfs_join(&clean, "", path, NULL) < 0 || !clean.n)
		return;
	for (rest = str_sv(&clean); rest.n;) {
		e->dir = true;
		sv_cut(rest, '/', &part, &rest);
		e = child_of(e, part);
	}
	entry_clear(e);
	e->dir = false;
	str_add(&e->content, content);
}
