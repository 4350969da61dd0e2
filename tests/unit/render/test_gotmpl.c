/* What templates print: one text, one value as JSON, one answer or error. */
#include "expr.h"

#include <stdlib.h>

static void fields_absent_are_empty_and_below_nil_an_error(void **state)
{
	(void)state;
	expect("{{ .a.b }}|{{ .x }}|{{ with .x }}y{{ else }}n{{ end }}", "{\"a\":{\"b\":1}}", "1||n");
	expect_error("{{ .x.y.z }}", "{}", "nil pointer evaluating interface {}.");
	expect_error("{{ .a.b }}", "{\"a\":1}", "can't evaluate field b");
}

static void logic_stops_at_what_decides(void **state)
{
	(void)state;
	expect("{{ and 0 (fail \"no\") }}{{ or 1 (fail \"no\") }}", "{}", "01");
	expect_error("{{ or 0 (fail \"reached\") }}", "{}", "reached");
}

static void range_has_items_members_numbers_and_else(void **state)
{
	(void)state;
	expect("{{ range .l }}<{{ . }}>{{ end }}", "{\"l\":[1,\"a\"]}", "<1><a>");
	expect("{{ range $k, $v := .m }}{{ $k }}={{ $v }};{{ end }}", "{\"m\":{\"b\":2,\"a\":1}}", "a=1;b=2;");
	expect("{{ range $i, $_ := .l }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ $i }}{{ end }}",
	       "{\"l\":[0,0,0,0,0]}", "02");
	expect("{{ range .none }}x{{ else }}empty{{ end }}", "{}", "empty");
	expect_error("{{ range .n }}{{ end }}", "{\"n\":\"text\"}", "range can't iterate over text");
}

static void include_and_tpl_have_scopes(void **state)
{
	(void)state;
	expect("{{ define \"t\" }}[{{ .v }}]{{ end }}{{ include \"t\" . | upper }}", "{\"v\":\"x\"}", "[X]");
	expect("{{ define \"t\" }}outer{{ end }}{{ tpl .s . }} {{ template \"t\" }}",
	       "{\"s\":\"{{ define \\\"t\\\" }}inner{{ end }}{{ template \\\"t\\\" }}\"}", "inner outer");
	expect("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ $x }}{{ end }}{{ $x }}", "{}", "32");
	expect_error("{{ include \"absent\" . }}", "{}", "absent");
}

static void errors_name_line_and_action(void **state)
{
	(void)state;
	expect_error("a\nb {{ required \"host is needed\" .host }}", "{}", "expr:2:");
	expect_error("a\nb {{ required \"host is needed\" .host }}", "{}", "host is needed");
	expect_error("{{ if }}", "{}", "expr:1");
	expect_error("{{ nosuch 1 }}", "{}", "function \"nosuch\" not defined");
}

static void limits_end_what_does_not_end(void **state)
{
	(void)state;
	expect_error("{{ define \"t\" }}{{ include \"t\" . }}{{ end }}{{ include \"t\" . }}", "{}", "more than 1000 times");
	expect_error("{{ randAlpha 2000000 }}", "{}", "is more than");
	expect_error("{{ range until 1000 }}{{ genPrivateKey \"ed25519\" }}{{ end }}", "{}", "more than 500");
}

static void random_same_input_gives_the_same(void **state)
{
	const char *text = "{{ randAlphaNum 20 }} {{ uuidv4 }} {{ randInt 0 1000000 }}";
	AUTO(str) a = { 0 };
	AUTO(str) b = { 0 };
	AUTO(str) c = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(expr(text, "{\"v\":1}", &a, &err), &err);
	assert_ok(expr(text, "{\"v\":1}", &b, &err), &err);
	assert_ok(expr(text, "{\"v\":2}", &c, &err), &err);
	assert_string_equal(str_c(&a), str_c(&b));
	assert_string_not_equal(str_c(&a), str_c(&c));
	expect("{{ eq uuidv4 uuidv4 }} {{ len (randNumeric 7) }} {{ randInt 3 4 }} {{ randAlpha -1 }}.", "{}", "false 7 3 .");
	expect_error("{{ randInt 4 4 }}", "{}", "4 is not below 4");
	expect("{{ shuffle \"h\xc3\xa9h\xc3\xa9\" | len }}", "{}", "6");
}

static void passwords_have_their_known_answers(void **state)
{
	(void)state;
	expect("{{ derivePassword 1 \"long\" \"password\" \"user\" \"example.com\" }}", "{}", "ZedaFaxcZaso9*");
	expect("{{ hasPrefix \"$2a$10$\" (bcrypt \"x\") }} {{ htpasswd \"a:\" \"b\" }}", "{}", "true invalid username: a:");
	expect("{{ encryptAES \"k\" \"secret\" | decryptAES \"k\" }}", "{}", "secret");
	expect_error("{{ decryptAES \"k\" \"AAAA\" }}", "{}", "no text that was encrypted");
}

static void certificates_are_made_and_refused(void **state)
{
	(void)state;
	expect("{{ $ca := genCA \"ca\" 1 }}{{ $c := genSignedCert \"n\" (list \"10.0.0.1\") (list \"a.svc\") 1 $ca }}"
	       "{{ hasPrefix \"-----BEGIN CERTIFICATE\" $c.Cert }} {{ hasPrefix \"-----BEGIN RSA\" $c.Key }} {{ ne $c.Key $ca.Key }}",
	       "{}", "true true true");
	expect_error("{{ genSelfSignedCert \"n\" (list \"no address\") nil 1 }}", "{}", "a list of IP addresses");
	expect_error("{{ genCAWithKey \"ca\" 1 \"no key\" }}", "{}", "no key in PEM");
	expect_error("{{ genCAWithKey \"ca\" 1 (genPrivateKey \"ecdsa\") }}", "{}", "only RSA and Ed25519");
	expect("{{ genPrivateKey \"bad\" }}", "{}", "Unknown type bad");
}

static void dates_keep_what_stands_between(void **state)
{
	(void)state;
	expect("{{ dateInZone \"Mon Jan _2 15:04:05 MST 2006\" 1560458379 \"UTC\" }}", "{}", "Thu Jun 13 20:39:39 UTC 2019");
}

static void toml_plain_members_come_before_tables(void **state)
{
	(void)state;
	expect("{{ toToml . }}", "{\"a\":{\"b\":{\"c\":\"x\"}},\"z\":[true,\"q\\\"\"],\"k k\":1.5,\"t\":[{\"u\":\"v\"}],\"n\":null}",
	       "\"k k\" = 1.5\nz = [true, \"q\\\"\"]\n\n[a]\n  [a.b]\n    c = \"x\"\n\n[[t]]\n  u = \"v\"\n");
	expect_error("{{ mustToToml (dict \"a\" (list nil)) }}", "{}", "nil element");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fields_absent_are_empty_and_below_nil_an_error),
		TEST(logic_stops_at_what_decides),
		TEST(range_has_items_members_numbers_and_else),
		TEST(include_and_tpl_have_scopes),
		TEST(errors_name_line_and_action),
		TEST(limits_end_what_does_not_end),
		TEST(random_same_input_gives_the_same),
		TEST(passwords_have_their_known_answers),
		TEST(certificates_are_made_and_refused),
		TEST(dates_keep_what_stands_between),
		TEST(toml_plain_members_come_before_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
