/* tests/unit/operator/test_webhook.c - payloads, URLs, paths, and which revision follows which ref. */
#include "check.h"

#include "base/json.h"
#include "operator/git/revision.h"
#include "operator/git/url.h"
#include "operator/webhook/webhook.h"

static const struct forge *forge(const char *name)
{
	for (const struct forge *f = forges; f->name; f++)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

static void read_payload(const char *name, const char *event, const char *json, struct doc **d, struct push_event *e)
{
	*e = (struct push_event){ .ref = "", .default_branch = "" };
	if (json_read(sv_c(json), "test", 0, d, NULL) < 0)
		fail_msg("%s", json);
	forge(name)->read(doc_root(*d), event, e);
}

static void payload_of_github_names_urls_ref_and_files(void **state)
{
	(void)state;
	AUTO_DOC d = NULL;
	struct push_event e;

	read_payload("github", "push", "{\"ref\":\"refs/heads/dev\",\"repository\":{\"html_url\":\"https://github.com/o/r\",\"ssh_url\":"
		     "\"git@github.com:o/r.git\",\"default_branch\":\"main\"},\"commits\":[{\"added\":[\"a\"],\"modified\":[\"b\"]},"
		     "{\"removed\":[\"c\"]}]}", &d, &e);
	assert_true(e.is_push);
	assert_string_equal(e.ref, "refs/heads/dev");
	assert_string_equal(e.default_branch, "main");
	assert_int_equal(e.urls.n, 2);
	assert_int_equal(e.files.n, 3);
	assert_string_equal(e.files.v[2], "c");
	push_event_free(&e);
}

static void payload_of_a_ping_is_no_push(void **state)
{
	(void)state;
	AUTO_DOC d = NULL;
	struct push_event e;

	read_payload("github", "ping", "{\"zen\":\"x\"}", &d, &e);
	assert_false(e.is_push);
	push_event_free(&e);
}

static void payload_of_gitlab_and_bitbucket_are_read(void **state)
{
	(void)state;
	AUTO_DOC d = NULL;
	AUTO_DOC b = NULL;
	struct push_event e;

	read_payload("gitlab", "Push Hook", "{\"object_kind\":\"tag_push\",\"ref\":\"refs/tags/v1\",\"project\":{\"git_http_url\":"
		     "\"https://gitlab.com/g/p.git\",\"default_branch\":\"main\"}}", &d, &e);
	assert_true(e.is_push && e.urls.n == 1);
	assert_string_equal(e.ref, "refs/tags/v1");
	push_event_free(&e);
	read_payload("bitbucket", "repo:push", "{\"push\":{\"changes\":[{\"new\":{\"name\":\"dev\"}}]},\"repository\":{\"links\":{\"html\":"
		     "{\"href\":\"https://bitbucket.org/t/r\"}}}}", &b, &e);
	assert_true(e.is_push && e.urls.n == 1);
	assert_string_equal(e.ref, "dev");
	push_event_free(&e);
}

static void url_forms_of_one_repository_are_the_same(void **state)
{
	(void)state;
	static const char *const forms[] = { "https://github.com/Org/Repo", "https://github.com/org/repo.git", "git@github.com:org/repo.git",
		"ssh://git@github.com/org/repo", "ssh://git@ssh.github.com:443/org/repo.git", "https://user:pw@github.com/org/repo/",
		"http://github.com:8080/org/repo" };
	static const char *const others[] = { "https://github.com/org/repo2", "https://gitlab.com/org/repo", "", "/", "org/repo" };

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (!repo_url_same(forms[0], forms[i]))
			fail_msg("%s", forms[i]);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(repo_url_same(forms[0], others[i]));
	assert_false(repo_url_same("", ""));
}

static void revision_follows_its_ref_only(void **state)
{
	(void)state;
	static const struct { const char *revision, *prefix, *ref, *head; bool want; } rows[] = {
		{ "main", "", "refs/heads/main", "", true }, { "main", "", "refs/heads/maintenance", "", false },
		{ "main", "", "refs/heads/feature/main", "", false }, { "feature/main", "", "refs/heads/feature/main", "", true },
		{ "HEAD", "", "refs/heads/main", "refs/heads/main", true }, { "", "", "refs/heads/main", "refs/heads/main", true },
		{ "", "", "refs/heads/dev", "refs/heads/main", false }, { "HEAD", "", "HEAD", "", true },
		{ "refs/heads/main", "", "refs/heads/main", "", true }, { "v1", "", "refs/tags/v1", "", true },
		{ "1.x", "", "refs/tags/v1.4.0", "", true }, { "1.x", "", "refs/tags/v2.0.0", "", false },
		{ "1.x", "web-", "refs/tags/web-1.4.0", "", true }, { "1.x", "web-", "refs/tags/1.4.0", "", false },
		{ "0123456789012345678901234567890123456789", "", "refs/heads/main", "", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ref_change change = { rows[i].ref, "x" };
		if (revision_follows(rows[i].revision, rows[i].prefix, &change, 1, rows[i].head) != rows[i].want)
			fail_msg("%s / %s", rows[i].revision, rows[i].ref);
	}
}

static void paths_of_the_annotation_select_files(void **state)
{
	(void)state;
	static const struct { const char *annotation, *source, *file; bool want; } rows[] = {
		{ NULL, "app", "x", true }, { "", "app", "x", true }, { ".", "app", "app/a.yaml", true }, { ".", "app", "apple/a", false },
		{ "/base", "app", "base/x/y", true }, { "/base;.", "app", "other/x", false }, { "../shared", "app", "shared/x", true },
		{ "../../shared", "app", "shared/x", false },
		{ "/*.yaml", "app", "top.yaml", true }, { "/*.yaml", "app", "deep/top.yaml", false }, { "sub", "app", "app/sub", true },
		{ ".", "", "anything", true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (paths_touched(rows[i].annotation, rows[i].source, &rows[i].file, 1) != rows[i].want)
			fail_msg("row %zu", i);
	assert_true(paths_touched("/base", "app", NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(payload_of_github_names_urls_ref_and_files),
		TEST(payload_of_a_ping_is_no_push),
		TEST(payload_of_gitlab_and_bitbucket_are_read),
		TEST(url_forms_of_one_repository_are_the_same),
		TEST(revision_follows_its_ref_only),
		TEST(paths_of_the_annotation_select_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
