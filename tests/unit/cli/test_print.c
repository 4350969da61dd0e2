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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(table_columns_line_up),
		TEST(table_counts_characters_not_bytes),
		TEST(table_cells_cannot_speak_to_the_terminal),
		TEST(table_rows_that_come_later_use_the_same_widths),
		TEST(tree_titles_are_words),
		TEST(tree_shows_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
