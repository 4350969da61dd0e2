#include "orchestrator/store/sql-internal.h"

#include <fcntl.h>

/* ---- open ---- */

int sqlite_log_open(const char *path, bool writer, struct sqlite3 **out, struct err *err)
{
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* Secrets are in it; SQLite would make it 0644 */

	if (fd < 0)
		return err_errno(err, "open the store '%s'", path);
	if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return err_set(err, ERR_IO, "open the store '%s': %s", path,
			       *out ? sqlite3_errmsg(*out) : "out of memory");
	sqlite3_busy_timeout(*out, 10000);      /* a backup may hold the lock for a moment */
	return sql_run(*out, writer ? "PRAGMA cache_size = -2000; PRAGMA secure_delete = 1" : "PRAGMA cache_size = -256; PRAGMA query_only = 1",
		   "open", err);
}

void sqlite_log_close(struct sqlite3 **db)
{
	(void)sqlite3_close(*db);
	*db = NULL;
}

static int check_integrity(sqlite3 *db, const char *path, struct err *err)
{
	AUTO_STMT s = NULL;
	AUTO(err) why = { 0 };

	if (sql_prepare(db, "PRAGMA quick_check(1)", &s, &why) < 0 || sql_step(db, s, "check", &why) < 0)
		return err_set(err, ERR_INVALID, "the store '%s' is damaged: %s", path, err_msg(&why));
	if (!str_eq(sql_text(s, 0), "ok"))
		return err_set(err, ERR_INVALID, "the store '%s' is damaged (%s): restore it from a backup", path,
			       sql_text(s, 0));
	return 0;
}

static int check_version(sqlite3 *db, const char *path, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db, "PRAGMA user_version", &s, err));
	TRY(sql_step(db, s, "read the version", err));
	if (sqlite3_column_int(s, 0) > 1)
		return err_set(err, ERR_UNSUPPORTED, "the store '%s' was written by a newer version of this program",
			       path);
	return 0;
}

int sqlite_log_prepare(struct sqlite3 *db, const char *path, struct err *err)
{
	TRY(check_integrity(db, path, err));
	TRY(check_version(db, path, err));
	return sql_run(db,
		   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"
		   "PRAGMA journal_size_limit = 67108864;"
		   "CREATE TABLE IF NOT EXISTS log(rev INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT "
		   "NULL, value BLOB);"
		   "CREATE INDEX IF NOT EXISTS log_key ON log(key, rev);"
		   "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
		   "INSERT OR IGNORE INTO meta VALUES('compacted', 0); PRAGMA user_version = 1;",
		   "prepare the tables", err);
}

static int load_revisions(sqlite3 *db, int64_t *revision, int64_t *compacted, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(
		db,
		"SELECT value, max(value, (SELECT coalesce(max(rev), 0) FROM log)) FROM meta WHERE name = 'compacted'",
		&s, err));
	TRY(sql_step(db, s, "read the revision", err));
	*compacted = sqlite3_column_int64(s, 0);
	*revision = sqlite3_column_int64(s, 1);
	return 0;
}

int sqlite_log_load(struct sqlite3 *db, void (*fn)(void *, const char *, int64_t, int64_t), void *arg,
		    int64_t *revision, int64_t *compacted, struct err *err)
{
	AUTO_STMT s = NULL;
	int r;

	TRY(load_revisions(db, revision, compacted, err));
	/* With max() alone in a group, SQLite takes the other columns from the row that has it. */
	TRY(sql_prepare(db, "SELECT key, max(rev), created, value IS NULL FROM log GROUP BY key", &s, err));
	while ((r = sql_step(db, s, "read the keys", err)) > 0)
		if (!sqlite3_column_int(s, 3))
			fn(arg, sql_text(s, 0), sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 1));
	return r;
}

/* ---- write ---- */

static int insert(sqlite3 *db, sqlite3_stmt *s, const struct write *w, struct err *err)
{
	sqlite3_bind_int64(s, 1, w->revision);
	sql_bind(s, 2, sv_c(w->key));
	sqlite3_bind_int64(s, 3, w->created);
	if (w->remove)
		sqlite3_bind_null(s, 4);
	else
		sqlite3_bind_blob64(s, 4, w->value.n ? w->value.p : "", w->value.n, SQLITE_STATIC);
	TRY(sql_step(db, s, "write", err));
	sqlite3_reset(s);
	return 0;
}

static int insert_all(sqlite3 *db, struct write *const *v, size_t n, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db, "INSERT INTO log(rev, key, created, value) VALUES(?1, ?2, ?3, ?4)", &s, err));
	for (size_t i = 0; i < n; i++)
		TRY(insert(db, s, v[i], err));
	return 0;
}

int sqlite_log_append(struct sqlite3 *db, struct write *const *v, size_t n, struct err *err)
{
	TRY(sql_run(db, "BEGIN IMMEDIATE", "begin a commit", err));
	int r = insert_all(db, v, n, err);

	if (r >= 0)
		r = sql_run(db, "COMMIT", "commit", err);
	if (r < 0 && !sqlite3_get_autocommit(db))
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);   /* the first error is the one to report */
	return r;
}

/* ---- read ---- */

static struct kv kv_of(sqlite3_stmt *s)
{
	struct sv value = sql_column(s, 3);

	return (struct kv){ (char *)sql_text(s, 0), (char *)value.p, value.n, sqlite3_column_int64(s, 1),
			    sqlite3_column_int64(s, 2) };
}

int sqlite_log_get(struct sqlite3 *db, const char *key, int64_t at, struct kv *out, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db,
		    "SELECT key, created, rev, value FROM log WHERE key = ?1 AND rev <= ?2 ORDER BY rev DESC LIMIT 1",
		    &s, err));
	sql_bind(s, 1, sv_c(key));
	sqlite3_bind_int64(s, 2, at);
	int r = sql_step(db, s, "read", err);
	if (r < 0)
		return r;
	if (!r || sqlite3_column_type(s, 3) == SQLITE_NULL)
		return err_set(err, ERR_NOT_FOUND, "'%s' not found", key);
	*out = kv_of(s);
	out->key = sv_dup(sv_c(out->key));
	out->value = sv_dup((struct sv){ out->value, out->value_n });
	return 0;
}

int sqlite_log_range(struct sqlite3 *db, const char *prefix, int64_t at, int (*fn)(void *, const struct kv *),
		     void *arg, struct err *err)
{
	AUTO_STMT s = NULL;
	int r;

	TRY(sql_prepare(db,
		    "SELECT key, created, rev, value FROM log WHERE key >= ?1 AND substr(key, 1, ?2) = ?1 AND value IS "
		    "NOT NULL"
		    " AND rev = (SELECT max(rev) FROM log AS n WHERE n.key = log.key AND n.rev <= ?3) ORDER BY key",
		    &s, err));
	sql_bind(s, 1, sv_c(prefix));
	sqlite3_bind_int64(s, 2, (int64_t)strlen(prefix));
	sqlite3_bind_int64(s, 3, at);
	while ((r = sql_step(db, s, "list", err)) > 0) {
		struct kv kv = kv_of(s);

		TRY(fn(arg, &kv));
	}
	return r;
}

int sqlite_log_replay(struct sqlite3 *db, int64_t after, int64_t to, store_event_fn *fn, void *arg, struct err *err)
{
	AUTO_STMT s = NULL;
	int r;

	TRY(sql_prepare(db, "SELECT key, created, rev, value FROM log WHERE rev > ?1 AND rev <= ?2 ORDER BY rev", &s, err));
	sqlite3_bind_int64(s, 1, after);
	sqlite3_bind_int64(s, 2, to);
	while ((r = sql_step(db, s, "read history", err)) > 0) {
		struct kv kv = kv_of(s);
		bool gone = sqlite3_column_type(s, 3) == SQLITE_NULL;
		struct store_event e = { gone ? STORE_DELETE : STORE_PUT, kv.modified, gone ? 0 : kv.created, kv.key,
					 { kv.value, kv.value_n } };

		fn(arg, &e);
	}
	return r;
}

/* ---- compaction ---- */

static int note_compacted(sqlite3 *db, int64_t before, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db, "UPDATE meta SET value = ?1 WHERE name = 'compacted' AND value < ?1", &s, err));
	sqlite3_bind_int64(s, 1, before);
	return sql_step(db, s, "compact", err);
}

static int remove_rows(sqlite3 *db, int64_t before, int rows, struct err *err)
{
	AUTO_STMT s = NULL;

	/* Oldest first: a deletion must not go before the record that it hides. */
	TRY(sql_prepare(db,
		    "DELETE FROM log WHERE rev IN (SELECT rev FROM log WHERE rev <= ?1 AND (value IS NULL OR EXISTS"
		    " (SELECT 1 FROM log AS n WHERE n.key = log.key AND n.rev > log.rev AND n.rev <= ?1)) ORDER BY rev "
		    "LIMIT ?2)",
		    &s, err));
	sqlite3_bind_int64(s, 1, before);
	sqlite3_bind_int(s, 2, rows);
	return sql_step(db, s, "compact", err);
}

int sqlite_log_compact(struct sqlite3 *db, int64_t before, int rows, bool *more, struct err *err)
{
	TRY(sql_run(db, "BEGIN IMMEDIATE", "begin a compaction", err));
	int r = note_compacted(db, before, err);

	if (r >= 0)
		r = remove_rows(db, before, rows, err);
	*more = r >= 0 && sqlite3_changes(db) >= rows;
	if (r >= 0)
		r = sql_run(db, "COMMIT", "compact", err);
	if (r < 0 && !sqlite3_get_autocommit(db))
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}
