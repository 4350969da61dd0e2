#include "kube/workqueue.h"

#include "base/map.h"
#include "base/vec.h"

#include <stdlib.h>

struct item {
	char *key;
	struct item *next;              /* in the line of waiting keys */
	int64_t due_ms;                 /* while delayed */
	size_t heap_at;                 /* place in the heap + 1; 0: not delayed */
	unsigned failures;
	bool waiting, running, again;   /* again: added while running */
};

struct workqueue {
	struct map items;               /* by key */
	struct item *first, **last;
	size_t n;
	VEC(struct item *) heap;        /* delayed items, the earliest first */
};

struct workqueue *workqueue_new(void)
{
	struct workqueue *q = calloc(1, sizeof *q);

	if (!q)
		abort();
	q->last = &q->first;
	return q;
}

void workqueue_free(struct workqueue **qp)
{
	struct workqueue *q = TAKE(*qp);
	struct map_slot *s;

	if (!q)
		return;
	map_each(s, &q->items) {
		struct item *it = s->value;

		free(it->key);
		free(it);
	}
	map_free(&q->items);
	vec_free(&q->heap);
	free(q);
}

static struct item *find(const struct workqueue *q, const char *key) { return map_get(&q->items, sv_c(key)); }

static struct item *item_of(struct workqueue *q, const char *key)
{
	struct item *it = find(q, key);

	if (it)
		return it;
	it = calloc(1, sizeof *it);
	if (!it)
		abort();
	it->key = sv_dup(sv_c(key));
	(void)map_put(&q->items, sv_c(key), it);
	return it;
}

/* An item that is nowhere and has nothing to remember goes. */
static void release(struct workqueue *q, struct item *it)
{
	if (it->waiting || it->running || it->heap_at || it->failures)
		return;
	(void)map_del(&q->items, sv_c(it->key));
	free(it->key);
	free(it);
}

/* ---- the heap of delayed items ---- */

static void place(struct workqueue *q, size_t at, struct item *it)
{
	q->heap.v[at] = it;
	it->heap_at = at + 1;
}

static void sift_up(struct workqueue *q, size_t at)
{
	struct item *it = q->heap.v[at];

	for (; at && q->heap.v[(at - 1) / 2]->due_ms > it->due_ms; at = (at - 1) / 2)
		place(q, at, q->heap.v[(at - 1) / 2]);
	place(q, at, it);
}

static void sift_down(struct workqueue *q, size_t at)
{
	struct item *it = q->heap.v[at];

	for (size_t child; (child = 2 * at + 1) < q->heap.n; at = child) {
		if (child + 1 < q->heap.n && q->heap.v[child + 1]->due_ms < q->heap.v[child]->due_ms)
			child++;
		if (q->heap.v[child]->due_ms >= it->due_ms)
			break;
		place(q, at, q->heap.v[child]);
	}
	place(q, at, it);
}

static void undelay(struct workqueue *q, struct item *it)
{
	if (!it->heap_at)
		return;
	size_t at = it->heap_at - 1;
	struct item *moved = q->heap.v[--q->heap.n];

	it->heap_at = 0;
	if (moved == it)
		return;
	place(q, at, moved);
	sift_up(q, at);
	sift_down(q, moved->heap_at - 1);
}

/* ---- adding ---- */

void workqueue_add(struct workqueue *q, const char *key)
{
	struct item *it = item_of(q, key);

	undelay(q, it);
	if (it->running) {
		it->again = true;
		return;
	}
	if (it->waiting)
		return;
	it->waiting = true;
	it->next = NULL;
	*q->last = it;
	q->last = &it->next;
	q->n++;
}

void workqueue_add_at(struct workqueue *q, const char *key, int64_t at_ms)
{
	struct item *it = item_of(q, key);

	if (it->waiting || it->again || (it->heap_at && it->due_ms <= at_ms))
		return;
	undelay(q, it);
	it->due_ms = at_ms;
	vec_push(&q->heap, it);
	sift_up(q, q->heap.n - 1);
}

int64_t workqueue_backoff_ms(struct workqueue *q, const char *key)
{
	struct item *it = item_of(q, key);
	int64_t ms = WORKQUEUE_BACKOFF_MIN_MS;

	for (unsigned i = 0; i < it->failures && ms < WORKQUEUE_BACKOFF_MAX_MS; i++)
		ms *= 2;
	it->failures++;
	return ms < WORKQUEUE_BACKOFF_MAX_MS ? ms : WORKQUEUE_BACKOFF_MAX_MS;
}

unsigned workqueue_failures(const struct workqueue *q, const char *key)
{
	const struct item *it = find(q, key);

	return it ? it->failures : 0;
}

void workqueue_forget(struct workqueue *q, const char *key)
{
	struct item *it = find(q, key);

	if (!it)
		return;
	it->failures = 0;
	release(q, it);
}

/* ---- taking ---- */

const char *workqueue_take(struct workqueue *q, int64_t now_ms)
{
	while (q->heap.n && q->heap.v[0]->due_ms <= now_ms)
		workqueue_add(q, q->heap.v[0]->key);

	struct item *it = q->first;
	if (!it)
		return NULL;
	q->first = it->next;
	if (!q->first)
		q->last = &q->first;
	q->n--;
	it->waiting = false;
	it->running = true;
	return it->key;
}

void workqueue_done(struct workqueue *q, const char *key)
{
	struct item *it = find(q, key);

	if (!it)
		return;
	it->running = false;
	if (it->again) {
		it->again = false;
		workqueue_add(q, it->key);
	}
	release(q, it);
}

int64_t workqueue_next_ms(const struct workqueue *q) { return q->heap.n ? q->heap.v[0]->due_ms : -1; }
size_t workqueue_n(const struct workqueue *q) { return q->n; }
