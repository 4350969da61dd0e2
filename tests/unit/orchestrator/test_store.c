/* The same questions to every implementation of the store; each scenario writes what it saw into a trace. */
#include "check.h"

#include "base/fiber.h"
#include "base/fs.h"
#include "orchestrator/store/store.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct ctx {
	bool sqlite;
	char dir[64], path[96];
	struct store *st;
	struct str trace;
	void (*scenario)(struct ctx *c);
};

static struct store *open_store(struct ctx *c, struct err *err)
{
	return c->sqlite ? store_sqlite(fiber_loop(), c->path, err) : store_memory(fiber_loop());
}

static int in_fiber(void *arg)
{
	struct ctx *c = arg;
	AUTO(err) err = { 0 };

	if (!(c->st = open_store(c, &err))) {
		str_addf(&c->trace, "open: %s", err_msg(&err));
		return -1;
	}
	c->scenario(c);
	if (c->st)
		c->st->ops->free(c->st);
	return 0;
}

static void files_make(struct ctx *c)
{
	strncpy(c->dir, "/tmp/cd-test-store-XXXXXX", sizeof c->dir - 1);
	assert_non_null(mkdtemp(c->dir));
	snprintf(c->path, sizeof c->path, "%s/store.db", c->dir);
}

static void files_remove(struct ctx *c)
{
	const char *const ends[] = { "", "-wal", "-shm", ".lock" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		char *p = str_fmt("%s%s", c->path, ends[i]);

		unlink(p);
		free(p);
	}
	rmdir(c->dir);
}

static void expect(void **state, void (*scenario)(struct ctx *), const char *want)
{
	struct ctx c = { .sqlite = !strcmp(*state, "sqlite"), .scenario = scenario };

	files_make(&c);
	fiber_main(in_fiber, &c);
	files_remove(&c);
	char *got = str_take(&c.trace);
	assert_string_equal(got, want);
	free(got);
}

/* ---- steps that note what they saw ---- */

static void put(struct ctx *c, const char *key, int64_t expected, const char *value)
{
	AUTO(err) err = { 0 };
	int64_t rev = 0;
	int r = c->st->ops->put(c->st, key, expected, sv_c(value), &rev, &err);

	if (r < 0)
		str_addf(&c->trace, "%s ", err_reason((enum err_code)-r));
	else
		str_addf(&c->trace, "%" PRId64 " ", rev);
}

static void del(struct ctx *c, const char *key, int64_t expected)
{
	AUTO(err) err = { 0 };
	int64_t rev = 0;
	int r = c->st->ops->del(c->st, key, expected, &rev, &err);

	if (r < 0)
		str_addf(&c->trace, "%s ", err_reason((enum err_code)-r));
	else
		str_addf(&c->trace, "x%" PRId64 " ", rev);
}

static void get(struct ctx *c, const char *key)
{
	AUTO(err) err = { 0 };
	AUTO(kv) kv = { 0 };
	int r = c->st->ops->get(c->st, key, &kv, &err);

	if (r < 0)
		str_addf(&c->trace, "%s ", err_reason((enum err_code)-r));
	else
		str_addf(&c->trace, "%s=%.*s@%" PRId64 "/%" PRId64 " ", kv.key, (int)kv.value_n, kv.value, kv.created,
			 kv.modified);
}

static int note_kv(void *arg, const struct kv *kv)
{
	struct ctx *c = arg;

	str_addf(&c->trace, "%s=%.*s@%" PRId64 " ", kv->key, (int)kv->value_n, kv->value, kv->modified);
	return 0;
}

static void range(struct ctx *c, const char *prefix, int64_t at)
{
	AUTO(err) err = { 0 };
	int64_t rev = 0;
	int r = c->st->ops->range(c->st, prefix, at, note_kv, c, &rev, &err);

	if (r < 0)
		str_addf(&c->trace, "%s ", err_reason((enum err_code)-r));
	else
		str_addf(&c->trace, "at %" PRId64 " ", rev);
}

static void note_event(void *arg, const struct store_event *e)
{
	struct ctx *c = arg;

	str_addf(&c->trace, "[%s%s=" SV_FMT "@%" PRId64 "] ", e->type == STORE_DELETE ? "-" : "", e->key,
		 SV_ARG(e->value), e->revision);
}

static void subscribe(struct ctx *c, int64_t from)
{
	AUTO(err) err = { 0 };
	int r = c->st->ops->subscribe(c->st, from, note_event, c, &err);

	if (r < 0)
		str_addf(&c->trace, "%s ", err_reason((enum err_code)-r));
}

static void compact(struct ctx *c, int64_t before)
{
	AUTO(err) err = { 0 };
	int r = c->st->ops->compact(c->st, before, &err);

	if (r < 0)
		str_addf(&c->trace, "%s ", err_reason((enum err_code)-r));
}

/* ---- compare and swap ---- */

static void swaps(struct ctx *c)
{
	put(c, "/a", 0, "one");
	put(c, "/a", 0, "two");
	put(c, "/a", 7, "two");
	put(c, "/a", 1, "two");
	put(c, "/a", -1, "three");
	get(c, "/a");
	get(c, "/b");
	put(c, "/b", 3, "x");
	del(c, "/b", -1);
	del(c, "/a", 1);
	del(c, "/a", 3);
	get(c, "/a");
	put(c, "/a", 0, "again");
	get(c, "/a");
}

static void store_put_with_stale_revision_is_conflict(void **state)
{
	expect(state, swaps,
	       "1 AlreadyExists Conflict 2 3 /a=three@1/3 NotFound Conflict NotFound Conflict x4 NotFound 5 "
	       "/a=again@5/5 ");
}

static void lists(struct ctx *c)
{
	put(c, "/r/b/2", 0, "b2");
	put(c, "/r/a/1", 0, "a1");
	put(c, "/r/a/10", 0, "a10");
	put(c, "/r/ab/1", 0, "ab1");
	put(c, "/r/a/1", -1, "a1'");
	del(c, "/r/a/10", -1);
	c->trace.n = 0;
	range(c, "/r/a/", 0);
	str_addc(&c->trace, "| ");
	range(c, "/r/", 0);
	str_addc(&c->trace, "| ");
	range(c, "/r/a/", 4);
	str_addc(&c->trace, "| ");
	range(c, "/r/a/", 99);
}

static void store_range_gives_a_prefix_in_order_at_a_revision(void **state)
{
	expect(state, lists, "/r/a/1=a1'@5 at 6 | /r/a/1=a1'@5 /r/ab/1=ab1@4 /r/b/2=b2@1 at 6 | "
	       "/r/a/1=a1@2 /r/a/10=a10@3 at 4 | BadRequest ");
}

/* ---- concurrent writers ---- */

struct racer { struct ctx *c; int64_t expected; const char *value; };

static void race(void *arg)
{
	struct racer *r = arg;

	put(r->c, "/a", r->expected, r->value);
}

static void races(struct ctx *c)
{
	struct racer v[] = { { c, 0, "x" }, { c, 0, "y" }, { c, -1, "z" }, { c, 1, "w" } };
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	for (size_t i = 0; i < 4; i++)
		fiber_group_start(&g, "racer", race, &v[i]);
	fiber_group_join(&g);
	get(c, "/a");
	str_addf(&c->trace, "newest %" PRId64, c->st->ops->revision(c->st));
}

/* All four start in one turn. The first creates; the others are judged one after the other by what came before. */
static void store_writers_of_one_key_follow_one_another(void **state)
{
	struct ctx c = { .sqlite = !strcmp(*state, "sqlite"), .scenario = races };

	files_make(&c);
	fiber_main(in_fiber, &c);
	files_remove(&c);
	assert_non_null(strstr(str_c(&c.trace), "AlreadyExists"));
	/* "w" wants revision 1: it wins before "z", or is in conflict after it */
	assert_true(!!strstr(str_c(&c.trace), "Conflict") != !!strstr(str_c(&c.trace), "newest 3"));
	str_free(&c.trace);
}

static void cancels_late(void *arg) { race(arg); }

static void canceled(struct ctx *c)
{
	struct racer r = { c, 0, "x" };
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "writer", cancels_late, &r);
	(void)fiber_yield();
	fiber_group_cancel(&g);
	fiber_group_join(&g);
	get(c, "/a");
}

static void store_write_under_way_is_not_torn_by_cancel(void **state)
{
	expect(state, canceled, "1 /a=x@1/1 ");
}

/* ---- events ---- */

static void events(struct ctx *c)
{
	put(c, "/a", 0, "1");
	put(c, "/b", 0, "2");
	subscribe(c, 1);
	put(c, "/a", -1, "3");
	del(c, "/b", -1);
	c->st->ops->unsubscribe(c->st, note_event, c);
	put(c, "/a", -1, "4");
	subscribe(c, 99);
}

static void store_subscriber_sees_the_past_then_each_write_once(void **state)
{
	expect(state, events, "1 2 [/b=2@2] [/a=3@3] 3 [-/b=@4] x4 5 BadRequest ");
}

static void compactions(struct ctx *c)
{
	put(c, "/a", 0, "1");
	put(c, "/a", -1, "2");
	put(c, "/b", 0, "3");
	del(c, "/b", -1);
	put(c, "/a", -1, "5");
	c->trace.n = 0;
	compact(c, 4);
	range(c, "/", 4);
	range(c, "/", 0);
	range(c, "/", 3);
	subscribe(c, 3);
	subscribe(c, 4);
	compact(c, 2);
	compact(c, 77);
}

static void store_compaction_keeps_the_state_and_expires_the_past(void **state)
{
	expect(state, compactions, "/a=2@2 at 4 /a=5@5 at 5 Expired Expired [/a=5@5] BadRequest ");
}

/* ---- restart ---- */

static void reopen(struct ctx *c)
{
	AUTO(err) err = { 0 };

	c->st->ops->free(c->st);
	if (!(c->st = open_store(c, &err)))
		str_addf(&c->trace, "%s", err_msg(&err));
}

static void restarts(struct ctx *c)
{
	put(c, "/a", 0, "1");
	put(c, "/b", 0, "2");
	del(c, "/b", -1);
	reopen(c);
	range(c, "/", 0);
	subscribe(c, 1);
	put(c, "/a", 9, "x");
	put(c, "/a", 1, "4");
	del(c, "/a", -1);
	compact(c, 5);
	reopen(c);
	range(c, "/", 0);
	subscribe(c, 4);
	put(c, "/a", 0, "6");
}

static void store_restart_keeps_state_revision_and_history(void **state)
{
	expect(state, restarts, "1 2 x3 /a=1@1 at 3 [/b=2@2] [-/b=@3] Conflict [/a=4@4] 4 [-/a=@5] x5 at 5 Expired 6 ");
}

static void opens_in_a_child(struct ctx *c)
{
	AUTO(err) err = { 0 };
	int status = 0;
	pid_t child = fork();

	if (!child)
		_exit(open_store(c, &err) ? 0 : (int)err.code);
	waitpid(child, &status, 0);
	str_addf(&c->trace, "%s", err_reason((enum err_code)WEXITSTATUS(status)));
}

static void store_open_in_another_process_is_conflict(void **state) { expect(state, opens_in_a_child, "Conflict"); }

static void damages(struct ctx *c)
{
	AUTO(str) big = { 0 };
	AUTO(err) err = { 0 };

	memset(str_room(&big, 100000), 'x', 100000);
	big.n = 100000;
	put(c, "/a", 0, str_c(&big));
	c->st->ops->free(c->st);
	FILE *f = fopen(c->path, "r+");
	fseek(f, 4096, SEEK_SET);
	fwrite(str_c(&big), 1, 8192, f);
	fclose(f);
	c->trace.n = 0;
	if (!(c->st = open_store(c, &err)))
		str_addf(&c->trace, "%s %d", err_reason(err.code), strstr(err_msg(&err), "is damaged") != NULL);
}

static void store_damaged_file_is_refused(void **state) { expect(state, damages, "Invalid 1"); }

static void peeks_at_mode(struct ctx *c)
{
	struct stat st;

	if (!stat(c->path, &st))
		str_addf(&c->trace, "%o", st.st_mode & 0777);
}

static void store_file_is_private(void **state) { expect(state, peeks_at_mode, "600"); }

/* ---- a full disk ---- */

enum { CHUNK = 64 << 10 };

static void fills(struct ctx *c)
{
	char *big = calloc(1, CHUNK);
	AUTO(err) err = { 0 };
	char key[32];
	int64_t rev = 0, newest;
	int r = 0, n = 0;

	memset(big, 'v', CHUNK);
	for (; n < 1000 && r >= 0; n++) {
		snprintf(key, sizeof key, "/k/%d", n);
		newest = rev;
		r = c->st->ops->put(c->st, key, 0, (struct sv){ big, CHUNK }, &rev, &err);
	}
	str_addf(&c->trace, "%s ", err_reason((enum err_code)-r));
	if (n < 3 || c->st->ops->revision(c->st) != newest)
		str_addc(&c->trace, "wrong revision ");
	get(c, key);                            /* what failed is not there */
	put(c, "/k/0", 999, "x");               /* and the state is that of before */
	c->st->ops->compact(c->st, newest, NULL);
	for (int i = 0; i < n - 1; i++) {       /* reads go on; what was acknowledged is there */
		AUTO(kv) kv = { 0 };

		snprintf(key, sizeof key, "/k/%d", i);
		if (c->st->ops->get(c->st, key, &kv, NULL) || kv.value_n != CHUNK)
			str_addf(&c->trace, "lost %d ", i);
	}
	free(big);
}

/* In a child with a mount namespace of its own: a file system of 2 MB. */
static int on_small_disk(struct ctx *c)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", c->dir, "tmpfs", 0, "size=2m"))
		return 77;
	fiber_main(in_fiber, c);
	return strcmp(str_c(&c->trace), "InsufficientStorage NotFound Conflict ")
	       ? fprintf(stderr, "%s\n", str_c(&c->trace)),
	       1 : 0;
}

static void store_full_disk_fails_the_write_and_nothing_else(void **state)
{
	struct ctx c = { .sqlite = !strcmp(*state, "sqlite"), .scenario = fills };
	int status;

	files_make(&c);
	pid_t pid = fork();
	if (!pid)
		_exit(on_small_disk(&c));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	files_remove(&c);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();         /* needs root for a mount namespace */
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- kill -9 ---- */

enum { KEYS = 8, ROUNDS = 24 };

struct batch_writer { struct ctx *c; int key; int64_t n; int result; };

static void write_one(void *arg)
{
	struct batch_writer *w = arg;
	char key[32], value[32];

	snprintf(key, sizeof key, "/k/%d", w->key);
	snprintf(value, sizeof value, "%" PRId64, w->n);
	w->result = w->c->st->ops->put(w->c->st, key, -1, sv_c(value), NULL, NULL);
}

static int batch_fd;            /* of the child: where acknowledged numbers go */
static int64_t batch_from;

static void writes_batches(struct ctx *c)
{
	struct batch_writer w[KEYS];
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	for (int64_t n = batch_from + 1;; n++) {
		for (int k = 0; k < KEYS; k++) {
			w[k] = (struct batch_writer){ c, k, n, -1 };
			fiber_group_start(&g, "writer", write_one, &w[k]);
		}
		fiber_group_join(&g);
		for (int k = 0; k < KEYS; k++)
			if (w[k].result < 0)
				_exit(3);
		if (write(batch_fd, &n, sizeof n) != sizeof n)
			_exit(4);
		if (n % 50 == 0 && c->st->ops->compact(c->st, c->st->ops->revision(c->st), NULL) < 0)
			_exit(5);
	}
}

static int note_value(void *arg, const struct kv *kv)
{
	int64_t *v = arg, n = strtoll(kv->value, NULL, 10);

	v[0] = v[2] ? n < v[0] ? n : v[0] : n;
	v[1] = n > v[1] ? n : v[1];
	v[2]++;
	return 0;
}

static void reads_batch(struct ctx *c)
{
	int64_t v[3] = { 0 };   /* least, most, how many */

	c->st->ops->range(c->st, "/k/", 0, note_value, v, NULL, NULL);
	str_addf(&c->trace, "%" PRId64 " %" PRId64 " %" PRId64, v[0], v[1], v[2]);
}

/* Runs a writer until it has acknowledged `least` batches and some microseconds more; returns the last acknowledged
 * one. */
static int64_t kill_a_writer(struct ctx *c, int64_t from, int64_t least, unsigned after_us)
{
	int64_t last = from, n;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (!pid) {
		close(fds[0]);
		batch_fd = fds[1];
		batch_from = from;
		c->scenario = writes_batches;
		fiber_main(in_fiber, c);
		_exit(2);
	}
	close(fds[1]);
	while (last < from + least && read(fds[0], &n, sizeof n) == sizeof n)
		last = n;
	nanosleep(&(struct timespec){ 0, (long)after_us * 1000 }, NULL);
	kill(pid, SIGKILL);
	while (read(fds[0], &n, sizeof n) == sizeof n)
		last = n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(last >= from + least);
	return last;
}

static void store_killed_writer_loses_nothing_acknowledged(void **state)
{
	struct ctx c = { .sqlite = !strcmp(*state, "sqlite") };
	unsigned seed = 20241121;
	int64_t at = 0;

	files_make(&c);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t least, most, n,
			acked = kill_a_writer(&c, at, 1 + rand_r(&seed) % 20, (unsigned)rand_r(&seed) % 3000);

		c.scenario = reads_batch;
		c.trace.n = 0;
		fiber_main(in_fiber, &c);
		assert_int_equal(sscanf(str_c(&c.trace), "%" SCNd64 " %" SCNd64 " %" SCNd64, &least, &most, &n), 3);
		assert_int_equal(n, KEYS);
		assert_int_equal(least, most);                  /* no batch is torn */
		assert_in_range(least, acked,
				acked + 1); /* nothing acknowledged is missing; one may have been under way */
		at = least;
	}
	files_remove(&c);
	str_free(&c.trace);
}

/* ---- counters: every increment is a compare-and-swap, so none may be lost and none come twice ---- */

enum { COUNTERS = 3, COUNTING = 8, COUNT_ROUNDS = 10, COUNT_MAX = 100000 };

struct acked { int counter; int64_t n; };

static void counts(void *arg)
{
	struct ctx *c = arg;
	unsigned seed = (unsigned)(uintptr_t)fiber_self();

	for (;;) {
		struct acked a = { .counter = rand_r(&seed) % COUNTERS };
		AUTO(kv) now = { 0 };
		char key[32], value[32];

		snprintf(key, sizeof key, "/n/%d", a.counter);
		int64_t have = c->st->ops->get(c->st, key, &now, NULL) < 0 ? 0 : now.modified;
		a.n = (have ? strtoll(now.value, NULL, 10) : 0) + 1;
		snprintf(value, sizeof value, "%" PRId64, a.n);
		int r = c->st->ops->put(c->st, key, have, sv_c(value), NULL, NULL);
		if (!r && write(batch_fd, &a, sizeof a) != sizeof a)
			_exit(4);
		if (r && r != -ERR_CONFLICT && r != -ERR_ALREADY_EXISTS)
			_exit(3);
	}
}

static void counts_together(struct ctx *c)
{
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	for (int i = 0; i < COUNTING; i++)
		fiber_group_start(&g, "counter", counts, c);
	fiber_group_join(&g);
}

static void reads_counters(struct ctx *c)
{
	for (int i = 0; i < COUNTERS; i++) {
		AUTO(kv) now = { 0 };
		char key[32];

		snprintf(key, sizeof key, "/n/%d", i);
		(void)c->st->ops->get(c->st, key, &now, NULL);
		str_addf(&c->trace, "%s ", now.value ? now.value : "0");
	}
}

static void take_acks(int fd, unsigned char *seen, size_t least)
{
	struct acked a;

	for (size_t i = 0; (!least || i < least) && read(fd, &a, sizeof a) == sizeof a; i++) {
		assert_in_range(a.n, 1, COUNT_MAX - 1);
		assert_int_equal(seen[a.counter * COUNT_MAX + a.n]++, 0);       /* nobody else was told the same */
	}
}

static void count_until_killed(struct ctx *c, unsigned char *seen, unsigned after)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (!pid) {
		close(fds[0]);
		batch_fd = fds[1];
		c->scenario = counts_together;
		fiber_main(in_fiber, c);
		_exit(2);
	}
	close(fds[1]);
	take_acks(fds[0], seen, after);
	kill(pid, SIGKILL);
	take_acks(fds[0], seen, 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void store_increments_are_not_lost_over_kills(void **state)
{
	struct ctx c = { .sqlite = !strcmp(*state, "sqlite") };
	unsigned char *seen = calloc(COUNTERS, COUNT_MAX);
	int64_t end[COUNTERS];
	unsigned seed = 7;

	files_make(&c);
	for (int round = 0; round < COUNT_ROUNDS; round++)
		count_until_killed(&c, seen, 20 + (unsigned)rand_r(&seed) % 300);
	c.scenario = reads_counters;
	fiber_main(in_fiber, &c);
	assert_int_equal(sscanf(str_c(&c.trace), "%" SCNd64 " %" SCNd64 " %" SCNd64, &end[0], &end[1], &end[2]),
			 COUNTERS);
	int untold = 0;
	for (int i = 0; i < COUNTERS; i++)
		for (int64_t n = 1; n < COUNT_MAX; n++) {
			if (seen[i * COUNT_MAX + n])
				assert_true(n <= end[i]);               /* what was told is there */
			else if (n <= end[i])
				untold++;
		}
	assert_in_range(untold, 0, COUNT_ROUNDS * COUNTING);            /* written, and killed before it was told */
	files_remove(&c);
	str_free(&c.trace);
	free(seen);
}

#define MEMORY(fn) { #fn " (memory)", fn, NULL, NULL, (char[]){ "memory" } }
#define SQLITE(fn) { #fn " (sqlite)", fn, NULL, NULL, (char[]){ "sqlite" } }
#define BOTH(fn) MEMORY(fn), SQLITE(fn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(store_put_with_stale_revision_is_conflict),
		BOTH(store_range_gives_a_prefix_in_order_at_a_revision),
		BOTH(store_writers_of_one_key_follow_one_another),
		BOTH(store_write_under_way_is_not_torn_by_cancel),
		BOTH(store_subscriber_sees_the_past_then_each_write_once),
		BOTH(store_compaction_keeps_the_state_and_expires_the_past),
		SQLITE(store_restart_keeps_state_revision_and_history),
		SQLITE(store_open_in_another_process_is_conflict),
		SQLITE(store_damaged_file_is_refused),
		SQLITE(store_file_is_private),
		SQLITE(store_full_disk_fails_the_write_and_nothing_else),
		SQLITE(store_killed_writer_loses_nothing_acknowledged),
		SQLITE(store_increments_are_not_lost_over_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
