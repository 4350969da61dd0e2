#include "check.h"

#include "orchestrator/controllers/rolling.h"

#include <string.h>

#define OLD 2

/* One roll-out as the arithmetic sees it: sets with replicas, of which some are available. */
struct world { struct rolling r; struct rolling_set new, old[OLD]; };

static int64_t specs(const struct world *w) { return w->new.spec + w->old[0].spec + w->old[1].spec; }
static int64_t available(const struct world *w) { return w->new.available + w->old[0].available + w->old[1].available; }

static void fail_at(const struct world *w, const char *what)
{
	fail_msg("replicas %d surge %d unavailable %d: %s with new %d/%d old %d/%d %d/%d", (int)w->r.replicas, (int)w->r.max_surge,
		 (int)w->r.max_unavailable, what, (int)w->new.available, (int)w->new.spec, (int)w->old[0].available,
		 (int)w->old[0].spec, (int)w->old[1].available, (int)w->old[1].spec);
}

/* A ReplicaSet removes pods that are not available first. */
static void resize(struct rolling_set *s, int64_t to)
{
	s->spec = to;
	if (s->available > to)
		s->available = to;
}

/* One pass of the controller: the new set up, then the old ones down, each seen with the counts of before. */
static bool pass(struct world *w)
{
	int64_t wanted[OLD], up = rolling_new(&w->r, &w->new, w->old, OLD);
	bool moved = up != w->new.spec;

	resize(&w->new, up);
	rolling_old(&w->r, &w->new, w->old, OLD, wanted);
	for (int i = 0; i < OLD; i++) {
		moved |= wanted[i] != w->old[i].spec;
		if (wanted[i] > w->old[i].spec || wanted[i] < 0)
			fail_at(w, "an old set grew or went under zero");
		resize(&w->old[i], wanted[i]);
	}
	return moved;
}

/* From every split of the old pods, healthy or not, with new pods coming up `step` at a time. */
static void roll(struct world w, int64_t step)
{
	int64_t floor = w.r.replicas - w.r.max_unavailable;
	bool above = available(&w) >= floor;

	for (int passes = 0; passes < 200; passes++) {
		bool moved = pass(&w);

		if (specs(&w) > w.r.replicas + w.r.max_surge)
			fail_at(&w, "above the ceiling");
		if (above && available(&w) < floor)
			fail_at(&w, "below the floor");
		above |= available(&w) >= floor;
		if (!moved && w.new.available == w.new.spec) {
			if (w.new.spec != w.r.replicas || w.old[0].spec || w.old[1].spec)
				fail_at(&w, "stuck");
			return;
		}
		w.new.available = w.new.available + step < w.new.spec ? w.new.available + step : w.new.spec;
	}
	fail_at(&w, "without end");
}

static void roll_each_health(struct world w)
{
	for (int64_t sick0 = 0; sick0 <= w.old[0].spec; sick0++)
		for (int64_t sick1 = 0; sick1 <= w.old[1].spec; sick1++) {
			w.old[0].available = w.old[0].spec - sick0;
			w.old[1].available = w.old[1].spec - sick1;
			roll(w, 1);
			roll(w, 100);
		}
}

static void rolling_keeps_floor_and_ceiling_in_all_small_cases(void **state)
{
	(void)state;
	for (int64_t n = 1; n <= 7; n++)
		for (int64_t surge = 0; surge <= n; surge++)
			for (int64_t gone = surge ? 0 : 1; gone <= n; gone++)
				for (int64_t first = 0; first <= n; first++) {
					struct world w = { .r = { n, surge, gone } };

					w.old[0].spec = first;
					w.old[1].spec = n - first;
					roll_each_health(w);
				}
}

/* The sum after a proportional scaling is the new ceiling, whatever the sizes were. */
static void rolling_scale_sums_to_the_ceiling_in_all_small_cases(void **state)
{
	(void)state;
	for (int64_t before = 1; before <= 8; before++)
		for (int64_t after = 0; after <= 16; after++)
			for (int64_t surge = 1; surge <= 3; surge++)
				for (int64_t first = 0; first <= before + surge; first++) {
					struct rolling r = { after, surge, 0 };
					struct rolling_set sets[2] = { { first, 0, before + surge }, { before + surge - first, 0, before + surge } };
					int64_t wanted[2];

					rolling_scale(&r, sets, 2, wanted);
					assert_true(wanted[0] >= 0 && wanted[1] >= 0);
					assert_int_equal(wanted[0] + wanted[1], after ? after + surge : 0);
					if (!sets[0].spec)
						assert_int_equal(wanted[0], 0);
				}
}

/* The example of Kubernetes' documentation: 10 replicas, 8 old and 5 new, scaled to 15 with a surge of 3. */
static void rolling_scale_gives_the_larger_set_more(void **state)
{
	struct rolling r = { 15, 3, 2 };
	struct rolling_set sets[2] = { { 8, 8, 13 }, { 5, 0, 13 } };
	int64_t wanted[2];

	(void)state;
	rolling_scale(&r, sets, 2, wanted);
	assert_int_equal(wanted[0], 11);
	assert_int_equal(wanted[1], 7);
}

static void expect_limits(const char *surge, const char *unavailable, int64_t replicas, int64_t want_surge, int64_t want_gone)
{
	AUTO_DOC d = doc_new();
	AUTO(err) err = { 0 };
	struct rolling r = { 0 };

	assert_ok(rolling_read(&r, replicas, node_str(d, surge), node_str(d, unavailable), "25%", &err), &err);
	assert_int_equal(r.max_surge, want_surge);
	assert_int_equal(r.max_unavailable, want_gone);
}

static void rolling_percent_of_surge_rounds_up_and_of_unavailable_down(void **state)
{
	(void)state;
	expect_limits("25%", "25%", 10, 3, 2);
	expect_limits("25%", "25%", 1, 1, 0);
	expect_limits("0%", "0%", 4, 0, 1);
	expect_limits("100%", "200%", 4, 4, 4);
}

static void rolling_wrong_limit_names_its_field(void **state)
{
	AUTO_DOC d = doc_new();
	AUTO(err) err = { 0 };
	struct rolling r = { 0 };

	(void)state;
	assert_err(rolling_read(&r, 3, node_int(d, 1), node_str(d, "many"), "25%", &err), &err, ERR_INVALID, "maxUnavailable: 'many'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rolling_keeps_floor_and_ceiling_in_all_small_cases),
		TEST(rolling_scale_sums_to_the_ceiling_in_all_small_cases),
		TEST(rolling_scale_gives_the_larger_set_more),
		TEST(rolling_percent_of_surge_rounds_up_and_of_unavailable_down),
		TEST(rolling_wrong_limit_names_its_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
