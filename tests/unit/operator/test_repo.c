/* tests/unit/operator/test_repo.c - against real repositories made with git. */
#include "check.h"
#include "repo-fixture.h"

#include "operator/git/repo.h"

static struct place place;

/* One question to a fresh struct repos, asked in a fiber. */
struct question {
	const char *url, *revision, *prefix;    /* url: %s is the place's directory */
	struct repo_access access;
	char sha[REVISION_SIZE];
	struct err err;
	int r;
};

static int ask_fiber(void *arg)
{
	struct question *q = arg;
	AUTO(str) url = { 0 };
	struct repos *repos = repos_new(fiber_loop(), place.dir);

	str_addf(&url, q->url, place.dir);
	struct repo_want w = { .url = str_c(&url), .revision = q->revision, .tag_prefix = q->prefix, .access = &q->access };
	q->r = repo_resolve(repos, &w, q->sha, &q->err);
	repos_free(&repos);
	return 0;
}

static void expect_commit(const char *url, const char *revision, const char *rev_parse)
{
	struct question q = { .url = url, .revision = revision };
	AUTO(str) want = { 0 };
	AUTO(str) cmd = { 0 };

	str_addf(&cmd, "git -C src rev-parse %s^{commit}", rev_parse);
	place_run(&place, str_c(&cmd), &want);
	(void)fiber_main(ask_fiber, &q);
	assert_ok(q.r, &q.err);
	assert_string_equal(q.sha, str_c(&want));
}

static void expect_refusal(const char *url, const char *revision, enum err_code code, const char *text)
{
	struct question q = { .url = url, .revision = revision };

	(void)fiber_main(ask_fiber, &q);
	assert_err(q.r, &q.err, code, text);
	err_free(&q.err);
}

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	place_run(&place,
		  "git init -q -b main src; cd src; mkdir -p app/base other\n"
		  "echo one >app/a.yaml; echo base >app/base/b.yaml; echo x >app.txt; echo secret >other/o\n"
		  "ln -s ../other/o app/link; ln -s base app/dirlink; ln -s nowhere app/dangling; ln -s ../../etc app/out\n"
		  "ln -s /etc/passwd app/absolute; ln -s loop app/loop; ln -s dirlink/b.yaml app/deep; printf '\\377\\n' >app/bytes\n"
		  "git add -A; git commit -qm one; git tag v1.0.0; git tag -a -m annotated v1.2.0\n"
		  "echo two >app/a.yaml; git commit -qam two; git tag v2.0.0-rc.1; git tag web-v3.1.0\n"
		  "git checkout -q -b dev/feature; echo three >app/a.yaml; git commit -qam three; git checkout -q main\n"
		  "git init -q -b main ../lib; cd ../lib; echo l >l; git add -A; git commit -qm lib; cd ../src\n"
		  "git checkout -q -b withsub; git -c protocol.file.allow=always submodule -q add ../lib app/lib; git commit -qm sub\n"
		  "git checkout -q main; git clone -q --bare . ../bare.git; mkdir bin 2>/dev/null; mkdir ../bin\n"
		  "printf '#!/bin/sh\\nfor last; do :; done\\necho \"$@\" >>\"%s\"\\nexec sh -c \"$last\"\\n' \"$PWD/../ssh.log\" >../bin/ssh\n"
		  "chmod +x ../bin/ssh; rmdir bin", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

static void revision_of_each_form_resolves(void **state)
{
	(void)state;
	expect_commit("%s/src", "", "main");
	expect_commit("%s/src", "HEAD", "main");
	expect_commit("%s/src", "main", "main");
	expect_commit("file://%s/bare.git", "dev/feature", "dev/feature");
	expect_commit("%s/bare.git", "refs/heads/dev/feature", "dev/feature");
	expect_commit("%s/src", "v1.2.0", "v1.2.0");
	expect_commit("%s/src", "~1", "v1.2.0");
	expect_commit("%s/src", ">=2.0.0-0", "v2.0.0-rc.1");
}

static void revision_that_is_not_there_says_what_is(void **state)
{
	(void)state;
	expect_refusal("%s/src", "nope", ERR_NOT_FOUND, "'nope' is not a branch or a tag of the repository; its branches: dev/feature, main");
	expect_refusal("%s/src", "^7", ERR_NOT_FOUND, "no tag is in the range");
	expect_refusal("%s/src", "abcdef1", ERR_NOT_FOUND, "all 40 digits");
	expect_refusal("%s/nowhere.git", "main", ERR_NOT_FOUND, "does not exist");
	expect_refusal("%s/src", "0123456789012345678901234567890123456789", ERR_NOT_FOUND, "is not in the repository");
}

static void version_range_with_a_prefix_looks_at_prefixed_tags_only(void **state)
{
	(void)state;
	struct question q = { .url = "%s/src", .revision = "3.x", .prefix = "web-" };
	AUTO(str) want = { 0 };

	place_run(&place, "git -C src rev-parse web-v3.1.0", &want);
	(void)fiber_main(ask_fiber, &q);
	assert_ok(q.r, &q.err);
	assert_string_equal(q.sha, str_c(&want));
}

/* ---- a remote over ssh: the ssh program is a script that runs the command here ---- */

struct two_questions { struct str url; char first[REVISION_SIZE], second[REVISION_SIZE], again[REVISION_SIZE]; struct err err; int r; };

static int fetch_twice(void *arg)
{
	struct two_questions *q = arg;
	struct repos *repos = repos_new(fiber_loop(), place.dir);
	struct repo_want w = { .url = str_c(&q->url), .revision = "main" };

	q->r = repo_resolve(repos, &w, q->first, &q->err);
	place_run(&place, "cd src; git checkout -q main; echo four >app/a.yaml; git commit -qam four; git push -q ../bare.git main", NULL);
	w.max_age_ms = 600000;
	if (q->r >= 0)
		q->r = repo_resolve(repos, &w, q->again, &q->err);
	w.max_age_ms = 0;
	fiber_sleep(2);                 /* the clock has moved on: what was heard is older than the question */
	if (q->r >= 0)
		q->r = repo_resolve(repos, &w, q->second, &q->err);
	repos_free(&repos);
	return 0;
}

static void remote_over_ssh_is_fetched_and_asked_again_only_when_due(void **state)
{
	(void)state;
	struct two_questions q = { 0 };
	AUTO(str) path = { 0 };
	AUTO(str) main = { 0 };
	AUTO(str) log = { 0 };
	const char *before = getenv("PATH");

	str_addf(&path, "%s/bin:%s", place.dir, before);
	setenv("PATH", str_c(&path), 1);
	str_addf(&q.url, "git@example.org:%s/bare.git", place.dir);
	(void)fiber_main(fetch_twice, &q);
	place_run(&place, "git -C bare.git rev-parse main", &main);
	place_run(&place, "wc -l <ssh.log; grep -c 'accept-new git@example.org git-upload-pack' ssh.log", &log);
	assert_ok(q.r, &q.err);
	assert_string_equal(q.second, str_c(&main));
	assert_string_equal(q.first, q.again);
	assert_string_not_equal(q.first, q.second);
	assert_string_equal(str_c(&log), "2\n2");
	str_free(&q.url);
}

static void remote_commit_by_id_is_found_on_any_branch(void **state)
{
	(void)state;
	AUTO(str) sha = { 0 };

	place_run(&place, "git -C src rev-parse dev/feature", &sha);
	expect_commit("ssh://git@example.org:22%s/bare.git", str_c(&sha), "dev/feature");
	expect_refusal("ssh://git@example.org%s/bare.git", "0123456789012345678901234567890123456789", ERR_NOT_FOUND, "");
}

static void remote_that_does_not_answer_says_why(void **state)
{
	(void)state;
	expect_refusal("ssh://git@example.org%s/missing.git", "main", ERR_UNAVAILABLE, "does not appear to be a git repository");
	expect_refusal("ssh://-oProxyCommand=x/y", "main", ERR_UNAVAILABLE, "not of the form");
	expect_refusal("http://127.0.0.1:1/x.git", "main", ERR_UNAVAILABLE, "cannot be read");
	expect_refusal("", "main", ERR_INVALID, "empty");
	expect_refusal("file:///a/../b", "main", ERR_INVALID, "..");
}

/* ---- the view of a tree: no fiber is needed ---- */

static struct vfs *open_view(const char *revision)
{
	AUTO(str) sha = { 0 };
	AUTO(str) dir = { 0 };
	AUTO(str) cmd = { 0 };
	AUTO(err) err = { 0 };

	str_addf(&cmd, "git -C src rev-parse %s", revision);
	place_run(&place, str_c(&cmd), &sha);
	str_addf(&dir, "%s/src", place.dir);
	struct vfs *v = repo_vfs(str_c(&dir), str_c(&sha), &err);
	if (!v)
		fail_msg("%s", err_msg(&err));
	return v;
}

static void expect_read(struct vfs *v, const char *path, const char *want)
{
	AUTO(err) err = { 0 };
	AUTO(str) text = { 0 };

	assert_ok(vfs_read(v, path, 1 << 20, &text, &err), &err);
	assert_string_equal(str_c(&text), want);
}

static void expect_unread(struct vfs *v, const char *path, enum err_code code, const char *text)
{
	AUTO(err) err = { 0 };
	AUTO(str) out = { 0 };

	assert_err(vfs_read(v, path, 10, &out, &err), &err, code, text);
}

static void tree_files_and_links_read_as_on_disk(void **state)
{
	(void)state;
	struct repos *repos = repos_new(NULL, place.dir);
	struct vfs *v = open_view("v1.0.0");

	expect_read(v, "app/a.yaml", "one\n");
	expect_read(v, "app/link", "secret\n");
	expect_read(v, "app/dirlink/b.yaml", "base\n");
	expect_read(v, "app/deep", "base\n");
	expect_read(v, "app/base/../a.yaml", "one\n");
	expect_read(v, "app/bytes", "\377\n");
	expect_unread(v, "app/dangling", ERR_NOT_FOUND, "no such file");
	expect_unread(v, "app/out", ERR_INVALID, "out of the repository");
	expect_unread(v, "app/absolute", ERR_INVALID, "out of the repository");
	expect_unread(v, "app/loop", ERR_INVALID, "too many links");
	expect_unread(v, "app", ERR_INVALID, "is a directory");
	expect_unread(v, "app/a.yaml/x", ERR_NOT_FOUND, "no such file");
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };
	assert_err(vfs_read(v, "app/a.yaml", 2, &out, &err), &err, ERR_TOO_LARGE, "larger than 2");
	vfs_free(v);
	repos_free(&repos);
}

static void tree_lists_in_byte_order_with_the_types_that_links_lead_to(void **state)
{
	(void)state;
	struct repos *repos = repos_new(NULL, place.dir);
	struct vfs *v = open_view("v1.0.0");
	struct vfs_entries list = { 0 };
	AUTO(err) err = { 0 };
	AUTO(str) got = { 0 };

	assert_ok(vfs_list(v, "app", &list, &err), &err);
	for (size_t i = 0; i < list.n; i++)
		str_addf(&got, "%s:%c ", list.v[i].name, "?fdl"[list.v[i].type]);
	assert_string_equal(str_c(&got), "a.yaml:f absolute:l base:d bytes:f dangling:l deep:f dirlink:d link:f loop:l out:l ");
	vfs_entries_free(&list);
	assert_ok(vfs_list(v, "", &list, &err), &err);
	assert_int_equal(list.n, 3);
	assert_string_equal(list.v[0].name, "app");
	vfs_entries_free(&list);
	vfs_free(v);
	repos_free(&repos);
}

static void tree_content_ids_are_equal_exactly_when_content_is(void **state)
{
	(void)state;
	struct repos *repos = repos_new(NULL, place.dir);
	struct vfs *v1 = open_view("v1.0.0"), *v2 = open_view("dev/feature");
	struct vfs *trace = vfs_trace(v1);
	struct vfs_reads reads = { 0 };
	AUTO(str) text = { 0 };

	assert_int_equal(vfs_read(trace, "app/base/b.yaml", 100, &text, NULL), 0);
	vfs_free(trace);
	trace = vfs_trace(v1);
	assert_int_equal(vfs_read(trace, "app/base/b.yaml", 100, &text, NULL), 0);
	vfs_trace_take(trace, &reads);
	assert_false(vfs_reads_changed(&reads, v2));
	vfs_reads_free(&reads);
	assert_int_equal(vfs_read(trace, "app/a.yaml", 100, &text, NULL), 0);
	vfs_trace_take(trace, &reads);
	assert_true(vfs_reads_changed(&reads, v2));
	vfs_reads_free(&reads);
	vfs_free(trace);
	vfs_free(v1);
	vfs_free(v2);
	repos_free(&repos);
}

static void tree_submodule_is_an_error_with_advice(void **state)
{
	(void)state;
	struct repos *repos = repos_new(NULL, place.dir);
	struct vfs *v = open_view("withsub");

	expect_unread(v, "app/lib/l", ERR_UNSUPPORTED, "app/lib is a submodule");
	expect_unread(v, "app/lib", ERR_UNSUPPORTED, "second source");
	vfs_free(v);
	repos_free(&repos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(revision_of_each_form_resolves),
		TEST(revision_that_is_not_there_says_what_is),
		TEST(version_range_with_a_prefix_looks_at_prefixed_tags_only),
		TEST(remote_over_ssh_is_fetched_and_asked_again_only_when_due),
		TEST(remote_commit_by_id_is_found_on_any_branch),
		TEST(remote_that_does_not_answer_says_why),
		TEST(tree_files_and_links_read_as_on_disk),
		TEST(tree_lists_in_byte_order_with_the_types_that_links_lead_to),
		TEST(tree_content_ids_are_equal_exactly_when_content_is),
		TEST(tree_submodule_is_an_error_with_advice),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
