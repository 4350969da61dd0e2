/* Logs of containers: read from their files, followed through rotation and through restarts of the container. */
#include "runtime/agent/agent-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "runtime/agent/log-lines.h"

#define CHUNK    ((size_t)64 << 10)
#define FILE_MAX ((size_t)32 << 20)     /* more than a log may grow to before it is rotated */
#define LOOK_MS  1000                   /* for what makes no event: a container that ends without a word */

struct reading {
	struct agent *a;
	const char *ns, *pod;
	char *container, *dir;          /* dir: of this container's logs */
	struct log_lines lines;
	int (*write)(void *arg, struct sv data);
	void *arg;
	int64_t attempt;
	int fd;
	struct str pending;             /* read, and not yet a whole line */
};

/* ---- which container ---- */

static struct unit *unit_named(struct worker *w, const char *name)
{
	for (size_t i = 0; i < w->n_units; i++)
		if (str_eq(w->units[i].name, name))
			return &w->units[i];
	return NULL;
}

static int choose(struct worker *w, const char *pod, const char *name, struct unit **out, struct err *err)
{
	AUTO(str) names = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < w->n_units; i++) {
		if (w->units[i].init)
			continue;
		str_addf(&names, "%s%s", n++ ? " " : "", w->units[i].name);
		*out = &w->units[i];
	}
	if (!name && n != 1)
		return err_set(err, ERR_BAD_REQUEST,
			       "a container name must be specified for pod %s, choose one of: [%s]", pod,
			       str_c(&names));
	if (name && !(*out = unit_named(w, name)))
		return err_set(err, ERR_BAD_REQUEST, "container %s is not valid for pod %s", name, pod);
	return 0;
}

static int open_attempt(struct reading *r, int64_t attempt)
{
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/%lld.log", r->dir, (long long)attempt);
	return open(str_c(&path), O_RDONLY | O_CLOEXEC);
}

static int find(struct reading *r, const struct log_opts *o, struct err *err)
{
	struct worker *w = agent_find(r->a, r->ns, r->pod);
	struct unit *u = NULL;

	if (!w)
		return err_set(err, ERR_NOT_FOUND, "pod %s/%s is not on this node", r->ns, r->pod);
	TRY(choose(w, r->pod, o->container, &u, err));
	r->container = sv_dup(sv_c(u->name));
	r->dir = str_fmt("%s/logs/%s", w->dir, u->name);
	r->attempt = o->previous ? u->attempt - 1 : u->attempt;
	if (u->attempt < 0 && w->past) {        /* it finished before this daemon started: the newest log there is */
		for (r->attempt = 0; (r->fd = open_attempt(r, r->attempt + 1)) >= 0; r->attempt++)
			fd_close(&r->fd);
	} else if (r->attempt < 0 && o->previous) {
		return err_set(err, ERR_BAD_REQUEST, "previous terminated container \"%s\" in pod \"%s\" not found",
			       u->name, r->pod);
	} else if (r->attempt < 0) {
		return err_set(err, ERR_BAD_REQUEST, "container \"%s\" in pod \"%s\" is waiting to start: %s", u->name,
			       r->pod, u->now.run.reason ? u->now.run.reason : "ContainerCreating");
	}
	if ((r->fd = open_attempt(r, r->attempt)) < 0)
		return err_set(err, ERR_NOT_FOUND, "container \"%s\" in pod \"%s\" has no log of its %s run", u->name,
			       r->pod, o->previous ? "previous" : "current");
	return 0;
}

/* ---- what is there ---- */

static int hand_out(struct reading *r, struct sv text, size_t *taken)
{
	AUTO(str) out = { 0 };

	*taken = log_lines_take(&r->lines, text, &out);
	return out.n ? r->write(r->arg, str_sv(&out)) : 0;
}

/* From the file's place to its end. Less than 0: the reader has gone. */
static int read_on(struct reading *r)
{
	for (;;) {
		size_t taken;
		ssize_t n = read(r->fd, str_room(&r->pending, CHUNK), CHUNK);

		if (n <= 0)
			return 0;
		r->pending.n += (size_t)n;
		TRY(hand_out(r, str_sv(&r->pending), &taken));
		memmove(r->pending.p, r->pending.p + taken, r->pending.n - taken);
		str_cut(&r->pending, r->pending.n - taken);
		if (r->lines.full)
			return 0;
		TRY(fiber_yield());     /* a long log must not hold up the loop */
	}
}

/* The rotated file, then the current one; with a tail, only the last lines of both. */
static int read_old(struct reading *r, int64_t tail)
{
	AUTO(str) rotated = { 0 };
	AUTO(str) now = { 0 };
	AUTO(str) path = { 0 };
	int64_t missing = 0;
	size_t from = 0, taken;

	str_addf(&path, "%s/%lld.log", r->dir, (long long)r->attempt);
	if (tail >= 0 && file_read(str_c(&path), FILE_MAX, &now, NULL) >= 0)
		from = log_lines_tail(str_sv(&now), tail, &missing);
	str_addc(&path, ".1");
	if ((tail < 0 || missing) && file_read(str_c(&path), FILE_MAX, &rotated, NULL) >= 0) {
		struct sv old = str_sv(&rotated);

		TRY(hand_out(r, tail < 0 ? old : sv_drop(old, log_lines_tail(old, missing, &missing)), &taken));
	}
	(void)lseek(r->fd, (off_t)from, SEEK_SET);
	return 0;
}

/* ---- what comes ---- */

static void on_inotify(void *arg, short events)
{
	struct agent *a = arg;

	(void)events;
	fiber_signal_all(&a->logs_changed);
}

/* Another file has the name now: the old one was read to its end. */
static bool was_rotated(const struct reading *r)
{
	struct stat own, named;
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/%lld.log", r->dir, (long long)r->attempt);
	return !fstat(r->fd, &own) && !stat(str_c(&path), &named) && own.st_ino != named.st_ino;
}

static void open_next(struct reading *r, int fd)
{
	fd_close(&r->fd);
	str_cut(&r->pending, 0);
	r->fd = fd;
}

/* 1: there may be more to read at once; 0: wait; less than 0: there will be none. */
static int look(struct reading *r, const struct log_opts *o)
{
	struct worker *w = agent_find(r->a, r->ns, r->pod);
	struct unit *u = w ? unit_named(w, r->container) : NULL;
	int fd;

	if (was_rotated(r) && (fd = open_attempt(r, r->attempt)) >= 0) {
		open_next(r, fd);
		return 1;
	}
	if (!u || o->previous || w->past)
		return -1;
	if (u->attempt > r->attempt && (fd = open_attempt(r, u->attempt)) >= 0) {
		r->attempt = u->attempt;
		open_next(r, fd);
		return 1;
	}
	return unit_done(u) || (w->ending && u->now.run.kind != RUN_RUNNING) ? -1 : 0;
}

static void forget_events(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof buf) > 0)
		;
}

static int follow(struct reading *r, const struct log_opts *o, struct err *err)
{
	AUTO_FD fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct poller *p;
	int more = 1, result = 0;

	if (fd < 0 ||
	    inotify_add_watch(fd, r->dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
		return err_errno(err, "watch '%s'", r->dir);
	p = poller_start(r->a->loop, fd, POLLIN, on_inotify, r->a);
	while (more >= 0 && result >= 0 && !r->lines.full && !fiber_canceled() && !r->a->stopping) {
		forget_events(fd);
		more = look(r, o);              /* before reading: what is written until now is read once more */
		result = read_on(r);
		if (!more && result >= 0)
			(void)fiber_wait_ms(&r->a->logs_changed, LOOK_MS);
	}
	poller_stop(&p);
	return 0;
}

static int read_logs(struct reading *r, const struct log_opts *o, struct err *err)
{
	TRY(find(r, o, err));
	if (read_old(r, o->tail_lines) < 0 || read_on(r) < 0)
		return 0;               /* the reader has gone */
	return o->follow && !r->lines.full ? follow(r, o, err) : 0;
}

int node_logs(struct nodelink *link, const char *ns, const char *pod, const struct log_opts *o,
	      int (*write)(void *arg, struct sv data), void *arg, struct err *err)
{
	struct agent *a = agent_of(link);
	struct reading r = { .a = a, .ns = ns, .pod = pod, .lines = { .opts = o }, .write = write, .arg = arg,
		.fd = -1 };
	int result;

	a->log_readers++;
	result = read_logs(&r, o, err);
	fd_close(&r.fd);
	str_free(&r.pending);
	free(r.container);
	free(r.dir);
	a->log_readers--;
	fiber_signal_all(&a->logs_changed);
	return result;
}
