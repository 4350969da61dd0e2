#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/yaml.h"

struct row { const char *in, *want; };

static void expect_json(const char *in, unsigned flags, const char *want)
{
	AUTO(err) e = { 0 };
	AUTO(str) s = { 0 };
	AUTO_DOC d = NULL;

	assert_ok(yaml_read(sv_c(in), "t.yaml", flags, &d, &e), &e);
	json_write(&s, doc_root(d), 0);
	assert_string_equal(str_c(&s), want);
}

static void expect_rows(const struct row *rows, size_t n, unsigned flags)
{
	for (size_t i = 0; i < n; i++)
		expect_json(rows[i].in, flags, rows[i].want);
}
#define EXPECT_ROWS(rows, flags) expect_rows(rows, sizeof rows / sizeof *rows, flags)

static void yaml_scalars_resolve_as_kubernetes_tools_do(void **state)
{
	static const struct row rows[] = {
		{ "[y, Yes, NO, on, OFF, true, False, tRUE]", "[true,true,false,true,false,true,false,\"tRUE\"]" },
		{ "[0777, 0o777, 0x1F, 0b101, -0b11, 1_000, 1__0, 08, 00, -0, +7, 0X1f]", "[511,511,31,5,-3,1000,10,8,0,0,7,31]" },
		{ "[18446744073709551615, 18446744073709551616]", "[18446744073709551615,18446744073709552000]" },
		{ "[1., .5, +.5, 1e3, 12e03, 1.0, 123456789.5, 1e21, 1e, e3, nan, inf]",
		  "[1,0.5,0.5,1000,12000,1,123456789.5,1e+21,\"1e\",\"e3\",\"nan\",\"inf\"]" },
		{ "[1:30, 190:20:30, 2001-01-01, 2001-12-14t21:59:43.10-05:00]",
		  "[\"1:30\",\"190:20:30\",\"2001-01-01\",\"2001-12-14t21:59:43.10-05:00\"]" },
		{ "[~, null, Null, NULL, nUll]", "[null,null,null,null,\"nUll\"]" },
		{ "[!!str 1, !!float 1, !!int 3, !foo 1, ! 1, !!binary aGk=]", "[\"1\",1,3,\"1\",\"1\",\"hi\"]" },
		{ "['1', \"true\", \"a\\nb\"]", "[\"1\",\"true\",\"a\\nb\"]" },
		{ "a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}" },
		{ "1: a\n1.5: b\ntrue: c\non: d\n0x10: e\n", "{\"1\":\"a\",\"1.5\":\"b\",\"true\":\"d\",\"16\":\"e\"}" },
		{ "a:\nb: \n", "{\"a\":null,\"b\":null}" }, { "", "null" }, { "# only a comment\n", "null" }, { "\xef\xbb\xbf" "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}" },
	};

	(void)state;
	EXPECT_ROWS(rows, 0);
}

static void yaml_strict_booleans_and_times_for_kustomize(void **state)
{
	static const struct row rows[] = {
		{ "[y, yes, on, true, False]", "[\"y\",\"yes\",\"on\",true,false]" },
		{ "on: 1", "{\"on\":1}" },
		{ "[2001-1-1, 2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43, 2001-13-01]",
		  "[\"2001-01-01T00:00:00Z\",\"2001-12-14T21:59:43.1-05:00\",\"2001-12-14T21:59:43Z\",\"2001-13-01\"]" },
	};

	(void)state;
	EXPECT_ROWS(rows, YAML_1_2);
}

static void yaml_aliases_and_merges_expand(void **state)
{
	static const struct row rows[] = {
		{ "a: &x {k: [1]}\nb: *x\n", "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]}}" },
		{ "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"p\":1}}" },
		{ "b:\n  q: 3\n  <<: [{p: 1, q: 2}, {p: 5, r: 6}]\n", "{\"b\":{\"q\":3,\"p\":1,\"r\":6}}" },
		{ "&k a: *k\n", "{\"a\":\"a\"}" },
		{ "a: \"<<\"\n", "{\"a\":\"<<\"}" },
	};

	(void)state;
	EXPECT_ROWS(rows, 0);
}

static void yaml_alias_copies_are_independent(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_DOC d = NULL;

	(void)state;
	assert_ok(yaml_read(SV("a: &x {k: 1}\nb: *x\n"), "t", 0, &d, &e), &e);
	node_put(d, doc_root(d), "b.k", node_int(d, 2));
	assert_int_equal(node_int_at(doc_root(d), "a.k", 0), 1);
}

static void expect_error(const char *in, unsigned flags, const char *want)
{
	AUTO(err) e = { 0 };
	AUTO_DOC d = NULL;

	assert_err(yaml_read(sv_c(in), "t.yaml", flags, &d, &e), &e, ERR_BAD_REQUEST, want);
	assert_null(d);
}

static void yaml_errors_name_file_line_and_column(void **state)
{
	(void)state;
	expect_error("a: 1\nb: [1,\n", 0, "t.yaml:3:1: ");
	expect_error("a: 1\n\tb: 2\n", 0, "t.yaml:2:1: found a tab character that violates indentation");
	expect_error("a: *x\n", 0, "t.yaml:1:4: unknown anchor 'x' referenced");
	expect_error("a: &x [*x]\n", 0, "anchor 'x' value contains itself");
	expect_error("a: .inf\n", 0, "t.yaml:1:4: unsupported value");
	expect_error("a: !!int foo\n", 0, "cannot read `foo` as a !!int");
	expect_error("~: 1\n", 0, "t.yaml:1:1: unsupported map key: null");
	expect_error("? [a]\n: 1\n", 0, "unsupported map key: array");
	expect_error("<<: 3\n", 0, "map merge requires map");
	expect_error("a: 1\nb: 2\na: 3\n", YAML_UNIQUE_KEYS, "t.yaml:3:1: duplicate key \"a\", already set in line 1");
	expect_error("a: 1\n---\nb: 1\n", 0, "t.yaml:3: one document expected");
	expect_error("a: \"\x01\"\n", 0, "control characters are not allowed");
}

static void yaml_growth_by_aliases_is_bounded(void **state)
{
	AUTO(str) bomb = { 0 };

	(void)state;
	str_addc(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++) {
		str_addf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			str_addf(&bomb, "%s*a%d", j ? "," : "", i - 1);
		str_addc(&bomb, "]\n");
	}
	expect_error(str_c(&bomb), 0, "aliases make the document too large");
	str_cut(&bomb, 0);
	str_addc(&bomb, "a0: &a0 [x]\n");
	for (int i = 1; i < 300; i++)
		str_addf(&bomb, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	expect_error(str_c(&bomb), 0, "aliases make the document too large");
}

static void yaml_depth_is_bounded(void **state)
{
	char deep[301] = { 0 };

	(void)state;
	memset(deep, '[', 300);
	expect_error(deep, 0, "nested deeper than 256 levels");
}

static void yaml_streams_give_every_document_but_empty_ones(void **state)
{
	__attribute__((cleanup(docs_free))) struct docs docs = { 0 };
	AUTO(err) e = { 0 };
	char where[256];

	(void)state;
	assert_ok(yaml_read_all(SV("---\n---\na: 1\n---\n# none\n---\nnull\n...\n---\nb:\n  c: 2\n"), "s.yaml", 0, &docs, &e), &e);
	assert_int_equal(docs.n, 2);
	assert_int_equal(node_int_at(doc_root(docs.v[1]), "b.c", 0), 2);
	assert_string_equal(node_where(docs.v[1], node_at(doc_root(docs.v[1]), "b.c"), where), "s.yaml:11");
}

static void expect_yaml(const char *json, unsigned flags, const char *want)
{
	AUTO(err) e = { 0 };
	AUTO(str) s = { 0 };
	AUTO_DOC d = NULL;

	assert_ok(json_read(sv_c(json), "t.json", 0, &d, &e), &e);
	yaml_write(&s, doc_root(d), flags);
	assert_string_equal(str_c(&s), want);
}

static void yaml_output_is_go_yamls(void **state)
{
	static const struct row rows[] = {
		{ "{\"b\":[1,{\"x\":[]}],\"a\":{}}", "b:\n- 1\n- x: []\na: {}\n" },
		{ "[[1,[2]],{\"a\":null}]", "- - 1\n  - - 2\n- a: null\n" },
		{ "[\"y\",\"12:30\",\"0o17\",\"1e3\",\"~\",\"\",\"2001-01-01\",\"1_000\",\"null\",\".5\"]",
		  "- \"y\"\n- \"12:30\"\n- \"0o17\"\n- \"1e3\"\n- \"~\"\n- \"\"\n- \"2001-01-01\"\n- \"1_000\"\n- \"null\"\n- \".5\"\n" },
		{ "[\"a b\",\"- a\",\"a: b\",\"#x\",\"it's\",\" a\",\"*a\",\"%a\",\"[\"]",
		  "- a b\n- '- a'\n- 'a: b'\n- '#x'\n- it's\n- ' a'\n- '*a'\n- '%a'\n- '['\n" },
		{ "{\"a\":\"x\\ny\\n\",\"b\":\"x\\ny\",\"c\":\"x\\n\\n\",\"d\":\" x\\ny\\n\"}",
		  "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2\n   x\n  y\n" },
		{ "{\"c\":\"x\\n\\n\"}", "c: |+\n  x\n\n" },
		{ "[\"\xc3\xa9\xf0\x9f\x98\x80\",\"\\u0007\",\"a\\tb\"]", "- \"\xc3\xa9\\U0001F600\"\n- \"\\a\"\n- \"a\\tb\"\n" },
		{ "[1.0,1e3,123456789.5,12345678901234567890,123456789012345678901234567890,0.1,1e-7,-0]",
		  "- 1\n- 1000\n- 1.234567895e+08\n- 12345678901234567890\n- 1.2345678901234568e+29\n- 0.1\n- 1e-07\n- -0\n" },
		{ "null", "null\n" }, { "{}", "{}\n" }, { "\"x\"", "x\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_yaml(rows[i].in, 0, rows[i].want);
}

static void yaml_numbers_as_written_keep_their_text_until_settled(void **state)
{
	static const char *const rows[][3] = {
		{ "v: 0x1F", "0x1F", "31" }, { "v: 1.10", "1.10", "1.1" }, { "v: 1_000", "1_000", "1000" }, { "v: 1.0", "1.0", "1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_DOC d = NULL;

		assert_ok(yaml_read(sv_c(rows[i][0]), "t.yaml", YAML_1_2 | YAML_AS_WRITTEN, &d, &e), &e);
		assert_string_equal(node_get(doc_root(d), "v")->text, rows[i][1]);
		yaml_settle(d, doc_root(d));
		assert_string_equal(node_get(doc_root(d), "v")->text, rows[i][2]);
	}
}

static void yaml_nulls_tell_whether_they_were_written(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_DOC d = NULL;

	(void)state;
	assert_ok(yaml_read(sv_c("a:\nb: null\nc: ~\n"), "t.yaml", YAML_1_2, &d, &e), &e);
	assert_int_equal(node_get(doc_root(d), "a")->flags, NODE_BLANK);
	assert_int_equal(node_get(doc_root(d), "b")->flags, 0);
	assert_int_equal(node_get(doc_root(d), "c")->flags, 0);
}

static void yaml_plain_resolves_text(void **state)
{
	AUTO_DOC d = doc_new();

	(void)state;
	assert_int_equal(yaml_plain(d, SV("8080"))->type, NODE_INT);
	assert_int_equal(yaml_plain(d, SV("true"))->type, NODE_BOOL);
	assert_int_equal(yaml_plain(d, SV("yes"))->type, NODE_STR);
	assert_int_equal(yaml_plain(d, SV("1.5"))->type, NODE_FLOAT);
	assert_int_equal(yaml_plain(d, SV(""))->type, NODE_NULL);
}

static void yaml_styles_survive_reading_and_writing(void **state)
{
	static const char text[] = "a: {b: \"1\", c: 'x', d: [1.0, 0x1F]}\ne: |\n  one\n  two\nf: plain\n";
	AUTO(err) e = { 0 };
	AUTO(str) s = { 0 };
	AUTO_DOC d = NULL;

	(void)state;
	assert_ok(yaml_read(sv_c(text), "t.yaml", YAML_1_2 | YAML_STYLES, &d, &e), &e);
	yaml_write(&s, doc_root(d), YAML_STYLES);
	assert_string_equal(str_c(&s), text);
}

static void yaml_long_lines_fold_at_80(void **state)
{
	(void)state;
	expect_yaml("{\"a\":\"word word word word word word word word word word word word word word word word word word\"}", 0,
		    "a: word word word word word word word word word word word word word word word word\n  word word\n");
}

static void yaml_sorted_keys_follow_go_yamls_order(void **state)
{
	(void)state;
	expect_yaml("{\"a10\":1,\"AB\":1,\"a2\":1,\"A_B\":1,\"b\":1,\"1b\":1,\"12\":1,\"a\":{\"z\":1,\"y\":1}}", YAML_SORTED,
		    "\"12\": 1\n1b: 1\nA_B: 1\nAB: 1\na:\n  \"y\": 1\n  z: 1\na2: 1\na10: 1\nb: 1\n");
}

static void yaml_written_is_read_as_the_same(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[\"yes\",\"1\",\" \",\"\\n\",\"a\\n\\n\",\"x: y\",\"\\u0000\",\"\\u2028x\",\"<<\"],\"<<\":1,\"~\":null,\"1\":1.5}",
		"[[[]],{},\"\\t\",\"a \\n b\",\"---\",\"...\",\"# a\",\"a #b\",\"!x\",\"&x\",\"\\\"\"]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(err) e = { 0 };
		AUTO(str) s = { 0 };
		AUTO_DOC d = NULL;
		AUTO_DOC again = NULL;

		assert_ok(json_read(sv_c(texts[i]), "t.json", 0, &d, &e), &e);
		yaml_write(&s, doc_root(d), 0);
		assert_ok(yaml_read(str_sv(&s), "t.yaml", YAML_UNIQUE_KEYS, &again, &e), &e);
		assert_true(node_eq(doc_root(d), doc_root(again)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(yaml_scalars_resolve_as_kubernetes_tools_do),
		TEST(yaml_strict_booleans_and_times_for_kustomize),
		TEST(yaml_aliases_and_merges_expand),
		TEST(yaml_alias_copies_are_independent),
		TEST(yaml_errors_name_file_line_and_column),
		TEST(yaml_growth_by_aliases_is_bounded),
		TEST(yaml_depth_is_bounded),
		TEST(yaml_streams_give_every_document_but_empty_ones),
		TEST(yaml_output_is_go_yamls),
		TEST(yaml_numbers_as_written_keep_their_text_until_settled),
		TEST(yaml_nulls_tell_whether_they_were_written),
		TEST(yaml_plain_resolves_text),
		TEST(yaml_styles_survive_reading_and_writing),
		TEST(yaml_long_lines_fold_at_80),
		TEST(yaml_sorted_keys_follow_go_yamls_order),
		TEST(yaml_written_is_read_as_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
