#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEEPEST 64      /* directories held open at once while removing */

int file_read(const char *path, size_t max, struct str *out, struct err *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(str) text = { 0 };

	if (fd < 0)
		return err_errno(err, "read '%s'", path);
	for (;;) {
		size_t want = max - text.n < (64 << 10) ? max - text.n + 1 : 64 << 10;
		ssize_t n = read(fd, str_room(&text, want), want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read '%s'", path);
		text.n += (size_t)n;
		text.p[text.n] = '\0';
		if (text.n > max)
			return err_set(err, ERR_TOO_LARGE, "read '%s': larger than %zu bytes", path, max);
		if (!n)
			break;
	}
	str_move(out, &text);
	return 0;
}

static int write_all(int fd, struct sv data)
{
	while (data.n) {
		ssize_t n = write(fd, data.p, data.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data = sv_drop(data, (size_t)n);
	}
	return 0;
}

/* A rename is on disk once its directory is. */
static int sync_parent(const char *path)
{
	struct sv dir, base;
	AUTO(str) parent = { 0 };

	if (sv_cut_last(sv_c(path), '/', &dir, &base))
		str_add(&parent, dir.n ? dir : SV("/"));
	else
		str_addc(&parent, ".");
	AUTO_FD fd = open(str_c(&parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : fsync(fd);
}

int file_write(const char *path, struct sv data, mode_t mode, struct err *err)
{
	AUTO(str) temp = { 0 };

	str_addf(&temp, "%s.XXXXXX", path);
	AUTO_FD fd = mkostemp(temp.p, O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "write '%s'", path);
	if (write_all(fd, data) || fchmod(fd, mode) || fsync(fd) || rename(temp.p, path) || sync_parent(path)) {
		int r = err_errno(err, "write '%s'", path);

		(void)unlink(temp.p);   /* gone already when the rename worked */
		return r;
	}
	return 0;
}

int file_lock(const char *path, int *fd, struct err *err)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	AUTO_FD taken = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (taken < 0)
		return err_errno(err, "open '%s'", path);
	if (fcntl(taken, F_SETLK, &all))
		return errno == EAGAIN || errno == EACCES ? err_set(err, ERR_BUSY, "'%s' is locked by another process", path)
							  : err_errno(err, "lock '%s'", path);
	*fd = taken;
	taken = -1;
	return 0;
}

int dir_make(const char *path, mode_t mode, struct err *err)
{
	AUTO(str) part = { 0 };
	struct stat st;

	for (const char *at = path; *at;) {
		size_t n = strcspn(at + 1, "/") + 1;

		str_add(&part, (struct sv){ at, n });
		at += n;
		if (mkdir(str_c(&part), mode) && errno != EEXIST)
			return err_errno(err, "create directory '%s'", str_c(&part));
	}
	if (stat(path, &st))
		return err_errno(err, "create directory '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_ALREADY_EXISTS, "create directory '%s': exists and is not a directory", path);
	return 0;
}

bool path_exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* ---- removing a tree ---- */

struct removal { const char *path; int top; unsigned moved; struct err *err; };

static DIR *open_below(int at, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, at, name, &how, sizeof how);

	return fd < 0 ? NULL : fdopendir(fd);
}

static int fail(struct removal *r, const char *name)
{
	if (errno == EXDEV || errno == EBUSY)
		return err_set(r->err, ERR_CONFLICT, "remove '%s': '%s' is a mount point: unmount it first", r->path, name);
	return err_errno(r->err, "remove '%s' at '%s'", r->path, name);
}

static int remove_below(struct removal *r, DIR *dir, unsigned depth);

static int remove_dir(struct removal *r, int at, const char *name, unsigned depth)
{
	char moved[32];

	if (depth == DEEPEST) {         /* a deep one moves up to the top and goes from there */
		snprintf(moved, sizeof moved, ".removing-%u", r->moved++);
		return renameat(at, name, r->top, moved) ? fail(r, name) : 0;
	}
	DIR *dir = open_below(at, name);
	if (!dir)
		return fail(r, name);
	int result = remove_below(r, dir, depth + 1);
	closedir(dir);
	if (result >= 0 && unlinkat(at, name, AT_REMOVEDIR))
		return fail(r, name);
	return result;
}

static bool is_dots(const char *n) { return n[0] == '.' && (!n[1] || (n[1] == '.' && !n[2])); }

/* Entries may be missed while others go, and deep ones come: again until a pass finds nothing. */
static int remove_below(struct removal *r, DIR *dir, unsigned depth)
{
	bool found = true;

	while (found) {
		found = false;
		rewinddir(dir);
		for (struct dirent *e; (e = readdir(dir));) {
			if (is_dots(e->d_name))
				continue;
			found = true;
			if (!unlinkat(dirfd(dir), e->d_name, 0) || errno == ENOENT)
				continue;
			if (errno != EISDIR && errno != EPERM)
				return fail(r, e->d_name);
			TRY(remove_dir(r, dirfd(dir), e->d_name, depth));
		}
	}
	return 0;
}

int tree_remove(const char *path, struct err *err)
{
	struct removal r = { .path = path, .err = err };
	struct sv dir, base;
	AUTO(str) parent = { 0 };

	if (!unlink(path) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return fail(&r, path);
	if (!sv_cut_last(sv_c(path), '/', &dir, &base))
		dir = SV("."), base = sv_c(path);
	str_add(&parent, dir.n ? dir : SV("/"));
	AUTO_FD at = open(str_c(&parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
	DIR *top = at < 0 ? NULL : open_below(at, base.p);
	if (!top)
		return fail(&r, path);
	r.top = dirfd(top);
	int result = remove_below(&r, top, 1);
	closedir(top);
	if (result >= 0 && unlinkat(at, base.p, AT_REMOVEDIR))
		return fail(&r, path);
	return result;
}
