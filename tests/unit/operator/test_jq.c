/* jq's path expressions: which places of an object they name. */
#include "check.h"

#include <stdlib.h>
#include "base/json.h"
#include "operator/app/jq.h"

static const char object[] =
	"{\"spec\":{\"replicas\":3,\"containers\":[{\"name\":\"a\",\"image\":\"x:1\"},{\"name\":\"b\",\"image\":\"y\"},"
	"{\"name\":\"c\"}],\"empty\":null},\"data\":{\"a.b\":\"1\",\"c\":\"2\"}}";

/* What is left, or the error. */
static char *left(const char *expression)
{
	AUTO_DOC d = NULL;
	AUTO(err) err = { 0 };
	AUTO(str) out = { 0 };

	assert_true(json_read(sv_c(object), "object", 0, &d, NULL) >= 0);
	struct node *const sides[] = { doc_root(d), NULL };
	if (jq_remove(expression, sides, 2, &err) < 0)
		return str_fmt("%s", err_msg(&err));
	json_write(&out, doc_root(d), 0);
	return str_take(&out);
}

static void expect(const char *expression, const char *want)
{
	char *got = left(expression);

	assert_string_equal(got, want);
	free(got);
}

static void jq_path_is_removed(void **state)
{
	(void)state;
	expect(".spec", "{\"data\":{\"a.b\":\"1\",\"c\":\"2\"}}");
	expect(".spec.containers[1], .data[\"a.b\"], .spec.containers[0].image",
	       "{\"spec\":{\"replicas\":3,\"containers\":[{\"name\":\"a\"},{\"name\":\"c\"}],\"empty\":null},\"data\":{"
	       "\"c\":\"2\"}}");
	expect(".data, .spec.containers[] , .spec.replicas", "{\"spec\":{\"containers\":[],\"empty\":null}}");
}

static void jq_items_are_selected_by_what_they_are(void **state)
{
	(void)state;
	expect(".data, .spec.containers[] | select(.name? == \"b\" or (.image? // \"\" | test(\"^x:[0-9]+$\")))",
	       "{\"spec\":{\"replicas\":3,\"containers\":[{\"name\":\"c\"}],\"empty\":null},\"data\":{\"a.b\":\"1\","
	       "\"c\":\"2\"}}");
}

static void jq_expression_that_fails_changes_nothing(void **state)
{
	(void)state;
	expect(".data, .spec.empty[]", object);
	expect(".spec.nothing.below", object);
	expect(".spec.replicas.x", object);
}

static void jq_beyond_paths_is_refused(void **state)
{
	static const char *const beyond[] = { "range(1;1e9)",
					      "def f: f; f",
					      "repeat(.)",
					      ".a = 1",
					      ".a |= 2",
					      "\"x\" * 1000000000",
					      "env.HOME",
					      "input",
					      "recurse(.)",
					      "while(true; .)",
					      "$ENV",
					      "{a: 1}",
					      "\"\\(1)\"",
					      "@base64",
					      ".a += 1",
					      "halt",
					      ".a) | .data |= (.b",
					      "until(false; .)",
					      "[limit(3;1)]" };

	(void)state;
	for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
		AUTO(err) err = { 0 };
		int r = jq_check(beyond[i], &err);

		if (r >= 0)
			fail_msg("'%s' was taken", beyond[i]);
		assert_err(r, &err, ERR_INVALID, "is not offered here");
	}
}

static void jq_mistake_is_told(void **state)
{
	char *got = left(".spec[");

	(void)state;
	assert_non_null(strstr(got, "jq path expression '.spec[': "));
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(jq_path_is_removed),
		TEST(jq_items_are_selected_by_what_they_are),
		TEST(jq_expression_that_fails_changes_nothing),
		TEST(jq_beyond_paths_is_refused),
		TEST(jq_mistake_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
