/* A program in a running container: an exec helper does it, the fiber collects its output. */
#include "runtime/container/container-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

struct exec {
	struct container *c;
	const char *const *argv;
	int64_t timeout_ms;
	struct fiber *fiber;
	struct str plan, *output;
	size_t max;
	pid_t helper;
	int out, status;                /* our ends of the pipes */
	struct poller *out_poller, *status_poller;
	bool started, ended;
	struct report last;
	int result;
	struct err err;
};

/* ---- the job: start the helper ---- */

static int make_pipe(int *read_end, int *write_end, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) || fcntl(ends[0], F_SETFL, O_NONBLOCK))
		return err_errno(err, "create a pipe");
	*read_end = ends[0];
	*write_end = ends[1];
	return 0;
}

static int spawn_helper(struct exec *x, struct err *err)
{
	AUTO(str) plan_path = { 0 };
	AUTO_FD out = -1;
	AUTO_FD status = -1;
	VEC(const char *) argv = { 0 };
	char timeout[24];

	TRY(state_plan(str_c(&x->c->dir), &x->plan, err));
	str_addf(&plan_path, "%s/plan", str_c(&x->c->dir));
	AUTO_FD plan = open(str_c(&plan_path), O_RDONLY | O_CLOEXEC);
	if (plan < 0)
		return err_errno(err, "open '%s'", str_c(&plan_path));
	TRY(make_pipe(&x->out, &out, err));
	TRY(make_pipe(&x->status, &status, err));
	snprintf(timeout, sizeof timeout, "%" PRId64, x->timeout_ms > 0 ? x->timeout_ms : 0);
	vec_push(&argv, "cd-exec");
	vec_push(&argv, "exec");
	vec_push(&argv, timeout);
	for (const char *const *a = x->argv; *a; a++)
		vec_push(&argv, *a);
	vec_push(&argv, NULL);
	struct spawn sp = { .argv = argv.v,
			    .fds = { -1, -1, -1, [FD_PLAN] = plan, [FD_STATUS] = status, [FD_TARGET] = x->c->init_fd,
				     [FD_DIR] = -1, [FD_OUTPUT] = out, [FD_IPC] = -1, [FD_UTS] = -1, [FD_PID] = -1 } };
	int r = spawn_supervisor(x->c->cs, &sp, &x->helper, err);
	vec_free(&argv);
	return r;
}

static void start_job(void *arg)
{
	struct exec *x = arg;

	x->result = spawn_helper(x, &x->err);
}

/* The helper ends at once when its status pipe is closed on our side; so this is short. */
static void reap_job(void *arg)
{
	struct exec *x = arg;

	while (waitpid(x->helper, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- the loop: output and reports ---- */

static void read_output(struct exec *x)
{
	char buf[8192];
	ssize_t n;

	while ((n = read(x->out, buf, sizeof buf)) > 0) {
		size_t room = x->output && x->output->n < x->max ? x->max - x->output->n : 0;

		if (room)
			str_add(x->output, (struct sv){ buf, (size_t)n < room ? (size_t)n : room });
	}
	if (n == 0)
		poller_stop(&x->out_poller);
}

static void on_output(void *arg, short events)
{
	(void)events;
	read_output(arg);
}

static void on_status(void *arg, short events)
{
	struct exec *x = arg;
	ssize_t n = read(x->status, &x->last, sizeof x->last);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof x->last && x->last.stage == STAGE_STARTED) {
		x->started = true;
		return;
	}
	x->ended = n == sizeof x->last;
	poller_stop(&x->status_poller);
	fiber_wake(x->fiber);
}

static int wait_for_end(struct exec *x)
{
	int r = 0;

	x->out_poller = poller_start(x->c->cs->loop, x->out, POLLIN, on_output, x);
	x->status_poller = poller_start(x->c->cs->loop, x->status, POLLIN, on_status, x);
	while (x->status_poller && !r)
		r = fiber_park();
	poller_stop(&x->status_poller);
	if (x->out_poller)
		read_output(x);
	poller_stop(&x->out_poller);
	return r;
}

static int judge(struct exec *x, struct err *err)
{
	if (!x->ended)
		return err_set(err, ERR_IO, "exec: \"%s\": its helper was killed", x->argv[0]);
	if (x->last.stage != STAGE_EXITED)
		return plan_failure(plan_check(&x->plan), &x->last, x->argv[0], err);
	if (x->last.error == ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "exec: \"%s\": not finished after %" PRId64 " ms", x->argv[0],
			       x->timeout_ms);
	return (int)x->last.at;
}

int container_exec(struct container *c, const char *const *argv, int64_t timeout_ms, size_t max, struct str *output,
		   struct err *err)
{
	struct exec x = { .c = c,
			  .argv = argv,
			  .timeout_ms = timeout_ms,
			  .fiber = fiber_self(),
			  .output = output,
			  .max = max,
			  .out = -1,
			  .status = -1 };
	int r;

	if (c->init_fd < 0)
		return err_set(err, ERR_NOT_FOUND, "the container '%s' is not running", str_c(&c->dir));
	fiber_job(start_job, &x);
	r = x.result < 0 ? err_move(err, &x.err) : wait_for_end(&x);
	fd_close(&x.out);
	fd_close(&x.status);
	if (x.helper > 0)
		fiber_job(reap_job, &x);
	if (x.result >= 0 && r == 0)
		r = judge(&x, err);
	else if (r == -ERR_CANCELED && x.result >= 0)
		r = err_set(err, ERR_CANCELED, "exec: \"%s\" was canceled", argv[0]);
	str_free(&x.plan);
	return r;
}
