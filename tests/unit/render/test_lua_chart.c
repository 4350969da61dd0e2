#include "check.h"

#include "base/fs.h"
#include "base/json.h"
#include "render/chart/chart.h"
#include "render/chart/strvals.h"

#include <stdlib.h>
#include <string.h>

/* ---- --set ---- */

static int set_all(enum set_kind kind, const char *text, struct str *out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d);
	int r = strvals_apply(d, root, kind, text, NULL, err);

	json_write(out, root, 0);
	return r;
}

static void expect_set(enum set_kind kind, const char *text, const char *json)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(set_all(kind, text, &out, &err), &err);
	assert_string_equal(str_c(&out), json);
}

static void expect_set_error(const char *text, const char *says)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_err(set_all(SET_VALUE, text, &out, &err), &err, ERR_BAD_REQUEST, says);
}

static void set_plain_values_are_typed(void **state)
{
	(void)state;
	expect_set(SET_VALUE, "a=1,b=true,c=null,d=x,e=007,f=0,g=1.5,h=-3,i=", "{\"a\":1,\"b\":true,\"c\":null,\"d\":\"x\",\"e\":\"007\","
		   "\"f\":0,\"g\":\"1.5\",\"h\":-3,\"i\":\"\"}");
	expect_set(SET_STRING, "a=1,b=true", "{\"a\":\"1\",\"b\":\"true\"}");
}

static void set_nested_names_lists_and_escapes_are_understood(void **state)
{
	(void)state;
	expect_set(SET_VALUE, "a.b.c=1,a.b.d=2", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}");
	expect_set(SET_VALUE, "a[1].b=x,a[0]=y", "{\"a\":[\"y\",{\"b\":\"x\"}]}");
	expect_set(SET_VALUE, "a={x,2,true},b=z", "{\"a\":[\"x\",2,true],\"b\":\"z\"}");
	expect_set(SET_VALUE, "a\\.b=c\\,d", "{\"a.b\":\"c,d\"}");
	expect_set(SET_JSON, "a={\"x\":[1,2]},b=3", "{\"a\":{\"x\":[1,2]},\"b\":3}");
	expect_set(SET_LITERAL, "a.b=x,y=z", "{\"a\":{\"b\":\"x,y=z\"}}");
}

static void set_bad_text_names_the_place(void **state)
{
	(void)state;
	expect_set_error("a", "a key has no value");
	expect_set_error("a[x]=1", "not a whole number");
	expect_set_error("a[70000]=1", "greater than 65536");
	expect_set_error("a={1,2", "no closing '}'");
	expect_set_error("a.=1", "a name that holds others has no value at character 5");
}

/* ---- charts ---- */

static struct vfs *small_chart(const char *template)
{
	struct vfs *v = vfs_memory();

	vfs_memory_add(v, "Chart.yaml", SV("apiVersion: v2\nname: web\nversion: 1.0.0\n"));
	vfs_memory_add(v, "values.yaml", SV("image: nginx\nports: [80]\nglobal: {domain: example.org}\nredis: {size: 2}\n"));
	vfs_memory_add(v, "values/prod.yaml", SV("image: prod\n"));
	vfs_memory_add(v, "templates/_names.lua", SV("return { name = release.name .. '-x' }\n"));
	vfs_memory_add(v, "templates/a.lua", sv_c(template));
	vfs_memory_add(v, "charts/redis/Chart.yaml", SV("apiVersion: v2\nname: redis\nversion: 1.0.0\n"));
	vfs_memory_add(v, "charts/redis/values.yaml", SV("size: 1\nother: kept\n"));
	vfs_memory_add(v, "charts/redis/templates/r.lua",
		       SV("return { apiVersion = 'v1', kind = 'R', size = values.size, other = values.other, "
			  "domain = values.global.domain, chart = chart.name }\n"));
	return v;
}

static int render_small(const char *template, const struct render_set *sets, size_t n_sets, struct str *out, struct err *err)
{
	struct vfs *v = small_chart(template);
	const struct render_opts o = { .release = "r1", .ns = "n1", .sets = sets, .n_sets = n_sets };
	struct rendered got = { 0 };
	int r = chart_render(v, "", &o, &got, err);

	for (size_t i = 0; i < got.objects.n; i++) {
		json_write(out, doc_root(got.objects.v[i]), JSON_SORTED);
		str_add1(out, '\n');
	}
	rendered_free(&got);
	vfs_free(v);
	return r;
}

static void expect_objects(const char *template, const char *want)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(render_small(template, NULL, 0, &out, &err), &err);
	assert_string_equal(str_c(&out), want);
}

#define REDIS "{\"apiVersion\":\"v1\",\"chart\":\"redis\",\"domain\":\"example.org\",\"kind\":\"R\",\"other\":\"kept\",\"size\":2}\n"

static void lua_template_returned_and_yielded_objects_are_collected(void **state)
{
	(void)state;
	expect_objects("return { apiVersion = 'v1', kind = 'A' }", "{\"apiVersion\":\"v1\",\"kind\":\"A\"}\n" REDIS);
	expect_objects("coroutine.yield({ apiVersion = 'v1', kind = 'A' }) return { { apiVersion = 'v1', kind = 'B' }, false, null }",
		       "{\"apiVersion\":\"v1\",\"kind\":\"A\"}\n{\"apiVersion\":\"v1\",\"kind\":\"B\"}\n" REDIS);
	expect_objects("if false then return 1 end", REDIS);
}

static void lua_template_sees_values_release_and_helpers(void **state)
{
	(void)state;
	expect_objects("local n = require '_names' return { apiVersion = 'v1', kind = 'A', image = values.image, name = n.name, "
		       "ns = release.namespace, ports = values.ports, has = capabilities.has('apps/v1') }",
		       "{\"apiVersion\":\"v1\",\"has\":true,\"image\":\"nginx\",\"kind\":\"A\",\"name\":\"r1-x\",\"ns\":\"n1\",\"ports\":[80]}\n" REDIS);
}

static void lua_template_errors_name_file_and_line(void **state)
{
	static const struct { const char *template, *says; } cases[] = {
		{ "\nreturn { kind = nothing.at.all }", "web/templates/a.lua:2: " },
		{ "return 5", "web/templates/a.lua: gave a number" },
		{ "return { kind = 'A' }", "web/templates/a.lua: gave an object without apiVersion or kind" },
		{ "return {", "web/templates/a.lua:1: " },
		{ "require 'nothing'", "there is no module 'nothing'" },
		{ "local k = require 'k8s'\nk.required(values.host, 'host is required')", "web/templates/a.lua:2: host is required" },
		{ "while true do end", "does it loop for ever?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(str) out = { 0 };
		AUTO(err) err = { 0 };

		assert_err(render_small(cases[i].template, NULL, 0, &out, &err), &err, ERR_INVALID, cases[i].says);
	}
}

static void chart_values_later_ones_win_and_null_removes(void **state)
{
	const struct render_set sets[] = { { SET_VALUES_TEXT, "image: two\nredis: {other: null}" }, { SET_VALUE, "image=three,redis.size=7" } };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(render_small("return { apiVersion = 'v1', kind = 'A', image = values.image }", sets, 2, &out, &err), &err);
	assert_string_equal(str_c(&out), "{\"apiVersion\":\"v1\",\"image\":\"three\",\"kind\":\"A\"}\n"
			    "{\"apiVersion\":\"v1\",\"chart\":\"redis\",\"domain\":\"example.org\",\"kind\":\"R\",\"size\":7}\n");
}

static void chart_values_file_of_the_view_is_read(void **state)
{
	const struct render_set sets[] = { { SET_VALUES_FILE, "values/prod.yaml" } }, absent[] = { { SET_VALUES_FILE, "none.yaml" } };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(render_small("return { apiVersion = 'v1', kind = 'A', image = values.image }", sets, 1, &out, &err), &err);
	assert_string_equal(str_c(&out), "{\"apiVersion\":\"v1\",\"image\":\"prod\",\"kind\":\"A\"}\n" REDIS);
	assert_err(render_small("return nil", absent, 1, &out, &err), &err, ERR_NOT_FOUND, "none.yaml");
}

/* ---- the examples, against what they rendered to when somebody looked at it ---- */

static void expect_golden(const char *example, const struct render_set *sets, size_t n_sets, const char *golden)
{
	const struct render_opts o = { .release = "demo", .ns = "default", .sets = sets, .n_sets = n_sets };
	struct rendered got = { 0 };
	AUTO(err) err = { 0 };
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	AUTO(str) want = { 0 };

	str_addf(&path, "%s/../../examples/charts/%s", TESTDATA, example);
	struct vfs *v = vfs_dir(str_c(&path), &err);
	assert_non_null(v);
	assert_ok(chart_render(v, "", &o, &got, &err), &err);
	for (size_t i = 0; i < got.objects.n; i++) {
		str_addc(&text, "---\n");
		yaml_write(&text, doc_root(got.objects.v[i]), YAML_SORTED);
	}
	str_cut(&path, 0);
	str_addf(&path, "%s/charts/%s", TESTDATA, golden);
	if (getenv("UPDATE_GOLDEN"))
		assert_ok(file_write(str_c(&path), str_sv(&text), 0644, &err), &err);
	assert_ok(file_read(str_c(&path), 1 << 20, &want, &err), &err);
	assert_string_equal(str_c(&text), str_c(&want));
	rendered_free(&got);
	vfs_free(v);
}

static void example_hello_renders_to_its_golden_file(void **state)
{
	(void)state;
	expect_golden("hello", NULL, 0, "hello.yaml");
}

static void example_guestbook_with_metrics_renders_to_its_golden_file(void **state)
{
	const struct render_set sets[] = { { SET_VALUE, "metrics.enabled=true,image=guestbook:3" } };

	(void)state;
	expect_golden("guestbook", sets, 1, "guestbook-metrics.yaml");
}

static void example_monsterstack_renders_to_its_golden_file(void **state)
{
	(void)state;
	expect_golden("monsterstack", NULL, 0, "monsterstack.yaml");
}

static void example_monsterstack_with_another_redis_has_none(void **state)
{
	const struct render_set sets[] = { { SET_VALUE, "redis.enabled=false,redisHost=cache,context=DEV,ingress.enabled=false" } };

	(void)state;
	expect_golden("monsterstack", sets, 1, "monsterstack-cache.yaml");
}

/* ---- charts of one language below charts of the other ---- */

static int render_pair(const char *parent, const char *child, struct str *out, struct err *err)
{
	struct vfs *v = vfs_memory();
	const struct render_opts o = { .release = "r1" };
	struct rendered got = { 0 };

	vfs_memory_add(v, "Chart.yaml", SV("apiVersion: v2\nname: top\nversion: 1.0.0\ndependencies:\n- {name: low, version: 1.x, alias: under, "
					   "import-values: [data]}\n"));
	vfs_memory_add(v, "values.yaml", SV("under: {size: 3}\nglobal: {zone: here}\n"));
	vfs_memory_add(v, parent, SV("apiVersion: v1\nkind: Top\nport: {{ .Values.port }}\nfrom: {{ include \"low.name\" . }}\n"));
	vfs_memory_add(v, "charts/low/Chart.yaml", SV("apiVersion: v2\nname: low\nversion: 1.2.0\n"));
	vfs_memory_add(v, "charts/low/values.yaml", SV("size: 1\nexports: {data: {port: 80}}\n"));
	vfs_memory_add(v, "charts/low/templates/_names.tpl", SV("{{% define \"low.name\" %}}{{= release.name }}-low{{% enddefine %}}"));
	vfs_memory_add(v, "charts/low/templates/low.lua", sv_c(child));
	int r = chart_render(v, "", &o, &got, err);
	for (size_t i = 0; i < got.objects.n; i++) {
		json_write(out, doc_root(got.objects.v[i]), JSON_SORTED);
		str_add1(out, '\n');
	}
	rendered_free(&got);
	vfs_free(v);
	return r;
}

static void lua_chart_below_a_helm_chart_is_one_of_its_subcharts(void **state)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(render_pair("templates/top.yaml", "return { apiVersion = 'v1', kind = 'Low', size = values.size, zone = values.global.zone, "
			      "chart = chart.name }", &out, &err), &err);
	assert_string_equal(str_c(&out), "{\"apiVersion\":\"v1\",\"chart\":\"under\",\"kind\":\"Low\",\"size\":3,\"zone\":\"here\"}\n"
			    "{\"apiVersion\":\"v1\",\"from\":\"r1-low\",\"kind\":\"Top\",\"port\":80}\n");
}

/* ---- the library k8s ---- */

/* What a builder makes: the value of an expression as JSON. */
static void expect_built(const char *expression, const char *want)
{
	AUTO(str) template = { 0 };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	str_addf(&template, "local k8s = require 'k8s' return { apiVersion = 'v1', kind = 'A', is = %s }", expression);
	assert_ok(render_small(str_c(&template), NULL, 0, &out, &err), &err);
	const char *from = strstr(str_c(&out), "\"is\":"), *to = strstr(str_c(&out), ",\"kind\":\"A\"}\n");
	assert_non_null(from);
	assert_non_null(to);
	AUTO(str) got = { 0 };
	str_add(&got, (struct sv){ from + 5, (size_t)(to - from - 5) });
	assert_string_equal(str_c(&got), want);
}

static void k8s_small_parts_are_built(void **state)
{
	(void)state;
	expect_built("k8s.name('a', nil, '', 'b')", "\"a-b\"");
	expect_built("#k8s.name(('x'):rep(80))", "63");
	expect_built("k8s.fullname()", "\"r1-web\"");
	expect_built("k8s.merge({ a = 1, m = { x = 1 } }, { b = 2, m = { x = 2, y = 3 } })", "{\"a\":1,\"b\":2,\"m\":{\"x\":1,\"y\":3}}");
	expect_built("k8s.default(nil, null, false)", "false");
	expect_built("k8s.image { registry = 'r', repository = 'a/b', tag = 'v1' }", "\"r/a/b:v1\"");
	expect_built("k8s.image { repository = 'a', digest = 'sha256:1' }", "\"a@sha256:1\"");
	expect_built("k8s.env { B = 1, A = { fieldRef = { fieldPath = 'x' } } }",
		     "[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"x\"}}},{\"name\":\"B\",\"value\":\"1\"}]");
	expect_built("k8s.claim { name = 'data', size = '1Gi' }.spec.resources", "{\"requests\":{\"storage\":\"1Gi\"}}");
}

static void k8s_workloads_share_the_template_of_pods(void **state)
{
	static const struct { const char *make, *want; } cases[] = {
		{ "k8s.deployment { containers = list(), pod = { hostNetwork = true } }.spec.template.spec", "{\"containers\":[],\"hostNetwork\":true}" },
		{ "k8s.statefulset { containers = {}, claims = { k8s.claim { name = 'd', size = '1Gi' } } }.spec.serviceName", "\"r1-web\"" },
		{ "k8s.daemonset { containers = {}, serviceAccount = 'sa' }.spec.template.spec.serviceAccountName", "\"sa\"" },
		{ "k8s.job { containers = {}, retries = 2 }.spec.backoffLimit", "2" },
		{ "k8s.job { containers = {} }.spec.template.spec.restartPolicy", "\"Never\"" },
		{ "k8s.cronjob { containers = {}, schedule = '@daily' }.spec.jobTemplate.spec.template.spec.restartPolicy", "\"Never\"" },
		{ "k8s.ingress { host = 'h', service = 's', port = 80 }.spec.rules[1].http.paths[1].backend", "{\"service\":{\"name\":\"s\",\"port\":{\"number\":80}}}" },
		{ "k8s.ingress { host = 'h', port = 'http', tls = 't', className = 'c' }.spec.tls", "[{\"hosts\":[\"h\"],\"secretName\":\"t\"}]" },
		{ "k8s.autoscaler { min = 1, max = 3, cpu = 80 }.spec.scaleTargetRef.name", "\"r1-web\"" },
		{ "k8s.disruptionbudget { component = 'c', minAvailable = 1 }.spec.selector.matchLabels['app.kubernetes.io/component']", "\"c\"" },
		{ "k8s.service { ports = { http = 80 } }.spec.ports", "[{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\",\"targetPort\":\"http\"}]" },
		{ "k8s.configmap { name = 'n', data = { a = 'b' } }.metadata.name", "\"n\"" },
		{ "k8s.persistentvolumeclaim { name = 'n', size = '2Gi', class = 'fast' }.spec.storageClassName", "\"fast\"" },
		{ "k8s.serviceaccount { annotations = { a = 'b' } }.metadata.annotations", "{\"a\":\"b\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_built(cases[i].make, cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(set_plain_values_are_typed),
		TEST(set_nested_names_lists_and_escapes_are_understood),
		TEST(set_bad_text_names_the_place),
		TEST(lua_template_returned_and_yielded_objects_are_collected),
		TEST(lua_template_sees_values_release_and_helpers),
		TEST(lua_template_errors_name_file_and_line),
		TEST(chart_values_later_ones_win_and_null_removes),
		TEST(chart_values_file_of_the_view_is_read),
		TEST(example_hello_renders_to_its_golden_file),
		TEST(example_guestbook_with_metrics_renders_to_its_golden_file),
		TEST(example_monsterstack_renders_to_its_golden_file),
		TEST(example_monsterstack_with_another_redis_has_none),
		TEST(lua_chart_below_a_helm_chart_is_one_of_its_subcharts),
		TEST(k8s_small_parts_are_built),
		TEST(k8s_workloads_share_the_template_of_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
