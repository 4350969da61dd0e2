#include "check.h"

#include "base/opt.h"

static struct { bool all; const char *out; int64_t tail, wait_ms; struct opt_list files; } got;

static const struct opt table[] = {
	{ "all", 'A', OPT_FLAG, &got.all, NULL, "every namespace" },
	{ "output", 'o', OPT_STR, &got.out, "json|yaml|path=", "how to print" },
	{ "tail", 0, OPT_INT, &got.tail, "N", "last lines" },
	{ "wait", 'w', OPT_DURATION, &got.wait_ms, "TIME", "how long" },
	{ "filename", 'f', OPT_LIST, &got.files, "FILE", "what to read" },
	{ 0 }
};

#define PARSE(args, e, ...) ({ \
	const char *argv_[] = { "cd", __VA_ARGS__ }; \
	vec_free(&got.files); \
	memset(&got, 0, sizeof got); \
	opt_parse(table, (int)(sizeof argv_ / sizeof *argv_), (char **)argv_, args, e); \
})

static void opt_parse_reads_every_form(void **state)
{
	struct opt_list args = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_ok(PARSE(&args, &e, "pods", "-A", "--output=yaml", "--tail", "-1", "-w1m30s", "-f", "a", "-f=b", "--filename=c", "-",
			"--", "-x"), &e);
	assert_true(got.all);
	assert_string_equal(got.out, "yaml");
	assert_int_equal(got.tail, -1);
	assert_int_equal(got.wait_ms, 90000);
	assert_int_equal(got.files.n, 3);
	assert_string_equal(got.files.v[1], "b");
	assert_int_equal(args.n, 3);
	assert_string_equal(args.v[0], "pods");
	assert_string_equal(args.v[1], "-");
	assert_string_equal(args.v[2], "-x");
	vec_free(&args);
	vec_free(&got.files);
}

static void opt_parse_takes_flags_together_and_a_value_at_the_end(void **state)
{
	struct opt_list args = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_ok(PARSE(&args, &e, "-Aojson"), &e);
	assert_true(got.all);
	assert_string_equal(got.out, "json");
	assert_ok(PARSE(&args, &e, "--all=false", "-o", "path=.a"), &e);
	assert_false(got.all);
	assert_string_equal(got.out, "path=.a");
}

static void opt_parse_help_is_one(void **state)
{
	struct opt_list args = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(PARSE(&args, &e, "--help"), 1);
	assert_int_equal(PARSE(&args, &e, "x", "-h"), 1);
	vec_free(&args);
}

static const struct { const char *arg, *next, *want; } bad[] = {
	{ "--outptu", "x", "unknown option --outptu (did you mean --output?)" },
	{ "--zzzzzzzz", "x", "unknown option --zzzzzzzz" },
	{ "-z", "x", "unknown option -z" },
	{ "--tail", "many", "option --tail: want a whole number, got 'many'" },
	{ "--wait", "5", "option --wait: '5' is not a duration" },
	{ "--output", "xml", "option --output: want one of json|yaml|path=, got 'xml'" },
	{ "--all=maybe", "x", "option --all: want true or false, got 'maybe'" },
	{ "-A", "--tail", "option --tail needs a value: N" },
	{ "-A", "-f", "option --filename needs a value: FILE" },
};

static void opt_parse_bad_input_says_what(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct opt_list args = { 0 };
		struct err e = { 0 };

		assert_err(PARSE(&args, &e, bad[i].arg, bad[i].next), &e, ERR_BAD_REQUEST, bad[i].want);
		err_free(&e);
		vec_free(&args);
	}
}

static void opt_help_aligns_texts(void **state)
{
	AUTO(str) out = { 0 };

	(void)state;
	opt_help(table, &out);
	assert_non_null(strstr(out.p, "  -A, --all                   every namespace\n"));
	assert_non_null(strstr(out.p, "      --tail N                last lines\n"));
}

static const struct { const char *text; int64_t ms; } durations[] = {
	{ "0", 0 }, { "250ms", 250 }, { "1h15m30.5s", 4530500 }, { "1.5h", 5400000 }, { "-2s", -2000 }, { "+3m", 180000 },
	{ "1500us", 2 }, { ".5s", 500 }, { "1.s", 1000 },
};
static const char *const no_durations[] = { "", "5", "s", "1x", "1h 2m", ".s", "--1s", "1s-", "99999999999h" };

static void duration_parse_reads_what_go_reads(void **state)
{
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		assert_int_equal(duration_parse(durations[i].text, &ms, NULL), 0);
		assert_int_equal(ms, durations[i].ms);
	}
	for (size_t i = 0; i < sizeof no_durations / sizeof *no_durations; i++)
		assert_int_equal(duration_parse(no_durations[i], &ms, NULL), -ERR_BAD_REQUEST);
}

static void sv_distance_counts_edits(void **state)
{
	(void)state;
	assert_int_equal(sv_distance(SV("kitten"), SV("sitting")), 3);
	assert_int_equal(sv_distance(SV(""), SV("abc")), 3);
	assert_int_equal(sv_distance(SV("GET"), SV("get")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opt_parse_reads_every_form),
		TEST(opt_parse_takes_flags_together_and_a_value_at_the_end),
		TEST(opt_parse_help_is_one),
		TEST(opt_parse_bad_input_says_what),
		TEST(opt_help_aligns_texts),
		TEST(duration_parse_reads_what_go_reads),
		TEST(sv_distance_counts_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
