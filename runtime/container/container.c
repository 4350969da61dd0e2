/* A container as the daemon sees it: its end, stopping it, what it uses, taking it away. */
#include "base/fs.h"
#include "runtime/container/container-internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define KILLED (128 + SIGKILL)
#define DEATH_MS 30000 /* after SIGKILL: longer means that the kernel holds it (a dead disk or network mount) */
#define ADOPT_TRIES 1000        /* with 10 ms between: a start that was going on when the last daemon died */

struct container *container_new(struct containers *cs, const char *dir, const char *cgroup)
{
	struct container *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->cs = cs;
	c->supervisor_fd = c->init_fd = -1;
	str_addc(&c->dir, dir);
	str_addc(&c->cgroup, cgroup);
	return c;
}

void container_forget(struct container **cp)
{
	struct container *c = TAKE(*cp);

	if (!c)
		return;
	poller_stop(&c->poller);
	fd_close(&c->supervisor_fd);
	fd_close(&c->init_fd);
	str_free(&c->dir);
	str_free(&c->cgroup);
	free(c);
}

/* ---- its end ---- */

/* A supervisor that wrote no record was killed itself; its container died with it (PDEATHSIG). */
static void set_exited(struct container *c)
{
	struct exit_record x = { .code = KILLED, .finished_ms = clock_ms() };

	(void)!exit_read(str_c(&c->dir), &x, NULL);
	c->status.state = CONTAINER_EXITED;
	c->status.exit_code = x.code;
	c->status.signal = x.code > 128 && x.code <= 128 + SIGRTMAX ? x.code - 128 : 0;
	c->status.oom_killed = x.oom;
	c->status.finished_ms = x.finished_ms;
	c->status.pid = 0;
	c->status.started_ms = c->state.started_ms;
}

static void on_supervisor_end(void *arg, short events)
{
	struct container *c = arg;
	siginfo_t info;

	(void)events;
	poller_stop(&c->poller);
	(void)waitid(P_PIDFD, (id_t)c->supervisor_fd, &info, WEXITED);  /* ECHILD when adopted: init reaps it */
	fd_close(&c->supervisor_fd);
	fd_close(&c->init_fd);
	set_exited(c);
	fiber_signal_all(&c->ended);
	if (c->on_exit)
		c->on_exit(c->arg);
}

int container_watch(struct container *c, struct err *err)
{
	c->supervisor_fd = process_open(&c->state.supervisor, err);
	TRY(c->supervisor_fd);
	c->init_fd = process_open(&c->state.container, NULL);   /* gone already: its supervisor is about to say so */
	c->status = (struct container_status){ .state = CONTAINER_RUNNING, .pid = c->state.container.pid,
					       .started_ms = c->state.started_ms };
	c->poller = poller_start(c->cs->loop, c->supervisor_fd, POLLIN, on_supervisor_end, c);
	return c->poller ? 0 : err_set(err, ERR_IO, "watch the supervisor of '%s'", str_c(&c->dir));
}

void container_get(const struct container *c, struct container_status *out) { *out = c->status; }

void container_on_exit(struct container *c, void (*fn)(void *arg), void *arg)
{
	c->on_exit = fn;
	c->arg = arg;
	if (fn && c->status.state == CONTAINER_EXITED)
		fn(arg);
}

/* ---- after a restart of the daemon ---- */

struct adopt {
	const struct containers *cs;
	const char *dir;
	struct str cgroup;
	struct state state;
	bool alive;
	int result;
	struct err err;
};

static int clean_up(struct adopt *a)
{
	if (a->cgroup.n)
		TRY(cgroup_destroy(&a->cs->cgroups, str_c(&a->cgroup), &a->err));
	TRY(state_remove(a->dir, &a->err));
	return err_set(&a->err, ERR_NOT_FOUND, "'%s': the container was never started", a->dir);
}

/* Nobody holds the lock: it ended, or died with its supervisor, or was never started. */
static int adopt_dead(struct adopt *a)
{
	struct exit_record x;
	bool ran = state_read(a->dir, &a->state, NULL) >= 0;

	if (!ran && exit_read(a->dir, &x, NULL) < 0)
		return clean_up(a);
	return cgroup_kill(&a->cs->cgroups, str_c(&a->cgroup), &a->err);
}

static void adopt_job(void *arg)
{
	struct adopt *a = arg;
	struct timespec moment = { 0, 10000000 };
	AUTO(str) plan = { 0 };

	if (state_plan(a->dir, &plan, NULL) >= 0) {
		const struct plan *p = plan_check(&plan);

		str_addc(&a->cgroup, PLAN_TEXT(p, p->cgroup));
	}
	for (int tries = 0; tries < ADOPT_TRIES; tries++) {
		AUTO_FD lock = state_lock(a->dir, &a->err);

		if (lock >= 0) {
			a->result = adopt_dead(a);
			return;
		}
		if (lock != -ERR_CONFLICT) {
			a->result = lock == -ERR_NOT_FOUND ? clean_up(a) : lock;
			return;
		}
		a->alive = state_read(a->dir, &a->state, NULL) >= 0;
		if (a->alive) {
			a->result = 0;
			return;
		}
		nanosleep(&moment, NULL);
	}
	a->result = err_set(&a->err, ERR_TIMEOUT, "'%s': its supervisor neither starts it nor gives up", a->dir);
}

static int adopt_result(struct containers *cs, struct adopt *a, struct container **out, struct err *err)
{
	struct container *c = container_new(cs, a->dir, str_c(&a->cgroup));

	c->state = a->state;
	if (!a->alive || container_watch(c, err) == -ERR_NOT_FOUND) {   /* ended since we looked */
		if (err)
			err_free(err);
		set_exited(c);
	}
	*out = c;
	return 0;
}

int container_adopt(struct containers *cs, const char *dir, struct container **out, struct err *err)
{
	struct adopt a = { .cs = cs, .dir = dir };
	int r;

	fiber_job_long(adopt_job, &a);
	r = a.result < 0 ? err_move(err, &a.err) : adopt_result(cs, &a, out, err);
	err_free(&a.err);
	str_free(&a.cgroup);
	return r;
}

/* ---- signals ---- */

int container_kill(struct container *c, int signo, struct err *err)
{
	if (c->init_fd < 0)
		return err_set(err, ERR_NOT_FOUND, "the container '%s' has ended", str_c(&c->dir));
	if (syscall(SYS_pidfd_send_signal, c->init_fd, signo, NULL, 0))
		return err_errno(err, "signal %d to the container '%s'", signo, str_c(&c->dir));
	return 0;
}

static int await_end(struct container *c, int64_t ms)
{
	int r = 0;

	while (c->status.state == CONTAINER_RUNNING && !r)
		r = fiber_wait_ms(&c->ended, ms);
	return c->status.state == CONTAINER_EXITED ? 0 : r;
}

int container_stop(struct container *c, int stop_signal, int64_t grace_ms, struct err *err)
{
	int r = -ERR_TIMEOUT;

	if (c->status.state == CONTAINER_EXITED)
		return 0;
	if (grace_ms > 0 && container_kill(c, stop_signal ? stop_signal : SIGTERM, NULL) == 0)
		r = await_end(c, grace_ms);
	if (r != -ERR_TIMEOUT)
		return r < 0 ? err_set(err, ERR_CANCELED, "stopping '%s' was canceled", str_c(&c->dir)) : 0;
	(void)container_kill(c, SIGKILL, NULL);
	(void)cgroup_kill(&c->cs->cgroups, str_c(&c->cgroup), NULL);
	r = await_end(c, DEATH_MS);
	return r < 0 ? err_set(err, -r, "the container '%s' does not end after SIGKILL", str_c(&c->dir)) : 0;
}

/* ---- what it uses ---- */

/* A few small files of the kernel: read here, quicker than a job. */
int container_usage(struct container *c, int64_t *cpu_ns, int64_t *memory_bytes, struct err *err)
{
	return cgroup_usage(&c->cs->cgroups, str_c(&c->cgroup), cpu_ns, memory_bytes, err);
}

/* ---- taking it away ---- */

struct removal { struct container *c; int result; struct err err; };

static int remove_steps(struct container *c, struct err *err)
{
	if (c->cgroup.n)
		TRY(cgroup_destroy(&c->cs->cgroups, str_c(&c->cgroup), err));
	return tree_remove(str_c(&c->dir), err);
}

static void remove_job(void *arg)
{
	struct removal *r = arg;

	r->result = remove_steps(r->c, &r->err);
}

int container_remove(struct container **cp, struct err *err)
{
	struct removal r = { .c = *cp };

	if (r.c->status.state == CONTAINER_RUNNING)
		return err_set(err, ERR_CONFLICT, "the container '%s' is running: stop it first", str_c(&r.c->dir));
	fiber_job(remove_job, &r);
	if (r.result < 0)
		return err_move(err, &r.err);
	container_forget(cp);
	return 0;
}
