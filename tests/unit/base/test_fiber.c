#include "check.h"

#include "base/fiber.h"
#include "base/str.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static int main_sleeps(void *arg)
{
	int64_t before = loop_now_ms(fiber_loop());

	*(int *)arg = fiber_sleep(20);
	return loop_now_ms(fiber_loop()) - before >= 19;
}

static void fiber_sleep_passes_the_time(void **state)
{
	int r = -1;

	(void)state;
	assert_true(fiber_main(main_sleeps, &r));
	assert_int_equal(r, 0);
}

struct pair { struct fiber_cond cond; struct str trace; };

static void waits(void *arg)
{
	struct pair *p = arg;

	str_addc(&p->trace, "w");
	if (!fiber_wait(&p->cond))
		str_addc(&p->trace, "!");
}

static int main_signals(void *arg)
{
	struct pair *p = arg;
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "a", waits, p);
	fiber_group_start(&g, "b", waits, p);
	while (p->trace.n < 2)
		(void)fiber_yield();
	fiber_signal_all(&p->cond);
	fiber_group_join(&g);
	return 0;
}

static void fiber_signal_wakes_all_waiters(void **state)
{
	struct pair p = { 0 };

	(void)state;
	fiber_main(main_signals, &p);
	assert_string_equal(str_c(&p.trace), "ww!!");
	str_free(&p.trace);
}

static void sleeps_long(void *arg) { *(int *)arg = fiber_sleep(1000000); }

static int main_cancels(void *arg)
{
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "sleeper", sleeps_long, arg);
	(void)fiber_yield();
	fiber_group_cancel(&g);
	fiber_group_join(&g);
	return 0;
}

static void fiber_cancel_ends_a_sleep(void **state)
{
	int r = 0;

	(void)state;
	fiber_main(main_cancels, &r);
	assert_int_equal(r, -ERR_CANCELED);
}

static void counts(void *arg) { ++*(int *)arg; }

static int main_jobs(void *arg)
{
	for (int i = 0; i < 10; i++) {
		fiber_job(counts, arg);
		fiber_job_long(counts, arg);
	}
	return 0;
}

static void fiber_job_runs_and_returns(void **state)
{
	int n = 0;

	(void)state;
	fiber_main(main_jobs, &n);
	assert_int_equal(n, 20);
}

static int main_waits(void *arg)
{
	struct fiber_cond *c = arg;

	return fiber_wait_ms(c, 10);
}

static void fiber_wait_ms_times_out_and_leaves_no_waiter(void **state)
{
	struct fiber_cond c = { 0 };

	(void)state;
	assert_int_equal(fiber_main(main_waits, &c), -ERR_TIMEOUT);
	assert_null(c.first);
}

struct pipe_test { int fds[2]; int before, after; };

static void polls(void *arg)
{
	struct pipe_test *p = arg;

	p->before = 1;
	p->after = fiber_poll(p->fds[0], POLLIN);
}

static int main_polls(void *arg)
{
	struct pipe_test *p = arg;
	struct fiber_group g;

	p->after = 1;
	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "reader", polls, p);
	while (!p->before)
		(void)fiber_yield();
	int early = p->after;
	if (write(p->fds[1], "x", 1) != 1)
		return -1;
	fiber_group_join(&g);
	return early;
}

static void fiber_poll_parks_until_there_is_something_to_read(void **state)
{
	struct pipe_test p = { 0 };

	(void)state;
	assert_int_equal(pipe(p.fds), 0);
	assert_int_equal(fiber_main(main_polls, &p), 1);
	assert_int_equal(p.after, 0);
	close(p.fds[0]);
	close(p.fds[1]);
}

static int main_many(void *arg)
{
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	for (int i = 0; i < 1000; i++)
		fiber_group_start(&g, "n", counts, arg);
	fiber_group_join(&g);
	return 0;
}

static void fiber_group_join_waits_for_every_member(void **state)
{
	int n = 0;

	(void)state;
	fiber_main(main_many, &n);
	fiber_main(main_many, &n);
	assert_int_equal(n, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fiber_sleep_passes_the_time),
		TEST(fiber_signal_wakes_all_waiters),
		TEST(fiber_cancel_ends_a_sleep),
		TEST(fiber_job_runs_and_returns),
		TEST(fiber_wait_ms_times_out_and_leaves_no_waiter),
		TEST(fiber_poll_parks_until_there_is_something_to_read),
		TEST(fiber_group_join_waits_for_every_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
