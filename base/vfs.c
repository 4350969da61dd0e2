#include "base/vfs.h"

#include <stdlib.h>

int vfs_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err)
{
	AUTO(str) clean = { 0 };

	TRY(vfs_join(&clean, "", path, err));
	return v->ops->read(v, str_c(&clean), max, out, err);
}

int vfs_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err)
{
	AUTO(str) clean = { 0 };

	TRY(vfs_join(&clean, "", path, err));
	return v->ops->list(v, str_c(&clean), out, err);
}

int vfs_stat(struct vfs *v, const char *path, enum vfs_type *type, struct err *err)
{
	AUTO(str) clean = { 0 };

	TRY(vfs_join(&clean, "", path, err));
	return v->ops->stat(v, str_c(&clean), type, NULL, err);
}

bool vfs_exists(struct vfs *v, const char *path, enum vfs_type type)
{
	enum vfs_type found;

	return vfs_stat(v, path, &found, NULL) >= 0 && found == type;
}

int vfs_real(struct vfs *v, const char *path, struct str *out, struct err *err)
{
	AUTO(str) clean = { 0 };
	enum vfs_type type;

	TRY(vfs_join(&clean, "", path, err));
	if (v->ops->real)
		return v->ops->real(v, str_c(&clean), out, err);
	TRY(v->ops->stat(v, str_c(&clean), &type, NULL, err));
	str_move(out, &clean);
	return 0;
}

void vfs_entries_free(struct vfs_entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].name);
	vec_free(e);
}

void vfs_free(struct vfs *v)
{
	if (v)
		v->ops->free(v);
}

/* Appends the components of a path to a cleaned one; false: `..` above the root. */
static bool walk(struct str *at, const char *path)
{
	struct sv rest = sv_c(path), part, up, last;

	while (rest.n) {
		sv_cut(rest, '/', &part, &rest);
		if (!part.n || sv_eq_c(part, "."))
			continue;
		if (!sv_eq_c(part, "..")) {
			if (at->n)
				str_add1(at, '/');
			str_add(at, part);
			continue;
		}
		if (!at->n)
			return false;
		str_cut(at, sv_cut_last(str_sv(at), '/', &up, &last) ? up.n : 0);
	}
	return true;
}

int vfs_join(struct str *out, const char *dir, const char *rel, struct err *err)
{
	AUTO(str) at = { 0 };

	if (!walk(&at, dir) || !walk(&at, rel))
		return err_set(err, ERR_INVALID, "path '%s%s%s' leaves the tree that is being read", dir, *dir ? "/" : "", rel);
	str_move(out, &at);
	return 0;
}

void vfs_relative(struct str *out, const char *from_dir, const char *path)
{
	struct sv from = sv_c(from_dir), to = sv_c(path), a, b, from_rest, to_rest;

	str_cut(out, 0);
	while (from.n && to.n) {
		sv_cut(from, '/', &a, &from_rest);
		sv_cut(to, '/', &b, &to_rest);
		if (!sv_eq(a, b))
			break;
		from = from_rest;
		to = to_rest;
	}
	while (from.n) {
		sv_cut(from, '/', &a, &from);
		str_addc(out, out->n ? "/.." : "..");
	}
	if (to.n && out->n)
		str_add1(out, '/');
	str_add(out, to);
	if (!out->n)
		str_add1(out, '.');
}

/* ---- a part of another view ---- */

struct sub {
	struct vfs vfs;
	struct vfs *whole;
	char *root;
};

/* The path in the whole view. It is clean already: `..` was stopped at this view's root. */
static char *sub_path(struct vfs *v, const char *path)
{
	struct sub *s = (struct sub *)v;

	return str_fmt("%s%s%s", s->root, *s->root && *path ? "/" : "", path);
}

static int sub_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err)
{
	char *full = sub_path(v, path);
	struct vfs *whole = ((struct sub *)v)->whole;
	int r = whole->ops->read(whole, full, max, out, err);

	free(full);
	return r;
}

static int sub_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err)
{
	char *full = sub_path(v, path);
	struct vfs *whole = ((struct sub *)v)->whole;
	int r = whole->ops->list(whole, full, out, err);

	free(full);
	return r;
}

static int sub_stat(struct vfs *v, const char *path, enum vfs_type *type, struct str *id, struct err *err)
{
	char *full = sub_path(v, path);
	struct vfs *whole = ((struct sub *)v)->whole;
	int r = whole->ops->stat(whole, full, type, id, err);

	free(full);
	return r;
}

static int sub_real(struct vfs *v, const char *path, struct str *out, struct err *err)
{
	struct sub *s = (struct sub *)v;
	char *full = sub_path(v, path);
	AUTO(str) real = { 0 };
	int r = vfs_real(s->whole, full, &real, err);
	struct sv root = sv_c(s->root), got = str_sv(&real);

	free(full);
	TRY(r);
	if (root.n && !(sv_starts(got, root) && (got.n == root.n || got.p[root.n] == '/')))
		return err_set(err, ERR_INVALID, "'%s' is a link to '%s', outside of the tree that is being read", path, str_c(&real));
	str_set(out, got.p + root.n + (root.n && got.n > root.n));
	return 0;
}

static void sub_free(struct vfs *v)
{
	free(((struct sub *)v)->root);
	free(v);
}

struct vfs *vfs_sub(struct vfs *borrowed, const char *path)
{
	static const struct vfs_ops ops = { sub_read, sub_list, sub_stat, sub_real, sub_free };
	struct sub *s = calloc(1, sizeof(*s));
	AUTO(str) clean = { 0 };

	if (!s)
		abort();
	s->vfs.ops = &ops;
	s->whole = borrowed;
	if (vfs_join(&clean, "", path, NULL) < 0)
		str_set(&clean, "");
	s->root = str_take(&clean);
	return &s->vfs;
}
