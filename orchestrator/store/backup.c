#include "orchestrator/store/backup.h"

#include "base/encode.h"
#include "base/fs.h"
#include "base/loop.h"
#include "orchestrator/store/sql-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FORMAT "timonier-backup-1"
#define FILE_MAX ((size_t)1 << 20)
#define FURTHER 1000000

static void close_db(sqlite3 **db)
{
	(void)sqlite3_close(*db);
	*db = NULL;
}
#define AUTO_DB __attribute__((cleanup(close_db))) sqlite3 *

static int open_db(const char *path, bool write, sqlite3 **out, struct err *err)
{
	struct stat st;

	if (stat(path, &st))
		return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "there is no '%s'", path) : err_errno(err, "open '%s'", path);
	/* A store in use is written to only by its own process; but reading what it has in its log needs write access. */
	if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return err_set(err, ERR_IO, "open '%s': %s", path, *out ? sqlite3_errmsg(*out) : "out of memory");
	sqlite3_busy_timeout(*out, 10000);
	return write ? 0 : sql_run(*out, "PRAGMA query_only = 1", "open", err);
}

static int one_text(sqlite3 *db, const char *sql, struct str *out, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db, sql, &s, err));
	TRY(sql_step(db, s, "read", err));
	str_addc(out, sql_text(s, 0));
	return 0;
}

static int one_number(sqlite3 *db, const char *sql, int64_t *out, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db, sql, &s, err));
	TRY(sql_step(db, s, "read", err));
	*out = sqlite3_column_int64(s, 0);
	return 0;
}

static int check_pages(sqlite3 *db, const char *path, struct err *err)
{
	AUTO(str) said = { 0 };
	AUTO(err) why = { 0 };

	if (one_text(db, "PRAGMA integrity_check(1)", &said, &why) < 0 || !str_eq(str_c(&said), "ok"))
		return err_set(err, ERR_INVALID, "'%s' is damaged: %s", path, why.code ? err_msg(&why) : str_c(&said));
	return 0;
}

/* ---- the digest: of every row, in order ---- */

static void add_number(EVP_MD_CTX *ctx, int64_t n)
{
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)n >> (8 * i));
	EVP_DigestUpdate(ctx, bytes, sizeof bytes);
}

/* A text with its length before it: no two lists of texts look alike. */
static void add_text(EVP_MD_CTX *ctx, struct sv v)
{
	add_number(ctx, (int64_t)v.n);
	EVP_DigestUpdate(ctx, v.p, v.n);
}

static int add_rows(sqlite3 *db, EVP_MD_CTX *ctx, const char *sql, int numbers, int texts, int64_t *n, struct err *err)
{
	AUTO_STMT s = NULL;
	int r;

	TRY(sql_prepare(db, sql, &s, err));
	for (*n = 0; (r = sql_step(db, s, "read", err)) > 0; ++*n) {
		for (int i = 0; i < numbers; i++)
			add_number(ctx, sqlite3_column_int64(s, i));
		for (int i = 0; i < texts; i++)
			add_text(ctx, sql_column(s, numbers + i));
	}
	return r;
}

static int digest_all(sqlite3 *db, EVP_MD_CTX *ctx, int64_t *objects, struct err *err)
{
	int64_t files;

	TRY(add_rows(db, ctx, "SELECT rev, created, key, value FROM log ORDER BY rev", 2, 2, objects, err));
	return add_rows(db, ctx, "SELECT mode, name, data FROM files ORDER BY name", 1, 2, &files, err);
}

static int digest(sqlite3 *db, struct str *out, int64_t *objects, struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sum[32];
	int r;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		abort();
	r = digest_all(db, ctx, objects, err);
	if (EVP_DigestFinal_ex(ctx, sum, NULL) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
	hex_encode(out, (struct sv){ (char *)sum, sizeof sum });
	return r;
}

/* ---- making one ---- */

static int note(sqlite3 *db, const char *name, const char *value, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db, "INSERT INTO backup(name, value) VALUES(?1, ?2)", &s, err));
	sql_bind(s, 1, sv_c(name));
	sql_bind(s, 2, sv_c(value));
	return sql_step(db, s, "write", err);
}

static int note_number(sqlite3 *db, const char *name, int64_t n, struct err *err)
{
	AUTO(str) text = { 0 };

	str_addf(&text, "%" PRId64, n);
	return note(db, name, str_c(&text), err);
}

static int add_file(sqlite3 *db, const char *dir, const char *name, struct err *err)
{
	AUTO(str) path = { 0 }, data = { 0 };
	AUTO_STMT s = NULL;
	struct stat st;

	str_addf(&path, "%s/%s", dir, name);
	if (stat(str_c(&path), &st))
		return err_errno(err, "look at '%s'", str_c(&path));
	if (!S_ISREG(st.st_mode))
		return 0;
	TRY(file_read(str_c(&path), FILE_MAX, &data, err));
	TRY(sql_prepare(db, "INSERT INTO files(name, mode, data) VALUES(?1, ?2, ?3)", &s, err));
	sql_bind(s, 1, sv_c(name));
	sqlite3_bind_int64(s, 2, st.st_mode & 0777);
	sql_bind(s, 3, str_sv(&data));
	return sql_step(db, s, "write", err);
}

static int add_files(sqlite3 *db, const char *dir, struct err *err)
{
	DIR *d = dir ? opendir(dir) : NULL;
	int r = 0;

	for (struct dirent *e; d && r >= 0 && (e = readdir(d));)
		if (*e->d_name != '.')
			r = add_file(db, dir, e->d_name, err);
	if (d)
		closedir(d);
	return r;
}

/* History is left out: what was is of no use to who begins again. */
static const char keep_newest[] =
	"DELETE FROM log WHERE rev < (SELECT max(rev) FROM log AS n WHERE n.key = log.key);"
	"DELETE FROM log WHERE value IS NULL;"
	"CREATE TABLE files(name TEXT PRIMARY KEY, mode INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE backup(name TEXT PRIMARY KEY, value TEXT NOT NULL);";

static int complete(const char *path, const char *pki_dir, struct backup_facts *out, struct err *err)
{
	AUTO_DB db = NULL;
	AUTO(str) sum = { 0 };

	TRY(open_db(path, true, &db, err));
	TRY(check_pages(db, path, err));
	TRY(one_number(db, "SELECT max(value, (SELECT coalesce(max(rev), 0) FROM log)) FROM meta WHERE name = 'compacted'",
		       &out->revision, err));
	TRY(sql_run(db, keep_newest, "write", err));
	TRY(add_files(db, pki_dir, err));
	TRY(digest(db, &sum, &out->objects, err));
	out->made_ms = clock_ms();
	TRY(note(db, "format", FORMAT, err));
	TRY(note(db, "sha256", str_c(&sum), err));
	TRY(note_number(db, "revision", out->revision, err));
	TRY(note_number(db, "made", out->made_ms, err));
	return sql_run(db, "VACUUM", "write", err);
}

/* One moment of the store, read in one transaction: the server goes on writing. */
static int snapshot(const char *db_path, const char *to, struct err *err)
{
	AUTO_DB db = NULL;
	AUTO_STMT s = NULL;

	TRY(open_db(db_path, true, &db, err));  /* "query only" would forbid the other file, too */
	TRY(sql_prepare(db, "VACUUM INTO ?1", &s, err));
	sql_bind(s, 1, sv_c(to));
	return sql_step(db, s, "copy the store", err);
}

static int sync_file(const char *path, struct err *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? err_errno(err, "sync '%s'", path) : 0;
}

static int size_of(const char *path, int64_t *out, struct err *err)
{
	struct stat st;

	if (stat(path, &st))
		return err_errno(err, "look at '%s'", path);
	*out = st.st_size;
	return 0;
}

static int make(const char *db, const char *pki_dir, const char *part, const char *to, struct backup_facts *out, struct err *err)
{
	TRY(snapshot(db, part, err));
	TRY(complete(part, pki_dir, out, err));
	TRY(sync_file(part, err));
	TRY(size_of(part, &out->bytes, err));
	return rename(part, to) ? err_errno(err, "write '%s'", to) : 0;
}

int backup_make(const char *db, const char *pki_dir, const char *to, struct backup_facts *out, struct err *err)
{
	char *part = str_fmt("%s.part", to);
	mode_t mask = umask(077);       /* keys are in it */
	int r;

	*out = (struct backup_facts){ 0 };
	(void)unlink(part);
	r = path_exists(to) ? err_set(err, ERR_ALREADY_EXISTS, "'%s' exists", to) : make(db, pki_dir, part, to, out, err);
	if (r < 0)
		(void)unlink(part);
	(void)umask(mask);
	free(part);
	return r;
}

/* ---- checking one ---- */

static int noted(sqlite3 *db, const char *name, struct str *out, struct err *err)
{
	AUTO_STMT s = NULL;

	TRY(sql_prepare(db, "SELECT value FROM backup WHERE name = ?1", &s, err));
	sql_bind(s, 1, sv_c(name));
	TRY(sql_step(db, s, "read", err));
	str_addc(out, sql_text(s, 0));
	return 0;
}

static int check_open(sqlite3 *db, const char *file, struct backup_facts *out, struct err *err)
{
	AUTO(str) format = { 0 }, want = { 0 }, is = { 0 }, revision = { 0 }, made = { 0 };
	AUTO(err) why = { 0 };

	if (noted(db, "format", &format, &why) < 0 || !str_eq(str_c(&format), FORMAT))
		return err_set(err, ERR_INVALID, "'%s' is no backup that this program knows%s%s", file, why.code ? ": " : "", err_msg(&why));
	TRY(check_pages(db, file, err));
	TRY(noted(db, "sha256", &want, err));
	TRY(noted(db, "revision", &revision, err));
	TRY(noted(db, "made", &made, err));
	TRY(digest(db, &is, &out->objects, err));
	if (!str_eq(str_c(&want), str_c(&is)) || !sv_to_i64(str_sv(&revision), &out->revision) || !sv_to_i64(str_sv(&made), &out->made_ms))
		return err_set(err, ERR_INVALID, "'%s' is damaged: its content is not what was written", file);
	return 0;
}

int backup_check(const char *file, struct backup_facts *out, struct err *err)
{
	AUTO_DB db = NULL;

	*out = (struct backup_facts){ 0 };
	TRY(open_db(file, false, &db, err));
	TRY(check_open(db, file, out, err));
	return size_of(file, &out->bytes, err);
}

int store_check(const char *path, struct backup_facts *out, struct err *err)
{
	AUTO_DB db = NULL;

	*out = (struct backup_facts){ 0 };
	TRY(open_db(path, false, &db, err));
	TRY(check_pages(db, path, err));
	TRY(one_number(db, "SELECT coalesce(max(rev), 0) FROM log", &out->revision, err));
	TRY(one_number(db, "SELECT count(*) FROM log WHERE value IS NOT NULL AND rev = (SELECT max(rev) FROM log AS n WHERE n.key = log.key)",
		       &out->objects, err));
	return size_of(path, &out->bytes, err);
}

/* ---- and back ---- */

static int write_files(sqlite3 *db, const char *dir, struct err *err)
{
	AUTO_STMT s = NULL;
	int r;

	TRY(dir_make(dir, 0700, err));
	TRY(sql_prepare(db, "SELECT name, mode, data FROM files", &s, err));
	while ((r = sql_step(db, s, "read", err)) > 0) {
		const char *name = sql_text(s, 0);
		AUTO(str) path = { 0 };

		if (!name || *name == '.' || strchr(name, '/'))
			return err_set(err, ERR_INVALID, "the backup holds a file '%s'", name ? name : "");
		str_addf(&path, "%s/%s", dir, name);
		TRY(file_write(str_c(&path), sql_column(s, 2), (mode_t)sqlite3_column_int(s, 1) & 0700, err));
	}
	return r;
}

static int move_on(const char *path, int64_t revision, struct err *err)
{
	AUTO_DB db = NULL;
	AUTO(str) sql = { 0 };

	TRY(open_db(path, true, &db, err));
	str_addf(&sql, "DROP TABLE files; DROP TABLE backup; UPDATE meta SET value = %" PRId64 " WHERE name = 'compacted'; VACUUM",
		 revision + FURTHER);
	return sql_run(db, str_c(&sql), "restore", err);
}

static int restore(const char *file, const char *part, const char *db_path, const char *pki_dir, struct backup_facts *out,
		   struct err *err)
{
	AUTO_DB db = NULL;

	TRY(open_db(file, false, &db, err));
	TRY(check_open(db, file, out, err));
	TRY(snapshot(file, part, err));
	TRY(move_on(part, out->revision, err));
	TRY(sync_file(part, err));
	TRY(size_of(part, &out->bytes, err));
	TRY(write_files(db, pki_dir, err));
	return rename(part, db_path) ? err_errno(err, "write '%s'", db_path) : 0;
}

int backup_restore(const char *file, const char *db, const char *pki_dir, struct backup_facts *out, struct err *err)
{
	char *part = str_fmt("%s.part", db);
	mode_t mask = umask(077);
	int r;

	*out = (struct backup_facts){ 0 };
	(void)unlink(part);
	r = path_exists(db) ? err_set(err, ERR_ALREADY_EXISTS, "'%s' exists", db) : restore(file, part, db, pki_dir, out, err);
	if (r < 0)
		(void)unlink(part);
	(void)umask(mask);
	free(part);
	return r;
}
