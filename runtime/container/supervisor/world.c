/* The clone's place in the kernel: cgroups, namespaces, host name, loopback. */
#include "supervisor.h"
#include "sys.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

_Noreturn void init_fail(struct context *c, enum stage stage, uint32_t at, long error)
{
	struct report r = { stage, (int32_t)-error, at, 0 };

	sys(write, c->failure_fd, &r, sizeof r);
	for (;;)
		sys(exit_group, 1);
}

void init_cgroups(struct context *c)
{
	const plan_slot *dirs = PLAN_AT(c->plan, c->plan->cgroups, plan_slot);

	for (uint32_t i = 0; i < c->plan->cgroups.n; i++) {
		long dir = sys(openat, AT_FDCWD, dirs[i].text, O_PATH | O_DIRECTORY | O_CLOEXEC);
		long fd = dir < 0 ? dir : sys(openat, dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		long r = fd < 0 ? fd : sys(write, fd, "0", 1);

		if (r < 0)
			init_fail(c, STAGE_CGROUP, i, r);
		sys(close, fd);
		sys(close, dir);
	}
}

static void join_namespaces(struct context *c)
{
	static const struct { uint32_t flag; int fd; } spaces[] = {
		{ PLAN_JOIN_NET, FD_NET }, { PLAN_JOIN_IPC, FD_IPC }, { PLAN_JOIN_UTS, FD_UTS },
	};

	for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		long r = c->plan->flags & spaces[i].flag ? sys(setns, spaces[i].fd, 0) : 0;

		if (r < 0)
			init_fail(c, STAGE_NAMESPACE, i, r);
	}
}

static long loopback_up(void)
{
	struct ifreq rq = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	long fd = sys(socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	long r = fd < 0 ? fd : sys(ioctl, fd, SIOCSIFFLAGS, &rq);

	if (fd >= 0)
		sys(close, fd);
	return r;
}

void init_world(struct context *c)
{
	const char *name = PLAN_TEXT(c->plan, c->plan->hostname);
	long r;

	init_cgroups(c);
	if ((r = sys(unshare, CLONE_NEWCGROUP)) < 0)    /* after the moves: its root is the container's own groups */
		init_fail(c, STAGE_NAMESPACE, 3, r);
	join_namespaces(c);
	if (name && c->plan->flags & PLAN_NEW_UTS && (r = sys(sethostname, name, text_n(name))) < 0)
		init_fail(c, STAGE_HOSTNAME, 0, r);
	if (c->plan->flags & PLAN_NEW_NET && (r = loopback_up()) < 0)
		init_fail(c, STAGE_LOOPBACK, 0, r);
	sys(setsid);
}
