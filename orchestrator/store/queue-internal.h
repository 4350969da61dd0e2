/* orchestrator/store/queue-internal.h - what every store does alike: compare-and-swap, group commit, delivery of
 * events.
 *
 * Writes of one turn are collected and handed to the implementation's commit() as one batch; while it runs, the next
 * batch gathers. A key that is being written is busy, and the next writer of it waits: so a batch never depends on
 * another one, and a failed batch is undone by forgetting it. */
#pragma once

#include "base/fiber.h"
#include "base/map.h"
#include "base/vec.h"
#include "orchestrator/store/store.h"

struct version { int64_t created, modified; bool busy; };       /* modified 0: not there, being created */

struct write {                  /* lives on the stack of the fiber that parks for it */
	const char *key;
	struct sv value;
	bool remove;
	int64_t revision, created;
	struct version *version;
	struct fiber *fiber;
	struct err *err;
	int result;
	bool done;
};

struct subscriber {
	store_event_fn *fn;
	void *arg;
}; /* fn NULL: gone, removed after the delivery under way */

struct queue {
	struct store base;              /* first: a store * is a queue * */
	struct loop *loop;
	struct map index;               /* key -> struct version * */
	VEC(struct write *) pending, flying;
	VEC(struct subscriber) subs;
	struct fiber_cond settled;      /* a batch has ended */
	int64_t revision, next, compacted;
	bool turn_end_asked, delivering, closing, idle;
	struct fiber *closer;           /* waits for idle */
	void (*commit)(struct queue *q); /* starts writing q->flying; queue_committed() on the loop when it ended */
	/* Events after `from` up to q->revision, for a new subscriber. */
	int (*replay)(struct queue *q, int64_t from, store_event_fn *fn, void *arg, struct err *err);
};

void queue_load(struct queue *q, const char *key, int64_t created,
		int64_t modified);  /* a key that was there at the start */
void queue_committed(struct queue *q, const struct err *failure);       /* failure->code 0: the batch is durable */
void queue_close(struct queue *q);              /* in a fiber: no more writes; waits for those under way */
void queue_free(struct queue *q);
int queue_check_revision(const struct queue *q, int64_t at, struct err *err);  /* ERR_EXPIRED, ERR_BAD_REQUEST */

/* store_ops that need nothing of the implementation */
int queue_put(struct store *st, const char *key, int64_t expect, struct sv value, int64_t *revision, struct err *err);
int queue_del(struct store *st, const char *key, int64_t expect, int64_t *revision, struct err *err);
int queue_subscribe(struct store *st, int64_t from, store_event_fn *fn, void *arg, struct err *err);
void queue_unsubscribe(struct store *st, store_event_fn *fn, void *arg);
int64_t queue_revision(struct store *st);
int64_t queue_compacted(struct store *st);
