#include "runtime/volume/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/loop.h"

#define DATA "..data"
#define FILE_MAX ((size_t)8 << 20)      /* more than any object of the API can hold */

static mode_t wanted_mode(const struct volume_file *f, struct volume_owner owner)
{
	return owner.set ? f->mode | 0440 : f->mode;
}

/* The file is there with this content, mode and group. */
static bool is_current(const char *dir, const struct volume_file *f, struct volume_owner owner)
{
	AUTO(str) path = { 0 };
	AUTO(str) data = { 0 };
	struct stat st;

	str_addf(&path, "%s/" DATA "/%s", dir, f->path);
	return !stat(str_c(&path), &st) && (st.st_mode & 07777) == wanted_mode(f, owner) &&
	       (!owner.set || st.st_gid == owner.gid) && file_read(str_c(&path), FILE_MAX, &data, NULL) >= 0 &&
	       sv_eq(str_sv(&data), str_sv(&f->data));
}

static size_t count_files(const char *dir, unsigned depth)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));) {
		AUTO(str) path = { 0 };

		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		str_addf(&path, "%s/%s", dir, e->d_name);
		n += e->d_type == DT_DIR && depth < 64 ? count_files(str_c(&path), depth + 1) : 1;
	}
	closedir(d);
	return n;
}

static bool all_current(const char *dir, const struct volume_plan *p, struct volume_owner owner)
{
	AUTO(str) data = { 0 };

	str_addf(&data, "%s/" DATA, dir);
	for (size_t i = 0; i < p->files.n; i++)
		if (!is_current(dir, &p->files.v[i], owner))
			return false;
	return path_exists(str_c(&data)) && count_files(str_c(&data), 0) == p->files.n;
}

static int write_file(const char *dir, const struct volume_file *f, struct volume_owner owner, struct err *err)
{
	struct sv parent, base;
	AUTO(str) path = { 0 };
	AUTO_FD fd = -1;

	if (sv_cut_last(sv_c(f->path), '/', &parent, &base)) {
		str_addf(&path, "%s/" SV_FMT, dir, SV_ARG(parent));
		TRY(dir_make(str_c(&path), 0755, err));
		str_cut(&path, 0);
	}
	str_addf(&path, "%s/%s", dir, f->path);
	fd = open(str_c(&path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || (owner.set && fchown(fd, (uid_t)-1, owner.gid)) || fchmod(fd, wanted_mode(f, owner)))
		return err_errno(err, "write '%s'", str_c(&path));
	for (struct sv left = str_sv(&f->data); left.n;) {
		ssize_t n = write(fd, left.p, left.n);

		if (n < 0 && errno != EINTR)
			return err_errno(err, "write '%s'", str_c(&path));
		left = sv_drop(left, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

/* A new name each time, also twice in a millisecond; it sorts by time. */
static int make_stamped(const char *dir, struct str *name, struct err *err)
{
	int64_t ms = clock_ms();
	time_t s = (time_t)(ms / 1000);
	struct tm t;
	char text[48];

	gmtime_r(&s, &t);
	strftime(text, sizeof text, "%Y_%m_%d_%H_%M_%S", &t);
	for (unsigned i = 0;; i++) {
		AUTO(str) path = { 0 };

		str_cut(name, 0);
		str_addf(name, "..%s.%03d%u", text, (int)(ms % 1000), i);
		str_addf(&path, "%s/%s", dir, str_c(name));
		if (!mkdir(str_c(&path), 0755))
			return 0;
		if (errno != EEXIST)
			return err_errno(err, "create '%s'", str_c(&path));
	}
}

/* DIR/NAME -> TARGET, in one step, also when there is one already. */
static int point(const char *dir, const char *name, const char *target, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) temp = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	str_addf(&temp, "%s/..tmp", dir);
	if ((unlink(str_c(&temp)) && errno != ENOENT) || symlink(target, str_c(&temp)) ||
	    rename(str_c(&temp), str_c(&path)))
		return err_errno(err, "link '%s' to '%s'", str_c(&path), target);
	return 0;
}

static struct sv first_part(const struct volume_file *f)
{
	struct sv head, tail;

	(void)sv_cut(sv_c(f->path), '/', &head, &tail);
	return head;
}

static bool is_wanted(const struct volume_plan *p, const char *name)
{
	for (size_t i = 0; i < p->files.n; i++)
		if (sv_eq_c(first_part(&p->files.v[i]), name))
			return true;
	return false;
}

static int add_links(const char *dir, const struct volume_plan *p, struct err *err)
{
	for (size_t i = 0; i < p->files.n; i++) {
		struct sv part = first_part(&p->files.v[i]);
		AUTO(str) name = { 0 };
		AUTO(str) target = { 0 };
		AUTO(str) path = { 0 };

		str_add(&name, part);
		str_addf(&target, DATA "/%s", str_c(&name));
		str_addf(&path, "%s/%s", dir, str_c(&name));
		if (!path_exists(str_c(&path)))
			TRY(point(dir, str_c(&name), str_c(&target), err));
	}
	return 0;
}

/* What is neither wanted nor the directory in use: links of files that went, directories that were replaced or half
 * made. */
static int remove_old(const char *dir, const struct volume_plan *p, const char *current, struct err *err)
{
	DIR *d = opendir(dir);
	int r = 0;

	if (!d)
		return err_errno(err, "open '%s'", dir);
	for (struct dirent *e; r >= 0 && (e = readdir(d));) {
		AUTO(str) path = { 0 };

		if (str_eq(e->d_name, ".") || str_eq(e->d_name, "..") || str_eq(e->d_name, DATA) ||
		    str_eq(e->d_name, current) || is_wanted(p, e->d_name))
			continue;
		str_addf(&path, "%s/%s", dir, e->d_name);
		r = tree_remove(str_c(&path), err);
	}
	closedir(d);
	return r;
}

/* Writes them all into a directory of their own and swaps ..data to it. name: of that directory. */
static int swap(const char *dir, const struct volume_plan *p, struct volume_owner owner, struct str *name, struct err *err)
{
	AUTO(str) stamped = { 0 };

	TRY(make_stamped(dir, name, err));
	str_addf(&stamped, "%s/%s", dir, str_c(name));
	for (size_t i = 0; i < p->files.n; i++)
		TRY(write_file(str_c(&stamped), &p->files.v[i], owner, err));
	return point(dir, DATA, str_c(name), err);
}

static int read_data_link(const char *dir, struct str *name, struct err *err)
{
	AUTO(str) path = { 0 };
	char target[NAME_MAX + 1];
	ssize_t n;

	str_addf(&path, "%s/" DATA, dir);
	if ((n = readlink(str_c(&path), target, sizeof target)) < 0)
		return err_errno(err, "read link '%s'", str_c(&path));
	str_add(name, (struct sv){ target, (size_t)n });
	return 0;
}

/* The links and the old directories are looked after also when the files are current: whoever swapped them may have
 * been killed right after that. */
int volume_files_write(const char *dir, const struct volume_plan *p, struct volume_owner owner, struct err *err)
{
	AUTO(str) name = { 0 };

	if (all_current(dir, p, owner))
		TRY(read_data_link(dir, &name, err));
	else
		TRY(swap(dir, p, owner, &name, err));
	TRY(add_links(dir, p, err));
	return remove_old(dir, p, str_c(&name), err);
}
