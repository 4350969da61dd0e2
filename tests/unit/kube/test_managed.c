/* Server-side apply: conflicts, ownership that changes hands, fields that nobody applies any more. */
#include "check.h"

#include "base/json.h"
#include "base/yaml.h"
#include "kube/patch/managed.h"

#include <stdlib.h>
#include <string.h>

struct world {
	struct kinds *kinds;
	struct doc *d;
	struct node *live;
	struct err err;
	const struct type *type;
	const char *version;
};

static void world_open(struct world *w, const char *api_version, const char *kind)
{
	*w = (struct world){ .kinds = kinds_new(), .d = doc_new(), .version = api_version };
	w->type = kinds_find(w->kinds, api_version, kind)->type;
}

static void world_close(struct world *w)
{
	doc_drop(&w->d);
	kinds_free(&w->kinds);
	err_free(&w->err);
}

static struct node *parse(struct world *w, const char *yaml)
{
	AUTO_DOC d = NULL;
	AUTO(err) e = { 0 };

	assert_ok(yaml_read(sv_c(yaml), "test", 0, &d, &e), &e);
	return node_copy(w->d, doc_root(d));
}

static int apply(struct world *w, const char *who, const char *yaml, bool force)
{
	struct manager m = { who, "", w->version, "2024-01-01T00:00:00Z", force };
	struct node *out = NULL;
	int r = managed_apply(w->d, w->live, parse(w, yaml), w->type, &m, &out, &w->err);

	if (r >= 0)
		w->live = out;
	return r;
}

static void update(struct world *w, const char *who, const char *path, const char *json)
{
	struct manager m = { who, "", w->version, "2024-01-01T00:00:00Z", false };
	struct node *after = node_copy(w->d, w->live);

	node_put(w->d, after, path, parse(w, json));
	managed_update(w->d, w->live, after, w->type, &m);
	w->live = after;
}

static void expect(struct world *w, const char *path, const char *want)
{
	AUTO(str) got = { 0 };
	const struct node *n = node_at(w->live, path);

	if (n)
		json_write(&got, n, JSON_SORTED);
	assert_string_equal(str_c(&got), want);
}

/* "first Apply {...}" a line for each manager */
static void expect_owners(struct world *w, const char *want)
{
	AUTO(str) got = { 0 };
	struct node *it;

	node_each(it, node_at(w->live, "metadata.managedFields")) {
		str_addf(&got, "%s %s ", node_str_at(it, "manager"), node_str_at(it, "operation"));
		json_write(&got, node_get(it, "fieldsV1"), JSON_SORTED);
		str_addc(&got, "\n");
	}
	assert_string_equal(str_c(&got), want);
}

#define MAP "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, "

static void apply_of_a_field_that_another_set_is_conflict(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "v1", "ConfigMap");
	assert_ok(apply(&w, "first", MAP "data: {a: '1', b: x}}", false), &w.err);
	assert_ok(apply(&w, "second", MAP "data: {b: x}}", false), &w.err); /* the same value: both have it */
	assert_int_equal(apply(&w, "second", MAP "data: {a: '2', b: x}}", false), -ERR_CONFLICT);
	assert_string_equal(w.err.msg, "Apply failed with 1 conflict: conflict with \"first\" using v1: .data.a");
	assert_int_equal(w.err.n_causes, 1);
	assert_string_equal(w.err.causes[0].field, ".data.a");
	assert_string_equal(w.err.causes[0].reason, "FieldManagerConflict");
	assert_string_equal(w.err.causes[0].msg, "conflict with \"first\" using v1");
	expect(&w, "data", "{\"a\":\"1\",\"b\":\"x\"}");
	world_close(&w);
}

static void apply_by_force_takes_the_field_over(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "v1", "ConfigMap");
	assert_ok(apply(&w, "first", MAP "data: {a: '1', b: x}}", false), &w.err);
	assert_ok(apply(&w, "second", MAP "data: {a: '2'}}", true), &w.err);
	expect_owners(&w, "first Apply {\"f:data\":{\"f:b\":{}}}\nsecond Apply {\"f:data\":{\"f:a\":{}}}\n");
	assert_ok(apply(&w, "first", MAP "data: {}}", false), &w.err); /* gives up b: it goes; a is second's */
	expect(&w, "data", "{\"a\":\"2\"}");
	world_close(&w);
}

static void apply_gives_up_only_what_nobody_else_has(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "v1", "ConfigMap");
	assert_ok(apply(&w, "first", MAP "data: {a: '1', b: x, c: y}}", false), &w.err);
	assert_ok(apply(&w, "second", MAP "data: {b: x}}", false), &w.err);
	update(&w, "editor", "data.c", "z");
	expect_owners(&w, "first Apply {\"f:data\":{\"f:a\":{},\"f:b\":{}}}\nsecond Apply {\"f:data\":{\"f:b\":{}}}\n"
		      "editor Update {\"f:data\":{\"f:c\":{}}}\n");
	assert_ok(apply(&w, "first", MAP "data: {a: '1'}}", false), &w.err);
	expect(&w, "data", "{\"a\":\"1\",\"b\":\"x\",\"c\":\"z\"}");
	world_close(&w);
}

static const char deployment[] =
	"{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {template: {spec: {containers: ["
	"{name: a, image: 'i:1', ports: [{containerPort: 80}]}, {name: b, image: 'i:1'}]}}}}";

static void apply_owns_list_items_by_their_keys(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "apps/v1", "Deployment");
	assert_ok(apply(&w, "first", deployment, false), &w.err);
	expect_owners(
		&w, "first Apply {\"f:spec\":{\"f:template\":{\"f:spec\":{\"f:containers\":{"
		    "\"k:{\\\"name\\\":\\\"a\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{},\"f:ports\":{"
		    "\"k:{\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:containerPort\":{}}}},"
		    "\"k:{\\\"name\\\":\\\"b\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{}}}}}}}\n");
	assert_ok(apply(&w, "second",
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {template: {spec: "
			"{containers: ["
			"{name: a, command: [x]}]}}}}",
			false),
		  &w.err);
	assert_int_equal(apply(&w, "second",
			       "{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {template: {spec: {"
			       "containers: [{name: a, image: other}]}}}}",
			       false),
			 -ERR_CONFLICT);
	assert_string_equal(w.err.causes[0].field, ".spec.template.spec.containers[name=\"a\"].image");
	assert_ok(apply(&w, "first",
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {template: {spec: "
			"{containers: ["
			"{name: b, image: 'i:2'}]}}}}",
			false),
		  &w.err);
	/* a is also second's, so it stays with what second has of it */
	expect(&w, "spec.template.spec.containers",
	       "[{\"command\":[\"x\"],\"name\":\"a\"},{\"image\":\"i:2\",\"name\":\"b\"}]");
	world_close(&w);
}

static void apply_to_an_object_that_never_was_applied_finds_it_owned(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "v1", "ConfigMap");
	w.live = parse(&w, MAP "data: {a: '1'}}");
	assert_int_equal(apply(&w, "first", MAP "data: {a: '2'}}", false), -ERR_CONFLICT);
	assert_non_null(strstr(w.err.msg, "conflict with \"before-first-apply\" using v1: .data.a"));
	assert_ok(apply(&w, "first", MAP "data: {a: '2'}}", true), &w.err);
	expect_owners(&w, "first Apply {\"f:data\":{\"f:a\":{}}}\n");
	world_close(&w);
}

static void update_of_an_object_that_never_was_applied_records_nothing(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "v1", "ConfigMap");
	w.live = parse(&w, MAP "data: {a: '1'}}");
	update(&w, "editor", "data.a", "z");
	expect(&w, "metadata", "{\"name\":\"a\"}");
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(apply_of_a_field_that_another_set_is_conflict),
		TEST(apply_by_force_takes_the_field_over),
		TEST(apply_gives_up_only_what_nobody_else_has),
		TEST(apply_owns_list_items_by_their_keys),
		TEST(apply_to_an_object_that_never_was_applied_finds_it_owned),
		TEST(update_of_an_object_that_never_was_applied_records_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
