/* Go's types as templates see them: what Lua has no kind for, and what nil is where. */
#include "expr.h"

static void integers_have_the_type_of_what_made_them(void **state)
{
	(void)state;
	expect("{{ typeOf 1 }} {{ typeOf (int \"2\") }} {{ typeOf (int64 1) }} {{ typeOf (add 1 2) }} {{ typeOf .n }} {{ kindOf (mul 2 2) }}",
	       "{\"n\":1}", "int int int64 int64 float64 int64");
	expect("{{ typeOf (index \"abc\" 0) }} {{ typeOf (semver \"1.2.3\").Major }}", "{}", "uint8 uint64");
	expect("{{ eq (add 1 1) 2 }} {{ lt (int64 1) 2 }} {{ deepEqual (int64 1) 1 }} {{ printf \"%03d %T\" (add 3 4) (add 3 4) }}", "{}",
	       "true true false 007 int64");
	expect("{{ index (list \"a\" \"b\") (int64 1) }} {{ range (int64 2) }}x{{ end }} {{ if int64 0 }}y{{ end }}", "{}", "b xx ");
	expect("{{ toJson (dict \"a\" (add 1 2)) }} {{ toYaml (add 1 2) }} {{ add 1 2 | toString }}", "{}", "{\"a\":3} 3 3");
}

static void integers_that_are_no_int_are_refused_where_go_wants_one(void **state)
{
	(void)state;
	expect_error("{{ until (add 1 2) }}", "{}", "expected int; got int64");
	expect_error("{{ repeat (int64 3) \"a\" }}", "{}", "expected int; got int64");
	expect_error("{{ abbrev (int64 5) \"abcdefgh\" }}", "{}", "expected int; got int64");
	expect_error("{{ round 1.25 .n }}", "{\"n\":1}", "expected int; got float64");
	expect_error("{{ trunc .n \"abc\" }}", "{\"n\":2}", "expected int; got float64");
}

static void lists_and_mappings_keep_the_type_of_their_items(void **state)
{
	(void)state;
	expect("{{ typeOf (until 2) }} {{ typeOf (splitList \",\" \"a\") }} {{ typeOf (split \",\" \"a\") }} {{ typeOf (chunk 1 (list 1)) }}",
	       "{}", "[]int []string map[string]string [][]interface {}");
	expect("{{ typeOf (slice (splitList \",\" \"a,b\") 1) }} {{ typeOf (rest (splitList \",\" \"a,b\")) }}", "{}",
	       "[]string []interface {}");
	expect("{{ printf \"%#v\" (splitList \",\" \"a,b\") }} {{ kindOf (split \",\" \"a\") }}", "{}", "[]string{\"a\", \"b\"} map");
	expect("{{ deepEqual (list \"a\") (splitList \",\" \"a\") }} {{ toJson (splitList \",\" \"a,b\") }}", "{}", "false [\"a\",\"b\"]");
	expect("{{ range splitList \",\" \"a,b\" }}<{{ . }}>{{ end }}{{ (split \",\" \"a,b\")._1 }}", "{}", "<a><b>b");
	expect_error("{{ get (split \",\" \"a\") \"_0\" }}", "{}", "expected map[string]interface {}; got map[string]string");
}

static void nil_is_an_empty_mapping_but_not_when_it_is_a_field(void **state)
{
	(void)state;
	expect("{{ $m := .none }}{{ hasKey $m \"a\" }} {{ keys $m }} {{ merge $m (dict \"a\" 1) }} {{ get (.none) \"k\" }}.", "{}",
	       "false [] map[a:1] .");
	expect("{{ eq nil (list) }} {{ ne (dict) nil }} {{ eq .none nil }}", "{}", "false true true");
	expect_error("{{ hasKey .none \"a\" }}", "{}", "expected map[string]interface {}; got interface {}");
	expect_error("{{ keys $.none }}", "{}", "got interface {}");
	expect_error("{{ $m := .none }}{{ set $m \"a\" 1 }}", "{}", "nil map");
}

static void printf_keeps_points_and_counts_like_go(void **state)
{
	(void)state;
	expect("{{ printf \"%#g|%#.0f|%#.3x|%#g\" 1.0 2.0 1.5 1e-323 }}", "{}", "1.00000|2.|0x1.800p+00|1.00000e-323");
	expect("{{ printf \"%[2]*[1]d\" 2 5 }}|{{ printf \"%.[]\" }}|{{ printf \"%.*f\" 1 2.0 }}", "{}", "    2|%!](BADINDEX)|2.0");
	expect("{{ printf \"%.0x|%x|%.2x\" 123.0 1.0 1.999 }}", "{}", "0x1p+07|0x1p+00|0x1.00p+01");
	expect("{{ printf \"%[1].2d\" 5 6 }} {{ printf \"%2147483648d\" 42 }}", "{}", "%!d(BADINDEX) %!(NOVERB)%!(EXTRA int=42)");
}

static void include_goes_as_deep_as_helm_lets_it(void **state)
{
	const char *count = "{{ define \"a\" }}{{ if . }}x{{ include \"a\" (sub . 1) }}{{ end }}{{ end }}{{ include \"a\" .n | len }}";

	(void)state;
	expect(count, "{\"n\":999}", "999");
	expect_error(count, "{\"n\":1001}", "includes itself more than 1000 times");
	expect("{{ define \"a\" }}{{ or (eq (int .) 0) (include \"a\" (sub . 1)) }}{{ end }}{{ include \"a\" 400 }}", "{}", "true");
	expect("{{ define \"a\" }}{{ if . }}{{ template \"a\" (sub . 1) }}{{ end }}{{ end }}{{ template \"a\" 3000 }}", "{}", "");
}

static void tpl_removes_what_stands_for_nil_and_include_does_not(void **state)
{
	(void)state;
	expect("{{ define \"t\" }}{{ .none }}{{ end }}{{ len (include \"t\" .) }} {{ len (tpl \"{{ .none }}\" .) }} {{ .none }}", "{}", "10 0 ");
}

static void variables_of_the_other_branch_fail_only_when_they_run(void **state)
{
	const char *text = "{{ if .a }}{{ $x := 1 }}{{ $x }}{{ else if .b }}{{ $x }}{{ else }}none{{ end }}";

	(void)state;
	expect(text, "{\"a\":1}", "1");
	expect(text, "{}", "none");
	expect_error(text, "{\"b\":1}", "undefined variable: $x");
	expect("{{ .a | }}", "{\"a\":1}", "1");
}

static void errors_name_action_template_and_the_includes_that_led_there(void **state)
{
	const char *text = "{{ define \"inner\" }}\n  {{ required \"host is needed\" .host }}{{ end }}"
			   "{{ define \"outer\" }}{{ include \"inner\" . }}{{ end }}\n\n{{ include \"outer\" . | upper }}";

	(void)state;
	expect_error(text, "{}", "expr:2:6: executing \"inner\" at <required \"host is needed\" .host>: error calling required: host is needed");
	expect_error(text, "{}", "called from expr:2:72: executing \"outer\" at <include \"inner\" .>");
	expect_error(text, "{}", "called from expr:4:4: executing \"expr\" at <include \"outer\" . | upper>");
	expect_error("{{ fail \"why\" }}", "{}", "at <fail \"why\">: error calling fail: why");
}

static void formats_are_written_as_go_writes_them(void **state)
{
	(void)state;
	expect("{{ toYamlPretty . }}", "{\"l\":[[1],{\"a\":[]}],\"n\":1000000,\"s\":\"a: b\\nc\\n\",\"m\":{\"k\":{\"j\":null}}}",
	       "l:\n  - - 1\n  - a: []\nm:\n  k:\n    j: null\n\"n\": 1e+06\ns: |\n  a: b\n  c");
	expect("{{ toYaml .v }}|{{ toYaml \"<<\" }}|{{ toJson .v }}", "{\"v\":\"\\u007f\"}", "|<<|\"\x7f\"");
	expect_error("{{ mustToYaml .v }}", "{\"v\":\"\\u007f\"}", "control characters");
	expect("{{ fromYaml .y | toJson }} {{ b64dec \"aGVsbG8\" }} {{ b64dec \"aGVsbG8=\" }}", "{\"y\":\"a: 1\\n---\\nb: 2\\n\"}",
	       "{\"a\":1} illegal base64 data at input byte 4 hello");
	expect("{{ toToml 1.0 }} {{ toToml \"x\" }} {{ html .none }} {{ (urlParse \"a b\").path }}", "{}", "1.0 \"x\" &lt;no value&gt; a b");
	expect("{{ urlJoin (dict \"host\" \"h\" \"path\" \"p q\") }}", "{}", "//h/p%20q");
}

static void patterns_are_gos(void **state)
{
	(void)state;
	expect("{{ regexMatch \"^[\\\\w-\\\\.]+$\" \"a-.b\" }} {{ regexMatch \"^[.*+]+$\" \"*+.\" }} {{ regexFind \"x{,2}\" \"x{,2}\" }}", "{}",
	       "true true x{,2}");
	expect("{{ regexMatch \"\\\\Qa.b\\\\E\" \"a.b\" }} {{ regexMatch \"\\\\Qa.b\\\\E\" \"axb\" }}", "{}", "true false");
	expect_error("{{ regexFind \"a(?=b)\" \"ab\" }}", "{}", "look-around");
	expect_error("{{ regexFind \"a**\" \"a\" }}", "{}", "repetition");
	expect_error("{{ regexFind \"a{1001}\" \"a\" }}", "{}", "1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(integers_have_the_type_of_what_made_them),
		TEST(integers_that_are_no_int_are_refused_where_go_wants_one),
		TEST(lists_and_mappings_keep_the_type_of_their_items),
		TEST(nil_is_an_empty_mapping_but_not_when_it_is_a_field),
		TEST(printf_keeps_points_and_counts_like_go),
		TEST(include_goes_as_deep_as_helm_lets_it),
		TEST(tpl_removes_what_stands_for_nil_and_include_does_not),
		TEST(variables_of_the_other_branch_fail_only_when_they_run),
		TEST(errors_name_action_template_and_the_includes_that_led_there),
		TEST(formats_are_written_as_go_writes_them),
		TEST(patterns_are_gos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
