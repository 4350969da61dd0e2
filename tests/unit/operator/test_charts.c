/* tests/unit/operator/test_charts.c - versions of charts, indexes of repositories, locks. Registries and servers: tests/e2e/chart.sh. */
#include "check.h"

#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"
#include "operator/chart/charts.h"
#include "operator/chart/lock.h"
#include "operator/chart/versions.h"

#include <string.h>

/* ---- choosing ---- */

static void expect_choice(const char *versions, const char *range, bool devel, const char *want)
{
	struct chart_versions all = { 0 };
	struct sv rest = sv_c(versions), one;
	AUTO(err) err = { 0 };

	while (rest.n) {
		sv_cut(rest, ' ', &one, &rest);
		chart_versions_add(&all, one, SV("x.tgz"), SV(""));
	}
	const struct chart_version *found = chart_versions_choose(&all, range, devel, "web", &err);
	assert_string_equal(found ? found->version : err_msg(&err), want);
	chart_versions_free(&all);
}

static void versions_newest_in_range_is_chosen(void **state)
{
	static const char all[] = "1.0.0 1.10.0 1.9.0 2.0.0-rc.1 v0.9.1 latest 1.2.3+b1";

	(void)state;
	expect_choice(all, NULL, false, "1.10.0");
	expect_choice(all, "", true, "2.0.0-rc.1");
	expect_choice(all, "^1.0", false, "1.10.0");
	expect_choice(all, "~1.2", false, "1.2.3+b1");
	expect_choice(all, "0.x", false, "v0.9.1");
	expect_choice(all, "1.2.3+b1", false, "1.2.3+b1");
	expect_choice(all, "latest", false, "latest");
	expect_choice(all, ">=2.0.0-0", false, "2.0.0-rc.1");
}

static void versions_that_do_not_exist_are_told_with_those_that_do(void **state)
{
	(void)state;
	expect_choice("1.0.0 1.1.0", ">=2", false, "no version of chart 'web' is in '>=2'; the newest are 1.1.0, 1.0.0");
	expect_choice("1.0.0-rc.1", "", false, "no version of chart 'web' is a release (--devel takes others, too); the newest are 1.0.0-rc.1");
	expect_choice("", "", false, "chart 'web' has no versions there");
}

static void versions_are_exact_with_three_numbers(void **state)
{
	(void)state;
	assert_true(chart_version_is_exact("1.2.3"));
	assert_true(chart_version_is_exact("v1.2.3-rc.1+b.2"));
	assert_false(chart_version_is_exact("1.2"));
	assert_false(chart_version_is_exact("1.2.x"));
	assert_false(chart_version_is_exact("^1.2.3"));
	assert_false(chart_version_is_exact(""));
	assert_false(chart_version_is_exact(NULL));
}

/* ---- indexes ---- */

static const char index_text[] =
	"apiVersion: v1\nentries:\n  web:\n  - {version: 1.0.0, urls: [web-1.0.0.tgz], digest: 'sha256:aa'}\n  - {version: 1.1.0, urls: "
	"['https://cdn.example.org/w.tgz'], digest: bb}\n  - {version: 2.0.0}\n  - not an entry\n  redis: []\n  broken: {}\n";

static void index_entries_without_address_are_passed_over(void **state)
{
	struct chart_versions all = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(chart_index_read(sv_c(index_text), "web", &all, &err), &err);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.v[0].digest, "aa");
	assert_string_equal(all.v[1].url, "https://cdn.example.org/w.tgz");
	chart_versions_free(&all);
}

static void index_errors_say_what_it_is_not(void **state)
{
	struct chart_versions all = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_err(chart_index_read(sv_c(index_text), "wep", &all, &err), &err, ERR_NOT_FOUND, "no chart 'wep' (did you mean 'web'?)");
	assert_err(chart_index_read(sv_c(index_text), "broken", &all, &err), &err, ERR_NOT_FOUND, "no chart 'broken'");
	assert_err(chart_index_read(SV("<html>"), "web", &all, &err), &err, ERR_INVALID, "no index of a chart repository");
	assert_err(chart_index_read(SV("a: b: c"), "web", &all, &err), &err, ERR_BAD_REQUEST, "index.yaml:1:");
	assert_int_equal(all.n, 0);
}

static void expect_url(const char *repo, const char *url, const char *want)
{
	AUTO(str) got = { 0 };

	chart_url_join(&got, repo, url);
	assert_string_equal(str_c(&got), want);
}

static void package_addresses_are_relative_to_the_repository(void **state)
{
	(void)state;
	expect_url("https://example.org/charts", "web.tgz", "https://example.org/charts/web.tgz");
	expect_url("https://example.org/charts/", "a/web.tgz", "https://example.org/charts/a/web.tgz");
	expect_url("https://example.org:8443/charts", "/web.tgz", "https://example.org:8443/web.tgz");
	expect_url("https://example.org/charts", "https://cdn/web.tgz", "https://cdn/web.tgz");
	expect_url("https://example.org/charts?token=x", "index.yaml", "https://example.org/charts/index.yaml?token=x");
}

/* ---- locks ---- */

/* What Helm 3 writes for these two lists. */
static void lock_digest_is_helms(void **state)
{
	AUTO_DOC d = NULL;
	AUTO(str) digest = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(json_read(SV("{\"asked\":[{\"name\":\"web\",\"alias\":\"front\",\"version\":\">=0.1 <1\",\"repository\":"
			       "\"http://127.0.0.1:8080\",\"condition\":\"front.enabled\",\"tags\":[\"a\"],\"import-values\":[\"data\",{\"parent\":"
			       "\"p\",\"child\":\"c\"}]}],\"found\":[{\"repository\":\"http://127.0.0.1:8080\",\"version\":\"0.1.0\",\"name\":\"web\"}]}"),
			    "test", 0, &d, &err), &err);
	lock_digest(node_get(doc_root(d), "asked"), node_get(doc_root(d), "found"), &digest);
	assert_string_equal(str_c(&digest), "sha256:a9fa564966db8818e25a665b64927439411df054f09bbd6ff7a9c441590993ad");
}

static void lock_of_other_dependencies_is_not_current(void **state)
{
	AUTO_DOC d = NULL;
	AUTO_DOC lock = NULL;
	AUTO(str) text = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(json_read(SV("{\"asked\":[{\"name\":\"web\",\"version\":\"1.x\",\"repository\":\"https://r\"}],"
			       "\"found\":[{\"name\":\"web\",\"version\":\"1.2.0\",\"repository\":\"https://r\"}]}"), "test", 0, &d, &err), &err);
	struct node *asked = node_get(doc_root(d), "asked");
	lock_write(asked, node_get(doc_root(d), "found"), "2026-01-02T03:04:05Z", &text);
	assert_ok(yaml_read(str_sv(&text), "Chart.lock", 0, &lock, &err), &err);
	assert_string_equal(node_str_at(doc_root(lock), "generated"), "2026-01-02T03:04:05Z");
	assert_true(lock_is_current(doc_root(lock), asked));
	node_set(d, asked->items[0], "version", node_str(d, "2.x"));
	assert_false(lock_is_current(doc_root(lock), asked));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(versions_newest_in_range_is_chosen), TEST(versions_that_do_not_exist_are_told_with_those_that_do),
		TEST(versions_are_exact_with_three_numbers), TEST(index_entries_without_address_are_passed_over),
		TEST(index_errors_say_what_it_is_not), TEST(package_addresses_are_relative_to_the_repository), TEST(lock_digest_is_helms),
		TEST(lock_of_other_dependencies_is_not_current),
	};

	return cmocka_run_group_tests_name("charts", tests, NULL, NULL);
}
