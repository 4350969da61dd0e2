/* tests/unit/operator/test_project.c - what projects allow. */
#include "check.h"

#include "base/json.h"
#include "operator/app/project.h"

static struct doc *parse(const char *json)
{
	struct doc *d = NULL;

	if (json_read(sv_c(json), "test", 0, &d, NULL) < 0)
		fail_msg("%s", json);
	return d;
}

static bool allows(const char *rules, const char *repo, const char *ns)
{
	AUTO_DOC d = parse(rules);
	struct app_spec s = { .project = "p", .dest_ns = ns };
	struct app_source source = { .repo_url = repo };

	vec_push(&s.sources, source);
	int r = project_check(doc_root(d), &s, NULL);
	app_spec_free(&s);
	return r >= 0;
}

#define ANYWHERE "\"destinations\":[{\"server\":\"*\",\"namespace\":\"*\"}]"
#define ANY_REPO "\"sourceRepos\":[\"*\"]"

static void repositories_match_by_pattern_and_veto(void **state)
{
	(void)state;
	assert_true(allows("{" ANY_REPO "," ANYWHERE "}", "https://github.com/a/b", "x"));
	assert_true(allows("{\"sourceRepos\":[\"https://github.com/Org/*\"]," ANYWHERE "}", "https://GitHub.com/org/web.git", "x"));
	assert_false(allows("{\"sourceRepos\":[\"https://github.com/org/*\"]," ANYWHERE "}", "https://github.com/other/web", "x"));
	assert_false(allows("{\"sourceRepos\":[\"https://github.com/org/*\"]," ANYWHERE "}", "https://github.com/org/a/b", "x"));
	assert_false(allows("{\"sourceRepos\":[\"*\",\"!https://github.com/org/secret\"]," ANYWHERE "}", "https://github.com/org/secret.git", "x"));
	assert_false(allows("{\"sourceRepos\":[\"!*\"]," ANYWHERE "}", "https://github.com/org/web", "x"));
	assert_false(allows("{" ANYWHERE "}", "https://github.com/org/web", "x"));
}

static void destinations_match_by_server_or_name_and_namespace(void **state)
{
	(void)state;
	assert_true(allows("{" ANY_REPO ",\"destinations\":[{\"name\":\"in-cluster\",\"namespace\":\"team-*\"}]}", "r", "team-a"));
	assert_false(allows("{" ANY_REPO ",\"destinations\":[{\"name\":\"in-cluster\",\"namespace\":\"team-*\"}]}", "r", "kube-system"));
	assert_false(allows("{" ANY_REPO ",\"destinations\":[{\"server\":\"https://other\",\"namespace\":\"*\"}]}", "r", "a"));
	assert_false(allows("{" ANY_REPO ",\"destinations\":[{\"server\":\"*\",\"namespace\":\"*\"},{\"server\":\"*\",\"namespace\":\"!kube-*\"}]}", "r",
			    "kube-system"));
	assert_false(allows("{" ANY_REPO "}", "r", "a"));
}

static bool allows_object(const char *rules, const char *group, const char *kind, const char *ns)
{
	AUTO_DOC d = parse(rules);
	const struct app_spec s = { .project = "p" };
	const struct ref r = { .group = group, .version = "v1", .kind = kind, .ns = ns, .name = "n" };

	return project_check_object(doc_root(d), &s, &r, !*ns, NULL) >= 0;
}

static void kinds_follow_the_lists_of_their_scope(void **state)
{
	(void)state;
	assert_true(allows_object("{" ANYWHERE "}", "apps", "Deployment", "a"));
	assert_false(allows_object("{" ANYWHERE "}", "", "Namespace", ""));
	assert_true(allows_object("{" ANYWHERE ",\"clusterResourceWhitelist\":[{\"group\":\"*\",\"kind\":\"*\"}]}", "", "Namespace", ""));
	assert_false(allows_object("{" ANYWHERE ",\"clusterResourceWhitelist\":[{\"group\":\"*\",\"kind\":\"*\"}],\"clusterResourceBlacklist\":["
				   "{\"group\":\"\",\"kind\":\"Namespace\"}]}", "", "Namespace", ""));
	assert_false(allows_object("{" ANYWHERE ",\"namespaceResourceWhitelist\":[]}", "apps", "Deployment", "a"));
	assert_false(allows_object("{" ANYWHERE ",\"namespaceResourceBlacklist\":[{\"group\":\"\",\"kind\":\"Secret\"}]}", "", "Secret", "a"));
	assert_false(allows_object("{\"destinations\":[{\"server\":\"*\",\"namespace\":\"b\"}]}", "apps", "Deployment", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(repositories_match_by_pattern_and_veto),
		TEST(destinations_match_by_server_or_name_and_namespace),
		TEST(kinds_follow_the_lists_of_their_scope),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
