#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/json.h"

static struct doc *read_json(const char *text)
{
	AUTO(err) e = { 0 };
	struct doc *d = NULL;

	assert_ok(json_read(sv_c(text), "t.json", 0, &d, &e), &e);
	return d;
}

static void expect_text(const struct node *n, unsigned flags, const char *want)
{
	AUTO(str) s = { 0 };

	json_write(&s, n, flags);
	assert_string_equal(str_c(&s), want);
}

static void doc_built_by_hand_writes_in_order(void **state)
{
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d), *list;

	(void)state;
	node_put(d, root, "spec.replicas", node_int(d, 3));
	node_put(d, root, "spec.name", node_str(d, "web"));
	node_put(d, root, "spec.name", node_strf(d, "web-%d", 2));
	list = node_seq_at(d, root, "spec.ports");
	node_add(d, list, node_int(d, 2));
	node_insert(d, list, 0, node_int(d, 1));
	node_add(d, node_seq_at(d, root, "spec.ports"), node_null(d));
	node_set(d, node_map_at(d, root, "a"), "b", node_bool(d, true));
	expect_text(root, 0, "{\"spec\":{\"replicas\":3,\"name\":\"web-2\",\"ports\":[1,2,null]},\"a\":{\"b\":true}}");
	expect_text(root, JSON_SORTED, "{\"a\":{\"b\":true},\"spec\":{\"name\":\"web-2\",\"ports\":[1,2,null],\"replicas\":3}}");
	node_remove(list, 1);
	assert_true(node_del(node_get(root, "spec"), "replicas"));
	assert_false(node_del(node_get(root, "spec"), "replicas"));
	node_sort_keys(root);
	expect_text(root, 0, "{\"a\":{\"b\":true},\"spec\":{\"name\":\"web-2\",\"ports\":[1,null]}}");
}

static void doc_paths_read_maps_and_lists(void **state)
{
	AUTO_DOC d = read_json("{\"spec\":{\"containers\":[{\"image\":\"a\"},{\"image\":\"b\",\"n\":7,\"f\":1.5,\"t\":true}]}}");
	const struct node *root = doc_root(d);

	(void)state;
	assert_string_equal(node_str_at(root, "spec.containers.1.image"), "b");
	assert_null(node_at(root, "spec.containers.2.image"));
	assert_null(node_at(root, "spec.containers.x"));
	assert_null(node_at(NULL, "a.b"));
	assert_string_equal(node_str_or(root, "spec.none", "def"), "def");
	assert_int_equal(node_int_at(root, "spec.containers.1.n", -1), 7);
	assert_int_equal(node_int_at(root, "spec.containers.1.f", -1), -1);
	assert_true(node_bool_at(root, "spec.containers.1.t", false));
	assert_string_equal(node_type_name(node_at(root, "spec.containers")), "array");
}

static void doc_equality_ignores_order_and_number_form(void **state)
{
	AUTO_DOC a = read_json("{\"a\":1,\"b\":[1.0,\"x\"],\"c\":{}}");
	AUTO_DOC b = read_json("{\"c\":{},\"b\":[1,\"x\"],\"a\":1e0}");
	AUTO_DOC c = read_json("{\"c\":{},\"b\":[\"x\",1],\"a\":1}");
	AUTO_DOC e = read_json("{\"c\":{},\"b\":[1,\"x\"],\"z\":1}");

	(void)state;
	assert_true(node_eq(doc_root(a), doc_root(b)));
	assert_false(node_eq(doc_root(a), doc_root(c)));
	assert_false(node_eq(doc_root(b), doc_root(e)));
	assert_false(node_eq(doc_root(a), NULL));
}

static void doc_copy_keeps_sources_and_outlives_its_origin(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_DOC other = doc_new();
	struct doc *from = NULL;
	char where[256];

	(void)state;
	doc_source(other, "first.json");
	assert_ok(json_read(SV("{\n\"a\":\n[1]}"), "second.json", 0, &from, &e), &e);
	doc_set_root(other, node_import(other, from, doc_root(from)));
	doc_drop(&from);
	assert_string_equal(node_where(other, node_at(doc_root(other), "a.0"), where), "second.json:3");
	AUTO_DOC copy = doc_copy(other);
	doc_drop(&other);
	assert_string_equal(node_where(copy, node_at(doc_root(copy), "a.0"), where), "second.json:3");
	AUTO_DOC bare = doc_of(doc_root(copy));
	assert_string_equal(node_where(bare, node_at(doc_root(bare), "a"), where), "line 3");
}

static void doc_reference_count_keeps_it_alive(void **state)
{
	struct doc *d = read_json("[1]"), *second = doc_ref(d);

	(void)state;
	doc_drop(&d);
	assert_null(d);
	expect_text(doc_root(second), 0, "[1]");
	doc_drop(&second);
	doc_drop(&second);
}

static void doc_large_blocks_and_many_keys_fit(void **state)
{
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d);
	char key[32];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof key, "k%d", i);
		node_set(d, root, key, node_int(d, i));
	}
	char *big = doc_alloc(d, 1 << 20);
	assert_int_equal(big[(1 << 20) - 1], 0);
	assert_int_equal(node_n(root), 3000);
	assert_int_equal(node_int_at(root, "k2999", -1), 2999);
	assert_true(doc_bytes(d) > 1 << 20);
}

static void doc_floats_print_as_go_does(void **state)
{
	static const struct { double v; const char *want; } rows[] = {
		{ 0, "0" }, { 1.0, "1" }, { -3, "-3" }, { 0.1, "0.1" }, { 123456789.123456789, "123456789.12345679" },
		{ 1e20, "100000000000000000000" }, { 1e21, "1e+21" }, { 1.5e21, "1.5e+21" }, { 1e-6, "0.000001" },
		{ 1e-7, "1e-7" }, { 2.5e-9, "2.5e-9" }, { 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 0.30000000000000004, "0.30000000000000004" }, { 100.25, "100.25" }, { 1e15, "1000000000000000" },
	};
	AUTO_DOC d = doc_new();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_text(node_float(d, rows[i].v), 0, rows[i].want);
	assert_int_equal(node_float(d, 1.0)->type, NODE_INT);
	assert_int_equal(node_float(d, 1e21)->type, NODE_FLOAT);
	assert_int_equal(node_float(d, 1.0 / 0.0)->type, NODE_NULL);
}

static void doc_numbers_convert_only_when_whole_and_in_range(void **state)
{
	AUTO_DOC d = read_json("[9223372036854775807,9223372036854775808,1.0,1.5,1e3,\"1\"]");
	int64_t v = 0;
	double f = 0;

	(void)state;
	assert_true(node_to_i64(node_item(doc_root(d), 0), &v) && v == INT64_MAX);
	assert_false(node_to_i64(node_item(doc_root(d), 1), &v));
	assert_true(node_to_i64(node_item(doc_root(d), 2), &v) && v == 1);
	assert_false(node_to_i64(node_item(doc_root(d), 3), &v));
	assert_true(node_to_i64(node_item(doc_root(d), 4), &v) && v == 1000);
	assert_false(node_to_i64(node_item(doc_root(d), 5), &v));
	assert_true(node_to_double(node_item(doc_root(d), 1), &f) && f > 9.2e18);
	assert_false(node_to_double(NULL, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(doc_built_by_hand_writes_in_order),
		TEST(doc_paths_read_maps_and_lists),
		TEST(doc_equality_ignores_order_and_number_form),
		TEST(doc_copy_keeps_sources_and_outlives_its_origin),
		TEST(doc_reference_count_keeps_it_alive),
		TEST(doc_large_blocks_and_many_keys_fit),
		TEST(doc_floats_print_as_go_does),
		TEST(doc_numbers_convert_only_when_whole_and_in_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
