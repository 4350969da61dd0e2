/* tests/unit/kube/fake-world.h - a fake cluster with controllers at work, for scripts of tests.
 *
 * A script runs in a fiber, where cmocka's assertions may not be used: EXPECT() notes the first thing that is not so and
 * leaves the script; world_run() fails the test with it. */
#pragma once

#include "kube/controller.h"
#include "kube/fake-client.h"

struct world {
	struct client *client;
	struct informers *informers;
	struct controller *controllers[8];
	size_t n;
	const struct controller_spec *const *specs;
	char *failure;          /* NULL: all is well */
	unsigned seed;          /* of this run: 0 without delays */
	int64_t pods_started;   /* by world_kubelet(), for their addresses */
};

/* Runs the script once without delays and then with `seeds` random ones. specs: NULL-terminated. */
void world_run(const struct controller_spec *const *specs, unsigned seeds, void (*script)(struct world *w));
/* All controllers and their copies end in the middle of whatever they do, and start anew. */
void world_restart(struct world *w);
/* Until nothing is written any more. */
void world_settle(struct world *w);
/* Like a node: starts pods (of any node and of none) that are not running, makes them ready, ends those that are being
 * deleted. How many changed. */
size_t world_kubelet(struct world *w);
/* The two in turn until nothing changes. */
void world_converge(struct world *w);

void world_fail(struct world *w, const char *file, int line, const char *fmt, ...) PRINTF(4, 5);
#define EXPECT(w, cond) do { if (!(cond)) { world_fail((w), __FILE__, __LINE__, "%s", #cond); return; } } while (0)
#define EXPECT_INT(w, got, want) do { \
	long long got_ = (got), want_ = (want); \
	if (got_ != want_) { world_fail((w), __FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_); return; } \
} while (0)
#define EXPECT_STR(w, got, want) do { \
	const char *got_ = (got), *want_ = (want); \
	if (!str_eq(got_, want_)) { \
		world_fail((w), __FILE__, __LINE__, "%s is '%s', not '%s'", #got, got_ ? got_ : "(null)", want_ ? want_ : "(null)"); \
		return; \
	} \
} while (0)

/* Readers of the live object; "" or 0 when it or the field is absent. */
const char *world_str(const struct world *w, const char *kind, const char *name, const char *path);
int64_t world_int(const struct world *w, const char *kind, const char *name, const char *path);
