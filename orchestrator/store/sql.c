#include "orchestrator/store/sql-internal.h"

void sql_free(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
	*s = NULL;
}

int sql_fail(sqlite3 *db, const char *what, struct err *err)
{
	int code = sqlite3_errcode(db) & 0xff;

	if (code == SQLITE_FULL)
		return err_set(err, ERR_FULL, "store: %s: no space left on the disk", what);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return err_set(err, ERR_INVALID, "store: %s: the file is damaged (%s): restore it from a backup", what,
			       sqlite3_errmsg(db));
	return err_set(err, ERR_IO, "store: %s: %s", what, sqlite3_errmsg(db));
}

int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
	return sqlite3_prepare_v2(db, sql, -1, out, NULL) == SQLITE_OK ? 0 : sql_fail(db, "prepare", err);
}

int sql_run(sqlite3 *db, const char *sql, const char *what, struct err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(db, what, err);
}

/* 1: a row, 0: no more. */
int sql_step(sqlite3 *db, sqlite3_stmt *s, const char *what, struct err *err)
{
	int r = sqlite3_step(s);

	return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : sql_fail(db, what, err);
}

void sql_bind(sqlite3_stmt *s, int at, struct sv v) { sqlite3_bind_text(s, at, v.p, (int)v.n, SQLITE_STATIC); }

struct sv sql_column(sqlite3_stmt *s, int at)
{
	const char *p = sqlite3_column_blob(s, at);

	return (struct sv){ p ? p : "", (size_t)sqlite3_column_bytes(s, at) };
}

const char *sql_text(sqlite3_stmt *s, int at) { return (const char *)sqlite3_column_text(s, at); }
