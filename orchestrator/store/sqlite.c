#include "orchestrator/store/queue-internal.h"
#include "orchestrator/store/sqlite-internal.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/stat.h>

/* What the writer thread does, one after the other. Lives in whoever waits for it. */
struct task {
	int (*run)(struct sqlite3 *db, void *arg, struct err *err);     /* on the writer thread */
	void (*done)(struct task *t);                                   /* on the loop */
	void *arg;
	struct err err;
	struct task *next;
};

struct sqlite {
	struct queue q;                 /* first */
	struct sqlite3 *reader;         /* the loop's connection: start-up, history */
	struct sqlite3 *writer;         /* the thread's */
	int lock_fd;
	pthread_t thread;
	bool thread_runs;
	pthread_mutex_t lock;           /* tasks and stopping */
	pthread_cond_t more;
	struct task *first, **last;
	bool stopping;
	struct task batch;              /* of q.flying */
	struct loop *loop;
};

/* ---- the writer thread ---- */

static struct task *next_task(struct sqlite *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->first && !s->stopping)
		pthread_cond_wait(&s->more, &s->lock);
	struct task *t = s->first;
	if (t && !(s->first = t->next))
		s->last = &s->first;
	pthread_mutex_unlock(&s->lock);
	return t;
}

static void task_done(void *arg)
{
	struct task *t = arg;

	t->done(t);
}

static void *writer_thread(void *arg)
{
	struct sqlite *s = arg;
	struct task *t;

	while ((t = next_task(s))) {
		(void)t->run(s->writer, t->arg, &t->err);       /* its error is in t->err */
		loop_post(s->loop, task_done, t);
	}
	return NULL;
}

static void submit(struct sqlite *s, struct task *t)
{
	loop_hold(s->loop, 1);
	t->next = NULL;
	pthread_mutex_lock(&s->lock);
	*s->last = t;
	s->last = &t->next;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
}

static int run_batch(struct sqlite3 *db, void *arg, struct err *err)
{
	struct queue *q = arg;  /* q->flying is not touched by the loop until the batch is done */

	return sqlite_log_append(db, q->flying.v, q->flying.n, err);
}

static void batch_done(struct task *t)
{
	struct sqlite *s = t->arg;
	struct err result = t->err;

	t->err = (struct err){ 0 };
	loop_hold(s->loop, -1);
	queue_committed(&s->q, &result);
	err_free(&result);
}

static void sqlite_commit(struct queue *q)
{
	struct sqlite *s = (struct sqlite *)q;

	s->batch = (struct task){ .run = run_batch, .done = batch_done, .arg = s };
	submit(s, &s->batch);
}

/* A task that a fiber waits for. */
struct awaited { struct task task; struct fiber *fiber; struct loop *loop; bool done; };

static void awaited_done(struct task *t)
{
	struct awaited *a = (struct awaited *)t;

	loop_hold(a->loop, -1);
	a->done = true;
	fiber_wake(a->fiber);
}

static int await(struct sqlite *s, int (*run)(struct sqlite3 *, void *, struct err *), void *arg, struct err *err)
{
	struct awaited a = { .task = { .run = run, .done = awaited_done, .arg = arg },
			     .fiber = fiber_self(),
			     .loop = s->loop };

	submit(s, &a.task);
	fiber_park_until(&a.done);
	return a.task.err.code ? err_move(err, &a.task.err) : 0;
}

/* ---- reads, on the loop's connection ---- */

static int sqlite_get(struct store *st, const char *key, struct kv *out, struct err *err)
{
	struct sqlite *s = (struct sqlite *)st;

	return sqlite_log_get(s->reader, key, s->q.revision, out, err);
}

static int sqlite_range(struct store *st, const char *prefix, int64_t at, int (*fn)(void *, const struct kv *),
			void *arg, int64_t *revision, struct err *err)
{
	struct sqlite *s = (struct sqlite *)st;

	if (!at)
		at = s->q.revision;
	TRY(queue_check_revision(&s->q, at, err));
	if (revision)
		*revision = at;
	return sqlite_log_range(s->reader, prefix, at, fn, arg, err);
}

static int sqlite_replay(struct queue *q, int64_t from, store_event_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = (struct sqlite *)q;

	return sqlite_log_replay(s->reader, from, q->revision, fn, arg, err);
}

/* ---- compaction ---- */

enum { COMPACT_ROWS = 1000 };   /* deleted at a time, so that writes come in between */

struct compaction { int64_t before; bool more; };

static int run_compaction(struct sqlite3 *db, void *arg, struct err *err)
{
	struct compaction *c = arg;

	return sqlite_log_compact(db, c->before, COMPACT_ROWS, &c->more, err);
}

static int sqlite_compact(struct store *st, int64_t before, struct err *err)
{
	struct sqlite *s = (struct sqlite *)st;
	struct compaction c = { before, true };
	int64_t was = s->q.compacted;

	if (before <= was)
		return 0;
	TRY(queue_check_revision(&s->q, before, err));
	s->q.compacted = before;        /* first: nobody may start to read what is being removed */
	while (c.more)
		TRY(await(s, run_compaction, &c, err));
	return 0;
}

/* ---- open and close ---- */

static void load_key(void *arg, const char *key, int64_t created, int64_t modified)
{
	queue_load(arg, key, created, modified);
}

static int lock_file(struct sqlite *s, const char *path, struct err *err)
{
	AUTO(str) name = { 0 };

	str_addf(&name, "%s.lock", path);
	int r = file_lock(str_c(&name), &s->lock_fd, err);

	return r == -ERR_BUSY ? err_set(err, ERR_CONFLICT, "the store '%s' is open in another process", path) : r;
}

static int open_files(struct sqlite *s, const char *path, struct err *err)
{
	TRY(lock_file(s, path, err));
	TRY(sqlite_log_open(path, true, &s->writer, err));
	TRY(sqlite_log_prepare(s->writer, path, err));
	TRY(sqlite_log_open(path, false, &s->reader, err));
	TRY(sqlite_log_load(s->writer, load_key, &s->q, &s->q.revision, &s->q.compacted, err));
	s->q.next = s->q.revision;
	if (pthread_create(&s->thread, NULL, writer_thread, s))
		return err_set(err, ERR_IO, "start the store's writer thread: %s", strerror(errno));
	s->thread_runs = true;
	return 0;
}

static void close_files(struct sqlite *s)
{
	if (s->thread_runs) {
		pthread_mutex_lock(&s->lock);
		s->stopping = true;
		pthread_cond_signal(&s->more);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	sqlite_log_close(&s->reader);
	sqlite_log_close(&s->writer);
	fd_close(&s->lock_fd);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->more);
	queue_free(&s->q);
	free(s);
}

static void sqlite_free(struct store *st)
{
	struct sqlite *s = (struct sqlite *)st;

	queue_close(&s->q);
	close_files(s);
}

static const struct store_ops ops = {
	.get = sqlite_get,
	.range = sqlite_range,
	.put = queue_put,
	.del = queue_del,
	.subscribe = queue_subscribe,
	.unsubscribe = queue_unsubscribe,
	.revision = queue_revision,
	.compacted = queue_compacted,
	.compact = sqlite_compact,
	.free = sqlite_free,
};

struct store *store_sqlite(struct loop *l, const char *path, struct err *err)
{
	struct sqlite *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->q = (struct queue){ .base = { &ops }, .loop = l, .commit = sqlite_commit, .replay = sqlite_replay };
	s->loop = l;
	s->lock_fd = -1;
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	if (open_files(s, path, err) < 0) {
		close_files(s);
		return NULL;
	}
	return &s->q.base;
}
