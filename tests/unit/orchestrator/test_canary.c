#include "check.h"

#include "orchestrator/controllers/rollout/replicas.h"

/* Every small Rollout from every stable start: the pods of the new version come up, one at a time or all at once. */
struct world { struct canary c; struct rolling_set new, stable, older; bool adopted; };

static void fail_at(const struct world *w, const char *what)
{
	fail_msg("replicas %d surge %d unavailable %d weight %d: %s with new %d/%d stable %d/%d older %d/%d", (int)w->c.limits.replicas,
		 (int)w->c.limits.max_surge, (int)w->c.limits.max_unavailable, (int)w->c.weight, what, (int)w->new.available,
		 (int)w->new.spec, (int)w->stable.available, (int)w->stable.spec, (int)w->older.available, (int)w->older.spec);
}

static int64_t specs(const struct world *w) { return w->new.spec + w->stable.spec + w->older.spec; }
static int64_t available(const struct world *w) { return w->new.available + w->stable.available + w->older.available; }

static void resize(struct rolling_set *s, int64_t to)
{
	s->spec = to;
	if (s->available > to)
		s->available = to;
}

/* One pass of the controller on counts that were read together. */
static bool pass(struct world *w)
{
	struct world was = *w;
	int64_t new_to, stable_to, older_to;

	canary_move(&w->c, &was.new, &was.stable, was.older.spec, &new_to, &stable_to);
	canary_drain(&w->c, &was.new, &was.stable, &was.older, 1, &older_to);
	if (new_to < 0 || stable_to < 0 || older_to < 0 || older_to > was.older.spec)
		fail_at(w, "a count out of range");
	resize(&w->new, new_to);
	resize(&w->stable, stable_to);
	resize(&w->older, older_to);
	return new_to != was.new.spec || stable_to != was.stable.spec || older_to != was.older.spec;
}

static void grow(struct rolling_set *s, int64_t step) { s->available = s->available + step < s->spec ? s->available + step : s->spec; }

/* Goes on until nothing moves; what is reached must be the counts that the weight asks for. */
static void settle(struct world *w, int64_t step)
{
	int64_t floor = w->c.limits.replicas - w->c.limits.max_unavailable, canary, stable;
	int64_t ceiling = w->c.limits.replicas + w->c.limits.max_surge;
	bool above = available(w) >= floor, below = specs(w) <= ceiling;

	for (int passes = 0; passes < 400; passes++) {
		bool moved = pass(w);

		if (below && specs(w) > ceiling)
			fail_at(w, "above the ceiling");
		if (above && available(w) < floor)
			fail_at(w, "below the floor");
		if (!moved && w->new.available == w->new.spec && w->stable.available == w->stable.spec && w->older.available == w->older.spec) {
			canary_split(&w->c, &canary, &stable);
			if (w->new.spec != canary || w->stable.spec != stable || w->older.spec)
				fail_at(w, "stuck");
			return;
		}
		grow(&w->new, step);
		grow(&w->stable, step);
		grow(&w->older, step);
		above |= available(w) >= floor;
		below |= specs(w) <= ceiling;
	}
	fail_at(w, "without end");
}

static void go(struct rolling limits, int64_t weight, int64_t step)
{
	struct world w = { .c = { limits, weight, 100 }, .stable = { limits.replicas, limits.replicas, 0 } };

	settle(&w, step);
	w.c.weight = weight / 2 + 50;           /* on */
	settle(&w, step);
	w.c.weight = 0;                         /* abort: all is stable again */
	settle(&w, step);
	if (w.new.spec || w.stable.spec != limits.replicas)
		fail_at(&w, "an abort did not return to stable");
	w.older = (struct rolling_set){ w.new.spec, w.new.available, 0 };
	w.c.weight = weight;
	settle(&w, step);
	w.older = w.new;                        /* another version comes in the middle */
	w.new = (struct rolling_set){ 0, 0, 0 };
	settle(&w, step);
	w.c.weight = 100;
	settle(&w, step);
}

static void canary_keeps_floor_and_ceiling_in_all_small_cases(void **state)
{
	(void)state;
	for (int64_t n = 1; n <= 10; n++)
		for (int64_t surge = 0; surge <= n; surge++)
			for (int64_t gone = surge ? 0 : 1; gone <= n; gone++)
				for (int64_t weight = 0; weight <= 100; weight++) {
					struct rolling limits = { n, surge, gone };

					go(limits, weight, 1);
					go(limits, weight, 100);
				}
}

/* ---- from every state ---- */

static void expect_abort(struct world w)
{
	for (int64_t step = 1; step <= 100; step += 99) {
		struct world x = w;

		settle(&x, step);
		if (x.new.spec || x.stable.spec != w.c.limits.replicas)
			fail_at(&w, "an abort did not return to stable");
	}
}

/* All counts of pods that the sets can have under these limits, available or not; `stride`: of how many one is looked at. */
static void each_health(struct world w, int64_t stride, void (*fn)(struct world w))
{
	for (int64_t new = 0; new <= w.new.spec; new += stride)
		for (int64_t stable = 0; stable <= w.stable.spec; stable += stride)
			for (int64_t older = 0; older <= w.older.spec; older += stride) {
				w.new.available = w.new.spec - new;
				w.stable.available = w.stable.spec - stable;
				w.older.available = w.older.spec - older;
				fn(w);
			}
}

static void each_state(struct rolling limits, int64_t weight, int64_t most_older, int64_t stride, void (*fn)(struct world w))
{
	struct world w = { .c = { limits, weight, 100 } };

	for (w.older.spec = 0; w.older.spec <= most_older; w.older.spec++)
		for (w.new.spec = 0; w.new.spec <= limits.replicas; w.new.spec++)
			for (w.stable.spec = 0; w.stable.spec <= limits.replicas; w.stable.spec++)
				if (specs(&w) <= limits.replicas + limits.max_surge)
					each_health(w, stride, fn);
}

static void each_limit(int64_t from, int64_t to, int64_t weight, int64_t most_older, int64_t stride, void (*fn)(struct world w))
{
	for (int64_t n = from; n <= to; n++)
		for (int64_t surge = 0; surge <= n; surge++)
			for (int64_t gone = surge ? 0 : 1; gone <= n; gone++)
				each_state((struct rolling){ n, surge, gone }, weight, most_older, stride, fn);
}

/* Whatever weight led there: an abort is weight 0. */
static void canary_abort_returns_to_stable_from_every_state(void **state)
{
	(void)state;
	each_limit(1, 5, 0, 5, 1, expect_abort);
	each_limit(6, 10, 0, 0, 1, expect_abort);
}

static void expect_settled(struct world w) { settle(&w, 1); }

static void canary_reaches_every_weight_from_every_state(void **state)
{
	(void)state;
	for (int64_t weight = 0; weight <= 100; weight++) {
		each_limit(1, 4, weight, 1, 1, expect_settled);
		each_limit(5, 10, weight, 0, 5, expect_settled);
	}
}

/* Limits in per cent are one of the numbers that are tried above. */
static void canary_limits_in_per_cent_are_numbers_from_0_to_replicas(void **state)
{
	(void)state;
	for (int64_t n = 1; n <= 10; n++)
		for (int surge = 0; surge <= 100; surge++)
			for (int gone = 0; gone <= 100; gone++) {
				AUTO_DOC d = doc_new();
				struct rolling r;

				assert_ok(rolling_read(&r, n, node_strf(d, "%d%%", surge), node_strf(d, "%d%%", gone), "25%", NULL), NULL);
				assert_int_equal(r.replicas, n);
				assert_int_equal(r.max_surge, (n * surge + 99) / 100);
				assert_true(r.max_surge >= 0 && r.max_surge <= n);
				assert_true(r.max_unavailable >= !r.max_surge && r.max_unavailable <= n);
			}
}

static void expect_split(int64_t n, int64_t surge, int64_t weight, int64_t want_canary, int64_t want_stable)
{
	struct canary c = { { n, surge, surge ? 0 : 1 }, weight, 100 };
	int64_t canary, stable;

	canary_split(&c, &canary, &stable);
	assert_int_equal(canary, want_canary);
	assert_int_equal(stable, want_stable);
}

static void canary_split_comes_nearest_to_the_weight(void **state)
{
	(void)state;
	expect_split(10, 1, 10, 1, 9);
	expect_split(10, 3, 30, 3, 7);
	expect_split(1, 1, 5, 1, 1);
	expect_split(1, 1, 95, 1, 1);
	expect_split(1, 0, 5, 0, 1);
	expect_split(1, 0, 95, 1, 0);
	expect_split(0, 1, 50, 0, 0);
	expect_split(4, 0, 50, 2, 2);
	expect_split(5, 0, 50, 3, 2);           /* a tie: the larger canary */
	expect_split(10, 0, 1, 1, 9);           /* never nothing */
	expect_split(10, 0, 99, 9, 1);          /* never everything */
	expect_split(10, 0, 100, 10, 0);
}

static void expect_move(struct rolling limits, int64_t weight, struct rolling_set new, struct rolling_set stable, int64_t want_new,
			int64_t want_stable)
{
	struct canary c = { limits, weight, 100 };
	int64_t new_to, stable_to;

	canary_move(&c, &new, &stable, 0, &new_to, &stable_to);
	assert_int_equal(new_to, want_new);
	assert_int_equal(stable_to, want_stable);
}

static void canary_moves_as_far_as_surge_and_unavailable_allow(void **state)
{
	(void)state;
	expect_move((struct rolling){ 10, 1, 1 }, 10, (struct rolling_set){ 0, 0, 0 }, (struct rolling_set){ 10, 10, 0 }, 1, 9);
	expect_move((struct rolling){ 10, 3, 0 }, 30, (struct rolling_set){ 0, 0, 0 }, (struct rolling_set){ 10, 10, 0 }, 3, 10);
	expect_move((struct rolling){ 10, 3, 0 }, 30, (struct rolling_set){ 3, 3, 0 }, (struct rolling_set){ 10, 10, 0 }, 3, 7);
	expect_move((struct rolling){ 10, 0, 5 }, 30, (struct rolling_set){ 0, 0, 0 }, (struct rolling_set){ 10, 10, 0 }, 0, 7);
}

static void canary_routed_has_pods_for_its_weight_and_a_whole_stable(void **state)
{
	struct routed r = { .replicas = 10, .weight = 25, .max_weight = 100, .actual = 10, .explicit_canary = -1, .scale_weight = -1 };
	int64_t canary, stable;

	(void)state;
	routed_split(&r, &canary, &stable);
	assert_int_equal(canary, 3);
	assert_int_equal(stable, 10);
	r.min_pods = 5;
	routed_split(&r, &canary, &stable);
	assert_int_equal(canary, 5);
	r.min_pods = 0;
	r.dynamic_stable = true;
	routed_split(&r, &canary, &stable);
	assert_int_equal(stable, 9);            /* the traffic is still at 10 */
	r.aborted = true;
	r.weight = 0;
	r.actual = 50;
	routed_split(&r, &canary, &stable);
	assert_int_equal(canary, 5);
	assert_int_equal(stable, 10);
	r = (struct routed){ .replicas = 4, .weight = 10, .max_weight = 100, .explicit_canary = 3, .scale_weight = -1 };
	routed_split(&r, &canary, &stable);
	assert_int_equal(canary, 3);
	r.explicit_canary = -1;
	r.scale_weight = 50;
	routed_split(&r, &canary, &stable);
	assert_int_equal(canary, 2);
}

static bool serves(const struct routed *r, int64_t weight, int64_t pods) { return weight * r->replicas <= pods * r->max_weight; }

/* Stable never gets more than its available pods serve, and the canary keeps no more than that needs. */
static void canary_routed_keeps_what_stable_cannot_serve_and_no_more(void **state)
{
	(void)state;
	for (int64_t n = 1; n <= 10; n++)
		for (int64_t available = 0; available <= n + 1; available++)
			for (int64_t actual = 0; actual <= 100; actual++) {
				struct routed r = { .replicas = n, .max_weight = 100, .actual = actual, .dynamic_stable = true };
				int64_t kept = routed_kept(&r, available);

				assert_true(kept >= 0 && kept <= actual);
				assert_true(kept == actual || serves(&r, 100 - kept, available));
				assert_true(!kept || !serves(&r, 100 - kept + 1, available));
				assert_true(serves(&r, actual, routed_pods(&r, actual)));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(canary_keeps_floor_and_ceiling_in_all_small_cases),
		TEST(canary_abort_returns_to_stable_from_every_state),
		TEST(canary_reaches_every_weight_from_every_state),
		TEST(canary_limits_in_per_cent_are_numbers_from_0_to_replicas),
		TEST(canary_routed_keeps_what_stable_cannot_serve_and_no_more),
		TEST(canary_split_comes_nearest_to_the_weight),
		TEST(canary_moves_as_far_as_surge_and_unavailable_allow),
		TEST(canary_routed_has_pods_for_its_weight_and_a_whole_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
