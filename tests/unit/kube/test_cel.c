/* Expressions: what they give, what they refuse, what they cost. */
#include "check.h"

#include "base/json.h"
#include "kube/cel/cel.h"

#include <stdlib.h>

static const char object[] =
	"{\"name\":\"web\",\"replicas\":3,\"ratio\":1,\"big\":18446744073709551615,\"labels\":{\"app\":\"web\",\"a-b\":"
	"\"x\"},"
	"\"ports\":[{\"name\":\"http\",\"port\":80},{\"name\":\"https\",\"port\":443}],\"set\":[\"a\",\"b\"],"
	"\"other\":[\"b\",\"a\"],\"in\":true,\"when\":\"2024-02-29T12:00:00Z\",\"for\":\"90s\",\"bytes\":\"aGk=\","
	"\"either\":\"80%\",\"none\":null}";

static const char schema[] =
	"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"replicas\":{\"type\":\"integer\"},"
	"\"ratio\":{\"type\":\"number\"},\"labels\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}"
	"},"
	"\"ports\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
	"\"port\":{\"type\":\"integer\"}}}},\"set\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{"
	"\"type\":\"string\"}},"
	"\"other\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}},\"in\":{"
	"\"type\":\"boolean\"},"
	"\"when\":{\"type\":\"string\",\"format\":\"date-time\"},\"for\":{\"type\":\"string\",\"format\":\"duration\"},"
	"\"bytes\":{\"type\":\"string\",\"format\":\"byte\"},\"either\":{\"x-kubernetes-int-or-string\":true},"
	"\"absent\":{\"type\":\"string\"},\"none\":{\"type\":\"string\",\"nullable\":true}}}";

/* The value as JSON, or the error. typed: self has the schema's type. */
static char *result(const char *text, bool typed, int64_t cost)
{
	AUTO_DOC d = doc_new();
	AUTO_DOC o = NULL;
	AUTO_DOC s = NULL;
	AUTO(err) err = { 0 };
	struct cel_program *p;
	struct cel_value out;
	AUTO(str) json = { 0 };

	assert_true(json_read(sv_c(object), "object", 0, &o, NULL) >= 0);
	assert_true(json_read(sv_c(schema), "schema", 0, &s, NULL) >= 0);
	const struct cel_type *type = typed ? cel_type_of_schema(d, doc_root(s), false) : NULL;
	struct cel_variable self = { "self", type };
	struct cel_env env = { &self, 1, NULL };
	if (cel_compile(d, &env, text, &p, &err) < 0)
		return str_fmt("%s", err_msg(&err));
	struct cel_value value = cel_of_node(d, doc_root(o), type);
	if (cel_run(p, d, &value, &cost, &out, &err) < 0)
		return str_fmt("error: %s", err_msg(&err));
	struct node *n = cel_to_node(d, &out);
	if (!n)
		return str_fmt("a %s", cel_types[out.kind].name);
	json_write(&json, n, 0);
	return str_take(&json);
}

struct example {
	const char *text, *want;
};

static void expect_all(const struct example *examples, size_t n, bool typed)
{
	for (size_t i = 0; i < n; i++) {
		char *got = result(examples[i].text, typed, CEL_TOTAL_COST);

		if (strcmp(got, examples[i].want))
			print_error("%s\n", examples[i].text);
		assert_string_equal(got, examples[i].want);
		free(got);
	}
}

#define EXPECT(typed, ...)                                                                                             \
	static const struct example examples[] = { __VA_ARGS__ };                                                      \
	expect_all(examples, sizeof examples / sizeof *examples, typed)

static void cel_operators_follow_their_precedence(void **state)
{
	(void)state;
	EXPECT(false, { "1 + 2 * 3 - 4 / 2", "5" }, { "-(7 % 4)", "-3" }, { "!true || 1 < 2 && 2 <= 2", "true" },
	       { "true ? 1 : 2", "1" }, { "7u / 2u", "3" }, { "1.5 + 1.0", "2.5" }, { "'a' + \"b\"", "\"ab\"" },
	       { "[1] + [2, 3]", "[1,2,3]" }, { "2 in [1, 2]", "true" }, { "'a' in {'a': 1}", "true" },
	       { "0x1F", "31" }, { "-9223372036854775808", "-9223372036854775808" },
	       { "r'\\n' + '\\u00e9'", "\"\\\\n\303\251\"" }, { "1 < 1.5 && 2u > 1", "true" });
}

static void cel_whole_numbers_never_wrap_around(void **state)
{
	(void)state;
	EXPECT(false, { "9223372036854775807 + 1", "error: integer overflow" },
	       { "-9223372036854775808 / -1", "error: integer overflow" },
	       { "0u - 1u", "error: unsigned integer overflow" }, { "1 / 0", "error: division by zero" },
	       { "1 % 0", "error: modulus by zero" }, { "int(1e30)", "error: integer overflow" },
	       { "uint(-1)", "error: unsigned integer overflow" });
}

static void cel_errors_are_left_out_by_logic_that_is_decided(void **state)
{
	(void)state;
	EXPECT(false, { "1 / 0 > 0 || true", "true" }, { "1 / 0 > 0 && false", "false" },
	       { "1 / 0 > 0 || false", "error: division by zero" }, { "[0, 1].exists(x, 1 / x == 1)", "true" },
	       { "[0, 2].all(x, 1 / x > 5)", "false" }, { "self.nothing == 1", "error: no such key: nothing" },
	       { "[1][1]", "error: index out of bounds: 1" });
}

static void cel_macros_walk_lists_and_maps(void **state)
{
	(void)state;
	EXPECT(false, { "[1, 2, 3].map(x, x > 1, x * 2)", "[4,6]" }, { "[1, 2, 3].filter(x, x % 2 == 1)", "[1,3]" },
	       { "{'a': 1, 'b': 2}.exists_one(k, k == 'a')", "true" },
	       { "has(self.name) && !has(self.nothing)", "true" },
	       { "[[1, 2], [3]].map(x, x.map(y, y + size(x)))", "[[3,4],[4]]" },
	       { "cel.bind(x, self.replicas, x * x)", "9" }, { "[3, 4].transformList(i, v, i * v)", "[0,4]" },
	       { "{'a': 1}.transformMap(k, v, k + string(v))", "{\"a\":\"a1\"}" });
}

static void cel_texts_count_characters(void **state)
{
	(void)state;
	EXPECT(false, { "size('h\303\251')", "2" }, { "'h\303\251llo'.substring(1, 3)", "\"\303\251l\"" },
	       { "'a,b,c'.split(',', 2)", "[\"a\",\"b,c\"]" }, { "['a', 'b'].join('-')", "\"a-b\"" },
	       { "'hello hello'.replace('he', 'we', 1)", "\"wello hello\"" }, { "' x '.trim()", "\"x\"" },
	       { "'%s has %d of %.1f'.format(['a', 3, 1.25])", "\"a has 3 of 1.2\"" },
	       { "'abcabc'.lastIndexOf('bc')", "4" }, { "'Ab'.lowerAscii() + 'Ab'.upperAscii()", "\"abAB\"" },
	       { "'web-1'.matches('^web-[0-9]+$')", "true" }, { "'a+*+'.matches('^[a*+]+$')", "true" },
	       { "'a1b22'.findAll('[0-9]+')", "[\"1\",\"22\"]" },
	       { "'x'.matches('(?=x)')", "error: regular expression '(?=x)': look-around is not supported" });
}

static void cel_libraries_of_kubernetes_are_there(void **state)
{
	(void)state;
	EXPECT(false, { "[1, 3, 2].isSorted() || [1, 2].sum() != 3 || [2, 1].max() != 2", "false" },
	       { "quantity('1.5Gi').isGreaterThan(quantity('1500Mi')) && quantity('50k').asInteger() == 50000",
		 "true" },
	       { "quantity('1').add(quantity('500m')).compareTo(quantity('1500m'))", "0" },
	       { "isQuantity('1x') || isURL('a b') || isIP('1.2.3') || isCIDR('10.0.0.0/33')", "false" },
	       { "url('https://u@h:8443/p?a=1&a=2#x').getPort() + url('https://h/p?a=1&a=2').getQuery()['a'][1]",
		 "\"84432\"" },
	       { "cidr('10.0.0.0/8').containsIP('10.9.8.7') && ip('::1').isLoopback()", "true" },
	       { "string(cidr('192.168.1.5/24').masked())", "\"192.168.1.0/24\"" },
	       { "format.dns1123Label().validate('a-b').hasValue()", "false" },
	       { "[1, 2].min() == optional.of(1).orValue(2) && optional.none().orValue(7) == 7", "true" },
	       { "sets.contains([1, 2], [2]) && !sets.intersects([1], [2])", "true" },
	       { "self.?labels.?nothing.orValue('-') + self.labels[?'app'].value()", "\"-web\"" });
}

static void cel_times_are_counted(void **state)
{
	(void)state;
	EXPECT(false, { "timestamp('2024-02-29T12:00:00Z') + duration('24h')", "\"2024-03-01T12:00:00Z\"" },
	       { "(timestamp('2024-01-01T00:00:01Z') - timestamp('2024-01-01T00:00:00Z')) == duration('1s')", "true" },
	       { "timestamp('2024-02-29T23:30:00Z').getDate('+01:00')", "1" }, { "duration('90m').getHours()", "1" },
	       { "timestamp('2023-02-29T00:00:00Z')", "error: type conversion error from 'string' to 'timestamp'" });
}

static void cel_declared_values_have_their_types(void **state)
{
	(void)state;
	EXPECT(true, { "type(self.ratio) == double && self.ratio == 1.0", "true" },
	       { "self.when.getFullYear()", "2024" }, { "self.__for__ > duration('1m')", "true" },
	       { "self.bytes == b'hi'", "true" }, { "self.set == self.other", "true" },
	       { "size(self.set + self.other)", "2" }, { "self.__in__ && self.labels['a-b'] == 'x'", "true" },
	       { "type(self.either) == string && self.either.endsWith('%')", "true" },
	       { "self.ports.all(p, p.port > 0 && p.name.startsWith('http'))", "true" },
	       { "has(self.none) || has(self.absent)", "false" });
}

static void cel_mistakes_are_marked_before_anything_runs(void **state)
{
	(void)state;
	EXPECT(true, { "self.nam == 'x'", "ERROR: <input>:1:5: undefined field 'nam'\n | self.nam == 'x'\n | ....^" },
	       { "self.replicas + 'x'",
		 "ERROR: <input>:1:15: found no matching overload for '_+_' applied to '(int, string)'\n"
		 " | self.replicas + 'x'\n | ..............^" },
	       { "self.name.startsWith(1)",
		 "ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to "
		 "'string.(int)'\n | self.name.startsWith(1)\n | ....................^" },
	       { "other", "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other\n | ^" },
	       { "self.replicas.x",
		 "ERROR: <input>:1:14: type 'int' does not support field selection\n | self.replicas.x\n"
		 " | .............^" },
	       { "1 +",
		 "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', "
		 "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 1 +\n | ...^" },
	       { "self.name.all(c, true)",
		 "ERROR: <input>:1:5: expression of type 'string' cannot be range of a comprehension "
		 "(must be list, map, or dynamic)\n | self.name.all(c, true)\n | ....^" });
}

static void cel_without_types_everything_may_be(void **state)
{
	(void)state;
	EXPECT(false, { "self.replicas + 1", "4" }, { "self.name + 1", "error: no such overload" },
	       { "self.big == 18446744073709551615u", "true" });
}

static void cel_work_has_an_end(void **state)
{
	static const char much[] =
		"[1,2,3,4,5,6,7,8,9,10].map(z, [1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, "
		"[1,2,3,4,5,6,7,8,9,10].map(c, "
		"[1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, [1,2,3,4,5,6,7,8,9,10])))))).size() > 0";
	char *got;

	(void)state;
	got = result(much, false, CEL_TOTAL_COST);
	assert_string_equal(got, "error: operation cancelled: actual cost limit exceeded");
	free(got);
	got = result("self.ports.size() + 1", false, 3);
	assert_string_equal(got, "error: operation cancelled: actual cost limit exceeded");
	free(got);
}

static void cel_deep_expressions_are_refused(void **state)
{
	AUTO(str) text = { 0 };
	char *got;

	(void)state;
	for (int i = 0; i < 5000; i++)
		str_addc(&text, "(");
	got = result(str_c(&text), false, CEL_TOTAL_COST);
	assert_non_null(strstr(got, "expression recursion limit exceeded"));
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cel_operators_follow_their_precedence),
		cmocka_unit_test(cel_whole_numbers_never_wrap_around),
		cmocka_unit_test(cel_errors_are_left_out_by_logic_that_is_decided),
		cmocka_unit_test(cel_macros_walk_lists_and_maps),
		cmocka_unit_test(cel_texts_count_characters),
		cmocka_unit_test(cel_libraries_of_kubernetes_are_there),
		cmocka_unit_test(cel_times_are_counted),
		cmocka_unit_test(cel_declared_values_have_their_types),
		cmocka_unit_test(cel_mistakes_are_marked_before_anything_runs),
		cmocka_unit_test(cel_without_types_everything_may_be),
		cmocka_unit_test(cel_work_has_an_end),
		cmocka_unit_test(cel_deep_expressions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
