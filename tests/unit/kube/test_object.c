#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kube/object.h"
#include "kube/status.h"

static struct doc *read_json(const char *text)
{
	AUTO(err) e = { 0 };
	struct doc *d = NULL;

	assert_ok(json_read(sv_c(text), "t.json", 0, &d, &e), &e);
	return d;
}

static void expect_json(const struct node *n, const char *want)
{
	AUTO(str) s = { 0 };

	json_write(&s, n, 0);
	assert_string_equal(str_c(&s), want);
}

static const struct kind pod = { .group = "", .version = "v1", .kind = "Pod", .plural = "pods", .namespaced = true };
static const struct kind deployment = { .group = "apps", .version = "v1", .kind = "Deployment", .plural = "deployments",
					.namespaced = true };

static void object_reads_names_and_revision(void **state)
{
	AUTO_OBJECT o = object_new(&pod, read_json("{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"resourceVersion\":\"42\"}}"));
	AUTO_OBJECT second = object_ref(o);

	(void)state;
	assert_string_equal(o->name, "a");
	assert_string_equal(o->ns, "n");
	assert_string_equal(o->uid, "");
	assert_int_equal(second->revision, 42);
}

static void object_keys_join_and_split(void **state)
{
	AUTO(str) ns = { 0 };
	const char *name;
	char *key = object_key("default", "web");

	(void)state;
	object_key_split(key, &ns, &name);
	assert_string_equal(str_c(&ns), "default");
	assert_string_equal(name, "web");
	free(key);
	key = object_key("", "node-1");
	object_key_split(key, &ns, &name);
	assert_string_equal(str_c(&ns), "");
	assert_string_equal(name, "node-1");
	free(key);
}

static void meta_is_read_and_written(void **state)
{
	AUTO_DOC d = doc_new();
	AUTO_OBJECT owner = object_new(&deployment, read_json("{\"metadata\":{\"name\":\"web\",\"uid\":\"u1\"}}"));
	struct node *root = object_start(d, &pod, "n", "web-1");

	(void)state;
	meta_set_label(d, root, "app.kubernetes.io/name", "web");
	meta_set_annotation(d, root, "a/b", "c");
	meta_add_owner(d, root, owner);
	assert_string_equal(meta_label(root, "app.kubernetes.io/name"), "web");
	assert_string_equal(meta_annotation(root, "a/b"), "c");
	assert_null(meta_label(root, "none"));
	assert_true(meta_owned_by(root, "u1"));
	assert_false(meta_owned_by(root, "u2"));
	assert_string_equal(node_str_at(meta_owner(root), "apiVersion"), "apps/v1");
	assert_false(meta_deleting(root));
	node_add(d, node_seq_at(d, root, "metadata.finalizers"), node_str(d, "f"));
	assert_true(meta_has_finalizer(root, "f"));
	assert_true(meta_remove_finalizer(root, "f"));
	assert_false(meta_remove_finalizer(root, "f"));
	assert_null(node_at(root, "metadata.finalizers"));
	assert_ptr_equal(doc_root(d), root);
}

static void conditions_keep_their_time_until_the_status_changes(void **state)
{
	AUTO_DOC d = doc_new();
	struct node *status = node_map(d);

	(void)state;
	assert_true(condition_set(d, status, "Ready", "True", "Up", "fine", 1000));
	assert_false(condition_set(d, status, "Ready", "True", "Up", "fine", 5000));
	assert_true(condition_set(d, status, "Ready", "True", "Up", "better", 5000));
	assert_string_equal(node_str_at(condition_get(status, "Ready"), "lastTransitionTime"), "1970-01-01T00:00:01Z");
	assert_true(condition_set(d, status, "Ready", "False", "Down", NULL, 9000));
	expect_json(status, "{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\","
		    "\"lastTransitionTime\":\"1970-01-01T00:00:09Z\",\"reason\":\"Down\"}]}");
	assert_true(condition_is(status, "Ready", "False"));
	assert_false(condition_is(status, "Other", "True"));
}

static void times_parse_with_fractions_and_offsets(void **state)
{
	static const struct { const char *text; int64_t ms; } good[] = {
		{ "1970-01-01T00:00:00Z", 0 }, { "2024-02-29T12:30:45Z", 1709209845000 },
		{ "2024-02-29T12:30:45.25Z", 1709209845250 }, { "2024-02-29T14:30:45+02:00", 1709209845000 },
		{ "2024-02-29T12:30:45.123456789z", 1709209845123 }, { "1969-12-31T23:59:59Z", -1000 },
	};
	static const char *const bad[] = {
		"", "2024", "2024-02-30T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T25:00:00Z",
		"2024-01-01T00:00:00Zx", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+2:00", "2024-13-01T00:00:00Z",
	};
	char text[32];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(time_parse(good[i].text, &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(time_parse(bad[i], &ms));
	assert_false(time_parse(NULL, &ms));
	time_format(1709209845999, text);
	assert_string_equal(text, "2024-02-29T12:30:45Z");
}

static void status_carries_an_error_there_and_back(void **state)
{
	AUTO(err) e = { 0 };
	AUTO(err) back = { 0 };
	AUTO_DOC d = doc_new();

	(void)state;
	err_set(&e, ERR_INVALID, "Deployment.apps \"web\" is invalid");
	err_cause(&e, "spec.replicas", "FieldValueInvalid", "must be 0 or more");
	struct node *s = status_of_err(d, &e, &deployment, "web");

	expect_json(s, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
		    "\"message\":\"Deployment.apps \\\"web\\\" is invalid\",\"reason\":\"Invalid\","
		    "\"details\":{\"name\":\"web\",\"group\":\"apps\",\"kind\":\"Deployment\",\"causes\":[{\"reason\":\"FieldValueInvalid\","
		    "\"message\":\"must be 0 or more\",\"field\":\"spec.replicas\"}]},\"code\":422}");
	assert_err(status_to_err(s, 422, &back), &back, ERR_INVALID, "is invalid");
	assert_int_equal(back.n_causes, 1);
	assert_string_equal(back.causes[0].field, "spec.replicas");
}

static void status_reads_the_two_conflicts_apart_and_foreign_answers(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_DOC a = read_json("{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"AlreadyExists\",\"code\":409}");
	AUTO_DOC b = read_json("{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"Conflict\",\"code\":409}");

	(void)state;
	assert_int_equal(status_to_err(doc_root(a), 409, &e), -ERR_ALREADY_EXISTS);
	assert_int_equal(status_to_err(doc_root(b), 409, &e), -ERR_CONFLICT);
	assert_err(status_to_err(NULL, 503, &e), &e, ERR_UNAVAILABLE, "HTTP status 503");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(object_reads_names_and_revision),
		TEST(object_keys_join_and_split),
		TEST(meta_is_read_and_written),
		TEST(conditions_keep_their_time_until_the_status_changes),
		TEST(times_parse_with_fractions_and_offsets),
		TEST(status_carries_an_error_there_and_back),
		TEST(status_reads_the_two_conflicts_apart_and_foreign_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
