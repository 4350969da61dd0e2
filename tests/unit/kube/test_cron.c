#include "check.h"

#include "kube/cron.h"
#include "kube/object.h"

#include <string.h>

static const struct { const char *schedule, *after, *want; } cases[] = {
	{ "* * * * *", "2024-01-01T00:00:30Z", "2024-01-01T00:01:00Z" },
	{ "*/15 * * * *", "2024-01-01T00:15:00Z", "2024-01-01T00:30:00Z" },
	{ "5/20 * * * *", "2024-01-01T00:00:00Z", "2024-01-01T00:05:00Z" },
	{ "0 4 * * *", "2024-01-01T04:00:00Z", "2024-01-02T04:00:00Z" },
	{ "30 9-17/4 * * *", "2024-01-01T09:31:00Z", "2024-01-01T13:30:00Z" },
	{ "0 0 29 2 *", "2024-03-01T00:00:00Z", "2028-02-29T00:00:00Z" },
	{ "0 0 * * MON", "2024-01-01T00:00:00Z", "2024-01-08T00:00:00Z" },
	{ "0 0 * * 7", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z" },
	{ "0 0 13 * fri", "2024-01-01T00:00:00Z", "2024-01-05T00:00:00Z" },      /* either day */
	{ "0 0 1,15 jan,jul ?", "2024-01-16T00:00:00Z", "2024-07-01T00:00:00Z" },
	{ "@hourly", "2024-12-31T23:30:00Z", "2025-01-01T00:00:00Z" },
	{ "@weekly", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z" },
	{ " 0  12 * *  1-5 ", "2024-01-05T12:00:00Z", "2024-01-08T12:00:00Z" },
};

static void cron_next_is_the_first_minute_that_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(err) err = { 0 };
		struct cron c;
		int64_t after = 0;
		char got[32];

		assert_ok(cron_parse(cases[i].schedule, &c, &err), &err);
		assert_true(time_parse(cases[i].after, &after));
		time_format(cron_next(&c, after), got);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("'%s' after %s is %s, not %s", cases[i].schedule, cases[i].after, got, cases[i].want);
	}
}

static void cron_day_that_never_comes_is_none(void **state)
{
	AUTO(err) err = { 0 };
	struct cron c;

	(void)state;
	assert_ok(cron_parse("0 0 30 2 *", &c, &err), &err);
	assert_int_equal(cron_next(&c, 0), -1);
}

static void cron_mistakes_name_the_field(void **state)
{
	static const struct { const char *schedule, *why; } rows[] = {
		{ "60 * * * *", "'60' is not a minute (0 to 59)" }, { "* 24 * * *", "'24' is not a hour" }, { "* * 0 * *", "not a day of the month" },
		{ "* * * 13 *", "not a month" }, { "* * * * 8", "not a day of the week" }, { "* * * *", "expected 5 fields" }, { "", "expected 5 fields" },
		{ "* * * * * *", "more than 5 fields" }, { "5-1 * * * *", "'5-1' is not a minute" }, { "*/0 * * * *", "not a minute" },
		{ "1,,2 * * * *", "not a minute" }, { "-1 * * * *", "not a minute" }, { "@sometimes", "not a minute" }, { "+5 * * * *", "not a minute" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) err = { 0 };
		struct cron c;

		assert_err(cron_parse(rows[i].schedule, &c, &err), &err, ERR_INVALID, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cron_next_is_the_first_minute_that_fits),
		TEST(cron_day_that_never_comes_is_none),
		TEST(cron_mistakes_name_the_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
