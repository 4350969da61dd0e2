/* tests/unit/render/test_package.c - packages of charts, dependencies that are elsewhere, and what lint says. */
#include "check.h"

#include "base/json.h"
#include "render/chart/archive.h"
#include "render/chart/chart.h"
#include "render/chart/lint.h"
#include "render/chart/package.h"

#include <string.h>

static struct vfs *make_chart(const char *extra)
{
	struct vfs *v = vfs_memory();
	AUTO(str) meta = { 0 };

	str_addf(&meta, "apiVersion: v2\nname: web\nversion: 1.2.3\nicon: https://example.org/i.png\n%s", extra);
	vfs_memory_add(v, "Chart.yaml", str_sv(&meta));
	vfs_memory_add(v, "values.yaml", SV("size: 1\n"));
	vfs_memory_add(v, ".helmignore", SV("*.bak\nsecret/\n"));
	vfs_memory_add(v, "templates/a.lua", SV("return { apiVersion = 'v1', kind = 'ConfigMap', metadata = { name = 'a' } }\n"));
	vfs_memory_add(v, "templates/a.bak", SV("old"));
	vfs_memory_add(v, "secret/key", SV("hush"));
	vfs_memory_add(v, "config/app.conf", SV("x=1\n"));
	return v;
}

static void pack(struct vfs *v, const struct package_opts *o, struct str *out, struct str *name)
{
	AUTO(err) err = { 0 };

	assert_ok(chart_package(v, "", o, out, name, &err), &err);
}

static void package_of_the_same_files_has_the_same_bytes(void **state)
{
	struct vfs *v = make_chart(""), *other = make_chart("");
	AUTO(str) one = { 0 };
	AUTO(str) two = { 0 };
	AUTO(str) name = { 0 };
	AUTO(str) again = { 0 };

	(void)state;
	pack(v, &(struct package_opts){ 0 }, &one, &name);
	pack(other, &(struct package_opts){ 0 }, &two, &again);
	assert_string_equal(str_c(&name), "web-1.2.3");
	assert_true(sv_eq(str_sv(&one), str_sv(&two)));
	vfs_free(v);
	vfs_free(other);
}

static void package_holds_what_is_not_ignored(void **state)
{
	static const struct { const char *path; bool is_in; } files[] = {
		{ "Chart.yaml", true }, { "values.yaml", true }, { "templates/a.lua", true }, { "config/app.conf", true },
		{ ".helmignore", true }, { "templates/a.bak", false }, { "secret/key", false },
	};
	struct vfs *v = make_chart("");
	AUTO(str) bytes = { 0 };
	AUTO(str) name = { 0 };
	AUTO(str) meta = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	pack(v, &(struct package_opts){ .version = "2.0.0-rc.1", .app_version = "7" }, &bytes, &name);
	assert_string_equal(str_c(&name), "web-2.0.0-rc.1");
	struct vfs *unpacked = chart_archive(str_sv(&bytes), "web", &err);
	assert_non_null(unpacked);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		assert_int_equal(vfs_exists(unpacked, files[i].path, VFS_FILE), files[i].is_in);
	assert_ok(vfs_read(unpacked, "Chart.yaml", 1000, &meta, &err), &err);
	assert_non_null(strstr(str_c(&meta), "version: 2.0.0-rc.1\n"));
	assert_non_null(strstr(str_c(&meta), "appVersion: \"7\"\n"));
	vfs_free(unpacked);
	vfs_free(v);
}

#define NEEDS_CACHE "dependencies:\n- {name: cache, version: ^1.0, repository: 'https://example.org/charts'}\n"

static void package_without_its_dependencies_is_refused(void **state)
{
	struct vfs *v = make_chart(NEEDS_CACHE);
	AUTO(str) bytes = { 0 };
	AUTO(str) name = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_err(chart_package(v, "", &(struct package_opts){ 0 }, &bytes, &name, &err), &err, ERR_NOT_FOUND, "missing in charts/ directory: cache");
	vfs_free(v);
}

/* ---- dependencies that are elsewhere ---- */

struct shop { struct str asked; const char *version; };

/* A repository that has one chart. */
static int give(void *arg, const struct render_chart *want, struct str *package, struct err *err)
{
	struct shop *s = arg;
	struct vfs *v = vfs_memory();
	AUTO(str) name = { 0 };

	str_addf(&s->asked, "%s %s %s;", want->repo, want->name, want->version);
	vfs_memory_add(v, "Chart.yaml", SV("apiVersion: v2\nname: cache\nversion: 1.4.0\n"));
	vfs_memory_add(v, "templates/c.lua", SV("return { apiVersion = 'v1', kind = 'Cache', size = values.size }\n"));
	int r = s->version ? chart_package(v, "", &(struct package_opts){ .version = s->version }, package, &name, err) :
			     err_set(err, ERR_UNAVAILABLE, "nobody answers");
	vfs_free(v);
	return r;
}

static int render_shop(struct vfs *v, struct shop *s, struct str *out, struct err *err)
{
	const struct render_opts o = { .chart = give, .chart_arg = s };
	struct rendered got = { 0 };
	int r = chart_render(v, "", &o, &got, err);

	for (size_t i = 0; i < got.objects.n; i++)
		json_write(out, doc_root(got.objects.v[i]), JSON_SORTED);
	rendered_free(&got);
	return r;
}

static void missing_dependency_is_asked_for_by_its_lock(void **state)
{
	struct vfs *v = make_chart(NEEDS_CACHE);
	struct shop s = { .version = "1.4.0" };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	vfs_memory_add(v, "Chart.lock", SV("dependencies:\n- {name: cache, repository: 'https://example.org/charts', version: 1.4.0}\n"));
	assert_ok(render_shop(v, &s, &out, &err), &err);
	assert_string_equal(str_c(&s.asked), "https://example.org/charts cache 1.4.0;");
	assert_non_null(strstr(str_c(&out), "\"kind\":\"Cache\""));
	str_free(&s.asked);
	vfs_free(v);
}

static void missing_dependency_that_cannot_be_had_is_named(void **state)
{
	struct vfs *v = make_chart(NEEDS_CACHE);
	struct shop s = { 0 };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_err(render_shop(v, &s, &out, &err), &err, ERR_UNAVAILABLE, "chart web: dependency cache: nobody answers");
	assert_string_equal(str_c(&s.asked), "https://example.org/charts cache ^1.0;");
	str_free(&s.asked);
	vfs_free(v);
}

static void missing_dependency_beside_the_chart_is_read_there(void **state)
{
	struct vfs *v = vfs_memory();
	struct shop s = { 0 };
	const struct render_opts o = { .chart = give, .chart_arg = &s };
	struct rendered got = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	vfs_memory_add(v, "shop/Chart.yaml", SV("apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {name: common, version: '>=0', "
						"repository: 'file://../common'}\n"));
	vfs_memory_add(v, "common/Chart.yaml", SV("apiVersion: v2\nname: common\nversion: 0.1.0\n"));
	vfs_memory_add(v, "common/templates/c.yaml", SV("apiVersion: v1\nkind: Common\n"));
	assert_ok(chart_render(v, "shop", &o, &got, &err), &err);
	assert_int_equal(got.objects.n, 1);
	assert_int_equal(s.asked.n, 0);
	rendered_free(&got);
	vfs_free(v);
}

/* ---- lint ---- */

/* All that is said, a line each. */
static void expect_lint(struct vfs *take, const char *want)
{
	struct lint_messages m = { 0 };
	struct lint_message *it;
	AUTO(str) said = { 0 };

	chart_lint_check(take, "", &(struct render_opts){ 0 }, &m);
	vec_each(it, &m)
		str_addf(&said, "%s %s: %s\n", lint_severity_name(it->severity), it->path, it->text);
	assert_string_equal(str_c(&said), want);
	lint_messages_free(&m);
	vfs_free(take);
}

static void lint_of_a_sound_chart_is_silent(void **state)
{
	(void)state;
	expect_lint(make_chart(""), "");
}

static void lint_names_what_is_wrong_where(void **state)
{
	struct vfs *v = make_chart("appVersion: 7\nhome: nowhere\nmaintainers: [{email: x}]\nkubeVersion: new\n");

	(void)state;
	vfs_memory_add(v, "values.yaml", SV("size: 1\nsize: 2\n"));
	vfs_memory_add(v, "templates/b.yaml", SV("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndatta: {}\n---\napiVersion: v1\nkind: Secret\n"));
	AUTO(str) said = { 0 };
	struct lint_messages m = { 0 };
	struct lint_message *it;
	chart_lint_check(v, "", &(struct render_opts){ .kube_version = "v1.30.0" }, &m);
	vec_each(it, &m)
		str_addf(&said, "%s %s: %s\n", lint_severity_name(it->severity), it->path, it->text);
	static const char *const wanted[] = {
		"ERROR Chart.yaml: appVersion should be a text, and is integer", "ERROR Chart.yaml: home: 'nowhere' is not a URL",
		"ERROR Chart.yaml: each maintainer requires a name", "ERROR Chart.yaml: kubeVersion 'new' is not a range of versions",
		"ERROR values.yaml: values.yaml:2:",
	};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (!strstr(str_c(&said), wanted[i]))
			fail_msg("want '%s' in:\n%s", wanted[i], str_c(&said));
	lint_messages_free(&m);
	vfs_free(v);
}

static void lint_checks_objects_against_their_kinds(void **state)
{
	struct vfs *v = make_chart("");

	(void)state;
	vfs_memory_add(v, "templates/b.yaml", SV("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndatta: {}\n---\napiVersion: v1\nkind: Secret\n"));
	expect_lint(v, "ERROR templates/b.yaml: Secret \"\" is invalid: metadata.name: Required value: name or generateName is required\n"
		       "WARNING templates/b.yaml: ConfigMap/b: unknown field \"datta\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(package_of_the_same_files_has_the_same_bytes), TEST(package_holds_what_is_not_ignored),
		TEST(package_without_its_dependencies_is_refused), TEST(missing_dependency_is_asked_for_by_its_lock),
		TEST(missing_dependency_that_cannot_be_had_is_named), TEST(missing_dependency_beside_the_chart_is_read_there),
		TEST(lint_of_a_sound_chart_is_silent), TEST(lint_names_what_is_wrong_where), TEST(lint_checks_objects_against_their_kinds),
	};

	return cmocka_run_group_tests_name("package", tests, NULL, NULL);
}
