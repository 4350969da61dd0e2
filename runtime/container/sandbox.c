/* A pod's namespaces, pinned by bind mounts so that they live without a process. */
#include "base/fiber.h"
#include "base/fs.h"
#include "runtime/container/container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const struct { const char *name; int flag; } spaces[] = {
	{ "net", CLONE_NEWNET }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS },
};
#define SPACES (sizeof spaces / sizeof *spaces)

struct sandbox { const char *dir, *hostname; bool host_net; struct sandbox_fds *fds; int result; struct err err; };

static int *slot(struct sandbox_fds *fds, size_t i) { return i == 0 ? &fds->net : i == 1 ? &fds->ipc : &fds->uts; }

void sandbox_close(struct sandbox_fds *fds)
{
	for (size_t i = 0; i < SPACES; i++)
		fd_close(slot(fds, i));
}

/* A file that nothing is mounted on is what a crash before the mount leaves, or a reboot after it. */
static bool is_namespace(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

static int open_pins(const char *dir, struct sandbox_fds *out, struct err *err)
{
	AUTO(str) path = { 0 };

	*out = (struct sandbox_fds){ -1, -1, -1 };
	for (size_t i = 0; i < SPACES; i++) {
		str_cut(&path, 0);
		str_addf(&path, "%s/%s", dir, spaces[i].name);
		int r = 0, fd = *slot(out, i) = open(str_c(&path), O_RDONLY | O_CLOEXEC);

		if (fd < 0 && !(i == 0 && errno == ENOENT))             /* without net it is the host's */
			r = err_errno(err, "open the sandbox '%s'", str_c(&path));
		else if (fd >= 0 && !is_namespace(fd))
			r = err_set(err, ERR_NOT_FOUND, "no namespace is pinned to '%s'", str_c(&path));
		if (r < 0) {
			sandbox_close(out);
			return r;
		}
	}
	return 0;
}

static int loopback_up(struct err *err)
{
	struct ifreq rq = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &rq) ? err_errno(err, "bring up loopback in a new sandbox") : 0;
}

static int pin(const char *dir, const char *name, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) from = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	str_addf(&from, "/proc/thread-self/ns/%s", name);
	AUTO_FD fd = open(str_c(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || mount(str_c(&from), str_c(&path), NULL, MS_BIND, NULL))
		return err_errno(err, "pin the sandbox '%s'", str_c(&path));
	return 0;
}

static int unpin(const char *dir, struct err *err)
{
	AUTO(str) path = { 0 };

	for (size_t i = 0; i < SPACES; i++) {
		str_cut(&path, 0);
		str_addf(&path, "%s/%s", dir, spaces[i].name);
		while (umount2(str_c(&path), MNT_DETACH) == 0)
			;
		if (errno != EINVAL && errno != ENOENT)
			return err_errno(err, "unmount '%s'", str_c(&path));
		if (unlink(str_c(&path)) && errno != ENOENT)
			return err_errno(err, "remove '%s'", str_c(&path));
	}
	return 0;
}

/* The namespaces of this thread change and it never goes back: it is its own (a long job's) and ends after this. */
static int create_here(struct sandbox *s, struct err *err)
{
	int flags = CLONE_NEWIPC | CLONE_NEWUTS | (s->host_net ? 0 : CLONE_NEWNET);

	TRY(dir_make(s->dir, 0700, err));
	TRY(unpin(s->dir, err));                /* what a crash may have left half done */
	if (unshare(flags))
		return err_errno(err, "create the namespaces of a sandbox");
	if (s->hostname && sethostname(s->hostname, strlen(s->hostname)))
		return err_errno(err, "set the host name \"%s\"", s->hostname);
	if (!s->host_net)
		TRY(loopback_up(err));
	for (size_t i = 0; i < SPACES; i++)
		if (flags & spaces[i].flag)
			TRY(pin(s->dir, spaces[i].name, err));
	return open_pins(s->dir, s->fds, err);
}

static void create_job(void *arg)
{
	struct sandbox *s = arg;

	s->result = create_here(s, &s->err);
	if (s->result < 0)
		(void)!unpin(s->dir, NULL);
}

int sandbox_create(const char *dir, const char *hostname, bool host_net, struct sandbox_fds *out, struct err *err)
{
	struct sandbox s = { .dir = dir, .hostname = hostname, .host_net = host_net, .fds = out };

	*out = (struct sandbox_fds){ -1, -1, -1 };
	fiber_job_long(create_job, &s);
	return s.result < 0 ? err_move(err, &s.err) : 0;
}

int sandbox_open(const char *dir, struct sandbox_fds *out, struct err *err) { return open_pins(dir, out, err); }

static void remove_job(void *arg)
{
	struct sandbox *s = arg;

	s->result = unpin(s->dir, &s->err);
}

int sandbox_remove(const char *dir, struct err *err)
{
	struct sandbox s = { .dir = dir };

	fiber_job(remove_job, &s);
	return s.result < 0 ? err_move(err, &s.err) : 0;
}
