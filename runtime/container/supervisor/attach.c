/* Those who are attached to a running container: they get copies of its output, and write what it reads.
 *
 * The listener is the daemon's work (FD_ATTACH); each packet is one message (plan.h). Input goes through one buffer of a
 * packet: while the container does not read, none of them is asked for more. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PATIENCE_S 10           /* for one who takes no output: longer, and they are dropped */

static struct {
	int who[ATTACHED_MAX];
	int n;
	int input;                      /* -1: none; ATTACH_TERMINAL: the terminal, whose number the caller knows */
	bool once;
	bool ended;                     /* once, and the one has ended it */
	size_t pending, at;             /* in buffer: what the container has not taken */
	char buffer[ATTACH_INPUT_MAX];
} attached;

void attach_start(int input, bool once)
{
	attached.input = input;
	attached.once = once;
}

static void close_input(void)
{
	if (attached.input >= 0)
		sys(close, attached.input);
	attached.input = -1;
	attached.pending = 0;
}

/* The input ends when what was sent before has been read. */
static void end_input(void)
{
	if (!attached.once || attached.input == ATTACH_TERMINAL)
		return;
	attached.ended = true;
	if (!attached.pending)
		close_input();
}

static void drop(int i)
{
	sys(close, attached.who[i]);
	attached.who[i] = attached.who[--attached.n];
}

/* ---- output ---- */

static long send_to(int fd, int stream, const char *p, size_t n)
{
	char type = stream == STREAM_OUT ? ATTACH_OUT : ATTACH_ERR;
	struct iovec parts[] = { { &type, 1 }, { (char *)p, n } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };

	return sys(sendmsg, fd, &m, MSG_NOSIGNAL);      /* waits: SO_SNDTIMEO */
}

void attach_output(int stream, const char *p, size_t n)
{
	for (int i = attached.n - 1; i >= 0; i--)
		if (send_to(attached.who[i], stream, p, n) < 0)
			drop(i);
}

/* ---- input ---- */

static int input_fd(int terminal) { return attached.input == ATTACH_TERMINAL ? terminal : attached.input; }

static void write_pending(int terminal)
{
	int fd = input_fd(terminal);
	long n = fd < 0 ? -EBADF : sys(write, fd, attached.buffer + attached.at, attached.pending);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0)
		attached.pending = 0;           /* nobody reads it any more */
	else {
		attached.at += (size_t)n;
		attached.pending -= (size_t)n;
	}
	if (!attached.pending && attached.ended)
		close_input();
}

static void resize(int terminal, const struct attach_size *s)
{
	struct winsize size = { .ws_row = s->rows, .ws_col = s->columns };

	if (terminal >= 0)
		sys(ioctl, terminal, TIOCSWINSZ, &size);
}

/* One packet of one of them. */
static void receive(int i, int terminal)
{
	char type = 0;
	struct iovec parts[] = { { &type, 1 }, { attached.buffer, sizeof attached.buffer } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	long n = sys(recvmsg, attached.who[i], &m, MSG_DONTWAIT);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		drop(i);
		return;
	}
	if (type == ATTACH_INPUT && attached.input != -1 && !attached.ended) {
		attached.at = 0;
		attached.pending = (size_t)n - 1;
		write_pending(terminal);
	} else if (type == ATTACH_INPUT_END) {
		end_input();
	} else if (type == ATTACH_RESIZE && (size_t)n == 1 + sizeof(struct attach_size)) {
		resize(terminal, (const struct attach_size *)(const void *)attached.buffer);
	}
}

static void accept_one(void)
{
	int64_t patience[2] = { PATIENCE_S, 0 };
	long fd = sys(accept4, FD_ATTACH, 0, 0, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (attached.n == ATTACHED_MAX || sys(setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, patience, sizeof patience) < 0)
		sys(close, fd);
	else
		attached.who[attached.n++] = (int)fd;
}

int attach_watch(struct pollfd *fds, int terminal)
{
	fds[0] = (struct pollfd){ FD_ATTACH, POLLIN, 0 };
	if (attached.pending) {
		fds[1] = (struct pollfd){ input_fd(terminal), POLLOUT, 0 };
		return 2;
	}
	for (int i = 0; i < attached.n; i++)
		fds[1 + i] = (struct pollfd){ attached.who[i], POLLIN, 0 };
	return 1 + attached.n;
}

void attach_handle(const struct pollfd *fds, int n, int terminal)
{
	if (attached.pending) {
		write_pending(terminal);
	} else {
		for (int i = n - 2; i >= 0 && !attached.pending; i--)
			if (fds[1 + i].revents)
				receive(i, terminal);
	}
	if (fds[0].revents)
		accept_one();
}
