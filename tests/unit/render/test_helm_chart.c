/* Whole charts of Go templates: values, dependencies, hooks, what the cluster is taken for. */
#include "check.h"

#include "render/chart/chart.h"
#include "tree.h"

#define CHART "-- Chart.yaml\napiVersion: v2\nname: web\nversion: 1.0.0\n"
#define DUMP "-- templates/v.yaml\nkind: V\napiVersion: v1\nv: {{ toJson .Values }}\n"

static int render_tree(const char *files, const struct render_opts *o, struct str *out, struct err *err)
{
	struct vfs *v = tree_of(sv_c(files));
	struct rendered got = { 0 };
	int r = chart_render(v, "", o, &got, err);

	got.type = RENDER_CHART;
	rendered_write(&got, out);
	rendered_free(&got);
	vfs_free(v);
	return r;
}

static void expect_says(const char *files, const struct render_opts *o, const char *says)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(render_tree(files, o, &out, &err), &err);
	if (!strstr(str_c(&out), says))
		fail_msg("'%s' is not in:\n%s", says, str_c(&out));
}

static void expect_not(const char *files, const struct render_opts *o, const char *says)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(render_tree(files, o, &out, &err), &err);
	if (strstr(str_c(&out), says))
		fail_msg("'%s' is in:\n%s", says, str_c(&out));
}

static void expect_fails(const char *files, const struct render_opts *o, const char *says)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_true(render_tree(files, o, &out, &err) < 0);
	if (!strstr(err_msg(&err), says))
		fail_msg("'%s' does not say '%s'", err_msg(&err), says);
}

static const struct render_opts plain = { 0 };

#define SUB \
	"-- charts/db/Chart.yaml\napiVersion: v2\nname: db\nversion: 1.2.0\n-- charts/db/values.yaml\nport: 1\nown: {a: 1, b: 2}\n" \
	"-- charts/db/templates/s.yaml\nkind: S\napiVersion: v1\ns: {{ toJson .Values }}\n"

static void null_for_a_chart_below_removes_its_default(void **state)
{
	const struct render_set sets[] = { { SET_VALUE, "db.own.a=null,db.port=null" } };
	const struct render_opts o = { .sets = sets, .n_sets = 1 };

	(void)state;
	expect_says(CHART SUB, &o, "s: {\"global\":{},\"own\":{\"b\":2}}");
}

static void null_in_a_later_file_removes_what_an_earlier_one_said(void **state)
{
	const struct render_set sets[] = { { SET_VALUES_TEXT, "m: {x: 5}" }, { SET_VALUES_TEXT, "m: null" } };
	const struct render_opts o = { .sets = sets, .n_sets = 2 };

	(void)state;
	expect_says(CHART "-- values.yaml\nm: {y: 1}\nk: 1\n" DUMP, &o, "v: {\"k\":1}");
}

#define DEPS(entry) CHART "dependencies:\n" entry

static void dependency_of_another_version_takes_no_part(void **state)
{
	(void)state;
	expect_says(DEPS("- {name: db, version: ^1.0.0}\n") SUB, &plain, "kind: S");
	expect_says(DEPS("- {name: db, version: 1.x.x, alias: one}\n- {name: db, version: 2.x.x, alias: two}\n") SUB, &plain,
		    "# Source: web/charts/one/templates/s.yaml");
	expect_not(DEPS("- {name: db, version: 2.x.x, alias: two}\n") SUB, &plain, "two");
	expect_fails(DEPS("- {name: cache, version: 1.0.0}\n") SUB, &plain, "missing in charts/ directory: cache");
}

/* Two names of one imported mapping are the same mapping while values are imported. */
static void imported_values_lie_below_the_charts_own(void **state)
{
	const char *files = DEPS("- name: db\n  version: 1.x.x\n  import-values:\n  - {child: own, parent: here.there}\n"
				 "  - {child: own, parent: .}\n") "-- values.yaml\na: mine\n" DUMP SUB;

	(void)state;
	expect_says(files, &plain, "v: {\"a\":\"mine\",\"b\":2,\"db\":{");
	expect_says(files, &plain, "\"here\":{\"there\":{\"a\":1,\"b\":2}}");
}

#define HOOK(name, hook) "-- templates/" name ".yaml\nkind: Job\napiVersion: batch/v1\nmetadata:\n  name: " name \
			 "\n  annotations: {helm.sh/hook: \"" hook "\"}\n"

static void hooks_that_helm_does_not_know_are_left_out(void **state)
{
	const struct render_opts no_tests = { .skip_tests = true }, no_hooks = { .no_hooks = true };

	(void)state;
	expect_says(CHART HOOK("a", "pre-install, Post-Upgrade") HOOK("b", "crd-install"), &plain, "name: a");
	expect_not(CHART HOOK("a", "pre-install") HOOK("b", "crd-install") HOOK("c", "pre-install,odd"), &plain, "name: b");
	expect_not(CHART HOOK("a", "pre-install") HOOK("c", "pre-install,odd"), &plain, "name: c");
	expect_not(CHART HOOK("t", "test-success"), &no_tests, "name: t");
	expect_not(CHART HOOK("a", "post-install"), &no_hooks, "name: a");
}

#define ABOUT "-- templates/c.yaml\nkind: C\napiVersion: v1\nk: {{ .Capabilities.KubeVersion }} {{ .Capabilities.APIVersions.Has \"apps/v1/Deployment\" }}\n"

static void capabilities_are_helms_ours_or_those_asked_for(void **state)
{
	const struct render_opts ours = { .in_cluster = true }, asked = { .kube_version = "1.27" };
	const char *apis[] = { "apps/v1/Deployment", NULL };
	const struct render_opts with = { .api_versions = apis };

	(void)state;
	expect_says(CHART ABOUT, &plain, "k: v1.20.0 false");
	expect_says(CHART ABOUT, &ours, "k: v1.30.0 true");
	expect_says(CHART ABOUT, &asked, "k: v1.27 false");
	expect_says(CHART ABOUT, &with, "k: v1.20.0 true");
}

static void kube_version_that_a_chart_refuses_is_an_error_only_when_asked_for(void **state)
{
	const struct render_opts asked = { .kube_version = "1.20.0" }, ours = { .in_cluster = true };

	(void)state;
	expect_says(CHART "kubeVersion: '>=1.25.0-0'\n" ABOUT, &plain, "k: v1.30.0");
	expect_fails(CHART "kubeVersion: '>=1.25.0-0'\n" ABOUT, &asked, "chart requires kubeVersion: >=1.25.0-0 which is incompatible with Kubernetes v1.20.0");
	expect_fails(CHART "kubeVersion: '>=99'\n" ABOUT, &ours, "incompatible with Kubernetes v1.30.0");
}

static void chart_is_a_struct_to_templates(void **state)
{
	const char *files = "-- Chart.yaml\napiVersion: v1\nname: web\nversion: 1.0.0\nappVersion: 1.10\nkeywords: [a, true]\nodd: 1\n"
			    "-- requirements.yaml\ndependencies: []\n"
			    "-- templates/c.yaml\nkind: C\napiVersion: v1\na: {{ .Chart.Keywords | join \"+\" }} {{ .Chart.IsRoot }}\n"
			    "b: {{ toJson .Chart }}\nf: {{ .Files.Get \"requirements.yaml\" | quote }}\n";

	(void)state;
	expect_says(files, &plain, "a: a+true true");
	expect_says(files, &plain, "\"keywords\":[\"a\",\"true\"],\"name\":\"web\"");
	expect_says(files, &plain, "f: \"dependencies: []\\n\"");
	expect_not(files, &plain, "odd");
	expect_fails(CHART "-- templates/c.yaml\na: {{ .Chart.Nothing }}\n", &plain, "can't evaluate field Nothing in type chart.Metadata");
}

static void charts_of_other_types_are_not_installable(void **state)
{
	(void)state;
	expect_fails(CHART "type: library\n", &plain, "library charts are not installable");
	expect_fails(CHART "type: Library\n", &plain, "Library charts are not installable");
	expect_says(CHART "type: application\n" ABOUT, &plain, "kind: C");
}

static void errors_name_file_line_and_column(void **state)
{
	(void)state;
	expect_fails(CHART "-- templates/_h.tpl\n{{ define \"host\" }}{{ required \"host?\" .Values.host }}{{ end }}\n"
			   "-- templates/a.yaml\na: 1\nb: {{ include \"host\" . }}\n",
		     &plain,
		     "web/templates/_h.tpl:1:23: executing \"host\" at <required \"host?\" .Values.host>: error calling required: host?\n"
		     "  called from web/templates/a.yaml:2:7: executing \"web/templates/a.yaml\" at <include \"host\" .>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(null_for_a_chart_below_removes_its_default),
		TEST(null_in_a_later_file_removes_what_an_earlier_one_said),
		TEST(dependency_of_another_version_takes_no_part),
		TEST(imported_values_lie_below_the_charts_own),
		TEST(hooks_that_helm_does_not_know_are_left_out),
		TEST(capabilities_are_helms_ours_or_those_asked_for),
		TEST(kube_version_that_a_chart_refuses_is_an_error_only_when_asked_for),
		TEST(chart_is_a_struct_to_templates),
		TEST(charts_of_other_types_are_not_installable),
		TEST(errors_name_file_line_and_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
