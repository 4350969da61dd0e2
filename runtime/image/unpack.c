#include "runtime/image/unpack.h"
#include "base/vec.h"
#include "runtime/image/blob.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define ENTRIES_MAX 2000000
#define READ_BLOCK (128 << 10)
#define OPAQUE "trusted.overlay.opaque"

struct dir_time { char *path; struct timespec mtime; };

struct unpacker {
	const struct unpack_source *from;
	struct unpack_opts opts;
	struct archive *raw, *tar;      /* decompression, then the archive proper */
	struct hasher hash;
	int root, parent;               /* directories; parent: of the current entry */
	struct str parent_path;         /* what `parent` is open for; kept between entries */
	int64_t bytes;
	VEC(struct dir_time) times;     /* set last: what is put into a directory changes its time */
	struct err *err;
};

/* ---- reading: source -> raw archive (decompresses) -> hash -> tar ---- */

static la_ssize_t read_source(struct archive *a, void *arg, const void **bytes)
{
	struct unpacker *u = arg;
	ssize_t n = u->from->read(u->from->arg, bytes, u->err);

	if (n < 0)
		archive_set_error(a, EIO, "read");
	return n;
}

static la_ssize_t read_plain(struct archive *a, void *arg, const void **bytes)
{
	struct unpacker *u = arg;
	la_int64_t offset;
	size_t n = 0;
	int r = archive_read_data_block(u->raw, bytes, &n, &offset);

	if (r == ARCHIVE_EOF)
		return 0;
	if (r < ARCHIVE_WARN) {
		archive_set_error(a, EIO, "%s", archive_error_string(u->raw));
		return -1;
	}
	hasher_add(&u->hash, (struct sv){ *bytes, n });
	return (la_ssize_t)n;
}

static int broken(struct unpacker *u, struct archive *a)
{
	if (u->err && u->err->code)
		return -(int)u->err->code;      /* the source's own words */
	return err_set(u->err, ERR_INVALID, "not a readable archive: %s",
		       archive_error_string(a) ? archive_error_string(a) : "?");
}

static int open_archives(struct unpacker *u)
{
	struct archive_entry *e;

	u->raw = archive_read_new();
	u->tar = archive_read_new();
	if (!u->raw || !u->tar)
		abort();
	archive_read_support_format_raw(u->raw);
	archive_read_support_format_empty(u->raw);
	archive_read_support_filter_gzip(u->raw);
	archive_read_support_filter_zstd(u->raw);
	archive_read_support_filter_xz(u->raw);
	archive_read_support_filter_bzip2(u->raw);
	archive_read_support_format_tar(u->tar);
	archive_read_support_format_empty(u->tar);
	if (archive_read_open(u->raw, u, NULL, read_source, NULL) != ARCHIVE_OK)
		return broken(u, u->raw);
	int r = archive_read_next_header(u->raw, &e);
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return broken(u, u->raw);
	return archive_read_open(u->tar, u, NULL, read_plain, NULL) == ARCHIVE_OK ? 0 : broken(u, u->tar);
}

/* What follows the last entry (padding) belongs to the digest. */
static int drain(struct unpacker *u)
{
	const void *bytes;
	size_t n;
	la_int64_t offset;
	int r;

	while ((r = archive_read_data_block(u->raw, &bytes, &n, &offset)) == ARCHIVE_OK)
		hasher_add(&u->hash, (struct sv){ bytes, n });
	return r == ARCHIVE_EOF ? 0 : broken(u, u->raw);
}

/* ---- paths ---- */

static int refuse(struct unpacker *u, const char *path, const char *why)
{
	return err_set(u->err, ERR_INVALID, "archive entry \"%.200s\": %s", path, why);
}

/* Without leading /, ., // ; .. is refused, not resolved. */
static int clean_path(struct unpacker *u, const char *raw, struct str *out)
{
	struct sv rest = sv_c(raw), part;

	if (!raw || rest.n >= PATH_MAX)
		return refuse(u, raw ? raw : "", "its path is missing or too long");
	for (bool more = true; more;) {
		more = sv_cut(rest, '/', &part, &rest);
		if (!part.n || sv_eq_c(part, "."))
			continue;
		if (sv_eq_c(part, ".."))
			return refuse(u, raw, "its path leaves the archive");
		if (part.n > NAME_MAX)
			return refuse(u, raw, "its path is too long");
		str_addf(out, "%s" SV_FMT, out->n ? "/" : "", SV_ARG(part));
	}
	return 0;
}

static int open_dir(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
					   RESOLVE_NO_XDEV };

	return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
}

static int make_parents(struct unpacker *u, const char *path)
{
	AUTO(str) part = { 0 };
	const char *slash = path;

	do {
		slash = strchr(slash, '/');
		str_set(&part, "");
		str_add(&part, (struct sv){ path, slash ? (size_t)(slash - path) : strlen(path) });
		if (mkdirat(u->root, str_c(&part), 0755) && errno != EEXIST)
			return -1;
	} while (slash && *++slash);
	return 0;
}

/* Opens the directory of a path as u->parent. A link on the way is refused: it could lead anywhere. */
static int enter_parent(struct unpacker *u, struct sv dir)
{
	AUTO(str) path = { 0 };

	if (u->parent >= 0 && sv_eq(str_sv(&u->parent_path), dir))
		return 0;
	str_add(&path, dir);
	fd_close(&u->parent);
	u->parent = open_dir(u->root, str_c(&path));
	if (u->parent < 0 && errno == ENOENT && make_parents(u, str_c(&path)) == 0)
		u->parent = open_dir(u->root, str_c(&path));
	if (u->parent < 0)
		return refuse(u, str_c(&path), errno == ELOOP || errno == ENOTDIR || errno == EXDEV ?
			      "its path goes through something that is not a directory" : strerror(errno));
	str_move(&u->parent_path, &path);
	return 0;
}

static int split(struct unpacker *u, const struct str *path, const char **base)
{
	struct sv dir, name;

	if (!sv_cut_last(str_sv(path), '/', &dir, &name)) {
		name = dir;
		dir = (struct sv){ "", 0 };
	}
	*base = name.p;
	return enter_parent(u, dir);
}

/* ---- one entry ---- */

static int failed(struct unpacker *u, const char *path, const char *what)
{
	return err_errno(u->err, "unpack \"%.200s\": %s", path, what);
}

/* An earlier entry of the same name gives way, unless both are directories. */
static int make_way(struct unpacker *u, const char *base, bool for_dir, bool *there)
{
	struct stat st;

	*there = false;
	if (fstatat(u->parent, base, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : failed(u, base, "stat");
	*there = S_ISDIR(st.st_mode);
	if (*there)
		return for_dir ? 0 : refuse(u, base, "it replaces a directory of the same archive");
	return unlinkat(u->parent, base, 0) ? failed(u, base, "replace") : 0;
}

static int write_data(struct unpacker *u, int fd, const char *path)
{
	const void *bytes;
	size_t n;
	la_int64_t offset;
	int r;

	while ((r = archive_read_data_block(u->tar, &bytes, &n, &offset)) == ARCHIVE_OK) {
		u->bytes += (int64_t)n;
		if (u->bytes > u->opts.max_bytes)
			return err_set(u->err, ERR_TOO_LARGE, "archive: more than %lld bytes unpacked",
				       (long long)u->opts.max_bytes);
		for (size_t done = 0; done < n;) {
			ssize_t w = pwrite(fd, (const char *)bytes + done, n - done, offset + (la_int64_t)done);

			if (w < 0)
				return failed(u, path, "write");
			done += (size_t)w;
		}
	}
	return r == ARCHIVE_EOF ? 0 : broken(u, u->tar);
}

static int make_file(struct unpacker *u, struct archive_entry *e, const char *base)
{
	AUTO_FD fd = openat(u->parent, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return failed(u, base, "create");
	TRY(write_data(u, fd, base));
	return archive_entry_size_is_set(e) && ftruncate(fd, archive_entry_size(e)) ? failed(u, base, "write") : 0;
}

/* The target is a path of the archive, resolved as strictly as any other. */
static int make_hardlink(struct unpacker *u, const char *target, const char *base)
{
	AUTO(str) path = { 0 };
	struct sv dir, name;

	TRY(clean_path(u, target, &path));
	if (!sv_cut_last(str_sv(&path), '/', &dir, &name)) {
		name = dir;
		dir = (struct sv){ "", 0 };
	}
	AUTO(str) dir_path = { 0 };
	str_add(&dir_path, dir);
	AUTO_FD from = open_dir(u->root, str_c(&dir_path));
	if (from < 0 || linkat(from, name.p, u->parent, base, 0))
		return err_errno(u->err, "unpack \"%.200s\": link to \"%.200s\"", base, target);
	return 0;
}

static int make_special(struct unpacker *u, struct archive_entry *e, const char *base)
{
	switch (archive_entry_filetype(e)) {
	case AE_IFLNK:
		return symlinkat(archive_entry_symlink(e) ? archive_entry_symlink(e) : "", u->parent, base) ?
		       failed(u, base, "symbolic link") : 0;
	case AE_IFCHR:
	case AE_IFBLK:
		return mknodat(u->parent, base, archive_entry_mode(e), archive_entry_rdev(e))
			       ? failed(u, base, "device")
			       : 0;
	case AE_IFIFO:
		return mknodat(u->parent, base, S_IFIFO | 0600, 0) ? failed(u, base, "pipe") : 0;
	default:
		return refuse(u, base, "of a type that layers do not have");
	}
}

static void set_xattrs(struct unpacker *u, struct archive_entry *e, const char *base)
{
	const char *name;
	const void *value;
	size_t n;
	char path[PATH_MAX];

	if (!archive_entry_xattr_reset(e))
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", u->parent, base);
	while (archive_entry_xattr_next(e, &name, &value, &n) == ARCHIVE_OK)
		if (strncmp(name, "trusted.overlay.", 16) && strncmp(name, "user.overlay.", 13))
			/* a file system without them: as with every tool */
			(void)lsetxattr(path, name, value, n, 0);
}

/* Owner, then mode (a change of owner drops set-id bits), attributes, time. */
static int set_metadata(struct unpacker *u, struct archive_entry *e, const char *base, const struct str *path)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { archive_entry_mtime(e), archive_entry_mtime_nsec(e) } };
	bool link = archive_entry_filetype(e) == AE_IFLNK;

	if (fchownat(u->parent, base, (uid_t)archive_entry_uid(e), (gid_t)archive_entry_gid(e), AT_SYMLINK_NOFOLLOW))
		return failed(u, base, "owner");
	if (!link && fchmodat(u->parent, base, archive_entry_perm(e), 0))
		return failed(u, base, "mode");
	set_xattrs(u, e, base);
	if (archive_entry_filetype(e) == AE_IFDIR) {
		vec_push(&u->times, ((struct dir_time){ sv_dup(str_sv(path)), times[1] }));
		return 0;
	}
	return utimensat(u->parent, base, times, AT_SYMLINK_NOFOLLOW) ? failed(u, base, "time") : 0;
}

static int set_opaque(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return setxattr(path, OPAQUE, "y", 1, 0);
}

/* ".wh.NAME" hides NAME of the layers below; ".wh..wh..opq" hides all that its directory has there. */
static int whiteout(struct unpacker *u, const char *base)
{
	const char *name = base + 4;
	struct stat st;

	if (str_eq(base, ".wh..wh..opq"))
		return set_opaque(u->parent) ? failed(u, base, "opaque directory") : 0;
	if (!strncmp(name, ".wh.", 4))
		return 0;                       /* bookkeeping of old formats */
	if (!*name || str_eq(name, ".") || str_eq(name, ".."))
		return refuse(u, base, "a whiteout without a name");
	if (fstatat(u->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {   /* hidden below, new in this layer */
		AUTO_FD dir = S_ISDIR(st.st_mode)
				      ? openat(u->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				      : -1;

		return dir >= 0 && set_opaque(dir) ? failed(u, base, "opaque directory") : 0;
	}
	return mknodat(u->parent, name, S_IFCHR, makedev(0, 0)) ? failed(u, base, "whiteout") : 0;
}

static int unpack_entry(struct unpacker *u, struct archive_entry *e)
{
	AUTO(str) path = { 0 };
	const char *base, *hardlink = archive_entry_hardlink(e);
	bool is_dir = archive_entry_filetype(e) == AE_IFDIR, there;

	TRY(clean_path(u, archive_entry_pathname(e), &path));
	if (!path.n)
		return is_dir ? 0 : refuse(u, "", "it has no name");    /* "./": the root itself */
	TRY(split(u, &path, &base));
	if (!u->opts.plain && !strncmp(base, ".wh.", 4))
		return whiteout(u, base);
	TRY(make_way(u, base, is_dir, &there));
	if (hardlink)
		return make_hardlink(u, hardlink, base);
	if (is_dir && !there && mkdirat(u->parent, base, 0755))
		return failed(u, base, "create directory");
	if (archive_entry_filetype(e) == AE_IFREG)
		TRY(make_file(u, e, base));
	else if (!is_dir)
		TRY(make_special(u, e, base));
	return set_metadata(u, e, base, &path);
}

/* ---- all of it ---- */

static int unpack_entries(struct unpacker *u)
{
	struct archive_entry *e;
	int r;

	for (unsigned n = 0; (r = archive_read_next_header(u->tar, &e)) == ARCHIVE_OK || r == ARCHIVE_WARN; n++) {
		if (n == ENTRIES_MAX)
			return err_set(u->err, ERR_TOO_LARGE, "archive: more than %d entries", ENTRIES_MAX);
		TRY(unpack_entry(u, e));
	}
	return r == ARCHIVE_EOF ? 0 : broken(u, u->tar);
}

static void set_dir_times(struct unpacker *u)
{
	for (size_t i = u->times.n; i-- > 0;) {
		struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, u->times.v[i].mtime };
		AUTO_FD fd = open_dir(u->root, u->times.v[i].path);
		char path[32];

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (fd >= 0)
			(void)utimensat(AT_FDCWD, path, times, 0);      /* of no weight: it is there */
	}
}

static void unpacker_free(struct unpacker *u)
{
	for (size_t i = 0; i < u->times.n; i++)
		free(u->times.v[i].path);
	vec_free(&u->times);
	archive_read_free(u->tar);
	archive_read_free(u->raw);
	hasher_free(&u->hash);
	str_free(&u->parent_path);
	fd_close(&u->parent);
	fd_close(&u->root);
}

static int run(struct unpacker *u, const char *dir, struct str *diff_id)
{
	u->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u->root < 0)
		return err_errno(u->err, "open '%s'", dir);
	TRY(open_archives(u));
	TRY(unpack_entries(u));
	TRY(drain(u));
	set_dir_times(u);
	if (diff_id)
		hasher_end(&u->hash, diff_id);
	return 0;
}

int unpack(const struct unpack_source *from, const char *dir, const struct unpack_opts *o, struct str *diff_id,
	   struct err *err)
{
	struct err local = { 0 };
	AUTO(unpacker) u = { .from = from, .opts = *o, .root = -1, .parent = -1, .err = &local };

	if (!u.opts.max_bytes)
		u.opts.max_bytes = UNPACK_MAX;
	hasher_start(&u.hash);
	return run(&u, dir, diff_id) < 0 ? err_move(err, &local) : 0;
}

struct file_source { int fd; char *buffer; const char *path; };

static ssize_t read_file(void *arg, const void **bytes, struct err *err)
{
	struct file_source *f = arg;
	ssize_t n;

	while ((n = read(f->fd, f->buffer, READ_BLOCK)) < 0 && errno == EINTR)
		;
	*bytes = f->buffer;
	return n < 0 ? err_errno(err, "read '%s'", f->path) : n;
}

int unpack_file(const char *path, const char *dir, const struct unpack_opts *o, struct str *diff_id, struct err *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file_source f = { fd, malloc(READ_BLOCK), path };
	const struct unpack_source from = { read_file, &f };
	int r;

	if (!f.buffer)
		abort();
	r = fd < 0 ? err_errno(err, "open '%s'", path) : unpack(&from, dir, o, diff_id, err);
	free(f.buffer);
	return r;
}
