/* TOML as documents. */
#include "check.h"

#include "base/json.h"
#include "render/chart/toml.h"

static void expect_json(const char *text, const char *want)
{
	AUTO_DOC d = NULL;
	AUTO(err) err = { 0 };
	AUTO(str) out = { 0 };

	assert_ok(toml_read(sv_c(text), &d, &err), &err);
	json_write(&out, doc_root(d), JSON_SORTED);
	assert_string_equal(str_c(&out), want);
}

static void expect_error(const char *text, const char *says)
{
	AUTO_DOC d = NULL;
	AUTO(err) err = { 0 };

	assert_true(toml_read(sv_c(text), &d, &err) < 0);
	if (!strstr(err_msg(&err), says))
		fail_msg("'%s' does not say '%s'", err_msg(&err), says);
}

static void values_of_every_type_are_read(void **state)
{
	(void)state;
	expect_json("# a comment\na = 1\nb = -1_000 # another\nc = 0xff\nd = 1.5e3\ne = true\n",
		    "{\"a\":1,\"b\":-1000,\"c\":255,\"d\":1500,\"e\":true}");
	expect_json("a = \"x\\ty\\u00e9\"\nb = 'c:\\d'\nc = \"\"\"\none \\\n   two\"\"\"\nd = '''a'b'''",
		    "{\"a\":\"x\\ty\xc3\xa9\",\"b\":\"c:\\\\d\",\"c\":\"one two\",\"d\":\"a'b\"}");
	expect_json("a = [1, [2, 3], # c\n 4,\n]\nb = { x = 1, y.z = 2 }\n", "{\"a\":[1,[2,3],4],\"b\":{\"x\":1,\"y\":{\"z\":2}}}");
	expect_json("a = 1979-05-27T07:32:00Z\nb = 1979-05-27 07:32:00\nc = 1979-05-27\nd = 07:32:00.5\n",
		    "{\"a\":\"1979-05-27T07:32:00Z\",\"b\":\"1979-05-27T07:32:00Z\",\"c\":\"1979-05-27T00:00:00Z\","
		    "\"d\":\"0000-01-01T07:32:00.5Z\"}");
}

static void tables_are_nested_by_their_names(void **state)
{
	(void)state;
	expect_json("[a]\nx = 1\n[a.b]\ny = 2\n[[l]]\nn = 1\n[[l]]\nn = 2\n[l.sub]\nz = 3\n",
		    "{\"a\":{\"b\":{\"y\":2},\"x\":1},\"l\":[{\"n\":1},{\"n\":2,\"sub\":{\"z\":3}}]}");
	expect_json("[a.b.c]\nx = 1\n[a]\ny = 2\n", "{\"a\":{\"b\":{\"c\":{\"x\":1}},\"y\":2}}");
	expect_json("a.b = 1\na.\"c d\" = 2\n'e.f' = 3\n", "{\"a\":{\"b\":1,\"c d\":2},\"e.f\":3}");
}

static void wrong_text_names_the_line(void **state)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "bad", "line 1: want '='" }, { "\na = ", "line 2" }, { "a = 1\na = 2", "line 2: a key is defined twice" },
		{ "[a]\n[a]", "a table is defined twice" }, { "a = 1\n[a]", "defined twice" }, { "a = [1\n", "want ',' or ']'" },
		{ "a = {x = 1,}", "ends in a comma" }, { "a = {x = 1}\n[a.b]", "defined twice" }, { "a = \"x", "has no end" },
		{ "a = \"\\q\"", "an escape that there is not" }, { "a = 01", "a value that there is not" }, { "a = 1__0", "a value" },
		{ "a = 1 b = 2", "want the end of the line" }, { "a = 99999999999999999999", "too large" }, { "a = [1]\n[[a]]", "twice" },
		{ "a = 1.", "a value" }, { "a = .5", "a value" }, { "[a\nb]", "want" }, { "= 1", "want a key" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_error(cases[i].text, cases[i].says);
}

static void deep_nesting_is_an_error_and_no_crash(void **state)
{
	AUTO(str) text = { 0 };

	(void)state;
	str_addc(&text, "a = ");
	for (int i = 0; i < 100000; i++)
		str_add1(&text, '[');
	expect_error(str_c(&text), "nested too deeply");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_of_every_type_are_read),
		TEST(tables_are_nested_by_their_names),
		TEST(wrong_text_names_the_line),
		TEST(deep_nesting_is_an_error_and_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
