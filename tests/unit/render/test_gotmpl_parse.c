#include "check.h"

#include "render/chart/gotmpl/literal.h"
#include "render/chart/gotmpl/parse.h"

#include <string.h>

static bool known(struct sv name) { return !sv_eq_c(name, "unknown"); }

/* ---- a tree as text, for comparing ---- */

static void print(const struct tmpl *n, struct str *out);

static void print_kids(const struct tmpl *n, const char *between, struct str *out)
{
	for (size_t i = 0; i < n->n_kids; i++) {
		if (i)
			str_addc(out, between);
		print(n->kids[i], out);
	}
}

static void print_names(const struct tmpl *n, struct str *out)
{
	for (size_t i = 0; i < n->n_names; i++)
		str_addf(out, "." SV_FMT, SV_ARG(n->names[i]));
}

static void print_pipe(const struct tmpl *n, struct str *out)
{
	for (size_t i = 0; i < n->n_names; i++)
		str_addf(out, "%s" SV_FMT, i ? "," : "", SV_ARG(n->names[i]));
	if (n->n_names)
		str_addc(out, n->assign ? "=" : ":=");
	print_kids(n, "|", out);
}

static void print_block(const struct tmpl *n, const char *name, struct str *out)
{
	str_addf(out, "{%s ", name);
	print(n->pipe, out);
	str_addc(out, ":");
	print(n->body, out);
	if (n->other) {
		str_addc(out, " else:");
		print(n->other, out);
	}
	str_addc(out, "}");
}

static void print(const struct tmpl *n, struct str *out)
{
	switch (n->type) {
	case TMPL_LIST:     print_kids(n, "", out); break;
	case TMPL_TEXT:     str_addf(out, "'" SV_FMT "'", SV_ARG(n->text)); break;
	case TMPL_ACTION:   str_addc(out, "{"); print(n->pipe, out); str_addc(out, "}"); break;
	case TMPL_IF:       print_block(n, "if", out); break;
	case TMPL_RANGE:    print_block(n, "range", out); break;
	case TMPL_WITH:     print_block(n, "with", out); break;
	case TMPL_TEMPLATE:
		str_addf(out, "{template " SV_FMT " ", SV_ARG(n->text));
		if (n->pipe)
			print(n->pipe, out);
		str_addc(out, "}");
		break;
	case TMPL_BREAK:    str_addc(out, "{break}"); break;
	case TMPL_CONTINUE: str_addc(out, "{continue}"); break;
	case TMPL_PIPE:     str_addc(out, "("); print_pipe(n, out); str_addc(out, ")"); break;
	case TMPL_COMMAND:  print_kids(n, " ", out); break;
	case TMPL_DOT:      str_addc(out, "."); break;
	case TMPL_NIL:      str_addc(out, "nil"); break;
	case TMPL_BOOL:     str_addc(out, n->b ? "true" : "false"); break;
	case TMPL_INT:      str_addf(out, "%lld", (long long)n->i); break;
	case TMPL_FLOAT:    str_addf(out, "%gf", n->f); break;
	case TMPL_STRING:   str_addf(out, "\"" SV_FMT "\"", SV_ARG(n->text)); break;
	case TMPL_FIELD:    print_names(n, out); break;
	case TMPL_VAR:
	case TMPL_FUNC:     str_add(out, n->text); print_names(n, out); break;
	case TMPL_CHAIN:    print(n->kids[0], out); print_names(n, out); break;
	}
}

static void expect(const char *text, const char *tree)
{
	struct tmpl_set set;
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	tmpl_set_init(&set);
	assert_ok(tmpl_parse(&set, "t", sv_c(text), known, &err), &err);
	print(((struct tmpl_def *)map_get(&set.defs, SV("t")))->body, &out);
	tmpl_set_free(&set);
	assert_string_equal(str_c(&out), tree);
}

static void expect_error(const char *text, const char *says)
{
	struct tmpl_set set;
	AUTO(err) err = { 0 };

	tmpl_set_init(&set);
	int r = tmpl_parse(&set, "t", sv_c(text), known, &err);
	tmpl_set_free(&set);
	assert_err(r, &err, ERR_INVALID, says);
}

static void parse_text_and_trim_markers(void **state)
{
	(void)state;
	expect("plain", "'plain'");
	expect("a {{.}} b", "'a '{(.)}' b'");
	expect("a {{- .}} b", "'a'{(.)}' b'");
	expect("a {{.  -}}\n\n b", "'a '{(.)}'b'");
	expect("a {{- /* note */ -}} b", "'a''b'");
	expect("{{/* note */}}x", "'x'");
	expect("{{-3}}", "{(-3)}");
	expect("{{- 3 -}}", "{(3)}");
}

static void parse_operands_and_fields(void **state)
{
	(void)state;
	expect("{{.a.b}}{{$.x}}{{(.a).b.c}}", "{(.a.b)}{($.x)}{((.a).b.c)}");
	expect("{{f 1 2.5 \"x\\n\" `r\\` 'a' true nil .}}", "{(f 1 2.5f \"x\n\" \"r\\\" 97 true nil .)}");
	expect("{{.a | f 1 | g}}", "{(.a|f 1|g)}");
	expect("{{f (g .a) .b}}", "{(f (g .a) .b)}");
	expect("{{0x1F}}{{1_000}}{{0b11}}{{0o17}}{{017}}{{1e3}}", "{(31)}{(1000)}{(3)}{(15)}{(15)}{(1000f)}");
}

static void parse_variables_and_scopes(void **state)
{
	(void)state;
	expect("{{$x := 1}}{{$x = 2}}{{$x}}", "{($x:=1)}{($x=2)}{($x)}");
	expect("{{range $k, $v := .m}}{{$k}}{{else}}n{{end}}", "{range ($k,$v:=.m):{($k)} else:'n'}");
	expect_error("{{if true}}{{$x := 1}}{{end}}{{$x}}", "t:1:32: undefined variable \"$x\"");
	expect_error("{{$x = 1}}", "undefined variable \"$x\"");
	expect_error("{{$x := 1}}{{define \"d\"}}{{$x}}{{end}}", "undefined variable");
}

static void parse_blocks_nest_and_chain(void **state)
{
	(void)state;
	expect("{{if .a}}1{{else if .b}}2{{else}}3{{end}}", "{if (.a):'1' else:{if (.b):'2' else:'3'}}");
	expect("{{with .a}}1{{else with .b}}2{{end}}", "{with (.a):'1' else:{with (.b):'2'}}");
	expect("{{range .l}}{{if .}}{{break}}{{end}}{{continue}}{{end}}", "{range (.l):{if (.):{break}}{continue}}");
	expect("{{template \"x\" .}}{{template \"y\"}}{{block \"z\" .}}b{{end}}", "{template x (.)}{template y }{template z (.)}");
	expect("{{define \"d\"}}x{{end}}y", "'y'");
}

static void parse_errors_name_the_place(void **state)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "a\n {{unknown 1}}", "t:2:4: function \"unknown\" not defined" },
		{ "{{", "unclosed action" }, { "{{.a", "unclosed action" }, { "{{\"x}}", "unterminated quoted string" },
		{ "{{`x}}", "unterminated raw quoted string" }, { "{{(f}}", "unclosed left paren" }, { "{{f)}}", "unexpected right paren" },
		{ "{{}}", "missing value for command" }, { "{{if}}{{end}}", "missing value for if" }, { "{{if .a}}", "unexpected EOF" },
		{ "{{end}}", "unexpected {{end}}" }, { "{{else}}", "unexpected {{else}}" }, { "{{break}}", "{{break}} outside {{range}}" },
		{ "{{1 | 2}}", "non executable command in pipeline stage 2" }, { "{{| f}}", "empty command" },
		{ "{{1.a}}", "bad number syntax" }, { "{{\"x\".a}}", "unexpected . after term" }, { "{{.a | | f}}", "empty command" },
		{ "{{template f}}", "unexpected \"f\" in template clause" }, { "{{/* x }}", "unclosed comment" },
		{ "{{/* x */ }}", "comment ends before closing delimiter" }, { "{{if .a}}{{else}}{{else}}{{end}}", "expected end; found {{else}}" },
		{ "{{f #}}", "bad character '#'" }, { "{{if .a}}{{define \"x\"}}{{end}}{{end}}", "unexpected \"define\"" },
		{ "{{range $a, $b, $c := .}}{{end}}", "" }, { "{{$a, $b := 1}}", "too many declarations" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_error(cases[i].text, cases[i].says);
}

static void parse_deep_nesting_is_an_error_and_no_crash(void **state)
{
	AUTO(str) text = { 0 };

	(void)state;
	str_addc(&text, "{{");
	for (int i = 0; i < 100000; i++)
		str_add1(&text, '(');
	expect_error(str_c(&text), "nested too deeply");
	str_cut(&text, 0);
	for (int i = 0; i < 100000; i++)
		str_addc(&text, "{{if .}}");
	expect_error(str_c(&text), "nested too deeply");
}

static void parse_later_definition_wins_unless_empty(void **state)
{
	struct tmpl_set set;
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	tmpl_set_init(&set);
	assert_ok(tmpl_parse(&set, "a", SV("{{define \"x\"}}one{{end}}"), known, &err), &err);
	assert_ok(tmpl_parse(&set, "b", SV("{{define \"x\"}}two{{end}}"), known, &err), &err);
	assert_ok(tmpl_parse(&set, "c", SV("{{define \"x\"}} {{end}}"), known, &err), &err);
	struct tmpl_def *x = map_get(&set.defs, SV("x"));
	print(x->body, &out);
	assert_string_equal(str_c(&out), "'two'");
	assert_string_equal(x->file, "b");
	tmpl_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parse_text_and_trim_markers),
		TEST(parse_operands_and_fields),
		TEST(parse_variables_and_scopes),
		TEST(parse_blocks_nest_and_chain),
		TEST(parse_errors_name_the_place),
		TEST(parse_deep_nesting_is_an_error_and_no_crash),
		TEST(parse_later_definition_wins_unless_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
