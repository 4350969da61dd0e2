/* tests/unit/render/test_schema.c - values.schema.json: what is said about which values. */
#include "check.h"

#include "base/json.h"
#include "render/chart/schema.h"

#include <string.h>

/* Checks a value and compares what is said, a line each; an error of the schema itself is said as it is. */
static void expect(const char *schema, const char *value, const char *want)
{
	AUTO_DOC s = NULL;
	AUTO_DOC v = NULL;
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(json_read(sv_c(schema), "schema", 0, &s, &err), &err);
	assert_ok(json_read(sv_c(value), "value", 0, &v, &err), &err);
	int r = json_schema_check(doc_root(s), doc_root(v), &out, &err);
	assert_string_equal(r < 0 ? err_msg(&err) : str_c(&out), want);
	assert_int_equal(r > 0, r >= 0 && *want);
}

#define DRAFT_7 "\"$schema\":\"http://json-schema.org/draft-07/schema#\","
#define NEW "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","

static void schema_every_violation_is_listed_with_its_path(void **state)
{
	(void)state;
	expect("{\"type\":\"object\",\"required\":[\"host\"],\"properties\":{\"replicas\":{\"type\":\"integer\",\"minimum\":1},"
	       "\"image\":{\"properties\":{\"tag\":{\"type\":\"string\"}},\"additionalProperties\":false},"
	       "\"ports\":{\"items\":{\"type\":\"integer\"}}}}",
	       "{\"replicas\":0,\"image\":{\"tag\":5,\"tagg\":\"x\"},\"ports\":[80,\"http\"]}",
	       "- (root): host is required\n- replicas: Must be greater than or equal to 1\n"
	       "- image.tag: Invalid type. Expected: string, given: integer\n- image: Additional property tagg is not allowed\n"
	       "- ports.1: Invalid type. Expected: integer, given: string\n");
}

static void schema_references_go_by_pointer_anchor_and_id(void **state)
{
	static const char schema[] = "{" NEW "\"$id\":\"https://example.org/s/root\",\"$defs\":{\"port\":{\"$anchor\":\"p\",\"type\":\"integer\"},"
		"\"a/b %\":{\"type\":\"string\"},\"other\":{\"$id\":\"other.json\",\"$defs\":{\"x\":{\"type\":\"boolean\"}},\"$ref\":\"#/$defs/x\"}},"
		"\"properties\":{\"a\":{\"$ref\":\"#/$defs/port\"},\"b\":{\"$ref\":\"#p\"},\"c\":{\"$ref\":\"#/$defs/a~1b%20%25\"},"
		"\"d\":{\"$ref\":\"other.json\"},\"e\":{\"$ref\":\"https://example.org/s/other.json#/$defs/x\"}}}";

	(void)state;
	expect(schema, "{\"a\":1,\"b\":2,\"c\":\"x\",\"d\":true,\"e\":false}", "");
	expect(schema, "{\"a\":\"\",\"b\":\"\",\"c\":1,\"d\":1,\"e\":1}",
	       "- a: Invalid type. Expected: integer, given: string\n- b: Invalid type. Expected: integer, given: string\n"
	       "- c: Invalid type. Expected: string, given: integer\n- d: Invalid type. Expected: boolean, given: integer\n"
	       "- e: Invalid type. Expected: boolean, given: integer\n");
	expect("{\"$ref\":\"https://example.org/x.json\"}", "{}",
	       "values.schema.json: 'https://example.org/x.json' refers to nothing in the schema (nothing is fetched from elsewhere)");
}

static void schema_reference_hides_its_neighbours_until_draft_7(void **state)
{
	static const char rest[] = "\"definitions\":{\"a\":{\"type\":\"object\"}},\"$ref\":\"#/definitions/a\",\"maxProperties\":0}";
	AUTO(str) old = { 0 };
	AUTO(str) new = { 0 };

	(void)state;
	str_addf(&old, "{" DRAFT_7 "%s", rest);
	str_addf(&new, "{" NEW "%s", rest);
	expect(str_c(&old), "{\"x\":1}", "");
	expect(str_c(&new), "{\"x\":1}", "- (root): Must have at most 0 properties\n");
}

static void schema_conditions_and_choices_are_followed(void **state)
{
	static const char schema[] = "{\"if\":{\"properties\":{\"tls\":{\"const\":true}},\"required\":[\"tls\"]},\"then\":{\"required\":[\"secret\"]},"
		"\"else\":{\"required\":[\"port\"]},\"dependentRequired\":{\"user\":[\"password\"]},\"patternProperties\":{\"^x-\":{\"type\":\"string\"}},"
		"\"properties\":{\"mode\":{\"oneOf\":[{\"const\":\"a\"},{\"enum\":[\"a\",\"b\"]}]},\"not\":{\"not\":{\"type\":\"null\"}}}}";

	(void)state;
	expect(schema, "{\"tls\":true,\"secret\":\"s\"}", "");
	expect(schema, "{\"tls\":true}", "- (root): secret is required\n");
	expect(schema, "{\"tls\":false,\"user\":1,\"x-a\":1,\"mode\":\"a\",\"not\":null}",
	       "- (root): password is required\n- x-a: Invalid type. Expected: string, given: integer\n"
	       "- mode: Must validate one and only one schema (oneOf)\n- not: Must not validate the schema (not)\n- (root): port is required\n");
}

static void schema_unevaluated_is_what_no_accepting_schema_knows(void **state)
{
	static const char schema[] = "{" NEW "\"allOf\":[{\"properties\":{\"a\":true}}],\"anyOf\":[{\"properties\":{\"b\":{\"type\":\"string\"}},"
		"\"required\":[\"b\"]},true],\"unevaluatedProperties\":false}";

	(void)state;
	expect(schema, "{\"a\":1,\"b\":\"x\"}", "");
	expect(schema, "{\"a\":1,\"b\":2,\"c\":3}",
	       "- (root): Additional property b is not allowed\n- (root): Additional property c is not allowed\n");
	expect("{" NEW "\"prefixItems\":[{\"type\":\"integer\"}],\"unevaluatedItems\":false}", "[1,2]", "- 1: no value is allowed here\n");
	expect("{" NEW "\"contains\":{\"type\":\"integer\"},\"minContains\":2,\"maxContains\":3}", "[1]",
	       "- (root): At least 2 of the items must match\n");
}

static void schema_formats_are_checked_as_helm_does(void **state)
{
	static const struct { const char *format, *good, *bad; } cases[] = {
		{ "email", "a.b@example.org", "a..b@example.org" }, { "hostname", "web-1.example", "-web" }, { "ipv4", "10.0.0.1", "10.0.0.256" },
		{ "ipv6", "fe80::1", "fe80:::1" }, { "uri", "https://[::1]:80/x?y#z", "/relative" }, { "uri-reference", "/a/b", "a b" },
		{ "date", "2024-02-29", "2023-02-29" }, { "time", "23:59:60Z", "22:59:60Z" }, { "date-time", "2024-01-02T03:04:05.6+02:00", "2024-01-02 03:04:05" },
		{ "uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08aa9811eab4aa73b441d16380" }, { "regex", "^a+$", "a(" },
		{ "json-pointer", "/a~0b", "a" }, { "duration", "P1Y2M3DT4H", "P1YT" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(str) schema = { 0 };
		AUTO(str) value = { 0 };
		AUTO(str) said = { 0 };

		str_addf(&schema, "{" DRAFT_7 "\"format\":\"%s\"}", cases[i].format);
		str_addf(&value, "\"%s\"", cases[i].good);
		expect(str_c(&schema), str_c(&value), "");
		str_cut(&value, 0);
		str_addf(&value, "\"%s\"", cases[i].bad);
		str_addf(&said, "- (root): Does not match format '%s'\n", cases[i].format);
		expect(str_c(&schema), str_c(&value), str_c(&said));
	}
	expect("{" NEW "\"format\":\"email\"}", "\"x\"", "");
	expect("{\"format\":\"nobody-knows\"}", "\"x\"", "");
}

static void schema_that_never_ends_is_an_error(void **state)
{
	(void)state;
	expect("{\"$ref\":\"#\"}", "{}", "values.schema.json refers to itself without end");
	expect("{\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/c\"},{\"$ref\":"
	       "\"#/$defs/c\"}]},\"c\":{\"allOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/a\"}]}},\"$ref\":\"#/$defs/a\"}", "{}",
	       "values.schema.json refers to itself without end");
}

static void schema_whose_alternatives_multiply_is_an_error(void **state)
{
	AUTO(str) schema = { 0 };

	(void)state;
	str_addc(&schema, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
	for (int i = 0; i < 60; i++)
		str_addf(&schema, "\"%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}]},", i, i + 1, i + 1);
	str_addc(&schema, "\"60\":false}}");
	expect(str_c(&schema), "{}", "values.schema.json takes too long to be checked: its alternatives multiply");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(schema_every_violation_is_listed_with_its_path), TEST(schema_references_go_by_pointer_anchor_and_id),
		TEST(schema_reference_hides_its_neighbours_until_draft_7), TEST(schema_conditions_and_choices_are_followed),
		TEST(schema_unevaluated_is_what_no_accepting_schema_knows), TEST(schema_formats_are_checked_as_helm_does),
		TEST(schema_that_never_ends_is_an_error), TEST(schema_whose_alternatives_multiply_is_an_error),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
