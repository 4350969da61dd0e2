#include "runtime/image/view.h"
#include "runtime/container/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int merged(const struct strings *layers)
{
	AUTO_FD fs = fsopen("overlay", FSOPEN_CLOEXEC);

	for (size_t i = 0; fs >= 0 && i < layers->n; i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", layers->v[i], 0))
			return -1;
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
}

/* Mounted over the topmost layer, where only this thread sees it. */
static int merged_by_mount(const struct strings *layers)
{
	AUTO(str) options = { 0 };

	str_addc(&options, "lowerdir=");
	for (size_t i = 0; i < layers->n; i++)
		str_addf(&options, "%s%s", i ? ":" : "", layers->v[i]);
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("overlay", layers->v[0], "overlay", MS_RDONLY, str_c(&options)))
		return -1;
	return open(layers->v[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int view_open(const struct strings *layers, struct err *err)
{
	int fd;

	if (layers->n == 1) {
		fd = open(layers->v[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? err_errno(err, "open layer '%s'", layers->v[0]) : fd;
	}
	fd = overlay_takes_single_layers() ? merged(layers) : merged_by_mount(layers);
	return fd < 0 ? err_errno(err, "merge %zu layers", layers->n) : fd;
}

void path_clean(struct sv path, struct str *out)
{
	struct sv part;

	str_set(out, "");
	for (bool more = true; more;) {
		more = sv_cut(path, '/', &part, &path);
		if (!part.n || sv_eq_c(part, "."))
			continue;
		if (sv_eq_c(part, "..")) {
			const char *slash = strrchr(str_c(out), '/');

			str_cut(out, slash ? (size_t)(slash - out->p) : 0);
			continue;
		}
		str_addf(out, "%s" SV_FMT, out->n ? "/" : "", SV_ARG(part));
	}
}

static int open_in(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
}

int view_name(int root, int fd, struct str *out)
{
	char link[32], base[PATH_MAX], name[PATH_MAX];
	ssize_t n, m;

	snprintf(link, sizeof link, "/proc/self/fd/%d", root);
	n = readlink(link, base, sizeof base - 1);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	m = readlink(link, name, sizeof name - 1);
	if (n < 0 || m < 0)
		return -1;
	n = n == 1 ? 0 : n;     /* "/" of a merged view */
	path_clean(m > n ? (struct sv){ name + n, (size_t)(m - n) } : SV(""), out);
	return 0;
}

int view_find(int root, const char *path, struct str *real, struct stat *st, struct err *err)
{
	AUTO(str) clean = { 0 };
	AUTO(str) head = { 0 };
	struct stat ignored;
	size_t cut;

	path_clean(sv_c(path), &clean);
	str_set(&head, str_c(&clean));
	for (cut = clean.n;; str_cut(&head, cut)) {
		AUTO_FD fd = open_in(root, str_c(&head), O_PATH);
		const char *slash = strrchr(str_c(&head), '/');

		if (fd >= 0) {
			if (fstat(fd, st ? st : &ignored) || view_name(root, fd, real))
				return err_errno(err, "read '%s'", path);
			break;
		}
		if (errno != ENOENT || !head.n)
			return err_errno(err, "read '%s'", path);
		cut = slash ? (size_t)(slash - head.p) : 0;
	}
	if (head.n == clean.n)
		return 1;
	str_addf(real, "%s%s", real->n ? "/" : "", str_c(&clean) + head.n + (head.n > 0));
	return 0;
}

int view_read(int root, const char *path, size_t max, struct str *out, struct err *err)
{
	AUTO_FD fd = open_in(root, path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return err_errno(err, "read '%s'", path);
	while ((n = read(fd, str_room(out, 4096), 4096)) > 0) {
		out->n += (size_t)n;
		out->p[out->n] = '\0';
		if (out->n > max)
			return err_set(err, ERR_TOO_LARGE, "'%s' is larger than %zu bytes", path, max);
	}
	return n < 0 ? err_errno(err, "read '%s'", path) : 0;
}
