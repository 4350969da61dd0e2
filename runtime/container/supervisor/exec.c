/* A program inside a running container: joins its namespaces and groups, runs, reports how it ended. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#define SPACES (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP)

_Noreturn static void run_init(struct context *c, char **argv)
{
	sys(setsid);
	init_files(c);
	init_cwd(c);
	init_identity(c);
	init_program(c, argv);
}

/* Waits for the end, for the deadline, or for the daemon to lose interest (it closes its end of the status pipe). */
static int await_end(const struct child *ch, int64_t timeout_ms)
{
	struct timespec limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000000 };
	struct pollfd fds[] = { { ch->pidfd, POLLIN, 0 }, { FD_STATUS, 0, 0 } };
	long n;

	while ((n = sys(ppoll, fds, 2, timeout_ms ? &limit : 0, 0, 8)) == -EINTR)
		;
	if (n > 0 && fds[0].revents)
		return 0;
	sys(kill, -ch->pid, SIGKILL);
	sys(kill, ch->pid, SIGKILL);
	return ETIMEDOUT;
}

/* -1: the daemon gave none. */
static int given(int fd) { return sys(fcntl, fd, F_GETFD) < 0 ? -1 : fd; }

static bool starts(const char *s, const char *prefix)
{
	while (*prefix && *s == *prefix) {
		s++;
		prefix++;
	}
	return !*prefix;
}

/* The plan's environment, and TERM when it says nothing of the terminal. 0: there is no room. */
static char **terminal_env(struct plan *p)
{
	static char term[] = "TERM=xterm";
	char **from = PLAN_AT(p, p->env, char *);
	long r = sys(mmap, 0, (p->env.n + 2) * sizeof *from, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char **env = (char **)r;        /* NOLINT: an address */
	size_t n = 0;
	bool told = false;

	if (r < 0 && r > -4096)
		return 0;
	for (; from[n]; n++) {
		env[n] = from[n];
		told |= starts(from[n], "TERM=");
	}
	if (!told)
		env[n++] = term;
	env[n] = 0;
	return env;
}

int exec_help(struct plan *p, bool terminal, int64_t timeout_ms, char **argv)
{
	struct context c = { .plan = p, .failure_fd = FD_STATUS, .in = given(FD_INPUT), .out = given(FD_OUTPUT),
		.err = given(FD_ERROR), .terminal = terminal, .env = terminal ? terminal_env(p) : 0 };
	struct child ch = { 0 };
	struct report r = { 0 };
	int ends[2] = { -1, -1 };
	long cgroup = -1, error = sys(pipe2, ends, O_CLOEXEC);

	init_cgroups(&c);       /* ourselves: while the host's paths are still there */
	if (p->cgroup_v2)
		cgroup = sys(openat, AT_FDCWD, PLAN_TEXT(p, p->cgroup_v2), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (error >= 0)
		error = sys(setns, FD_TARGET, SPACES);
	c.failure_fd = ends[1];
	if (error >= 0)
		error = child_start(&ch, 0, (int)cgroup);
	if (error == 0)
		run_init(&c, argv);
	if (error < 0)
		r = (struct report){ STAGE_NAMESPACE, (int32_t)-error, 6, 0 };
	else
		await_exec(&c, ends[0], &r);
	sys(close_range, FD_INPUT, FD_ERROR, 0);        /* what the program has open counts, not what we have */
	report(&r);
	if (r.stage != STAGE_STARTED)
		return 1;
	int late = await_end(&ch, timeout_ms);
	report(&(struct report){ STAGE_EXITED, late, (uint32_t)child_wait(&ch), ch.pid });
	return 0;
}
