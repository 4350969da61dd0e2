/* Who the container's program is and what it may do: limits, standard descriptors, seccomp, capabilities, user. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

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

/* The program may open /dev/stdout again as its own user: the pipes become that user's. */
static void set_stdio(struct context *c)
{
	const int from[3] = { c->in, c->out, c->err };

	for (int to = 0; to < 3; to++) {
		long r = from[to] < 0 ? 0 : sys(fchown, from[to], c->plan->uid, c->plan->gid);

		if (r >= 0 && from[to] >= 0 && from[to] != to)
			r = sys(dup3, from[to], to, 0);
		if (r < 0)
			init_fail(c, STAGE_STDIO, (uint32_t)to, r);
	}
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
