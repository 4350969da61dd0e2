/* A program in a running container: an exec helper joins its namespaces, starts it, and reports how it ended. */
#include "runtime/container/container-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct container_exec {
	struct containers *cs;
	struct str dir, plan, program;  /* plan: for the words of a failure */
	const struct exec_spec *spec;   /* while it starts */
	int target;                     /* pidfd of the container's first process: our own, it may end meanwhile */
	struct exec_io io;              /* our ends, until they are given out */
	int status;                     /* where the helper reports */
	pid_t helper;
	int64_t timeout_ms;
	int result;
	struct err err;
};

/* ---- the job: start the helper ---- */

static int no_block(int fd) { return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

/* A pipe whose end `ours` (0 or 1) does not block. */
static int make_pipe(int ours, int *own, int *theirs, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return err_errno(err, "create a pipe");
	*own = ends[ours];
	*theirs = ends[!ours];
	return no_block(*own) < 0 ? err_errno(err, "create a pipe") : 0;
}

struct theirs { int in, out, err, status; };

static void theirs_free(struct theirs *t)
{
	fd_close(&t->in);
	fd_close(&t->out);
	fd_close(&t->err);
	fd_close(&t->status);
}

/* With a terminal: a socket, through which its other side comes. */
static int make_streams(struct container_exec *x, struct theirs *t, struct err *err)
{
	const struct exec_spec *s = x->spec;
	int ends[2];

	TRY(make_pipe(0, &x->status, &t->status, err));
	if (s->tty) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			return err_errno(err, "create a socket");
		x->io.out = ends[0];
		t->out = ends[1];
		return 0;
	}
	if (s->in)
		TRY(make_pipe(1, &x->io.in, &t->in, err));
	if (s->out)
		TRY(make_pipe(0, &x->io.out, &t->out, err));
	if (s->err && !s->together)
		TRY(make_pipe(0, &x->io.err, &t->err, err));
	return 0;
}

static int spawn_helper(struct container_exec *x, struct err *err)
{
	AUTO(theirs) t = { -1, -1, -1, -1 };
	AUTO(str) plan_path = { 0 };
	VEC(const char *) argv = { 0 };
	char timeout[24];

	TRY(state_plan(str_c(&x->dir), &x->plan, err));
	str_addf(&plan_path, "%s/plan", str_c(&x->dir));
	AUTO_FD plan = open(str_c(&plan_path), O_RDONLY | O_CLOEXEC);
	if (plan < 0)
		return err_errno(err, "open '%s'", str_c(&plan_path));
	TRY(make_streams(x, &t, err));
	snprintf(timeout, sizeof timeout, "%" PRId64, x->timeout_ms > 0 ? x->timeout_ms : 0);
	vec_push(&argv, "cd-exec");
	vec_push(&argv, x->spec->tty ? "terminal" : "exec");
	vec_push(&argv, timeout);
	for (const char *const *a = x->spec->argv; *a; a++)
		vec_push(&argv, *a);
	vec_push(&argv, NULL);
	struct spawn sp = { .argv = argv.v,
			    .fds = { -1, -1, -1, [FD_PLAN] = plan, [FD_STATUS] = t.status, [FD_TARGET] = x->target,
				     [FD_INPUT] = t.in, [FD_OUTPUT] = t.out, [FD_ERROR] = x->spec->together ? t.out : t.err,
				     [FD_UTS] = -1, [FD_PID] = -1, [FD_ATTACH] = -1 } };
	int r = spawn_supervisor(x->cs, &sp, &x->helper, err);
	vec_free(&argv);
	return r;
}

static void start_job(void *arg)
{
	struct container_exec *x = arg;

	x->result = spawn_helper(x, &x->err);
}

/* The helper ends at once when its status pipe is closed on our side; so this is short. */
static void reap_job(void *arg)
{
	struct container_exec *x = arg;

	while (waitpid(x->helper, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- its reports ---- */

/* 1: a report; 0: the helper is gone; -ERR_CANCELED. A report is written whole. */
static int next_report(struct container_exec *x, struct report *r)
{
	ssize_t n;

	while ((n = read(x->status, r, sizeof *r)) < 0 && (errno == EAGAIN || errno == EINTR))
		if (errno == EAGAIN)
			TRY(fiber_poll(x->status, POLLIN));
	return n == sizeof *r;
}

static int no_report(const struct container_exec *x, int r, struct err *err)
{
	if (r < 0)
		return err_set(err, ERR_CANCELED, "exec: \"%s\" was canceled", str_c(&x->program));
	return err_set(err, ERR_IO, "exec: \"%s\": its helper was killed", str_c(&x->program));
}

/* The terminal's other side, sent before the program was executed. */
static int take_terminal(struct container_exec *x, struct err *err)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } control;
	char byte;
	struct iovec into = { &byte, 1 };
	struct msghdr m = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(x->io.out, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	fd_close(&x->io.out);
	if (n <= 0 || m.msg_controllen < CMSG_LEN(sizeof(int)))
		return err_set(err, ERR_IO, "exec: \"%s\": its terminal did not come", str_c(&x->program));
	memcpy(&x->io.out, CMSG_DATA(&control.head), sizeof(int));
	x->io.in = fcntl(x->io.out, F_DUPFD_CLOEXEC, 3);
	return x->io.in < 0 || no_block(x->io.out) < 0 ? err_errno(err, "open the terminal") : 0;
}

static int await_start(struct container_exec *x, struct err *err)
{
	struct report report = { 0 };
	int r = next_report(x, &report);

	if (r <= 0)
		return no_report(x, r, err);
	if (report.stage != STAGE_STARTED)
		return plan_failure(plan_check(&x->plan), &report, str_c(&x->program), err);
	return x->spec->tty ? take_terminal(x, err) : 0;
}

/* ---- one program ---- */

void exec_drop(struct container_exec **xp)
{
	struct container_exec *x = TAKE(*xp);

	if (!x)
		return;
	fd_close(&x->status);
	fd_close(&x->target);
	fd_close(&x->io.in);
	fd_close(&x->io.out);
	fd_close(&x->io.err);
	if (x->helper > 0)
		fiber_job(reap_job, x);
	str_free(&x->dir);
	str_free(&x->plan);
	str_free(&x->program);
	err_free(&x->err);
	free(x);
}

static struct container_exec *exec_new(struct container *c, const struct exec_spec *s)
{
	struct container_exec *x = calloc(1, sizeof *x);

	if (!x)
		abort();
	*x = (struct container_exec){ .cs = c->cs, .spec = s, .io = { -1, -1, -1 }, .status = -1,
				      .target = fcntl(c->init_fd, F_DUPFD_CLOEXEC, 3), .timeout_ms = s->timeout_ms };
	str_add(&x->dir, str_sv(&c->dir));
	str_addc(&x->program, s->argv[0]);
	return x;
}

int exec_start(struct container *c, const struct exec_spec *s, struct exec_io *io, struct container_exec **out,
	       struct err *err)
{
	if (c->init_fd < 0)
		return err_set(err, ERR_NOT_FOUND, "the container '%s' is not running", str_c(&c->dir));
	struct container_exec *x = exec_new(c, s);
	fiber_job(start_job, x);
	int r = x->result < 0 ? err_move(err, &x->err) : await_start(x, err);
	x->spec = NULL;
	if (r < 0) {
		exec_drop(&x);
		return r;
	}
	*io = x->io;
	x->io = (struct exec_io){ -1, -1, -1 };
	*out = x;
	return 0;
}

int exec_wait(struct container_exec *x, struct err *err)
{
	struct report report = { 0 };
	int r = next_report(x, &report);

	if (r <= 0)
		return no_report(x, r, err);
	if (report.error == ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "exec: \"%s\": not finished after %" PRId64 " ms", str_c(&x->program),
			       x->timeout_ms);
	return (int)report.at;
}

/* ---- with its output collected ---- */

struct collecting { int fd; struct str *output; size_t max; struct poller *poller; };

static void collect(struct collecting *k)
{
	char buf[8192];
	ssize_t n;

	while ((n = read(k->fd, buf, sizeof buf)) > 0) {
		size_t room = k->output && k->output->n < k->max ? k->max - k->output->n : 0;

		if (room)
			str_add(k->output, (struct sv){ buf, (size_t)n < room ? (size_t)n : room });
	}
	if (n == 0)
		poller_stop(&k->poller);
}

static void on_output(void *arg, short events)
{
	(void)events;
	collect(arg);
}

int container_exec(struct container *c, const char *const *argv, int64_t timeout_ms, size_t max, struct str *output,
		   struct err *err)
{
	const struct exec_spec spec = { .argv = argv, .out = true, .err = true, .together = true, .timeout_ms = timeout_ms };
	struct container_exec *x;
	struct exec_io io;

	TRY(exec_start(c, &spec, &io, &x, err));
	struct collecting k = { io.out, output, max, NULL };
	k.poller = poller_start(x->cs->loop, io.out, POLLIN, on_output, &k);
	int r = exec_wait(x, err);
	if (k.poller)
		collect(&k);
	poller_stop(&k.poller);
	fd_close(&io.out);
	exec_drop(&x);
	return r;
}
