/* orchestrator/store/sql-internal.h - SQLite in the program's words: errors, statements, texts. */
#pragma once

#include <sqlite3.h>
#include "orchestrator/store/sqlite-internal.h"

#define AUTO_STMT __attribute__((cleanup(sql_free))) sqlite3_stmt *

void sql_free(sqlite3_stmt **s);
int sql_fail(sqlite3 *db, const char *what, struct err *err);           /* SQLite's newest error as ours */
MUST_CHECK int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err);
MUST_CHECK int sql_run(sqlite3 *db, const char *sql, const char *what, struct err *err);
MUST_CHECK int sql_step(sqlite3 *db, sqlite3_stmt *s, const char *what, struct err *err);       /* 1: a row, 0: no more */
void sql_bind(sqlite3_stmt *s, int at, struct sv v);                    /* as text; borrowed */
struct sv sql_column(sqlite3_stmt *s, int at);
const char *sql_text(sqlite3_stmt *s, int at);
