#include "orchestrator/api/audit-internal.h"

#include "base/fiber.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define WAITING_MAX ((size_t)16 << 20)

struct audit_log {
	char *path;                     /* "-": standard output */
	int64_t max_bytes, bytes;
	int backups, fd;
	struct str waiting, writing;    /* lines; the second belongs to the job */
	struct err err;                 /* the job's */
	bool failed;                    /* said already */
	struct fiber_group fibers;
	struct fiber_cond come, gone;
	bool closing;
};

/* ---- on the disk; in a job ---- */

static int open_file(struct audit_log *l, struct err *err)
{
	struct stat st;

	if (str_eq(l->path, "-")) {
		l->fd = STDOUT_FILENO;
		return 0;
	}
	l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (l->fd < 0 || fstat(l->fd, &st))
		return err_errno(err, "open the audit log '%s'", l->path);
	l->bytes = st.st_size;
	return 0;
}

/* "/var/log/audit" and ".log" of "/var/log/audit.log". */
static void split_path(const char *path, struct sv *stem, struct sv *end)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

	*stem = sv_c(path);
	*end = SV("");
	if (dot && dot > (slash ? slash + 1 : path)) {
		stem->n = (size_t)(dot - path);
		*end = sv_c(dot);
	}
}

static int older_first(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Names carry their time, so the first ones are the oldest. */
static void drop_backups(const struct audit_log *l)
{
	struct sv stem, end, dir, name;
	VEC(char *) found = { 0 };
	AUTO(str) at = { 0 };
	DIR *d;

	split_path(l->path, &stem, &end);
	if (!sv_cut_last(stem, '/', &dir, &name)) {
		name = stem;
		dir = SV(".");
	}
	str_add(&at, dir);
	if (!(d = opendir(*str_c(&at) ? str_c(&at) : "/")))
		return;
	for (struct dirent *e; (e = readdir(d));) {
		struct sv file = sv_c(e->d_name);

		if (sv_starts(file, name) && sv_ends(file, end) && file.n > name.n + end.n && file.p[name.n] == '-')
			vec_push(&found, sv_dup(file));
	}
	if (found.n)
		qsort(found.v, found.n, sizeof *found.v, older_first);
	for (size_t i = 0; i + (size_t)l->backups < found.n; i++)
		(void)unlinkat(dirfd(d), found.v[i], 0);
	for (size_t i = 0; i < found.n; i++)
		free(found.v[i]);
	vec_free(&found);
	closedir(d);
}

/* audit-2026-01-02T15-04-05.000000000.log: what was written so far. */
static int rotate(struct audit_log *l, struct err *err)
{
	struct sv stem, end;
	struct timespec now;
	struct tm tm;
	char when[32];
	AUTO(str) to = { 0 };

	split_path(l->path, &stem, &end);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H-%M-%S", &tm);
	str_addf(&to, SV_FMT "-%s.%09ld" SV_FMT, SV_ARG(stem), when, now.tv_nsec, SV_ARG(end));
	if (rename(l->path, str_c(&to)))
		return err_errno(err, "rename the audit log '%s'", l->path);
	(void)close(l->fd);
	l->fd = -1;
	drop_backups(l);
	return open_file(l, err);
}

static int write_all(int fd, struct sv data, struct err *err)
{
	while (data.n) {
		ssize_t n = write(fd, data.p, data.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(err, "write the audit log");
		data = sv_drop(data, (size_t)n);
	}
	return 0;
}

/* Whole lines go into a file; one that is longer than a file gets a file of its own. */
static int write_lines(struct audit_log *l, struct err *err)
{
	struct sv rest = str_sv(&l->writing), line, next;

	while (rest.n) {
		size_t n = 0;

		for (next = rest; next.n; n += line.n + 1) {
			(void)sv_cut(next, '\n', &line, &next);
			if (n && l->bytes + (int64_t)(n + line.n + 1) > l->max_bytes)
				break;
		}
		if (l->fd < 0)
			TRY(open_file(l, err));
		if (l->fd != STDOUT_FILENO && l->bytes && l->bytes + (int64_t)n > l->max_bytes)
			TRY(rotate(l, err));
		TRY(write_all(l->fd, (struct sv){ rest.p, n }, err));
		l->bytes += (int64_t)n;
		rest = sv_drop(rest, n);
	}
	return 0;
}

static void job(void *arg)
{
	struct audit_log *l = arg;

	(void)!write_lines(l, &l->err);
}

/* ---- on the loop ---- */

static void flush(struct audit_log *l)
{
	str_move(&l->writing, &l->waiting);
	fiber_job(job, l);
	if (l->err.code && !l->failed)
		log_event(LOG_ERROR, "the audit log is not written", "err", err_msg(&l->err), NULL);
	l->failed = l->err.code;
	err_free(&l->err);
	fiber_signal_all(&l->gone);
}

static void run(void *arg)
{
	struct audit_log *l = arg;

	for (;;) {
		while (!l->waiting.n && !l->closing && !fiber_canceled())
			(void)fiber_wait(&l->come);
		if (!l->waiting.n)
			return;
		flush(l);
	}
}

struct audit_log *audit_log_open(struct loop *loop, const char *path, int64_t max_bytes, int backups, struct err *err)
{
	struct audit_log *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	*l = (struct audit_log){ .path = sv_dup(sv_c(path)), .max_bytes = max_bytes, .backups = backups, .fd = -1 };
	fiber_group_init(&l->fibers, loop);
	if (open_file(l, err) < 0) {
		audit_log_close(&l);
		return NULL;
	}
	fiber_group_start(&l->fibers, "audit log", run, l);
	return l;
}

void audit_log_close(struct audit_log **lp)
{
	struct audit_log *l = TAKE(*lp);

	if (!l)
		return;
	l->closing = true;
	fiber_signal_all(&l->come);
	fiber_group_join(&l->fibers);
	if (l->fd >= 0 && l->fd != STDOUT_FILENO)
		(void)close(l->fd);
	str_free(&l->waiting);
	str_free(&l->writing);
	free(l->path);
	free(l);
}

void audit_log_add(struct audit_log *l, struct sv line)
{
	str_add(&l->waiting, line);
	str_add1(&l->waiting, '\n');
	fiber_signal_all(&l->come);
	while (l->waiting.n > WAITING_MAX && !fiber_wait(&l->gone))     /* slower requests, but none that nobody knows of */
		;
}
