#include "orchestrator/store/queue-internal.h"

struct record { char *key; struct str value; bool removed; int64_t revision, created; };

struct memory {
	struct queue q;                 /* first */
	VEC(struct record) log;         /* in order of revisions; superseded records up to q.compacted are gone */
};

static void record_free(struct record *r)
{
	free(r->key);
	str_free(&r->value);
}

static void memory_commit(struct queue *q)
{
	struct memory *m = (struct memory *)q;
	const struct err none = { 0 };
	struct write **at;

	vec_each(at, &q->flying) {
		const struct write *w = *at;
		struct record r = { .key = sv_dup(sv_c(w->key)),
				    .removed = w->remove,
				    .revision = w->revision,
				    .created = w->created };

		str_add(&r.value, w->value);
		vec_push(&m->log, r);
	}
	queue_committed(q, &none);
}

static struct kv kv_of(const struct record *r)
{
	return (struct kv){ r->key, (char *)str_c(&r->value), r->value.n, r->created, r->revision };
}

static int memory_get(struct store *st, const char *key, struct kv *out, struct err *err)
{
	struct memory *m = (struct memory *)st;

	for (size_t i = m->log.n; i-- > 0;) {
		const struct record *r = &m->log.v[i];

		if (!str_eq(r->key, key))
			continue;
		if (r->removed)
			break;
		*out = kv_of(r);
		out->key = sv_dup(sv_c(r->key));
		out->value = sv_dup(str_sv(&r->value));
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "'%s' not found", key);
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct record *const *)a)->key, (*(struct record *const *)b)->key);
}

static int memory_range(struct store *st, const char *prefix, int64_t at, int (*fn)(void *, const struct kv *),
			void *arg, int64_t *revision, struct err *err)
{
	struct memory *m = (struct memory *)st;
	AUTO(map) newest = { 0 };
	VEC(struct record *) found = { 0 };
	struct map_slot *s;
	struct record *r;
	int result = 0;

	if (!at)
		at = m->q.revision;
	TRY(queue_check_revision(&m->q, at, err));
	vec_each(r, &m->log)
		if (r->revision <= at && sv_starts(sv_c(r->key), sv_c(prefix)))
			(void)map_put(&newest, sv_c(r->key), r);
	map_each(s, &newest)
		if (!((struct record *)s->value)->removed)
			vec_push(&found, s->value);
	if (found.n)
		qsort(found.v, found.n, sizeof *found.v, by_key);
	for (size_t i = 0; i < found.n && result >= 0; i++) {
		struct kv kv = kv_of(found.v[i]);

		result = fn(arg, &kv);
	}
	vec_free(&found);
	if (revision)
		*revision = at;
	return result < 0 ? result : 0;
}

static int memory_replay(struct queue *q, int64_t from, store_event_fn *fn, void *arg, struct err *err)
{
	struct memory *m = (struct memory *)q;

	(void)err;
	for (size_t i = 0; i < m->log.n; i++) {
		const struct record *r = &m->log.v[i];
		struct store_event e = { r->removed ? STORE_DELETE : STORE_PUT, r->revision,
					 r->removed ? 0 : r->created, r->key, str_sv(&r->value) };

		if (r->revision > from)
			fn(arg, &e);
	}
	return 0;
}

static int memory_compact(struct store *st, int64_t before, struct err *err)
{
	struct memory *m = (struct memory *)st;
	AUTO(map) newer = { 0 };        /* keys with a record up to `before` that stays */
	size_t kept = m->log.n;

	if (before <= m->q.compacted)
		return 0;
	TRY(queue_check_revision(&m->q, before, err));
	for (size_t i = m->log.n; i-- > 0;) {
		struct record *r = &m->log.v[i];
		bool superseded = r->revision <= before && (r->removed || map_get(&newer, sv_c(r->key)));

		if (r->revision <= before)
			(void)map_put(&newer, sv_c(r->key), m);
		if (superseded)
			record_free(r);
		else
			m->log.v[--kept] = *r;
	}
	memmove(m->log.v, m->log.v + kept, (m->log.n - kept) * sizeof *m->log.v);
	m->log.n -= kept;
	m->q.compacted = before;
	return 0;
}

static void memory_free(struct store *st)
{
	struct memory *m = (struct memory *)st;
	struct record *r;

	queue_close(&m->q);
	vec_each(r, &m->log)
		record_free(r);
	vec_free(&m->log);
	queue_free(&m->q);
	free(m);
}

static const struct store_ops ops = {
	.get = memory_get,
	.range = memory_range,
	.put = queue_put,
	.del = queue_del,
	.subscribe = queue_subscribe,
	.unsubscribe = queue_unsubscribe,
	.revision = queue_revision,
	.compacted = queue_compacted,
	.compact = memory_compact,
	.free = memory_free,
};

struct store *store_memory(struct loop *l)
{
	struct memory *m = calloc(1, sizeof *m);

	if (!m)
		abort();
	m->q = (struct queue){ .base = { &ops }, .loop = l, .commit = memory_commit, .replay = memory_replay };
	return &m->q.base;
}
