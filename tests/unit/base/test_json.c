#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Reads text and writes it again. */
static void round_trip(const char *text, size_t n, unsigned flags, const char *want)
{
	AUTO(err) e = { 0 };
	AUTO(str) s = { 0 };
	AUTO_DOC d = NULL;

	assert_ok(json_read((struct sv){ text, n }, "t", 0, &d, &e), &e);
	json_write(&s, doc_root(d), flags);
	assert_string_equal(str_c(&s), want);
}

static void json_values_survive_unchanged(void **state)
{
	static const char *const texts[] = {
		"null", "true", "false", "0", "-0", "-12", "1.50", "1e400", "1E+5", "123456789012345678901234567890",
		"\"\"", "\"a\"", "[]", "{}", "[[],{},[1,2]]", "{\"b\":1,\"a\":{\"c\":[null]}}", "\"\xc3\xa9\xf0\x9f\x98\x80\"",
		"\"long enough for eight bytes at a time, and then some\"", "{\"\":\"\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		round_trip(texts[i], strlen(texts[i]), 0, texts[i]);
}

static void json_strings_are_decoded_and_escaped_as_go_does(void **state)
{
	static const struct { const char *in; unsigned flags; const char *want; } rows[] = {
		{ "\"\\u0041\\/\\n\\t\\r\\b\\f\\\\\\\"\"", 0, "\"A/\\n\\t\\r\\b\\f\\\\\\\"\"" },
		{ "\"\\ud83d\\ude00\"", 0, "\"\xf0\x9f\x98\x80\"" },
		{ "\"\\ud83d\"", 0, "\"\xef\xbf\xbd\"" },
		{ "\"\\ud83dx\"", 0, "\"\xef\xbf\xbdx\"" },
		{ "\"\\ude00\\ud83d\\u0041\"", 0, "\"\xef\xbf\xbd\xef\xbf\xbd" "A\"" },
		{ "\"a\xff" "b\"", 0, "\"a\xef\xbf\xbd" "b\"" },
		{ "\"\xe2\x82\"", 0, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\"\xed\xa0\x80\"", 0, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\"<&>\"", 0, "\"<&>\"" },
		{ "\"<&>\"", JSON_ESCAPE_HTML, "\"\\u003c\\u0026\\u003e\"" },
		{ "\"\\u2028\\u0001\\u007f\"", 0, "\"\\u2028\\u0001\x7f\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		round_trip(rows[i].in, strlen(rows[i].in), rows[i].flags, rows[i].want);
	round_trip("\"a\\u0000b\"", 10, 0, "\"a\\u0000b\"");
}

static void json_indented_output_is_gos(void **state)
{
	const char *in = "{\"b\":[1,{\"x\":[]}],\"a\":{}}";

	(void)state;
	round_trip(in, strlen(in), JSON_INDENT | JSON_SORTED,
		   "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"x\": []\n    }\n  ]\n}");
	round_trip("[1]", 3, JSON_INDENT4, "[\n    1\n]");
}

static void json_errors_name_the_place(void **state)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "", "t:1:1: value expected" }, { "{", "t:1:2: object key expected" }, { "[1,\n 2", "t:2:3: ',' or ']' expected" },
		{ "{\"a\" 1}", "t:1:6: ':' expected" }, { "{\"a\":1,}", "t:1:8: object key expected" },
		{ "[1,]", "t:1:4: value expected" }, { "01", "leading zero" }, { "1.", "digit expected after the decimal point" },
		{ "1e", "digit expected in the exponent" }, { "-", "value expected" }, { "nul", "value expected" },
		{ "tru", "value expected" }, { "\"a", "string is not closed" }, { "\"\n\"", "control character" },
		{ "\"\\x\"", "unknown escape" }, { "\"\\u12g4\"", "four hexadecimal digits" }, { "1 2", "t:1:3: one value expected" },
		{ "'a'", "value expected" }, { "\xef\xbb\xbf{}", "value expected" }, { "{a:1}", "object key expected" },
		{ "\"\\", "unknown escape" }, { "NaN", "value expected" }, { "[1}", "',' or ']' expected" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_DOC d = NULL;

		assert_err(json_read(sv_c(rows[i].in), "t", 0, &d, &e), &e, ERR_BAD_REQUEST, rows[i].want);
		assert_null(d);
	}
}

static void json_duplicate_keys_last_wins_or_error(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_DOC d = NULL;

	(void)state;
	round_trip("{\"a\":1,\"b\":2,\"a\":3}", 19, 0, "{\"a\":3,\"b\":2}");
	assert_err(json_read(SV("{\"a\":1,\n\"a\":3}"), "t", JSON_UNIQUE_KEYS, &d, &e), &e, ERR_BAD_REQUEST, "t:2:4: duplicate key \"a\"");
}

static void json_duplicate_keys_in_a_large_object(void **state)
{
	AUTO(str) in = { 0 };
	AUTO(err) e = { 0 };
	AUTO_DOC d = NULL;

	(void)state;
	for (int i = 0; i < 100000; i++)
		str_addf(&in, "%s\"k%d\":%d", i ? "," : "{", i % 50000, i);
	str_add1(&in, '}');
	assert_ok(json_read(str_sv(&in), "t", 0, &d, &e), &e);
	assert_int_equal(node_n(doc_root(d)), 50000);
	assert_int_equal(node_int_at(doc_root(d), "k7", 0), 50007);
}

static void json_depth_is_bounded(void **state)
{
	char deep[1200];
	AUTO(err) e = { 0 };
	AUTO_DOC d = NULL;
	AUTO_DOC bad = NULL;

	(void)state;
	memset(deep, '[', 600);
	memset(deep + 600, ']', 600);
	assert_err(json_read((struct sv){ deep, 1200 }, "t", 0, &bad, &e), &e, ERR_BAD_REQUEST, "deeper than 256");
	assert_ok(json_read((struct sv){ deep + 344, 512 }, "t", 0, &d, &e), &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(json_values_survive_unchanged),
		TEST(json_strings_are_decoded_and_escaped_as_go_does),
		TEST(json_indented_output_is_gos),
		TEST(json_errors_name_the_place),
		TEST(json_duplicate_keys_last_wins_or_error),
		TEST(json_duplicate_keys_in_a_large_object),
		TEST(json_depth_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
