#include "check.h"

#include "base/json.h"
#include "orchestrator/analysis/expr.h"

#include <math.h>

static const struct { const char *text, *result; bool want; } good[] = {
	{ "result == 1", "1", true }, { "result >= 0.95", "0.94", false }, { "result[0] >= 0.95", "[0.99]", true },
	{ "result[-1] == 3", "[1,2,3]", true }, { "len(result) == 3 && result[1] == 2", "[1,2,3]", true },
	{ "all(result, # < 500)", "[1,2,499]", true }, { "all(result, {# < 500})", "[1,500]", false },
	{ "any(result, # == 2) and none(result, # > 3)", "[1,2,3]", true }, { "one(result, # == 2)", "[2,2]", false },
	{ "count(result, # > 1) == 2", "[1,2,3]", true }, { "len(filter(result, # % 2 == 0)) == 1", "[1,2,3]", true },
	{ "map(result, # * 2) == [2, 4]", "[1,2]", true }, { "result.data.ok", "{\"data\":{\"ok\":true}}", true },
	{ "result['data']['n'] + 1 == 3", "{\"data\":{\"n\":2}}", true }, { "asInt(result) < 5", "\"4\"", true },
	{ "asFloat(result.rate) < 0.01", "{\"rate\":\"0.005\"}", true }, { "isNil(result)", "null", true },
	{ "default(result, 0) == 0", "null", true }, { "(result ?? 7) == 7", "null", true },
	{ "result in ['ok', \"green\"]", "\"green\"", true }, { "result not in [1, 2]", "3", true }, { "'a' in result", "{\"a\":1}", true },
	{ "result matches '^v[0-9]+$'", "\"v12\"", true }, { "result contains 'lo' && result startsWith 'he'", "\"hello\"", true },
	{ "result endsWith 'x' or not (result == 'y')", "\"y\"", false }, { "isNil(result) ? true : result > 3", "4", true },
	{ "!result || false", "false", true }, { "-result < 0 and 2 + 3 * 4 == 14", "1", true }, { "(2 + 3) * 4 == 20", "0", true },
	{ "1 < 2 == true", "0", true }, { "max(result[0], result[1]) == 5 && min(3, 2) == 2", "[4,5]", true },
	{ "result.missing == nil", "{}", true }, { "10 / 4 == 2.5", "0", true }, { "string(result) == '3'", "3", true },
	{ "result == [1, 'a', nil]", "[1,\"a\",null]", true },
};

static const struct { const char *text, *result, *why; } bad[] = {
	{ "result[0] > 1", "[]", "index out of range at character 8" }, { "result", "1", "is neither true nor false" },
	{ "result >", "1", "something is missing" }, { "nope", "1", "unknown name" }, { "nope(result)", "1", "unknown function" },
	{ "len(1, 2)", "1", "wrong number of arguments" }, { "result > 'a'", "1", "have an order" }, { "asInt(result) == 1", "\"x\"", "not a number" },
	{ "'open", "1", "text without end" }, { "(1 == 1", "1", "expected ')'" }, { "1 == 1 1", "1", "unexpected text" },
	{ "# > 1", "1", "outside of a condition" }, { "result matches '('", "\"x\"", "not a regular expression" },
	{ "result matches '(a+)+$'", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", "takes too long" },
	{ "", "1", "something is missing" }, { "all(result, # > 1)", "1", "needs a list" }, { "result.a", "1", "has no members" },
};

static int test(const char *text, const char *result, bool *out, struct err *err)
{
	AUTO_DOC d = NULL;

	TRY(json_read(sv_c(result), "result", 0, &d, err));
	struct value v = value_of_node(d, doc_root(d));
	return expr_test(text, &v, out, err);
}

static void expr_conditions_are_true_or_false(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		AUTO(err) err = { 0 };
		bool got = false;

		assert_ok(test(good[i].text, good[i].result, &got, &err), &err);
		if (got != good[i].want)
			fail_msg("'%s' of %s is %d", good[i].text, good[i].result, got);
	}
}

static void expr_mistakes_are_errors_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(err) err = { 0 };
		bool got = false;

		assert_err(test(bad[i].text, bad[i].result, &got, &err), &err, ERR_BAD_REQUEST, bad[i].why);
	}
}

static void expr_nan_has_no_order_and_is_nothing_else(void **state)
{
	struct value nan = value_number(NAN);
	AUTO(err) err = { 0 };
	bool yes = false;

	(void)state;
	assert_ok(expr_test("isNaN(result) && !(result >= 0) && !(result < 0) && result != result", &nan, &yes, &err), &err);
	assert_true(yes);
}

static void expr_deep_nesting_is_refused(void **state)
{
	struct str text = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		str_add1(&text, i % 2 ? '(' : '!');
	assert_int_equal(expr_check(str_c(&text), &err), -ERR_BAD_REQUEST);
	str_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(expr_conditions_are_true_or_false),
		TEST(expr_mistakes_are_errors_with_their_place),
		TEST(expr_nan_has_no_order_and_is_nothing_else),
		TEST(expr_deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
