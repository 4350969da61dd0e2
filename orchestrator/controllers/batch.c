#include "orchestrator/controllers/batch.h"

#include "base/fiber.h"

#include <stdlib.h>

struct batch { int (*fn)(void *, size_t, struct err *); void *arg; int result; struct err *err; };
struct call { struct batch *batch; size_t i; };

static void run(void *arg)
{
	struct call *call = arg;
	struct batch *b = call->batch;
	AUTO(err) err = { 0 };
	int r = b->fn(b->arg, call->i, &err);

	if (r >= 0 || b->result < 0)
		return;
	b->result = r;
	(void)err_move(b->err, &err);
}

static int run_some(struct batch *b, size_t from, size_t n)
{
	struct call *calls = calloc(n, sizeof *calls);
	struct fiber_group g;

	if (!calls)
		abort();
	fiber_group_init(&g, fiber_loop());
	for (size_t i = 0; i < n; i++) {
		calls[i] = (struct call){ b, from + i };
		fiber_group_start(&g, "batch", run, &calls[i]);
	}
	fiber_group_join(&g);
	free(calls);
	return b->result;
}

int batch_all(size_t n, int (*fn)(void *arg, size_t i, struct err *err), void *arg, struct err *err)
{
	struct batch b = { fn, arg, 0, err };

	return n ? run_some(&b, 0, n) : 0;
}

int batch_slowly(size_t n, int (*fn)(void *arg, size_t i, struct err *err), void *arg, struct err *err)
{
	struct batch b = { fn, arg, 0, err };

	for (size_t done = 0, size = 1; done < n; done += size, size *= 2) {
		if (size > n - done)
			size = n - done;
		TRY(run_some(&b, done, size));
	}
	return 0;
}
