#include "runtime/volume/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "base/fs.h"
#include "runtime/volume/files.h"

void volume_path(const char *dir, const struct volume_plan *p, struct str *out)
{
	if (p->type == VOLUME_HOST)
		str_addc(out, p->host_path);
	else
		str_addf(out, "%s/volumes/%s", dir, p->name);
}

/* ---- making ---- */

/* Another file system than its parent directory's: something is mounted there. */
static bool is_mounted(const char *path)
{
	AUTO(str) parent = { 0 };
	struct stat a, b;

	str_addf(&parent, "%s/..", path);
	return !stat(path, &a) && !stat(str_c(&parent), &b) && a.st_dev != b.st_dev;
}

static int mount_memory(const char *path, const struct volume_plan *p, struct err *err)
{
	AUTO(str) options = { 0 };

	if (is_mounted(path))
		return 0;
	str_addc(&options, "mode=0755");
	if (p->size_bytes)
		str_addf(&options, ",size=%lld", (long long)p->size_bytes);
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, str_c(&options)))
		return err_errno(err, "mount a tmpfs at '%s'", path);
	return 0;
}

static int own(const char *path, mode_t mode, struct volume_owner owner, struct err *err)
{
	struct stat st;

	if (owner.set)
		mode |= S_ISGID | 0770;
	if (stat(path, &st))
		return err_errno(err, "look at '%s'", path);
	if ((owner.set && st.st_gid != owner.gid && chown(path, (uid_t)-1, owner.gid)) ||
	    ((st.st_mode & 07777) != mode && chmod(path, mode)))
		return err_errno(err, "set owner and mode of '%s'", path);
	return 0;
}

struct host_rule { const char *type; mode_t format; bool make; };

static const struct host_rule host_rules[] = {
	{ "", 0, false }, { "Directory", S_IFDIR, false }, { "DirectoryOrCreate", S_IFDIR, true }, { "File", S_IFREG,
	false },
	{ "FileOrCreate", S_IFREG, true }, { "Socket", S_IFSOCK, false }, { "CharDevice", S_IFCHR, false },
	{ "BlockDevice", S_IFBLK, false },
};

static int make_host_path(const struct volume_plan *p, const struct host_rule *rule, struct err *err)
{
	AUTO_FD fd = -1;

	if (rule->format == S_IFDIR)
		return dir_make(p->host_path, 0755, err);
	if ((fd = open(p->host_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) < 0)
		return err_errno(err, "create '%s'", p->host_path);
	return 0;
}

static int check_host_path(const struct volume_plan *p, struct err *err)
{
	struct stat st;

	for (size_t i = 0; i < sizeof host_rules / sizeof *host_rules; i++) {
		const struct host_rule *rule = &host_rules[i];

		if (!str_eq(rule->type, p->host_type))
			continue;
		if (stat(p->host_path, &st)) {
			if (rule->make)
				return make_host_path(p, rule, err);
			return err_errno(err, "hostPath '%s'", p->host_path);
		}
		if (rule->format && (st.st_mode & S_IFMT) != rule->format)
			return err_set(err, ERR_INVALID, "hostPath type check failed: %s is not a %s", p->host_path,
				       rule->type);
		return 0;
	}
	return err_set(err, ERR_INVALID, "hostPath type '%s' is unknown", p->host_type);
}

static int make_one(const char *dir, const struct volume_plan *p, struct volume_owner owner, struct err *err)
{
	AUTO(str) path = { 0 };

	if (p->type == VOLUME_HOST)
		return check_host_path(p, err);
	volume_path(dir, p, &path);
	TRY(dir_make(str_c(&path), 0755, err));
	if (p->memory)
		TRY(mount_memory(str_c(&path), p, err));
	if (p->type == VOLUME_EMPTY)
		return own(str_c(&path), 0777, owner, err);
	TRY(own(str_c(&path), 0755, owner, err));
	return volume_files_write(str_c(&path), p, owner, err);
}

int volumes_make(const char *dir, const struct volume_plans *plans, struct volume_owner owner, struct err *err)
{
	for (size_t i = 0; i < plans->n; i++) {
		int r = make_one(dir, &plans->v[i], owner, err);

		if (r < 0)
			return err_wrap(err, r, "volume \"%s\"", plans->v[i].name);
	}
	return 0;
}

/* ---- subPath ---- */

static int open_inside(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* root/sub as a descriptor. Links are followed as if root were the root of all, so none leads out; parts that are
 * missing are made, each below the descriptor of the one before. */
static int open_sub(int root, const char *sub)
{
	AUTO(str) done = { 0 };
	struct sv part, rest = sv_c(sub);
	int fd = open_inside(root, sub, O_PATH);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	for (bool more = true; more;) {
		AUTO(str) name = { 0 };
		AUTO_FD parent = -1;

		more = sv_cut(rest, '/', &part, &rest);
		if (!part.n)
			continue;
		str_add(&name, part);
		if ((parent = open_inside(root, done.n ? str_c(&done) : ".", O_PATH | O_DIRECTORY)) < 0 ||
		    (mkdirat(parent, str_c(&name), 0755) && errno != EEXIST))
			return -1;
		str_addf(&done, "%s%s", done.n ? "/" : "", str_c(&name));
	}
	return open_inside(root, sub, O_PATH);
}

/* A place of the same sort as what will be bound onto it. */
static int make_place(const char *path, int fd, struct err *err)
{
	struct stat st;
	AUTO_FD file = -1;

	if (fstat(fd, &st))
		return err_errno(err, "look at a subPath");
	if (S_ISDIR(st.st_mode))
		return dir_make(path, 0755, err);
	if ((file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return err_errno(err, "create '%s'", path);
	return 0;
}

int volume_subpath(const char *dir, const char *name, const char *root, const char *sub, struct str *out,
		   struct err *err)
{
	AUTO_FD top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD fd = -1;
	char from[64];

	if (top < 0)
		return err_errno(err, "open '%s'", root);
	if (*sub == '/' || sv_starts(sv_c(sub), SV("..")) || strstr(sub, "/../") || sv_ends(sv_c(sub), SV("/..")))
		return err_set(err, ERR_INVALID, "subPath '%s' must be relative and must not contain '..'", sub);
	if ((fd = open_sub(top, sub)) < 0)
		return err_errno(err, "open subPath '%s'", sub);
	str_addf(out, "%s/subpaths", dir);
	TRY(dir_make(str_c(out), 0755, err));
	str_addf(out, "/%s", name);
	(void)umount2(str_c(out), MNT_DETACH);          /* of an earlier start of the container */
	TRY(make_place(str_c(out), fd, err));
	snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	if (mount(from, str_c(out), NULL, MS_BIND, NULL))
		return err_errno(err, "bind subPath '%s'", sub);
	return 0;
}

/* ---- removing ---- */

static int remove_mounted(const char *dir, const char *sub, struct err *err)
{
	AUTO(str) base = { 0 };
	DIR *d;

	str_addf(&base, "%s/%s", dir, sub);
	if (!(d = opendir(str_c(&base))))
		return errno == ENOENT ? 0 : err_errno(err, "open '%s'", str_c(&base));
	for (struct dirent *e; (e = readdir(d));) {
		AUTO(str) path = { 0 };

		str_addf(&path, "%s/%s", str_c(&base), e->d_name);
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			/* fails where nothing is mounted */
			(void)umount2(str_c(&path), MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	closedir(d);
	return tree_remove(str_c(&base), err);
}

int volumes_remove(const char *dir, struct err *err)
{
	TRY(remove_mounted(dir, "subpaths", err));
	return remove_mounted(dir, "volumes", err);
}
