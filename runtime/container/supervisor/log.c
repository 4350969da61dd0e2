/* The container's output as CRI log lines, with rotation. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define LOG_LINE (16 << 10)
#define HEAD_MAX 48                     /* time, stream, tag */

struct log {
	int fd;
	char path[4096];                /* a copy: the plan is unmapped; "" : discarded */
	int64_t max, size;
	long error;
	struct { size_t n; char line[LOG_LINE]; } streams[STREAMS];
	struct text out;
	char out_buffer[LOG_LINE + HEAD_MAX + 1];
};

static struct log the_log;       /* zeroed: pages that were never touched cost nothing; there is no heap */

static long open_file(struct log *l)
{
	long size, fd = sys(openat, AT_FDCWD, l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	if (fd < 0)
		return fd;
	size = sys(lseek, fd, 0, SEEK_END);
	l->fd = (int)fd;
	l->size = size > 0 ? size : 0;
	return 0;
}

struct log *log_open(const char *path, int64_t max)
{
	struct log *l = &the_log;
	struct text t = { l->path, 0, sizeof l->path - 1 };

	if (path)
		text_addc(&t, path);
	l->max = max;
	l->fd = -1;
	l->out = (struct text){ l->out_buffer, 0, sizeof l->out_buffer };
	l->error = path ? (t.n < t.cap ? open_file(l) : -ENAMETOOLONG) : 0;
	return l->error ? 0 : l;
}

long log_error(void) { return the_log.error; }

/* The full file becomes PATH.1, replacing an older one. When that fails the file goes on growing: lines matter more. */
static void rotate(struct log *l)
{
	char old[4096 + 2];
	struct text t = { old, 0, sizeof old - 1 };
	int fd = l->fd;

	text_addc(&t, l->path);
	text_addc(&t, ".1");
	old[t.n] = 0;
	if (sys(renameat2, AT_FDCWD, l->path, AT_FDCWD, old, 0) < 0)
		return;
	if (open_file(l) == 0)
		sys(close, fd);
}

/* Whole records only. On a full disk they are lost: a container must never wait for its log. */
static void flush(struct log *l)
{
	if (l->fd >= 0 && l->out.n) {
		if (l->max && l->size && l->size + (int64_t)l->out.n > l->max)
			rotate(l);
		long n = sys(write, l->fd, l->out.p, l->out.n);
		if (n > 0)
			l->size += n;
	}
	l->out.n = 0;
}

/* Days since 1970 to a date of the Gregorian calendar, counted in eras of 400 years that begin in March. */
static void add_date(struct text *t, int64_t days)
{
	int64_t z = days + 719468, era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;

	text_addu(t, (uint64_t)(yoe + era * 400 + (month <= 2)), 4);
	text_addc(t, "-");
	text_addu(t, month, 2);
	text_addc(t, "-");
	text_addu(t, doy - (153 * mp + 2) / 5 + 1, 2);
}

static void add_time(struct text *t)
{
	struct timespec now = { 0 };

	sys(clock_gettime, CLOCK_REALTIME, &now);
	add_date(t, now.tv_sec / 86400);
	text_addc(t, "T");
	text_addu(t, (uint64_t)(now.tv_sec / 3600 % 24), 2);
	text_addc(t, ":");
	text_addu(t, (uint64_t)(now.tv_sec / 60 % 60), 2);
	text_addc(t, ":");
	text_addu(t, (uint64_t)(now.tv_sec % 60), 2);
	text_addc(t, ".");
	text_addu(t, (uint64_t)now.tv_nsec, 9);
	text_addc(t, "Z");
}

static void add_record(struct log *l, int stream, const struct text *time, const char *line, size_t n, const char *tag)
{
	if (l->out.n + n + HEAD_MAX + 1 > l->out.cap)
		flush(l);
	text_add(&l->out, time->p, time->n);
	text_addc(&l->out, stream == STREAM_OUT ? " stdout " : " stderr ");
	text_addc(&l->out, tag);
	text_add(&l->out, line, n);
	text_addc(&l->out, "\n");
}

static void move_down(char *p, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = p[from + i];
}

long log_copy(struct log *l, int stream, int fd)
{
	char time_text[32], *line = l->streams[stream].line;
	struct text time = { time_text, 0, sizeof time_text };
	size_t have = l->streams[stream].n, done = 0;
	long got = sys(read, fd, line + have, LOG_LINE - have);

	if (got < 0 || (got == 0 && !have))
		return got;
	if (got)
		attach_output(stream, line + have, (size_t)got);
	add_time(&time);
	for (size_t at = have; at < have + (size_t)got; at++)
		if (line[at] == '\n') {
			add_record(l, stream, &time, line + done, at - done, "F ");
			done = at + 1;
		}
	have = have + (size_t)got - done;
	if (have && (got == 0 || have == LOG_LINE)) {
		add_record(l, stream, &time, line + done, have, "P ");
		have = 0;
	}
	if (done)
		move_down(line, done, have);
	l->streams[stream].n = have;
	flush(l);
	return got;
}
