/* tests/unit/base/test_semver.c */
#include "check.h"

#include "base/semver.h"

static void expect_match(const char *range, const char *version, int want)
{
	AUTO(err) err = { 0 };
	struct semver v;

	assert_true(semver_parse(sv_c(version), &v));
	int got = semver_match(sv_c(range), &v, &err);
	if (got != want)
		fail_msg("'%s' in '%s': want %d, got %d (%s)", version, range, want, got, err_msg(&err));
}

static int order(const char *a, const char *b)
{
	struct semver x, y;

	assert_true(semver_parse(sv_c(a), &x) && semver_parse(sv_c(b), &y));
	return semver_cmp(&x, &y);
}

static void semver_of_each_shape_parses_or_does_not(void **state)
{
	(void)state;
	struct semver v;

	assert_true(semver_parse(SV("v1.2.3-rc.1+b5"), &v));
	assert_true(v.major == 1 && v.minor == 2 && v.patch == 3 && sv_eq_c(v.pre, "rc.1") && sv_eq_c(v.build, "b5"));
	static const char *const good[] = { "1", "1.2", "v0.0.1", "1.2.3+build", "1.2-beta" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(semver_parse(sv_c(good[i]), &v));
	static const char *const bad[] = { "", "v", "main", "1.", "1.2.3.4", "1.2.3-", "1.2.3-a..b", "99999999999999999999", "1 " };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(semver_parse(sv_c(bad[i]), &v));
}

static void semver_precedence_follows_the_specification(void **state)
{
	(void)state;
	static const char *const sorted[] = { "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
					      "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "2.0.0", "10.0.0" };
	for (size_t i = 0; i + 1 < sizeof sorted / sizeof *sorted; i++) {
		assert_true(order(sorted[i], sorted[i + 1]) < 0);
		assert_true(order(sorted[i + 1], sorted[i]) > 0);
	}
	assert_int_equal(order("1.0.0+a", "1.0.0+b"), 0);
}

static void range_of_each_operator_matches_as_documented(void **state)
{
	(void)state;
	static const struct { const char *range, *version; int want; } rows[] = {
		{ "1.2.3", "1.2.3", 1 }, { "1.2.3", "1.2.4", 0 }, { "=1.2", "1.2.9", 1 }, { "1.x", "1.9.0", 1 }, { "1.x", "2.0.0", 0 },
		{ "*", "7.1.2", 1 }, { "*", "7.1.2-rc1", 0 }, { ">=1.2 <2", "1.5.0", 1 }, { ">=1.2, <2", "2.0.0", 0 },
		{ ">1", "1.9.9", 0 }, { ">1", "2.0.0", 1 }, { "<=1.2", "1.2.7", 1 }, { "<=1.2", "1.3.0", 0 }, { "!=1.2.3", "1.2.4", 1 },
		{ "!=1.x", "1.4.0", 0 }, { "~1.2.3", "1.2.9", 1 }, { "~1.2.3", "1.3.0", 0 }, { "~1", "1.9.0", 1 },
		{ "^1.2.3", "1.9.0", 1 }, { "^1.2.3", "2.0.0", 0 }, { "^0.2.3", "0.2.9", 1 }, { "^0.2.3", "0.3.0", 0 },
		{ "^0.0.3", "0.0.3", 1 }, { "^0.0.3", "0.0.4", 0 }, { "^0", "0.9.0", 1 }, { "1.2 - 2.3", "2.3.9", 1 },
		{ "1.2 - 2.3", "2.4.0", 0 }, { "^1.0 || ^3.0", "3.4.0", 1 }, { "^1.0 || ^3.0", "2.4.0", 0 },
		{ ">=1.0.0-0", "1.1.0-rc1", 1 }, { ">=1.0.0", "1.1.0-rc1", 0 }, { "> 1.0", "1.1.0", 1 }, { "^*", "5.0.0", 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_match(rows[i].range, rows[i].version, rows[i].want);
}

static void range_that_is_not_one_says_so(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "main", ">=", "1.2.3.4", "1.2 -", "^1 ||", "v1.2.3-", "release-1.0" };
	struct semver v;

	assert_true(semver_parse(SV("1.0.0"), &v));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(err) err = { 0 };
		assert_err(semver_match(sv_c(bad[i]), &v, &err), &err, ERR_BAD_REQUEST, "is not a version or a range");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(semver_of_each_shape_parses_or_does_not),
		TEST(semver_precedence_follows_the_specification),
		TEST(range_of_each_operator_matches_as_documented),
		TEST(range_that_is_not_one_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
