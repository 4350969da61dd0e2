#include "cli/terminal.h"
#include "base/fiber.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

/* ---- standard streams ---- */

/* Files and most devices cannot be waited for, and need not be. */
static bool can_wait(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd));
}

static int standard_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	int fd = ((struct standard *)d)->fd;
	ssize_t got;

	do {
		if (can_wait(fd) && fiber_poll(fd, POLLIN) < 0)
			return err_set(err, ERR_CANCELED, "reading was canceled");
		got = read(fd, buf, n);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	return got < 0 ? err_errno(err, "read the standard input") : (int)got;
}

static int standard_write(struct duplex *d, struct sv data, struct err *err)
{
	int fd = ((struct standard *)d)->fd;

	while (data.n) {
		ssize_t put = write(fd, data.p, data.n);

		if (put >= 0)
			data = sv_drop(data, (size_t)put);
		else if (errno == EAGAIN && fiber_poll(fd, POLLOUT) < 0)
			return err_set(err, ERR_CANCELED, "writing was canceled");
		else if (errno != EAGAIN && errno != EINTR)
			return err_errno(err, "write the output");
	}
	return 0;
}

static void standard_end(struct duplex *d) { (void)d; }

static const struct duplex_ops standard_ops = { standard_read, standard_write, standard_end };

void standard_init(struct standard *s, int fd) { *s = (struct standard){ { &standard_ops }, fd }; }

/* ---- the terminal: one a process, and a signal's handler has no other way to it ---- */

static struct termios before;
static volatile sig_atomic_t is_raw;

void terminal_restore(void)
{
	if (is_raw)
		(void)tcsetattr(0, TCSANOW, &before);
	is_raw = 0;
}

static void on_end(int signo)
{
	terminal_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

bool terminal_raw(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct termios raw;

	if (tcgetattr(0, &before))
		return false;
	raw = before;
	cfmakeraw(&raw);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		signal(ends[i], on_end);
	is_raw = 1;
	(void)atexit(terminal_restore);
	return tcsetattr(0, TCSANOW, &raw) == 0;
}

/* ---- its size ---- */

static void on_change(void *arg, int signo)
{
	struct terminal_size *t = arg;

	(void)signo;
	t->changed = true;
	fiber_wake(t->fiber);
}

static int size_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	struct terminal_size *t = (struct terminal_size *)d;
	struct winsize size;

	t->fiber = fiber_self();
	while (t->at == t->text.n) {
		while (!t->changed)
			if (fiber_park() < 0) {
				t->fiber = NULL;
				return err_set(err, ERR_CANCELED, "canceled");
			}
		t->changed = false;
		str_cut(&t->text, 0);
		t->at = 0;
		if (!ioctl(0, TIOCGWINSZ, &size) && size.ws_col && size.ws_row)
			str_addf(&t->text, "{\"Width\":%u,\"Height\":%u}\n", size.ws_col, size.ws_row);
	}
	t->fiber = NULL;
	size_t left = t->text.n - t->at, got = left < n ? left : n;
	memcpy(buf, t->text.p + t->at, got);
	t->at += got;
	return (int)got;
}

static const struct duplex_ops size_ops = { size_read, NULL, standard_end };

void terminal_size_init(struct terminal_size *t)
{
	*t = (struct terminal_size){ .base = { &size_ops }, .changed = true };
	loop_on_signal(fiber_loop(), SIGWINCH, on_change, t);
}

void terminal_size_free(struct terminal_size *t) { str_free(&t->text); }
