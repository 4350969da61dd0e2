#include "runtime/image/pack.h"
#include "base/map.h"
#include "base/vec.h"
#include "runtime/image/blob.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>

#define COPY_BLOCK (64 << 10)
#define XATTRS_MAX (64 << 10)
#define OPAQUE "trusted.overlay.opaque"

struct pack {
	struct blob_writer blob;
	struct archive *tar;
	int64_t newest_s, bytes;
	struct map inodes;              /* "dev:ino" of files with several names -> the first path */
	struct err *err;                /* of the running call: where the write callback reports */
	char *buffer;
};

static la_ssize_t write_out(struct archive *a, void *arg, const void *bytes, size_t n)
{
	struct pack *p = arg;

	if (blob_write(&p->blob, (struct sv){ bytes, n }, p->err) < 0) {
		archive_set_error(a, EIO, "write");
		return -1;
	}
	p->bytes += (int64_t)n;
	return (la_ssize_t)n;
}

struct pack *pack_new(const char *store, int64_t newest_s, struct err *err)
{
	struct pack *p = calloc(1, sizeof *p);

	if (!p || !(p->buffer = malloc(COPY_BLOCK)))
		abort();
	p->blob.fd = -1;
	p->newest_s = newest_s;
	p->tar = archive_write_new();
	archive_write_set_format_pax_restricted(p->tar);
	archive_write_add_filter_none(p->tar);
	archive_write_set_bytes_per_block(p->tar, COPY_BLOCK);
	archive_write_set_bytes_in_last_block(p->tar, 1);
	if (blob_create(&p->blob, store, err) < 0 || archive_write_open(p->tar, p, NULL, write_out, NULL) != ARCHIVE_OK)
		pack_free(&p);
	return p;
}

void pack_free(struct pack **pp)
{
	struct pack *p = TAKE(*pp);
	struct map_slot *s;

	if (!p)
		return;
	struct err ignored = { 0 };
	p->err = &ignored;              /* closing flushes once more */
	archive_write_free(p->tar);
	err_free(&ignored);
	map_each(s, &p->inodes)
		free(s->value);
	map_free(&p->inodes);
	blob_writer_free(&p->blob);
	free(p->buffer);
	free(p);
}

static int failed(struct pack *p, const char *path)
{
	if (p->err && p->err->code)
		return -(int)p->err->code;
	return err_set(p->err, ERR_IO, "write layer: \"%s\": %s", path, archive_error_string(p->tar));
}

/* ---- one entry ---- */

static struct archive_entry *entry_new(struct pack *p, const char *path, const struct stat *st)
{
	struct archive_entry *e = archive_entry_new();
	bool newer = st->st_mtim.tv_sec > p->newest_s;

	archive_entry_set_pathname(e, path);
	archive_entry_set_mode(e, st->st_mode);
	archive_entry_set_uid(e, st->st_uid);
	archive_entry_set_gid(e, st->st_gid);
	archive_entry_set_mtime(e, newer ? p->newest_s : st->st_mtim.tv_sec, 0);
	archive_entry_set_rdev(e, st->st_rdev);
	archive_entry_set_size(e, S_ISREG(st->st_mode) ? st->st_size : 0);
	return e;
}

static void add_xattrs(struct archive_entry *e, int dir_fd, const char *name)
{
	char path[PATH_MAX], value[XATTRS_MAX / 16], *names = malloc(XATTRS_MAX);
	ssize_t n, v;

	if (!names)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	n = llistxattr(path, names, XATTRS_MAX);
	for (char *at = names; n > 0 && at < names + n; at += strlen(at) + 1)
		if (strncmp(at, "trusted.", 8) && strncmp(at, "security.selinux", 16) &&
		    (v = lgetxattr(path, at, value, sizeof value)) >= 0)
			archive_entry_xattr_add_entry(e, at, value, (size_t)v);
	free(names);
}

/* Exactly as many bytes as the header says, also when the file changes meanwhile. */
static int copy_data(struct pack *p, int fd, const char *path, int64_t size)
{
	while (size > 0) {
		ssize_t n = read(fd, p->buffer, size < COPY_BLOCK ? (size_t)size : COPY_BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? err_errno(p->err, "read '%s'", path)
				 : err_set(p->err, ERR_CONFLICT, "'%s' was cut while it was read", path);
		if (archive_write_data(p->tar, p->buffer, (size_t)n) < n)
			return failed(p, path);
		size -= n;
	}
	return 0;
}

/* The first path of a file that has several names; NULL for the first time. */
static const char *seen(struct pack *p, const struct stat *st, const char *path)
{
	char key[48];
	char *first;

	if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
		return NULL;
	snprintf(key, sizeof key, "%llx:%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	if (!(first = map_get(&p->inodes, sv_c(key))))
		(void)map_put(&p->inodes, sv_c(key), sv_dup(sv_c(path)));
	return first;
}

static int write_entry(struct pack *p, struct archive_entry *e, int fd, const char *path, const struct stat *st)
{
	const char *first = seen(p, st, path);

	if (first) {
		archive_entry_set_hardlink(e, first);
		archive_entry_set_size(e, 0);
	}
	if (archive_write_header(p->tar, e) < ARCHIVE_WARN)
		return failed(p, path);
	return first || fd < 0 ? 0 : copy_data(p, fd, path, st->st_size);
}

int pack_add(struct pack *p, int dir_fd, const char *name, const char *path, const struct stat *st, struct err *err)
{
	AUTO_FD fd = -1;
	char target[PATH_MAX];
	ssize_t n;

	p->err = err;
	if (S_ISREG(st->st_mode) && (fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_errno(err, "read '%s'", path);
	if (S_ISSOCK(st->st_mode))
		return 0;               /* archives have none; it means nothing without its process */
	struct archive_entry *e = entry_new(p, path, st);
	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dir_fd, name, target, sizeof target - 1);
		target[n < 0 ? 0 : n] = '\0';
		archive_entry_set_symlink(e, target);
	} else {
		add_xattrs(e, dir_fd, name);
	}
	int r = write_entry(p, e, fd, path, st);
	archive_entry_free(e);
	return r;
}

int pack_fd(struct pack *p, int fd, const char *path, const struct stat *st, struct err *err)
{
	struct archive_entry *e = entry_new(p, path, st);

	p->err = err;
	int r = write_entry(p, e, fd, path, st);
	archive_entry_free(e);
	return r;
}

int pack_add_dir(struct pack *p, const char *path, const struct stat *st, struct err *err)
{
	return pack_fd(p, -1, path, st, err);
}

static int add_whiteout(struct pack *p, const char *dir, const char *name)
{
	struct stat empty = { .st_mode = S_IFREG | 0600 };
	AUTO(str) path = { 0 };

	str_addf(&path, "%s%s.wh.%s", dir, *dir ? "/" : "", name);
	return pack_add_dir(p, str_c(&path), &empty, p->err);
}

/* ---- trees ---- */

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int names_read(int dir_fd, struct names *out, struct err *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		fd_close(&fd);
		return err_errno(err, "read a directory");
	}
	while ((e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			vec_push(out, sv_dup(sv_c(e->d_name)));
	closedir(d);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, compare);
	return 0;
}

void names_free(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i]);
	vec_free(n);
}

static bool is_opaque(int fd)
{
	char value[2];

	return fgetxattr(fd, OPAQUE, value, sizeof value) == 1 && value[0] == 'y';
}

static bool listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (str_eq(*names, name))
			return true;
	return false;
}

static int pack_below(struct pack *p, int dir_fd, const char *dir, const char *const *skip, int depth);

static int pack_child(struct pack *p, int dir_fd, const char *dir, const char *name, int depth)
{
	AUTO(str) path = { 0 };
	struct stat st;

	str_addf(&path, "%s%s%s", dir, *dir ? "/" : "", name);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_errno(p->err, "read '%s'", str_c(&path));
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
		return add_whiteout(p, dir, name);
	TRY(pack_add(p, dir_fd, name, str_c(&path), &st, p->err));
	if (!S_ISDIR(st.st_mode))
		return 0;
	AUTO_FD child = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return err_errno(p->err, "read '%s'", str_c(&path));
	if (is_opaque(child))
		TRY(add_whiteout(p, str_c(&path), ".wh..opq"));
	return pack_below(p, child, str_c(&path), NULL, depth + 1);
}

static int pack_below(struct pack *p, int dir_fd, const char *dir, const char *const *skip, int depth)
{
	struct names names = { 0 };
	int r = 0;

	if (depth > 200)
		return err_set(p->err, ERR_TOO_LARGE, "'%s': directories are nested too deep", dir);
	r = names_read(dir_fd, &names, p->err);
	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (!listed(skip, names.v[i]))
			r = pack_child(p, dir_fd, dir, names.v[i], depth);
	names_free(&names);
	return r;
}

int pack_upper(struct pack *p, int dir_fd, const char *const *top_skip, struct err *err)
{
	p->err = err;
	return pack_below(p, dir_fd, "", top_skip, 0);
}

int pack_end(struct pack *p, struct str *digest, int64_t *bytes, struct err *err)
{
	p->err = err;
	if (archive_write_close(p->tar) != ARCHIVE_OK)
		return failed(p, "end");
	*bytes = p->bytes;
	return blob_commit(&p->blob, NULL, digest, err);
}
