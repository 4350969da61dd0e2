/* A directory of this machine as a view. Links are followed by the kernel, which keeps them below the root. */
#include "base/encode.h"
#include "base/vfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MAX_ID_BYTES (256u << 20)       /* files above this have no content id */
#define MAX_ID_DEPTH 64

struct dir {
	struct vfs vfs;
	int fd;
	uint64_t resolve;       /* for the root directory, absolute links are links inside the view */
	char *root;             /* real path, without a slash at its end */
};

/* Less than 0: -1 with errno. */
static int open_below(struct dir *d, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = d->resolve | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, d->fd, *path ? path : ".", &how, sizeof(how));
}

static int open_error(const char *path, struct err *err)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return err_set(err, ERR_NOT_FOUND, "'%s' does not exist", path);
	if (errno == EXDEV)
		return err_set(err, ERR_INVALID, "'%s' is a link that leaves the tree that is being read", path);
	if (errno == ELOOP)
		return err_set(err, ERR_INVALID, "'%s' is a link that leads to itself", path);
	return err_errno(err, "open '%s'", path);
}

/* size: what the file is said to have, so that one read and one more that finds the end are enough. */
static int read_fd(int fd, const char *path, size_t size, size_t max, struct str *out, struct err *err)
{
	ssize_t n;

	str_cut(out, 0);
	do {
		size_t room = size > out->n ? size - out->n + 1 : 4096;

		if (room > max - out->n + 1)
			room = max - out->n + 1;

		n = read(fd, str_room(out, room), room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read '%s'", path);
		out->n += (size_t)n;
		out->p[out->n] = '\0';
		if (out->n > max)
			return err_set(err, ERR_TOO_LARGE, "'%s' has more than the %zu bytes that are read at most", path, max);
	} while (n);
	return 0;
}

static int dir_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err)
{
	AUTO_FD fd = open_below((struct dir *)v, path, O_RDONLY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return open_error(path, err);
	if (fstat(fd, &st) < 0)
		return err_errno(err, "stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is %s", path, S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
	if ((uint64_t)st.st_size > max)
		return err_set(err, ERR_TOO_LARGE, "'%s' has %lld bytes; at most %zu are read", path, (long long)st.st_size, max);
	return read_fd(fd, path, (size_t)st.st_size, max, out, err);
}

static enum vfs_type type_of(struct dir *d, const char *dir, const char *name)
{
	AUTO(str) path = { 0 };
	struct stat st;

	str_addf(&path, "%s%s%s", dir, *dir ? "/" : "", name);
	AUTO_FD fd = open_below(d, str_c(&path), O_PATH);
	if (fd < 0 || fstat(fd, &st) < 0)
		return VFS_LINK;
	return S_ISDIR(st.st_mode) ? VFS_DIR : VFS_FILE;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vfs_entry *)a)->name, ((const struct vfs_entry *)b)->name);
}

static int dir_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err)
{
	struct dir *d = (struct dir *)v;
	AUTO_FD fd = open_below(d, path, O_RDONLY | O_DIRECTORY);
	struct dirent *e;
	DIR *stream;

	if (fd < 0 && errno == ENOTDIR)
		return err_set(err, vfs_exists(v, path, VFS_FILE) ? ERR_INVALID : ERR_NOT_FOUND, "'%s' is not a directory", path);
	if (fd < 0)
		return open_error(path, err);
	if (!(stream = fdopendir(fd)))
		return err_errno(err, "list '%s'", path);
	fd = -1;
	while ((e = readdir(stream))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		enum vfs_type type = e->d_type == DT_REG ? VFS_FILE : e->d_type == DT_DIR ? VFS_DIR : type_of(d, path, e->d_name);
		vec_push(out, ((struct vfs_entry){ sv_dup(sv_c(e->d_name)), type }));
	}
	closedir(stream);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	return 0;
}

static int content_id(struct vfs *v, const char *path, int depth, struct str *id, struct err *err);

static int dir_id(struct vfs *v, const char *path, int depth, struct str *id, struct err *err)
{
	AUTO(vfs_entries) all = { 0 };
	AUTO(str) text = { 0 };
	AUTO(str) below = { 0 };
	AUTO(str) child = { 0 };

	if (depth > MAX_ID_DEPTH)
		return err_set(err, ERR_TOO_LARGE, "'%s' is more than %d directories deep", path, MAX_ID_DEPTH);
	TRY(dir_list(v, path, &all, err));
	for (size_t i = 0; i < all.n; i++) {
		str_cut(&child, 0);
		str_addf(&child, "%s%s%s", path, *path ? "/" : "", all.v[i].name);
		str_set(&below, "");
		if (all.v[i].type != VFS_LINK)
			TRY(content_id(v, str_c(&child), depth + 1, &below, err));
		str_addf(&text, "%s %d %s\n", all.v[i].name, (int)all.v[i].type, str_c(&below));
	}
	str_cut(id, 0);
	sha256_hex(id, str_sv(&text));
	return 0;
}

static int content_id(struct vfs *v, const char *path, int depth, struct str *id, struct err *err)
{
	AUTO(str) content = { 0 };
	enum vfs_type type;

	TRY(v->ops->stat(v, path, &type, NULL, err));
	if (type == VFS_DIR)
		return dir_id(v, path, depth, id, err);
	TRY(dir_read(v, path, MAX_ID_BYTES, &content, err));
	str_cut(id, 0);
	sha256_hex(id, str_sv(&content));
	return 0;
}

static int dir_stat(struct vfs *v, const char *path, enum vfs_type *type, struct str *id, struct err *err)
{
	AUTO_FD fd = open_below((struct dir *)v, path, O_PATH);
	struct stat st;

	if (fd < 0)
		return open_error(path, err);
	if (fstat(fd, &st) < 0)
		return err_errno(err, "stat '%s'", path);
	*type = S_ISDIR(st.st_mode) ? VFS_DIR : VFS_FILE;
	return id ? content_id(v, path, 0, id, err) : 0;
}

static int dir_real(struct vfs *v, const char *path, struct str *out, struct err *err)
{
	struct dir *d = (struct dir *)v;
	AUTO_FD fd = open_below(d, path, O_PATH);
	size_t root = strlen(d->root);
	char link[64], buf[4096];
	ssize_t n;

	if (fd < 0)
		return open_error(path, err);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, sizeof(buf) - 1);
	if (n < 0)
		return err_errno(err, "resolve '%s'", path);
	buf[n] = '\0';
	if (strncmp(buf, d->root, root) != 0 || (buf[root] && buf[root] != '/'))
		return err_set(err, ERR_INVALID, "'%s' leaves the tree that is being read", path);
	str_set(out, buf + root + (buf[root] == '/'));
	return 0;
}

static void dir_free(struct vfs *v)
{
	struct dir *d = (struct dir *)v;

	fd_close(&d->fd);
	free(d->root);
	free(d);
}

struct vfs *vfs_dir(const char *root, struct err *err)
{
	static const struct vfs_ops ops = { dir_read, dir_list, dir_stat, dir_real, dir_free };
	AUTO_FD fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *real = fd < 0 ? NULL : realpath(root, NULL);
	struct dir *d;

	if (!real) {
		err_errno(err, "open '%s'", root);
		return NULL;
	}
	if (!(d = calloc(1, sizeof(*d))))
		abort();
	d->vfs.ops = &ops;
	d->fd = fd;
	fd = -1;
	d->resolve = strcmp(real, "/") ? RESOLVE_BENEATH : RESOLVE_IN_ROOT;
	if (!strcmp(real, "/"))
		*real = '\0';
	d->root = real;
	return &d->vfs;
}
