/* orchestrator/store/backup.h - the store of a server in one file, and back.
 *
 * A backup is an SQLite database: the newest version of every object, the files of the server's certificates and keys, and
 * a digest of both. It is made beside a running server, of one moment, without keeping it from writing. All of it blocks. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct backup_facts { int64_t revision, objects, bytes, made_ms; };

/* Of the store at `db` and the files of pki_dir (NULL: none) to a new file. ERR_ALREADY_EXISTS, ERR_NOT_FOUND, ERR_FULL. */
MUST_CHECK int backup_make(const char *db, const char *pki_dir, const char *to, struct backup_facts *out, struct err *err);
/* ERR_INVALID: it is damaged, or no backup. */
MUST_CHECK int backup_check(const char *file, struct backup_facts *out, struct err *err);
/* Makes a store of a checked backup; nothing must be at db. Revisions go on a million further, so that no client takes
 * what it knew of the time after the backup for what is there now. */
MUST_CHECK int backup_restore(const char *file, const char *db, const char *pki_dir, struct backup_facts *out, struct err *err);
/* Looks at every page and every row of a store that may be in use. ERR_INVALID. */
MUST_CHECK int store_check(const char *db, struct backup_facts *out, struct err *err);
