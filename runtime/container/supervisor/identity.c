/* Who the container's program is and what it may do: limits, standard descriptors, seccomp, capabilities, user. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define CAPS 64

static void set_limits(struct context *c)
{
	const struct plan_limit *limits = PLAN_AT(c->plan, c->plan->limits, struct plan_limit);

	for (uint32_t i = 0; i < c->plan->limits.n; i++) {
		uint64_t pair[2] = { limits[i].soft, limits[i].hard };
		long r = sys(prlimit64, 0, limits[i].resource, pair, 0);

		if (r < 0)
			init_fail(c, STAGE_LIMIT, i, r);
	}
}

/* Going below the daemon's own score needs CAP_SYS_RESOURCE; without it the container keeps that score. */
static void set_oom_score(struct context *c)
{
	int score = c->plan->oom_score_adj;
	char number[8];
	struct text t = { number, 0, sizeof number };
	long fd = sys(openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC), r;

	if (score < 0)
		text_addc(&t, "-");
	text_addu(&t, (uint64_t)(score < 0 ? -score : score), 0);
	r = fd < 0 ? fd : sys(write, fd, number, t.n);
	if (fd >= 0)
		sys(close, fd);
	if (r < 0 && r != -EACCES && r != -EPERM && r != -ENOENT)
		init_fail(c, STAGE_OOM_SCORE, 0, r);
}

/* Makes fd the descriptor `to`; the program may open /dev/stdout again as its own user, so it becomes that user's. */
static void set_stream(struct context *c, int fd, int to)
{
	long r = fd < 0 ? 0 : sys(fchown, fd, c->plan->uid, c->plan->gid);

	if (r >= 0 && fd >= 0 && fd != to)
		r = sys(dup3, fd, to, 0);
	if (r < 0)
		init_fail(c, STAGE_STDIO, (uint32_t)to, r);
}

static long send_fd(int socket, int fd)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } control = { .head = {
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char text = 't';
	struct iovec byte = { &text, 1 };
	struct msghdr m = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};

	*(int *)(void *)CMSG_DATA(&control.head) = fd;
	return sys(sendmsg, socket, &m, 0);
}

/* A terminal of the container's own /dev/pts; its other side goes to the supervisor through c->out, a socket. */
static void open_terminal(struct context *c)
{
	char path[32];
	struct text t = { path, 0, sizeof path - 1 };
	long ptmx = sys(openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	unsigned number = 0;
	int unlocked = 0;
	long r = ptmx;

	if (r >= 0)
		r = sys(ioctl, ptmx, TIOCSPTLCK, &unlocked);
	if (r >= 0)
		r = sys(ioctl, ptmx, TIOCGPTN, &number);
	text_addc(&t, "/dev/pts/");
	text_addu(&t, number, 0);
	path[t.n] = 0;
	if (r >= 0)
		r = sys(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	int fd = (int)r;
	if (r >= 0)
		r = sys(ioctl, fd, TIOCSCTTY, 0);
	if (r >= 0)
		r = send_fd(c->out, (int)ptmx);
	if (r < 0)
		init_fail(c, STAGE_STDIO, 0, r);
	for (int to = 0; to < 3; to++)
		set_stream(c, fd, to);
}

static void set_stdio(struct context *c)
{
	if (c->terminal) {
		open_terminal(c);
		return;
	}
	set_stream(c, c->in, 0);
	set_stream(c, c->out, 1);
	set_stream(c, c->err, 2);
}

static void load_seccomp(struct context *c)
{
	struct sock_fprog program = {
		.len = (unsigned short)c->plan->seccomp.n,
		.filter = PLAN_AT(c->plan, c->plan->seccomp, struct sock_filter),
	};
	long r = program.len ? sys(seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) : 0;

	if (r < 0)
		init_fail(c, STAGE_SECCOMP, 0, r);
}

static void bound_caps(struct context *c)
{
	for (int cap = 0; cap < CAPS; cap++)
		if (!(c->plan->caps >> cap & 1) && sys(prctl, PR_CAPBSET_READ, cap, 0, 0, 0) == 1) {
			long r = sys(prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);

			if (r < 0)
				init_fail(c, STAGE_CAPS, (uint32_t)cap, r);
		}
}

static void set_caps(struct context *c, uint64_t caps)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)caps, .permitted = (uint32_t)caps },
		{ .effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32) },
	};
	long r = sys(capset, &head, data);

	if (r < 0)
		init_fail(c, STAGE_CAPS, CAPS, r);
}

static void set_user(struct context *c)
{
	struct plan *p = c->plan;
	long r = sys(setgroups, p->groups.n, PLAN_AT(p, p->groups, uint32_t));

	if (r >= 0)
		r = sys(setresgid, p->gid, p->gid, p->gid);
	if (r >= 0)
		r = sys(setresuid, p->uid, p->uid, p->uid);
	if (r < 0)
		init_fail(c, STAGE_USER, 0, r);
}

/* The filter is loaded while CAP_SYS_ADMIN is still there, so that it needs no no_new_privs. */
void init_identity(struct context *c)
{
	set_limits(c);
	set_oom_score(c);
	set_stdio(c);
	if (c->plan->flags & PLAN_NO_NEW_PRIVS)
		sys(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	bound_caps(c);
	load_seccomp(c);
	set_user(c);
	set_caps(c, c->plan->uid ? 0 : c->plan->caps);
	sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);         /* last: a change of user clears it */
}
