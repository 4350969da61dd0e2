/* orchestrator/store/store.h - an ordered, revisioned key-value log with compare-and-swap and watch-from-revision.
 *
 * sqlite.c is the durable one on a single node, memory.c its twin for tests; etcd speaks the same. Keys are
 * "/registry/GROUP/PLURAL/NAMESPACE/NAME". Every write gets the next revision; what is acknowledged is on the disk. */
#pragma once

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

struct store { const struct store_ops *ops; };

struct kv { char *key; char *value; size_t value_n; int64_t created, modified; };       /* revisions; owned: kv_free() */

enum store_event_type { STORE_PUT, STORE_DELETE };
struct store_event {
	enum store_event_type type;
	int64_t revision;
	const char *key;
	struct sv value, before;        /* before: what was there; empty for a new key. Valid during the call */
};

struct store_ops {
	/* ERR_NOT_FOUND. */
	int (*get)(struct store *, const char *key, struct kv *out, struct err *);
	/* fn for every live key with this prefix, in order, at the newest revision (given in *revision). */
	int (*range)(struct store *, const char *prefix, int (*fn)(void *arg, const struct kv *), void *arg, int64_t *revision,
		     struct err *);
	/* expect: the key's modified revision, 0: must not exist, -1: whatever. ERR_CONFLICT, ERR_ALREADY_EXISTS, ERR_FULL.
	 * Parks until the write is durable; writes of one loop turn share a commit. */
	int (*put)(struct store *, const char *key, int64_t expect, struct sv value, int64_t *revision, struct err *);
	int (*del)(struct store *, const char *key, int64_t expect, int64_t *revision, struct err *);
	/* fn on the loop for every event after revision `from`, in order, each once it is durable. ERR_EXPIRED: compacted. */
	int (*subscribe)(struct store *, int64_t from, void (*fn)(void *arg, const struct store_event *), void *arg, struct err *);
	int64_t (*revision)(struct store *);    /* of the newest durable write */
	int (*compact)(struct store *, int64_t before, struct err *);
	void (*free)(struct store *);           /* in a fiber: waits for writes under way */
};

struct store *store_memory(struct loop *l);
struct store *store_sqlite(struct loop *l, const char *path, struct err *err);  /* NULL on error; runs an integrity check */
void kv_free(struct kv *kv);
