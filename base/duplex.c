#include "base/duplex.h"
#include "base/fiber.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#define COPY_SIZE ((size_t)16 << 10)

int duplex_copy(struct duplex *to, struct duplex *from, struct err *err)
{
	char buf[COPY_SIZE];
	int n;

	while ((n = duplex_read(from, buf, sizeof buf, err)) > 0)
		TRY(duplex_write(to, (struct sv){ buf, (size_t)n }, err));
	return n;
}

/* ---- descriptors ---- */

static struct duplex_fd *fd_of(struct duplex *d) { return (struct duplex_fd *)d; }

/* EIO is a terminal that nobody has open any more. */
static bool is_end(int number) { return number == EIO || number == ECONNRESET; }

static int fd_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	for (int fd = fd_of(d)->in; fd >= 0;) {
		ssize_t got = read(fd, buf, n);

		if (got >= 0)
			return (int)got;
		if (is_end(errno))
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return err_errno(err, "read");
		if (errno == EAGAIN && fiber_poll(fd, POLLIN) < 0)
			return err_set(err, ERR_CANCELED, "reading was canceled");
	}
	return 0;
}

static int fd_write(struct duplex *d, struct sv data, struct err *err)
{
	int fd = fd_of(d)->out;

	while (fd >= 0 && data.n) {
		ssize_t put = write(fd, data.p, data.n);

		if (put >= 0)
			data = sv_drop(data, (size_t)put);
		else if (errno != EAGAIN && errno != EINTR)
			return err_errno(err, "write");
		else if (errno == EAGAIN && fiber_poll(fd, POLLOUT) < 0)
			return err_set(err, ERR_CANCELED, "writing was canceled");
	}
	return 0;
}

static void fd_end(struct duplex *d)
{
	struct duplex_fd *f = fd_of(d);

	if (f->out >= 0)
		(void)shutdown(f->out, SHUT_WR);        /* fails for what is no socket: then closing it is the end */
	fd_close(&f->out);
}

static const struct duplex_ops fd_ops = { fd_read, fd_write, fd_end };

void duplex_fd_init(struct duplex_fd *d, int in, int out)
{
	*d = (struct duplex_fd){ { &fd_ops }, in, out };
}

int duplex_fd_socket(struct duplex_fd *d, int fd, struct err *err)
{
	duplex_fd_init(d, fd, fcntl(fd, F_DUPFD_CLOEXEC, 3));
	return d->out < 0 ? err_errno(err, "copy a socket") : 0;
}

void duplex_fd_free(struct duplex_fd *d)
{
	fd_close(&d->in);
	fd_close(&d->out);
}

int duplex_fd_rest(struct duplex_fd *d, struct duplex *to)
{
	char buf[COPY_SIZE];
	ssize_t n;

	while (d->in >= 0 && ((n = read(d->in, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			TRY(duplex_write(to, (struct sv){ buf, (size_t)n }, NULL));
	return 0;
}
