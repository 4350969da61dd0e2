/* A client that joins the streams of a running container, through its supervisor. */
#include "runtime/agent/agent-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include "runtime/agent/pumps.h"
#include "runtime/container/plan.h"

struct attached {
	struct duplex in;               /* what the client writes becomes packets */
	int fd, fd_out;                 /* one socket: packets from the supervisor, and to it */
	struct fiber_group inputs;
	struct in_pump in_pump;
	struct size_pump size_pump;
};

static int send_packet(struct attached *a, enum attach_message type, const void *data, size_t n)
{
	char kind = (char)type;
	struct iovec parts[] = { { &kind, 1 }, { (void *)data, n } };
	const struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };

	while (sendmsg(a->fd_out, &m, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -ERR_IO;
		if (errno == EAGAIN)
			TRY(fiber_poll(a->fd_out, POLLOUT));
	}
	return 0;
}

static int input_write(struct duplex *d, struct sv data, struct err *err)
{
	struct attached *a = (struct attached *)d;

	while (data.n) {
		size_t n = data.n < ATTACH_INPUT_MAX ? data.n : ATTACH_INPUT_MAX;

		if (send_packet(a, ATTACH_INPUT, data.p, n) < 0)
			return err_set(err, ERR_IO, "the container's supervisor takes no input");
		data = sv_drop(data, n);
	}
	return 0;
}

static void input_end(struct duplex *d) { (void)send_packet((struct attached *)d, ATTACH_INPUT_END, NULL, 0); }

static const struct duplex_ops input_ops = { NULL, input_write, input_end };

static void set_size(void *arg, uint16_t rows, uint16_t columns)
{
	const struct attach_size size = { rows, columns };

	(void)send_packet(arg, ATTACH_RESIZE, &size, sizeof size);
}

/* One packet to the client; 0: the container has ended. */
static int pass_on(struct attached *a, const struct client_streams *io)
{
	char buf[ATTACH_DATA + 1];
	ssize_t n = recv(a->fd, buf, sizeof buf, 0);
	struct duplex *to = n > 0 && *buf == ATTACH_ERR ? io->err : io->out;

	if (n < 0 && errno == EAGAIN)
		return fiber_poll(a->fd, POLLIN) < 0 ? -ERR_CANCELED : 1;
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return 0;
	TRY(to ? duplex_write(to, (struct sv){ buf + 1, (size_t)n - 1 }, NULL) : 0);
	return 1;
}

static void start_inputs(struct attached *a, const struct client_streams *io)
{
	fiber_group_init(&a->inputs, fiber_loop());
	a->in_pump = (struct in_pump){ io->in, &a->in, true };
	a->size_pump = (struct size_pump){ io->size, set_size, a };
	if (io->in)
		fiber_group_start(&a->inputs, "attach input", in_pump_run, &a->in_pump);
	if (io->size)
		fiber_group_start(&a->inputs, "attach size", size_pump_run, &a->size_pump);
}

int node_attach(struct container *c, const struct client_streams *io, struct err *err)
{
	struct attached a = { .in = { &input_ops } };
	int r = 1;

	TRY(container_attach(c, &a.fd, err));
	a.fd_out = fcntl(a.fd, F_DUPFD_CLOEXEC, 3);
	start_inputs(&a, io);
	while (r > 0)
		r = pass_on(&a, io);
	fiber_group_cancel(&a.inputs);
	fiber_group_join(&a.inputs);
	if (io->in)                     /* with stdinOnce, the container's input ends with the one who gave it */
		(void)send(a.fd_out, &(char){ ATTACH_INPUT_END }, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	fd_close(&a.fd);
	fd_close(&a.fd_out);
	return r < 0 ? err_set(err, ERR_CANCELED, "the client has gone") : 0;
}
