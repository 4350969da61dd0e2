/* Tables and trees: what people read. */
#include "check.h"

#include "base/yaml.h"
#include "cli/print.h"

#include <stdlib.h>

static char *printed(const struct table *t, struct widths *w)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	table_print(t, w, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void expect_table(const struct table *t, struct widths *w, const char *want)
{
	char *got = printed(t, w);

	assert_string_equal(got, want);
	free(got);
}

static void table_columns_line_up(void **state)
{
	AUTO(table) t = { .columns = 2 };
	const char *const cells[] = { "NAME", "READY", "a-long-name", "1/1", "b", "" };

	(void)state;
	for (size_t i = 0; i < 6; i++)
		table_add(&t, cells[i]);
	expect_table(&t, NULL, "NAME          READY\na-long-name   1/1\nb             \n");
}

static void table_counts_characters_not_bytes(void **state)
{
	AUTO(table) t = { .columns = 2 };
	const char *const cells[] = { "\xc3\xa9\xc3\xa9", "x", "ab", "y" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		table_add(&t, cells[i]);
	expect_table(&t, NULL, "\xc3\xa9\xc3\xa9   x\nab   y\n");
}

static void table_cells_cannot_speak_to_the_terminal(void **state)
{
	AUTO(table) t = { .columns = 1 };

	(void)state;
	table_add(&t, "a\033[31m\nb");
	expect_table(&t, NULL, "a [31m b\n");
}

static void table_rows_that_come_later_use_the_same_widths(void **state)
{
	AUTO(table) t = { .columns = 2 };
	struct widths w = { 0 };

	(void)state;
	table_add(&t, "a-long-name");
	table_add(&t, "1");
	expect_table(&t, &w, "a-long-name   1\n");
	table_clear(&t);
	table_add(&t, "b");
	table_add(&t, "2");
	expect_table(&t, &w, "b             2\n");
	vec_free(&w);
}

static const struct { const char *key, *title; } titles[] = {
	{ "replicas", "Replicas" }, { "containerStatuses", "Container Statuses" }, { "clusterIP", "Cluster IP" },
	{ "podIPs", "Pod IPs" }, { "imageID", "Image ID" }, { "app.kubernetes.io/name", "app.kubernetes.io/name" },
	{ "hostPID", "Host PID" }, { "URLPath", "URL Path" },
};

static void tree_titles_are_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
		AUTO(str) s = { 0 };

		tree_title(&s, titles[i].key);
		assert_string_equal(str_c(&s), titles[i].title);
	}
}

static const struct { const char *yaml, *want; } trees[] = {
	{ "{replicas: 2, empty: {}, list: []}", "\n  Replicas: 2\n" },
	{ "[a, b]", "\n  a\n  b\n" },
	{ "conditions: [{type: A, status: 'True'}, {type: Bb, status: 'False', reason: R}]",
	  "\n  Conditions:\n    TYPE   STATUS   REASON\n    A      True     \n    Bb     False    R\n" },
	{ "items: [{a: {b: 1}}, {a: {b: 2}}]", "\n  Items:\n    A:\n      B: 1\n    -\n    A:\n      B: 2\n" },
	{ "text: \"one\\ntwo\\n\"", "\n  Text:\n    one\n    two\n" },
};

static void tree_shows_what_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
		AUTO(str) s = { 0 };
		AUTO_DOC d = NULL;
		struct err e = { 0 };

		assert_ok(yaml_read(sv_c(trees[i].yaml), "t", 0, &d, &e), &e);
		tree_value(&s, doc_root(d), NULL, false, 1);
		assert_string_equal(str_c(&s), trees[i].want);
	}
}

#define OBJECT "{metadata: {name: web, labels: {a.b/c: x}}, items: [{k: a, v: 1}, {k: b, v: 2, l: [x, z]}], nothing: {}}"

static const struct { const char *output, *want; int code; } templates[] = {
	{ "jsonpath={.metadata.name}", "web", 0 }, { "jsonpath=.metadata.name", "web", 0 },
	{ "jsonpath={.items[*].k}", "a b", 0 }, { "jsonpath={.items[1].v}{'\\n'}", "2\n", 0 },
	{ "jsonpath=x{.metadata.name}y{\"\\t{}\"}", "xweby\t{}", 0 },
	{ "jsonpath={range .items[*]}{.k}={@.v}{$.metadata.name};{end}.", "a=1web;b=2web;.", 0 },
	{ "jsonpath={range .items[*]}[{range .l[*]}{@},{end}]{end}", "[][x,z,]", 0 },
	{ "jsonpath={range .nowhere[*]}{.k}{end}done", "done", 0 },
	{ "jsonpath={.metadata.labels['a.b/c']}", "x", 0 }, { "jsonpath={.metadata.labels.a\\.b/c}", "x", 0 }, { "jsonpath={.missing}", "", 0 },
	{ "jsonpath={.items[?(@.k==\"b\")].v}", "2", 0 }, { "jsonpath={.metadata.labels}", "{\"a.b/c\":\"x\"}", 0 },
	{ "jsonpath={.a", "a brace is not closed", ERR_BAD_REQUEST }, { "jsonpath={end}", "{end} without {range}", ERR_BAD_REQUEST },
	{ "jsonpath={range .items[*]}x", "{range} without {end}", ERR_BAD_REQUEST }, { "jsonpath={.a[}", "not understood", ERR_INVALID },
};

static void template_write_fills_in(void **state)
{
	AUTO_DOC d = NULL;

	(void)state;
	assert_int_equal(yaml_read(SV(OBJECT), "t", 0, &d, NULL), 0);
	for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
		AUTO(str) out = { 0 };
		struct err e = { 0 };
		int r = template_write(templates[i].output, doc_root(d), &out, &e);

		if (templates[i].code > 0)
			assert_err(r, &e, templates[i].code, templates[i].want);
		else if (!templates[i].code && (r || !str_eq(str_c(&out), templates[i].want)))
			fail_msg("%s: got '%s', %s", templates[i].output, str_c(&out), err_msg(&e));
		err_free(&e);
	}
}

static void template_columns_make_a_table(void **state)
{
	static const char output[] = "custom-columns=NAME:.metadata.name,N:.items[*].k,NONE:.x";
	AUTO(table) t = { 0 };
	AUTO_DOC d = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(yaml_read(SV(OBJECT), "t", 0, &d, NULL), 0);
	assert_ok(template_columns(output, NULL, &t, &e), &e);
	assert_ok(template_columns(output, doc_root(d), &t, &e), &e);
	expect_table(&t, NULL, "NAME   N     NONE\nweb    a,b   <none>\n");
	assert_err(template_columns("custom-columns=NAME", NULL, &t, &e), &e, ERR_BAD_REQUEST, "want NAME:.PATH");
	err_free(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(table_columns_line_up),
		TEST(table_counts_characters_not_bytes),
		TEST(table_cells_cannot_speak_to_the_terminal),
		TEST(table_rows_that_come_later_use_the_same_widths),
		TEST(tree_titles_are_words),
		TEST(tree_shows_what_is_there),
		TEST(template_write_fills_in),
		TEST(template_columns_make_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
