/* A store in one file, and back. */
#include "check.h"

#include "base/fiber.h"
#include "base/fs.h"
#include "orchestrator/store/backup.h"
#include "orchestrator/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char dir[64];
struct paths { char *db, *pki, *file, *db2, *pki2; };
static struct paths at;

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/cd-test-backup-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	at = (struct paths){ str_fmt("%s/store.db", dir), str_fmt("%s/pki", dir), str_fmt("%s/backup", dir), str_fmt("%s/two.db", dir),
			     str_fmt("%s/two", dir) };
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	free(at.db);
	free(at.pki);
	free(at.file);
	free(at.db2);
	free(at.pki2);
	return tree_remove(dir, NULL);
}

static struct str trace;

static void put(struct store *st, const char *key, const char *value)
{
	AUTO(err) e = { 0 };

	if (st->ops->put(st, key, -1, sv_c(value), NULL, &e) < 0)
		str_addf(&trace, "%s\n", err_msg(&e));
}

static int note_kv(void *arg, const struct kv *kv)
{
	(void)arg;
	str_addf(&trace, "%s=%s@%" PRId64 "/%" PRId64 " ", kv->key, kv->value, kv->created, kv->modified);
	return 0;
}

static void note(int r, const struct err *e) { str_addf(&trace, "%s\n", r < 0 ? err_msg(e) : "good"); }

/* ---- */

static int make(void *arg)
{
	struct backup_facts facts;
	AUTO(err) e = { 0 };
	struct store *st = store_sqlite(fiber_loop(), at.db, &e);
	AUTO(str) path = { 0 };

	(void)arg;
	if (!st)
		return -1;
	str_addf(&path, "%s/ca.key", at.pki);
	if (dir_make(at.pki, 0700, &e) < 0 || file_write(str_c(&path), SV("the key\n"), 0600, &e) < 0)
		str_addf(&trace, "%s\n", err_msg(&e));
	put(st, "/a", "first of a");
	put(st, "/b", "of b, which goes");
	put(st, "/a", "second of a");
	if (st->ops->del(st, "/b", -1, NULL, &e) < 0)
		str_addf(&trace, "%s\n", err_msg(&e));
	put(st, "/c", "of c");
	if (backup_make(at.db, at.pki, at.file, &facts, &e) < 0)        /* while the store is open */
		str_addf(&trace, "%s\n", err_msg(&e));
	put(st, "/c", "later");
	str_addf(&trace, "%" PRId64 " objects at %" PRId64 "\n", facts.objects, facts.revision);
	note(store_check(at.db, &facts, &e), &e);
	st->ops->free(st);
	return 0;
}

static int restore(void *arg)
{
	struct backup_facts facts;
	AUTO(err) e = { 0 };
	AUTO(str) path = { 0 }, key = { 0 };
	struct store *st;

	(void)arg;
	note(backup_restore(at.file, at.db2, at.pki2, &facts, &e), &e);
	if (!(st = store_sqlite(fiber_loop(), at.db2, &e)))
		return -1;
	(void)!st->ops->range(st, "/", 0, note_kv, NULL, NULL, NULL);
	str_addf(&trace, "at %" PRId64 " ", st->ops->revision(st));
	put(st, "/d", "new");
	str_addf(&trace, "then %" PRId64 "\n", st->ops->revision(st));
	st->ops->free(st);
	str_addf(&path, "%s/ca.key", at.pki2);
	if (file_read(str_c(&path), 100, &key, &e) < 0)
		str_addf(&trace, "%s\n", err_msg(&e));
	str_addf(&trace, "%s", str_c(&key));
	note(backup_restore(at.file, at.db2, at.pki2, &facts, &e), &e);
	return 0;
}

static void expect(const char *want)
{
	char *got = str_take(&trace);

	assert_string_equal(got, want);
	free(got);
}

static void backup_of_an_open_store_comes_back(void **state)
{
	AUTO(str) twice = { 0 };

	(void)state;
	assert_int_equal(fiber_main(make, NULL), 0);
	expect("2 objects at 5\ngood\n");
	assert_int_equal(fiber_main(restore, NULL), 0);
	str_addf(&twice, "good\n/a=second of a@1/3 /c=of c@5/5 at 1000005 then 1000006\nthe key\n'%s' exists\n", at.db2);
	expect(str_c(&twice));
}

static void flip(const char *file, size_t where)
{
	FILE *f = fopen(file, "r+");
	int c;

	assert_non_null(f);
	assert_int_equal(fseek(f, (long)where, SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, (long)where, SEEK_SET), 0);
	assert_true(fputc(c ^ 1, f) != EOF);
	assert_int_equal(fclose(f), 0);
}

static void expect_damaged(const char *text)
{
	struct backup_facts facts;
	AUTO(str) all = { 0 };
	AUTO(err) e = { 0 };

	assert_ok(file_read(at.file, 1 << 20, &all, &e), &e);
	char *found = memmem(all.p, all.n, text, strlen(text));
	assert_non_null(found);
	flip(at.file, (size_t)(found - all.p));
	assert_int_equal(backup_check(at.file, &facts, &e), -ERR_INVALID);
	assert_int_equal(backup_restore(at.file, at.db2, at.pki2, &facts, &e), -ERR_INVALID);
	assert_false(path_exists(at.db2));
	flip(at.file, (size_t)(found - all.p));
	assert_ok(backup_check(at.file, &facts, &e), &e);
}

static void backup_that_was_changed_is_refused(void **state)
{
	struct backup_facts facts;
	AUTO(err) e = { 0 };

	(void)state;
	assert_int_equal(fiber_main(make, NULL), 0);
	str_free(&trace);
	expect_damaged("second of a");
	expect_damaged("the key");
	expect_damaged("/c");
	expect_damaged("timonier-backup");
	expect_damaged("SQLite format");
	assert_int_equal(backup_check(at.db, &facts, &e), -ERR_INVALID);
	assert_int_equal(backup_check("/nowhere", &facts, &e), -ERR_NOT_FOUND);
	assert_int_equal(backup_make(at.db, NULL, at.file, &facts, &e), -ERR_ALREADY_EXISTS);
}

static void backup_is_read_by_its_owner_alone(void **state)
{
	(void)state;
	assert_int_equal(fiber_main(make, NULL), 0);
	str_free(&trace);
	struct backup_facts facts;
	AUTO(err) e = { 0 };
	char *part = str_fmt("%s.part", at.file);
	struct stat st;

	assert_false(path_exists(part));
	assert_int_equal(stat(at.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_ok(backup_check(at.file, &facts, &e), &e);
	assert_true(facts.bytes > 0 && facts.made_ms > 0);
	free(part);
}

#define WITH_DIR(fn) cmocka_unit_test_setup_teardown(fn, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(backup_of_an_open_store_comes_back),
		WITH_DIR(backup_that_was_changed_is_refused),
		WITH_DIR(backup_is_read_by_its_owner_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
