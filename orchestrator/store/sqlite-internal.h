/* orchestrator/store/sqlite-internal.h - the revision log as SQL: one table of records, one row a write, no threads.
 *
 * log(rev, key, created, value): value NULL is a deletion. meta(name, value): "compacted". Every function may block. */
#pragma once

#include "orchestrator/store/queue-internal.h"

struct sqlite3;

MUST_CHECK int sqlite_log_open(const char *path, bool writer, struct sqlite3 **out, struct err *err);
void sqlite_log_close(struct sqlite3 **db);
MUST_CHECK int sqlite_log_prepare(struct sqlite3 *db, const char *path, struct err *err); /* integrity check, tables */
MUST_CHECK int sqlite_log_load(struct sqlite3 *db,
			       void (*fn)(void *arg, const char *key, int64_t created, int64_t modified), void *arg,
			       int64_t *revision, int64_t *compacted, struct err *err);
MUST_CHECK int sqlite_log_append(struct sqlite3 *db, struct write *const *v, size_t n,
				 struct err *err); /* one transaction */
MUST_CHECK int sqlite_log_get(struct sqlite3 *db, const char *key, int64_t at, struct kv *out, struct err *err);
MUST_CHECK int sqlite_log_range(struct sqlite3 *db, const char *prefix, int64_t at,
				int (*fn)(void *arg, const struct kv *), void *arg, struct err *err);
MUST_CHECK int sqlite_log_replay(struct sqlite3 *db, int64_t after, int64_t to, store_event_fn *fn, void *arg,
				 struct err *err);
/* Removes up to `rows` records that revision `before` and later do not need; *more: call again. */
MUST_CHECK int sqlite_log_compact(struct sqlite3 *db, int64_t before, int rows, bool *more, struct err *err);
