/* orchestrator/store/store.h - an ordered, revisioned key-value log with compare-and-swap and watch-from-revision.
 *
 * sqlite.c is the durable one on a single node, memory.c its twin for tests; etcd speaks the same. Keys are
 * "/registry/GROUP/PLURAL/NAMESPACE/NAME". Every write gets the next revision; what is acknowledged is on the disk.
 * Revisions only grow; a failed write leaves a gap. All calls are made on the loop's thread. */
#pragma once

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

struct store { const struct store_ops *ops; };

struct kv {
	char *key;
	char *value;
	size_t value_n;
	int64_t created, modified;
}; /* revisions; owned: kv_free() */

enum store_event_type { STORE_PUT, STORE_DELETE };
struct store_event {
	enum store_event_type type;
	int64_t revision, created;      /* created: revision of the key's first write; 0 for a deletion */
	const char *key;
	struct sv value;                /* empty for a deletion. Valid during the call, as the key is */
};
typedef void store_event_fn(void *arg, const struct store_event *e);

struct store_ops {
	/* ERR_NOT_FOUND. */
	int (*get)(struct store *, const char *key, struct kv *out, struct err *);
	/* fn for every live key with this prefix, in byte order, as of revision `at` (0: the newest), which is given
	 * back in *revision (may be NULL). Less than 0 from fn stops and is returned. ERR_EXPIRED: `at` is compacted.
	 */
	int (*range)(struct store *, const char *prefix, int64_t at, int (*fn)(void *arg, const struct kv *), void *arg,
		     int64_t *revision, struct err *);
	/* expect: the key's modified revision, 0: must not exist, -1: whatever. ERR_CONFLICT, ERR_ALREADY_EXISTS,
	 * ERR_FULL. Parks until the write is durable; writes of one loop turn share a commit. Writes of one key follow
	 * one another: each is checked against the outcome of the one before. Once it returns, subscribers have seen
	 * the event. */
	int (*put)(struct store *, const char *key, int64_t expect, struct sv value, int64_t *revision, struct err *);
	int (*del)(struct store *, const char *key, int64_t expect, int64_t *revision,
		   struct err *); /* also ERR_NOT_FOUND */
	/* fn on the loop for every event after revision `from`, in order, each once it is durable: those of the past
	 * before this returns. ERR_EXPIRED: compacted. */
	int (*subscribe)(struct store *, int64_t from, store_event_fn *fn, void *arg, struct err *);
	void (*unsubscribe)(struct store *, store_event_fn *fn, void *arg);
	int64_t (*revision)(struct store *);    /* of the newest durable write */
	int64_t (*compacted)(struct store *);   /* history starts after this revision */
	int (*compact)(struct store *, int64_t before,
		       struct err *);  /* forgets history up to and including `before`. Parks */
	void (*free)(struct store *);           /* in a fiber: waits for writes under way */
};

struct store *store_memory(struct loop *l);
/* NULL on error: ERR_INVALID for a damaged file (it is checked), ERR_CONFLICT when another process has it open. */
struct store *store_sqlite(struct loop *l, const char *path, struct err *err);
/* Around another one: values are encrypted as the configuration says (encryption.h). Both arguments are taken. */
struct encryption;
struct store *store_encrypted(struct store *take_inner, struct encryption *take_how);
/* Writes again what keys have changed for, and forgets the past; *n: how many values. Before anybody else uses the store;
 * parks. */
MUST_CHECK int store_encrypt_again(struct store *encrypted, size_t *n, struct err *err);
void kv_free(struct kv *kv);
