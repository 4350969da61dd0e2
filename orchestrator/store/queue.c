#include "orchestrator/store/queue-internal.h"

#include <inttypes.h>

static struct version *version_at(struct queue *q, const char *key)
{
	return map_get(&q->index, sv_c(key));
}

void queue_load(struct queue *q, const char *key, int64_t created, int64_t modified)
{
	struct version *v = calloc(1, sizeof *v);

	if (!v)
		abort();
	v->created = created;
	v->modified = modified;
	free(map_put(&q->index, sv_c(key), v));
}

static void forget(struct queue *q, const char *key) { free(map_del(&q->index, sv_c(key))); }

/* ---- batches ---- */

static void start_batch(struct queue *q)
{
	if (q->flying.n || !q->pending.n)
		return;
	__typeof__(q->flying) empty = q->flying;        /* its room is used again */

	q->flying.v = q->pending.v;
	q->flying.n = q->pending.n;
	q->flying.cap = q->pending.cap;
	q->pending.v = empty.v;
	q->pending.n = 0;
	q->pending.cap = empty.cap;
	q->commit(q);
}

static void on_turn_end(void *arg)
{
	struct queue *q = arg;

	q->turn_end_asked = false;
	start_batch(q);
}

static void drop_gone_subscribers(struct queue *q)
{
	size_t live = 0;

	for (size_t i = 0; i < q->subs.n; i++)
		if (q->subs.v[i].fn)
			q->subs.v[live++] = q->subs.v[i];
	q->subs.n = live;
}

static void deliver(struct queue *q, const struct write *w)
{
	struct store_event e = { w->remove ? STORE_DELETE : STORE_PUT, w->revision, w->remove ? 0 : w->created, w->key,
				 w->value };

	q->delivering = true;
	for (size_t i = 0; i < q->subs.n; i++)
		if (q->subs.v[i].fn)
			q->subs.v[i].fn(q->subs.v[i].arg, &e);
	q->delivering = false;
	drop_gone_subscribers(q);
}

static void settle(struct queue *q, struct write *w, const struct err *failure)
{
	struct version *v = w->version;

	v->busy = false;
	if (failure->code) {
		w->result = err_set(w->err, failure->code, "%s", err_msg(failure));
		if (!v->modified)
			forget(q, w->key);
		return;
	}
	q->revision = w->revision;
	v->created = w->created;
	v->modified = w->revision;
	deliver(q, w);
	if (w->remove)
		forget(q, w->key);
}

void queue_committed(struct queue *q, const struct err *failure)
{
	for (size_t i = 0; i < q->flying.n; i++)
		settle(q, q->flying.v[i], failure);
	for (size_t i = 0; i < q->flying.n; i++) {
		q->flying.v[i]->done = true;
		fiber_wake(q->flying.v[i]->fiber);
	}
	q->flying.n = 0;
	fiber_signal_all(&q->settled);
	start_batch(q);
	if (q->closer && !q->flying.n && !q->pending.n) {
		q->idle = true;
		fiber_wake(q->closer);
	}
}

/* ---- one write ---- */

/* Parks while another fiber writes the key. *out: NULL when it does not exist. */
static int wait_turn(struct queue *q, const char *key, struct version **out, struct err *err)
{
	while ((*out = version_at(q, key)) && (*out)->busy)
		if (fiber_wait(&q->settled))
			return err_set(err, ERR_CANCELED, "write '%s': canceled", key);
	if (q->closing)
		return err_set(err, ERR_UNAVAILABLE, "write '%s': the store is closing", key);
	return 0;
}

static int check_expected(const char *key, int64_t have, int64_t expect, bool remove, struct err *err)
{
	if (remove && !have)
		return err_set(err, ERR_NOT_FOUND, "'%s' not found", key);
	if (expect == 0 && have)
		return err_set(err, ERR_ALREADY_EXISTS, "'%s' already exists", key);
	if (expect > 0 && have != expect)
		return err_set(err, ERR_CONFLICT, "'%s' is at revision %" PRId64 ", expected %" PRId64, key, have,
			       expect);
	return 0;
}

static int do_write(struct queue *q, struct write *w, int64_t expect, int64_t *revision)
{
	struct version *v;

	TRY(wait_turn(q, w->key, &v, w->err));
	TRY(check_expected(w->key, v ? v->modified : 0, expect, w->remove, w->err));
	if (!v)
		queue_load(q, w->key, 0, 0);
	w->version = version_at(q, w->key);
	w->version->busy = true;
	w->revision = ++q->next;
	w->created = w->version->modified ? w->version->created : w->revision;
	w->fiber = fiber_self();
	vec_push(&q->pending, w);
	if (!q->turn_end_asked && !q->flying.n) {
		q->turn_end_asked = true;
		loop_turn_end(q->loop, on_turn_end, q);
	}
	fiber_park_until(&w->done);
	if (!w->result && revision)
		*revision = w->revision;
	return w->result;
}

int queue_put(struct store *st, const char *key, int64_t expect, struct sv value, int64_t *revision, struct err *err)
{
	struct write w = { .key = key, .value = value, .err = err };

	return do_write((struct queue *)st, &w, expect, revision);
}

int queue_del(struct store *st, const char *key, int64_t expect, int64_t *revision, struct err *err)
{
	struct write w = { .key = key, .remove = true, .err = err };

	return do_write((struct queue *)st, &w, expect, revision);
}

/* ---- subscribers, revisions ---- */

int queue_check_revision(const struct queue *q, int64_t at, struct err *err)
{
	if (at > q->revision)
		return err_set(err, ERR_BAD_REQUEST, "revision %" PRId64 " is in the future; the newest is %" PRId64,
			       at, q->revision);
	if (at < q->compacted)
		return err_set(err, ERR_EXPIRED, "revision %" PRId64 " is gone; history starts at %" PRId64, at,
			       q->compacted);
	return 0;
}

int queue_subscribe(struct store *st, int64_t from, store_event_fn *fn, void *arg, struct err *err)
{
	struct queue *q = (struct queue *)st;

	TRY(queue_check_revision(q, from, err));
	if (from < q->revision)
		TRY(q->replay(q, from, fn, arg, err));
	vec_push(&q->subs, ((struct subscriber){ fn, arg }));
	return 0;
}

void queue_unsubscribe(struct store *st, store_event_fn *fn, void *arg)
{
	struct queue *q = (struct queue *)st;
	struct subscriber *s;

	vec_each(s, &q->subs)
		if (s->fn == fn && s->arg == arg)
			s->fn = NULL;
	if (!q->delivering)
		drop_gone_subscribers(q);
}

int64_t queue_revision(struct store *st) { return ((struct queue *)st)->revision; }
int64_t queue_compacted(struct store *st) { return ((struct queue *)st)->compacted; }

void queue_close(struct queue *q)
{
	q->closing = true;
	q->closer = fiber_self();
	q->idle = !q->flying.n && !q->pending.n;
	fiber_park_until(&q->idle);     /* not ended by cancel: the writes under way use this memory */
}

void queue_free(struct queue *q)
{
	struct map_slot *s;

	map_each(s, &q->index)
		free(s->value);
	map_free(&q->index);
	vec_free(&q->pending);
	vec_free(&q->flying);
	vec_free(&q->subs);
}

void kv_free(struct kv *kv)
{
	free(kv->key);
	free(kv->value);
	*kv = (struct kv){ 0 };
}
