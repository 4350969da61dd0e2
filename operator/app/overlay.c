/* operator/app/overlay.c - a file view with the content of one file replaced. */
#include "operator/app/overlay.h"

#include <stdlib.h>
#include "base/encode.h"

struct overlay { struct vfs vfs; struct vfs *below; struct str path, content; };

static struct overlay *over(struct vfs *v)
{
	return (struct overlay *)v;
}

static bool is_replaced(struct overlay *o, const char *path)
{
	AUTO(str) clean = { 0 };

	return vfs_join(&clean, "", path, NULL) >= 0 && sv_eq(str_sv(&clean), str_sv(&o->path));
}

static int overlay_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err)
{
	struct overlay *o = over(v);

	if (!is_replaced(o, path))
		return vfs_read(o->below, path, max, out, err);
	if (o->content.n > max)
		return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, max);
	str_add(out, str_sv(&o->content));
	return 0;
}

static int overlay_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err)
{
	return vfs_list(over(v)->below, path, out, err);
}

static int overlay_stat(struct vfs *v, const char *path, enum vfs_type *type, struct str *id, struct err *err)
{
	struct overlay *o = over(v);

	if (!is_replaced(o, path))
		return o->below->ops->stat(o->below, path, type, id, err);
	*type = VFS_FILE;
	if (id)
		sha256_hex(id, str_sv(&o->content));
	return 0;
}

static int overlay_real(struct vfs *v, const char *path, struct str *out, struct err *err)
{
	struct overlay *o = over(v);

	return is_replaced(o, path) ? vfs_join(out, "", path, err) : vfs_real(o->below, path, out, err);
}

static void overlay_free(struct vfs *v)
{
	struct overlay *o = over(v);

	str_free(&o->path);
	str_free(&o->content);
	free(o);
}

static const struct vfs_ops ops = {
	.read = overlay_read, .list = overlay_list, .stat = overlay_stat, .real = overlay_real, .free = overlay_free,
};

struct vfs *vfs_overlay(struct vfs *borrowed, const char *path, struct sv content)
{
	struct overlay *o = calloc(1, sizeof *o);

	o->vfs.ops = &ops;
	o->below = borrowed;
	str_addc(&o->path, path);
	str_add(&o->content, content);
	return &o->vfs;
}
