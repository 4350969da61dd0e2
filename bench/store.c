/* Durable writes a second with 1, 16 and 64 writers, beside the disk's own fdatasync. bench_store [DIR] */
#include "base/fiber.h"
#include "orchestrator/store/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VALUE = 3000, KEYS = 10000, RUN_MS = 1500 };

struct bench { const char *dir; struct store *st; int64_t until_ns, writes; int failed; };
struct writer { struct bench *b; unsigned seed; };

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void writes(void *arg)
{
	struct writer *w = arg;
	char value[VALUE], key[64];

	memset(value, 'v', sizeof value);
	while (now_ns() < w->b->until_ns) {
		snprintf(key, sizeof key, "/registry/core/pods/default/pod-%d", rand_r(&w->seed) % KEYS);
		if (w->b->st->ops->put(w->b->st, key, -1, (struct sv){ value, sizeof value }, NULL, NULL) < 0)
			w->b->failed++;
		w->b->writes++;
	}
}

static void measure(struct bench *b, int n)
{
	struct writer *v = calloc((size_t)n, sizeof *v);
	struct fiber_group g;
	int64_t start = now_ns();

	b->writes = 0;
	b->until_ns = start + RUN_MS * 1000000ll;
	fiber_group_init(&g, fiber_loop());
	for (int i = 0; i < n; i++) {
		v[i] = (struct writer){ b, (unsigned)i + 1 };
		fiber_group_start(&g, "writer", writes, &v[i]);
	}
	fiber_group_join(&g);
	double s = (double)(now_ns() - start) / 1e9;
	printf("  %3d writers: %8.0f writes/s, %6.0f us a write%s\n", n, (double)b->writes / s,
	       s * 1e6 * n / (double)b->writes, b->failed ? ", SOME FAILED" : "");
	free(v);
}

/* The floor: what one append and sync of the same bytes takes here. */
static void measure_disk(const char *path)
{
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char value[VALUE] = { 0 };
	int64_t start = now_ns();
	int n = 0;

	for (; now_ns() - start < 500000000; n++)
		if (pwrite(fd, value, sizeof value, (off_t)(n % 1000) * VALUE) < 0 || fdatasync(fd))
			return;
	printf("  disk alone : %8.0f synced writes/s, %6.0f us a write\n", n / 0.5, 5e5 / n);
}

static int run(void *arg)
{
	struct bench *b = arg;
	AUTO(err) err = { 0 };
	char *path = str_fmt("%s/store.db", b->dir), *probe = str_fmt("%s/probe", b->dir);

	if ((b->st = store_sqlite(fiber_loop(), path, &err))) {
		measure_disk(probe);
		for (int n = 1; n <= 256; n *= n < 64 ? (n == 1 ? 16 : 4) : 4)
			measure(b, n);
		int64_t start = now_ns();
		(void)b->st->ops->compact(b->st, b->st->ops->revision(b->st), NULL);
		printf("  compaction of %" PRId64 " revisions: %.0f ms\n", b->st->ops->revision(b->st),
		       (double)(now_ns() - start) / 1e6);
		b->st->ops->free(b->st);
	} else {
		fprintf(stderr, "%s\n", err_msg(&err));
	}
	free(path);
	free(probe);
	return b->st ? 0 : 1;
}

int main(int argc, char **argv)
{
	char dir[] = "./bench-store-XXXXXX";
	struct bench b = { .dir = argc > 1 ? argv[1] : mkdtemp(dir) };

	if (!b.dir)
		return 1;
	printf("store: durable writes of %d bytes over %d keys (SQLite, WAL, synchronous=FULL)\n", VALUE, KEYS);
	int r = fiber_main(run, &b);
	const char *const made[] = { "store.db", "store.db-wal", "store.db-shm", "store.db.lock", "probe" };
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		char *p = str_fmt("%s/%s", b.dir, made[i]);

		unlink(p);
		free(p);
	}
	if (argc == 1)
		rmdir(b.dir);
	return r;
}
