#include "check.h"

#include "kube/workqueue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void workqueue_key_added_twice_comes_once(void **state)
{
	struct workqueue *q = workqueue_new();

	(void)state;
	workqueue_add(q, "a");
	workqueue_add(q, "b");
	workqueue_add(q, "a");
	assert_int_equal(workqueue_n(q), 2);
	assert_string_equal(workqueue_take(q, 0), "a");
	assert_string_equal(workqueue_take(q, 0), "b");
	assert_null(workqueue_take(q, 0));
	workqueue_free(&q);
}

static void workqueue_key_added_while_running_comes_after_done(void **state)
{
	struct workqueue *q = workqueue_new();

	(void)state;
	workqueue_add(q, "a");
	assert_string_equal(workqueue_take(q, 0), "a");
	workqueue_add(q, "a");
	assert_null(workqueue_take(q, 0));
	workqueue_done(q, "a");
	assert_string_equal(workqueue_take(q, 0), "a");
	workqueue_done(q, "a");
	assert_null(workqueue_take(q, 0));
	workqueue_free(&q);
}

static void workqueue_earliest_delay_counts(void **state)
{
	struct workqueue *q = workqueue_new();

	(void)state;
	workqueue_add_at(q, "a", 100);
	workqueue_add_at(q, "a", 50);
	workqueue_add_at(q, "a", 70);
	assert_int_equal(workqueue_next_ms(q), 50);
	assert_null(workqueue_take(q, 49));
	assert_string_equal(workqueue_take(q, 50), "a");
	workqueue_done(q, "a");
	assert_int_equal(workqueue_next_ms(q), -1);
	assert_null(workqueue_take(q, 1000));
	workqueue_free(&q);
}

static void workqueue_backoff_doubles_to_its_bound_until_forgotten(void **state)
{
	struct workqueue *q = workqueue_new();
	int64_t want = WORKQUEUE_BACKOFF_MIN_MS;

	(void)state;
	for (int i = 0; i < 40; i++) {
		assert_int_equal(workqueue_backoff_ms(q, "a"), want);
		want = want * 2 < WORKQUEUE_BACKOFF_MAX_MS ? want * 2 : WORKQUEUE_BACKOFF_MAX_MS;
	}
	assert_int_equal(workqueue_failures(q, "a"), 40);
	workqueue_forget(q, "a");
	assert_int_equal(workqueue_backoff_ms(q, "a"), WORKQUEUE_BACKOFF_MIN_MS);
	workqueue_free(&q);
}

/* ---- the model: the same operations on flat arrays, with the order of arrival as a counter ---- */

#define KEYS 12

struct model {
	int64_t due[KEYS];              /* -1: not delayed */
	long arrived[KEYS];             /* 0: not waiting */
	bool running[KEYS], again[KEYS];
	long clock;
};

static void model_add(struct model *m, int k)
{
	m->due[k] = -1;
	if (m->running[k])
		m->again[k] = true;
	else if (!m->arrived[k])
		m->arrived[k] = ++m->clock;
}

static void model_add_at(struct model *m, int k, int64_t at)
{
	if (!m->arrived[k] && !m->again[k] && (m->due[k] < 0 || m->due[k] > at))
		m->due[k] = at;
}

/* Delayed keys that fall due together have no order among themselves: due times of the test are all different. */
static int model_take(struct model *m, int64_t now)
{
	int best;

	for (;;) {
		best = -1;
		for (int k = 0; k < KEYS; k++)
			if (m->due[k] >= 0 && m->due[k] <= now && (best < 0 || m->due[k] < m->due[best]))
				best = k;
		if (best < 0)
			break;
		model_add(m, best);
	}
	for (int k = 0; k < KEYS; k++)
		if (m->arrived[k] && (best < 0 || m->arrived[k] < m->arrived[best]))
			best = k;
	if (best >= 0) {
		m->arrived[best] = 0;
		m->running[best] = true;
	}
	return best;
}

static void model_done(struct model *m, int k)
{
	m->running[k] = false;
	if (m->again[k]) {
		m->again[k] = false;
		model_add(m, k);
	}
}

static void take_both(struct workqueue *q, struct model *m, int64_t now, unsigned seed, int step)
{
	const char *got = workqueue_take(q, now);
	int want = model_take(m, now);
	char name[16] = "";

	if (want >= 0)
		snprintf(name, sizeof name, "k%d", want);
	if ((got != NULL) != (want >= 0) || (got && strcmp(got, name) != 0))
		fail_msg("seed %u, step %d: took '%s', the model '%s'", seed, step, got ? got : "", name);
}

static void run_model(unsigned seed)
{
	struct workqueue *q = workqueue_new();
	struct model m = { 0 };
	unsigned rnd = seed;
	int64_t now = 0;

	memset(m.due, 0xff, sizeof m.due);
	for (int step = 0; step < 2000; step++) {
		int k = rand_r(&rnd) % KEYS;
		char key[16];

		snprintf(key, sizeof key, "k%d", k);
		switch (rand_r(&rnd) % 6) {
		case 0:
			workqueue_add(q, key);
			model_add(&m, k);
			break;
		case 1: {
			int64_t at = (now + rand_r(&rnd) % 40) * 4000 + step;   /* different for every step */

			workqueue_add_at(q, key, at);
			model_add_at(&m, k, at);
			break;
		}
		case 2:
			now += rand_r(&rnd) % 10;
			break;
		case 3:
			take_both(q, &m, now * 4000, seed, step);
			break;
		default:
			if (m.running[k]) {
				workqueue_done(q, key);
				model_done(&m, k);
			}
		}
	}
	workqueue_free(&q);
}

static void workqueue_random_operations_agree_with_a_model(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 100; seed++)
		run_model(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(workqueue_key_added_twice_comes_once),
		TEST(workqueue_key_added_while_running_comes_after_done),
		TEST(workqueue_earliest_delay_counts),
		TEST(workqueue_backoff_doubles_to_its_bound_until_forgotten),
		TEST(workqueue_random_operations_agree_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
