#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kube/selector.h"

#define AUTO_SELECTOR __attribute__((cleanup(selector_free))) struct selector *
#define AUTO_FIELDS __attribute__((cleanup(field_selector_free))) struct field_selector *

static struct doc *read_json(const char *text)
{
	AUTO(err) e = { 0 };
	struct doc *d = NULL;

	assert_ok(json_read(sv_c(text), "t.json", 0, &d, &e), &e);
	return d;
}

static const char labels[] = "{\"app\":\"web\",\"tier\":\"front\",\"n\":\"7\",\"example.com/x\":\"\"}";

static void selector_text_matches_as_in_kubernetes(void **state)
{
	static const struct { const char *text; bool want; } rows[] = {
		{ "", true }, { "app=web", true }, { "app==web", true }, { "app = web , tier=front", true }, { "app!=web", false },
		{ "app!=api", true }, { "none!=x", true }, { "app in (web,api)", true }, { "app in (api)", false },
		{ "app notin (web)", false }, { "none notin (a)", true }, { "app", true }, { "none", false }, { "!none", true },
		{ "!app", false }, { "n>6", true }, { "n>7", false }, { "n<8", true }, { "app>1", false }, { "example.com/x=", true },
		{ "example.com/x", true }, { "app=web,tier=back", false }, { "tier in (front,back),!legacy", true }, { "none<1", false },
	};
	AUTO_DOC d = read_json(labels);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_SELECTOR s = NULL;

		assert_ok(selector_parse(rows[i].text, &s, &e), &e);
		if (selector_matches(s, doc_root(d)) != rows[i].want)
			fail_msg("'%s': want %d", rows[i].text, rows[i].want);
	}
}

static void selector_text_errors_say_what_is_expected(void **state)
{
	static const char *const rows[] = { "=x", "app in web", "app in (web", "a b", "a=b c", ",", "a=b,", "!", "a>x", "-a=b", "a=-b",
					    "a/b/=c", "app is (a)" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_SELECTOR s = NULL;

		assert_err(selector_parse(rows[i], &s, &e), &e, ERR_BAD_REQUEST, "unable to parse requirement");
		assert_null(s);
	}
}

static void selector_writes_text_that_parses_again(void **state)
{
	AUTO(err) e = { 0 };
	AUTO(str) text = { 0 };
	AUTO_SELECTOR s = NULL;

	(void)state;
	assert_ok(selector_parse("app=web,tier in (a,b),x notin (c),y,!z,n>5", &s, &e), &e);
	selector_write(s, &text);
	assert_string_equal(str_c(&text), "app=web,tier in (a,b),x notin (c),y,!z,n>5");
}

static bool object_selector_matches(const char *selector)
{
	AUTO(err) e = { 0 };
	AUTO_SELECTOR s = NULL;
	AUTO_DOC d = selector ? read_json(selector) : NULL;
	AUTO_DOC l = read_json(labels);

	assert_ok(selector_of(doc_root(d), &s, &e), &e);
	return selector_matches(s, doc_root(l));
}

static void selector_of_objects(void **state)
{
	(void)state;
	assert_true(object_selector_matches("{}"));
	assert_false(object_selector_matches(NULL));
	assert_true(object_selector_matches("{\"matchLabels\":{\"app\":\"web\"}}"));
	assert_false(object_selector_matches("{\"matchLabels\":{\"app\":\"api\"}}"));
	assert_true(object_selector_matches("{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"In\",\"values\":[\"front\"]},"
					    "{\"key\":\"x\",\"operator\":\"DoesNotExist\"}]}"));
	assert_false(object_selector_matches("{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":[\"front\"]}]}"));
}

static void selector_of_objects_errors(void **state)
{
	static const char *const rows[] = {
		"{\"matchExpressions\":[{\"operator\":\"Exists\"}]}", "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Near\"}]}",
		"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\"}]}",
		"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\",\"values\":[\"x\"]}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_SELECTOR s = NULL;
		AUTO_DOC d = read_json(rows[i]);

		assert_err(selector_of(doc_root(d), &s, &e), &e, ERR_INVALID, "matchExpressions");
	}
}

static void selector_of_a_map_without_labels_matches_nothing(void **state)
{
	AUTO_DOC l = read_json(labels);
	AUTO_DOC one = read_json("{\"app\":\"web\"}");
	AUTO_SELECTOR none = selector_of_map(NULL);
	AUTO_SELECTOR s = selector_of_map(doc_root(one));

	(void)state;
	assert_true(selector_nothing(none));
	assert_false(selector_matches(none, doc_root(l)));
	assert_true(selector_matches(s, doc_root(l)));
}

static void field_selector_compares_paths(void **state)
{
	static const struct { const char *text; bool want; } rows[] = {
		{ "", true }, { "metadata.name=web", true }, { "metadata.name==web", true }, { "metadata.name!=web", false },
		{ "metadata.name=web,spec.nodeName!=n1", false }, { "metadata.name=web,spec.nodeName=n1", true }, { "status.phase=", true },
		{ "status.phase!=Running", true }, { "spec.x=a\\,b", true }, { "spec.on=true", true },
	};
	AUTO_DOC d = read_json("{\"metadata\":{\"name\":\"web\"},\"spec\":{\"nodeName\":\"n1\",\"x\":\"a,b\",\"on\":true}}");

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(err) e = { 0 };
		AUTO_FIELDS s = NULL;

		assert_ok(field_selector_parse(rows[i].text, &s, &e), &e);
		if (field_selector_matches(s, doc_root(d)) != rows[i].want)
			fail_msg("'%s': want %d", rows[i].text, rows[i].want);
	}
}

static void field_selector_without_operator_is_an_error(void **state)
{
	AUTO(err) e = { 0 };
	AUTO_FIELDS s = NULL;

	(void)state;
	assert_err(field_selector_parse("metadata.name", &s, &e), &e, ERR_BAD_REQUEST, "can't understand 'metadata.name'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(selector_text_matches_as_in_kubernetes),
		TEST(selector_text_errors_say_what_is_expected),
		TEST(selector_writes_text_that_parses_again),
		TEST(selector_of_objects),
		TEST(selector_of_objects_errors),
		TEST(selector_of_a_map_without_labels_matches_nothing),
		TEST(field_selector_compares_paths),
		TEST(field_selector_without_operator_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
