/* A program that a client runs in a container: its streams are the client's, its exit status is the answer. */
#include "runtime/agent/agent-internal.h"

#include <sys/ioctl.h>
#include "runtime/agent/pumps.h"

struct running {
	struct duplex_fd in;            /* what the program reads */
	int out, err;
	struct fiber_group inputs, outputs;
	struct in_pump in_pump;
	struct out_pump out_pump, err_pump;
	struct size_pump size_pump;
	bool over;
};

static void set_size(void *arg, uint16_t rows, uint16_t columns)
{
	struct running *r = arg;
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	(void)ioctl(r->out, TIOCSWINSZ, &size); /* a terminal that has gone has no size */
}

static void start_output(struct running *r, struct out_pump *p, int fd, struct duplex *to)
{
	*p = (struct out_pump){ .fd = fd, .to = to, .over = &r->over };
	if (fd >= 0)
		fiber_group_start(&r->outputs, "exec output", out_pump_run, p);
}

/* The end of a client's input ends the program's, but a terminal's input has no end. */
static void start_pumps(struct running *r, struct agent *a, bool tty, const struct client_streams *io)
{
	fiber_group_init(&r->inputs, a->loop);
	fiber_group_init(&r->outputs, a->loop);
	start_output(r, &r->out_pump, r->out, io->out);
	start_output(r, &r->err_pump, r->err, io->err);
	r->in_pump = (struct in_pump){ io->in, &r->in.base, !tty };
	r->size_pump = (struct size_pump){ io->size, set_size, r };
	if (io->in)
		fiber_group_start(&r->inputs, "exec input", in_pump_run, &r->in_pump);
	if (io->size && tty)
		fiber_group_start(&r->inputs, "exec size", size_pump_run, &r->size_pump);
}

static void end_pumps(struct running *r, bool canceled)
{
	fiber_group_cancel(&r->inputs);
	fiber_group_join(&r->inputs);
	r->over = true;
	out_pump_look(&r->out_pump);
	out_pump_look(&r->err_pump);
	if (canceled)
		fiber_group_cancel(&r->outputs);
	fiber_group_join(&r->outputs);
}

int node_exec(struct agent *a, struct container *c, const char *const *argv, bool tty, const struct client_streams *io,
	      struct err *err)
{
	const struct exec_spec spec = { .argv = argv, .in = io->in, .out = io->out, .err = io->err, .tty = tty };
	struct container_exec *x;
	struct running run = { 0 };
	struct exec_io fds;

	TRY(exec_start(c, &spec, &fds, &x, err));
	duplex_fd_init(&run.in, -1, fds.in);
	run.out = fds.out;
	run.err = fds.err;
	start_pumps(&run, a, tty, io);
	int r = exec_wait(x, err);
	end_pumps(&run, fiber_canceled());
	duplex_fd_free(&run.in);
	fd_close(&run.out);
	fd_close(&run.err);
	exec_drop(&x);
	return r;
}
