/* tests/unit/render/test_luatext.c - text templates with Lua, and Go templates converted to them. */
#include "check.h"

#include "base/json.h"
#include "render/chart/chart.h"
#include "render/chart/gotmpl/convert.h"
#include "render/chart/gotmpl/luatext.h"

#include <stdlib.h>
#include <string.h>

static int render_template(const char *template, const char *helper, struct str *out, struct err *err)
{
	struct vfs *v = vfs_memory();
	const struct render_opts o = { .release = "r", .ns = "n" };
	struct rendered got = { 0 };

	vfs_memory_add(v, "Chart.yaml", SV("apiVersion: v2\nname: web\nversion: 1.0.0\n"));
	vfs_memory_add(v, "values.yaml", SV("ports: [80, 443]\nname: x\nempty: {}\nlabels: {b: 1, a: two}\nbig: 1000000\n"));
	vfs_memory_add(v, "templates/a.yaml", sv_c(template));
	if (helper)
		vfs_memory_add(v, "templates/_h.tpl", sv_c(helper));
	int r = chart_render(v, "", &o, &got, err);
	for (size_t i = 0; i < got.objects.n; i++)
		json_write(out, doc_root(got.objects.v[i]), JSON_SORTED);
	rendered_free(&got);
	vfs_free(v);
	return r;
}

static void expect(const char *template, const char *helper, const char *want)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(render_template(template, helper, &out, &err), &err);
	assert_string_equal(str_c(&out), want);
}

static void expect_error(const char *template, const char *helper, const char *says)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_err(render_template(template, helper, &out, &err), &err, ERR_INVALID, says);
}

#define HEAD "apiVersion: v1\nkind: A\n"
#define JSON(rest) "{\"apiVersion\":\"v1\",\"kind\":\"A\"," rest "}"

static void lua_text_is_known_by_its_first_mark(void **state)
{
	(void)state;
	assert_true(lua_text_is(SV("a: {{= 1 }}")));
	assert_true(lua_text_is(SV("{{%- x() %}}")));
	assert_false(lua_text_is(SV("a: {{ .x }} {{= 1 }}")));
	assert_false(lua_text_is(SV("a: {{")));
	assert_false(lua_text_is(SV("")));
}

static void lua_text_expressions_and_statements_make_text(void **state)
{
	(void)state;
	expect(HEAD "name: {{= values.name .. '}}' }}\nrelease: {{= release.name }}\n{{% for _, p in ipairs(values.ports) do %}}p{{= p }}: {{= p + 1 }}\n{{% end %}}",
	       NULL, JSON("\"name\":\"x}}\",\"p443\":444,\"p80\":81,\"release\":\"r\""));
	expect(HEAD "num: {{= #({{1},{2}}) }}\ns: \"{{=- 'a' -}}  \"\nt: '{{ no mark'\n", NULL, JSON("\"num\":2,\"s\":\"a\",\"t\":\"{{ no mark\""));
	expect(HEAD "{{% -- a comment\nlocal n = 1 -- another %}}num: {{= n }}", NULL, JSON("\"num\":1"));
	expect(HEAD "m:\n{{=- helm.nindent(2, helm.toYaml(dot.Values.labels)) }}\n", NULL, JSON("\"m\":{\"a\":\"two\",\"b\":1}"));
}

static void lua_text_and_go_include_one_another(void **state)
{
	(void)state;
	expect(HEAD "num: {{= include('go.name', dot) }}", "{{ define \"go.name\" }}{{ .Values.name }}-go{{ end }}", JSON("\"num\":\"x-go\""));
	expect(HEAD "num: {{ include \"lua.name\" . }}", "{{% define \"lua.name\" -%}}\n{{= get(dot, 'Values', 'name') }}-lua\n{{%- enddefine %}}",
	       JSON("\"num\":\"x-lua\""));
}

static void lua_text_errors_name_file_and_line(void **state)
{
	(void)state;
	expect_error(HEAD "a: {{= nothing.at.all }}", NULL, "web/templates/a.yaml:3:1");
	expect_error(HEAD "\n{{% if %}}", NULL, "web/templates/a.yaml:4: unexpected symbol");
	expect_error(HEAD "a: {{= 1", NULL, "web/templates/a.yaml:3: this mark is not closed");
	expect_error(HEAD "{{% enddefine %}}", NULL, "web/templates/a.yaml:3: enddefine without define");
	expect_error("{{% define \"x\" %}}", NULL, "web/templates/a.yaml:1: define \"x\" has no enddefine");
	expect_error(HEAD "{{% while true do end %}}", NULL, "does it loop for ever?");
	expect_error(HEAD "{{% io.open('/etc/passwd') %}}", NULL, "'io'");
}

/* The template and what it is converted to give the same. */
static void expect_same(const char *template)
{
	AUTO(str) converted = { 0 };
	AUTO(str) want = { 0 };
	AUTO(str) got = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(gotmpl_convert("web/templates/a.yaml", sv_c(template), &converted, &err), &err);
	assert_ok(render_template(template, NULL, &want, &err), &err);
	assert_ok(render_template(str_c(&converted), NULL, &got, &err), &err);
	assert_string_equal(str_c(&got), str_c(&want));
	assert_true(lua_text_is(str_sv(&converted)) == (strstr(template, "{{") != NULL));
}

static void converted_templates_give_the_same(void **state)
{
	static const char *const templates[] = {
		HEAD "plain: true\n",
		HEAD "{{- range $i, $p := .Values.ports }}\np{{ $i }}: {{ $p }}\n{{- else }}\nnone: true\n{{- end }}",
		HEAD "{{- range .Values.ports }}\n{{- if eq . 80.0 }}{{ continue }}{{ end }}\np{{ . }}: {{ $.Values.name | quote }}\n{{- end }}",
		HEAD "{{- range .Values.empty }}x{{ else }}\nnone: {{ len .Values.labels }}{{ end }}",
		HEAD "{{- with .Values.labels }}\nlabels:\n  {{- toYaml . | nindent 2 }}\n{{- end }}",
		HEAD "{{- with .Values.empty }}\nno: 1\n{{- else }}\nyes: {{ .Values.name }}\n{{- end }}",
		HEAD "{{- $end := \"v\" }}{{ if and .Values.name (not .Values.empty) }}{{ $end = printf \"%s-%d\" $end 3 }}{{ end }}\nv: {{ $end }}",
		HEAD "{{- if .Values.empty }}\na: 1\n{{- else if contains \"x\" .Values.name }}\na: 2\n{{- else }}\na: 3\n{{- end }}",
		HEAD "big: {{ .Values.big | int }}\nf: {{ 1.5 }}\nq: {{ \"%}} }} \\\"\" | squote }}\nraw: '{{ \"{{\" }} x }}'",
		"{{ define \"n\" }}{{ .Values.name }}{{ $x := 1 }}-{{ $x }}{{ end }}\n  {{ define \"m\" -}}\n z {{- end }}\n" HEAD
		"n: {{ include \"n\" . }}\nm: {{ template \"m\" }}",
		HEAD "{{- if $n := .Values.name }}\nn: {{ $n }}\n{{- end }}\nh: {{ .Capabilities.APIVersions.Has \"v1\" }}\nf: {{ .Files.Get \"no\" | len }}",
		HEAD "x: {{ or .Values.nothing .Values.name | default \"d\" }}\ny: {{ (dict \"a\" (list 1 2)).a }}\nz: {{ .Values.nothing.x | default 1 }}",
	};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof templates / sizeof *templates; i++)
		expect_same(templates[i]);
	expect_error(templates[sizeof templates / sizeof *templates - 1], NULL, "nil pointer evaluating");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lua_text_is_known_by_its_first_mark), TEST(lua_text_expressions_and_statements_make_text),
		TEST(lua_text_and_go_include_one_another), TEST(lua_text_errors_name_file_and_line), TEST(converted_templates_give_the_same),
	};

	return cmocka_run_group_tests_name("luatext", tests, NULL, NULL);
}
