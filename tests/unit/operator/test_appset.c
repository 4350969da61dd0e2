/* tests/unit/operator/test_appset.c - slugs, templates, and sets against a cluster in memory and real repositories. */
#include "check.h"
#include "repo-fixture.h"

#include "base/json.h"
#include "kube/fake-client.h"
#include "operator/appset/appset.h"
#include "operator/appset/fill.h"
#include "operator/appset/slug.h"

#define PATIENCE_MS 10000

/* ---- slugs ---- */

static void expect_slug(const char *name, const char *want)
{
	AUTO(str) slug = { 0 };

	slug_write(&slug, sv_c(name));
	if (want)
		assert_string_equal(str_c(&slug), want);
	assert_true(slug.n > 0 && slug.n <= SLUG_MAX);
	for (size_t i = 0; i < slug.n; i++)
		assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz0123456789-", slug.p[i]));
	assert_true(slug.p[0] != '-' && slug.p[slug.n - 1] != '-');
}

static void slug_of_any_branch_is_a_label(void **state)
{
	(void)state;
	char longest[201];

	memset(longest, 'x', 200);
	longest[200] = '\0';
	expect_slug("main", "main");
	expect_slug("fix-12", "fix-12");
	expect_slug("Main", NULL);
	expect_slug("feature/\303\204\303\226_x--y", NULL);
	expect_slug("../../etc", NULL);
	expect_slug("---", NULL);
	expect_slug("\377", NULL);
	expect_slug(longest, NULL);
}

static void slugs_of_different_branches_differ(void **state)
{
	(void)state;
	static const char *const alike[] = { "a/b", "a-b", "a_b", "A-B", "a--b", "a b", "-a-b", "a-b-" };

	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		for (size_t k = i + 1; k < sizeof alike / sizeof *alike; k++) {
			AUTO(str) x = { 0 };
			AUTO(str) y = { 0 };
			slug_write(&x, sv_c(alike[i]));
			slug_write(&y, sv_c(alike[k]));
			assert_string_not_equal(str_c(&x), str_c(&y));
		}
}

static void normalized_names_follow_argo_cd(void **state)
{
	(void)state;
	AUTO(str) out = { 0 };

	name_normalize(&out, SV("-Feature/A_b.c-"));
	assert_string_equal(str_c(&out), "feature-a-b.c");
}

/* ---- templates ---- */

static void expect_fill(bool go, bool strict, const char *text, const char *params, const char *want)
{
	struct filler *f = filler_new(go, strict);
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };
	AUTO_DOC d = NULL;

	assert_int_equal(json_read(sv_c(params), "params", 0, &d, NULL), 0);
	int r = fill_text(f, sv_c(text), doc_root(d), &out, &err);
	filler_free(&f);
	if (want) {
		assert_ok(r, &err);
		assert_string_equal(str_c(&out), want);
	} else {
		assert_true(r < 0);
	}
}

static void fasttemplate_replaces_flat_keys_and_leaves_others(void **state)
{
	(void)state;
	expect_fill(false, false, "{{name}}-{{ path.basename }}", "{\"name\":\"a\",\"path.basename\":\"b\"}", "a-b");
	expect_fill(false, false, "{{ unknown }} {{name", "{\"name\":\"a\"}", "{{ unknown }} {{name");
	expect_fill(false, true, "{{ unknown }}", "{}", NULL);
	expect_fill(false, false, "{{ n }}", "{\"n\":3}", "3");
}

static void go_template_runs_with_functions(void **state)
{
	(void)state;
	expect_fill(true, false, "{{ .path.basename | upper }}-{{ index .path.segments 0 }}",
		    "{\"path\":{\"basename\":\"b\",\"segments\":[\"x\"]}}", "B-x");
	expect_fill(true, false, "{{ .name", "{}", NULL);
	expect_fill(true, true, "{{ .unknown }}", "{}", NULL);
	expect_fill(true, true, "{{ .path.unknown }}-x", "{\"path\":{}}", NULL);
	expect_fill(true, true, "{{ .path.known }}-x", "{\"path\":{\"known\":\"a\"}}", "a-x");
	expect_fill(true, false, "{{ .unknown }}-x", "{}", "-x");
}

/* ---- sets ---- */

static struct place place;

struct scene {
	struct client *c;
	void (*play)(struct scene *s);
	struct appsets *sets;
	struct str failure;
};

static int stage(void *arg)
{
	struct scene *s = arg;
	struct kinds *kinds = kinds_new();
	struct informers *informers;
	struct repos *repos = repos_new(fiber_loop(), place.dir);

	s->c = fake_client(fiber_loop(), kinds);
	informers = informers_new(fiber_loop(), s->c);
	const struct appsets_opts o = { .client = s->c, .informers = informers, .repos = repos, .poll_ms = 3600000 };
	s->sets = appsets_start(fiber_loop(), &o);
	s->play(s);
	appsets_stop(&s->sets);
	repos_free(&repos);
	informers_free(&informers);
	client_free(&s->c);
	kinds_free(&kinds);
	return 0;
}

static void run_scene(void (*play)(struct scene *s))
{
	struct scene s = { .play = play };

	place_make(&place);
	place_run(&place, "git init -q -b main src; cd src; mkdir -p apps/one apps/two apps/skip; echo a >apps/one/x; echo b >apps/two/x; "
		  "echo c >apps/skip/x; printf 'size: 3\\nwhere: {zone: a}\\n' >apps/one/config.yaml; git add -A; git commit -qm first; "
		  "git branch feature/a_b; git branch feature/a-b; git branch other", NULL);
	(void)fiber_main(stage, &s);
	place_remove(&place);
	if (s.failure.n)
		fail_msg("%s", str_c(&s.failure));
	str_free(&s.failure);
}

static void add_set(struct scene *s, const char *name, bool go, const char *generators, const char *app_name)
{
	AUTO(str) json = { 0 };

	str_addf(&json, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"ApplicationSet\",\"metadata\":{\"namespace\":\"cd\",\"name\":\"%s\"},"
		 "\"spec\":{\"goTemplate\":%s,\"generators\":[", name, go ? "true" : "false");
	str_addf(&json, generators, place.dir);
	str_addf(&json, "],\"template\":{\"metadata\":{\"name\":\"%s\",\"labels\":{\"made\":\"yes\"}},\"spec\":{\"source\":{\"repoURL\":\"/x\",\"path\":\"p\"},"
		 "\"destination\":{\"name\":\"in-cluster\"}}}}}", app_name);
	(void)fake_add(s->c, str_c(&json));
}

static bool settled(struct scene *s, const char *set, const char *type, const char *value, const char *text)
{
	const struct object *o = fake_get(s->c, "ApplicationSet", "cd", set);
	const struct node *c = o ? condition_get(node_get(o->root, "status"), type) : NULL;

	return c && str_eq(node_str_at(c, "status"), value) && strstr(node_str_or(c, "message", ""), text);
}

static void list_names(const struct object *o, void *arg)
{
	str_addf(arg, "%s ", o->name);
}

#define UNTIL(s, condition) do { \
	int64_t until_ = clock_ms() + PATIENCE_MS; \
	while (!(s)->failure.n && !(condition)) { \
		if (clock_ms() > until_) { \
			str_addf(&(s)->failure, "never true: %s; applications: ", #condition); \
			fake_each((s)->c, "Application", list_names, &(s)->failure); \
		} \
		(void)fiber_sleep(1); \
	} \
} while (0)
#define EXPECT(s, condition) do { \
	if (!(s)->failure.n && !(condition)) \
		str_addf(&(s)->failure, "not true: %s", #condition); \
} while (0)

static const struct object *app(struct scene *s, const char *name)
{
	return fake_get(s->c, "Application", "cd", name);
}

static bool any_url(void *arg, const char *url)
{
	(void)arg;
	(void)url;
	return true;
}

/* Whether nothing is written for a while: a set that answers its own writes never rests. */
static bool rests(struct scene *s)
{
	int64_t before = fake_revision(s->c);

	(void)fiber_sleep(20);
	return fake_revision(s->c) == before;
}

static void play_list(struct scene *s)
{
	add_set(s, "list", false, "{\"list\":{\"elements\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}%.0s", "web-{{name}}");
	UNTIL(s, app(s, "web-a") && app(s, "web-b"));
	UNTIL(s, settled(s, "list", "ResourcesUpToDate", "True", ""));
	EXPECT(s, str_eq(meta_label(app(s, "web-a")->root, "made"), "yes"));
	EXPECT(s, meta_has_finalizer(app(s, "web-a")->root, "resources-finalizer.argocd.argoproj.io"));
	fake_set(s->c, "ApplicationSet", "cd", "list", "spec.generators", "[{\"list\":{\"elements\":[{\"name\":\"a\"}]}}]");
	/* the fake has no controller that removes the application's finalizer */
	UNTIL(s, meta_deleting(app(s, "web-b")->root));
	EXPECT(s, !meta_deleting(app(s, "web-a")->root));
	UNTIL(s, rests(s));
}

static void set_of_a_list_follows_it_and_then_rests(void **state)
{
	(void)state;
	run_scene(play_list);
}

static void play_branches(struct scene *s)
{
	const struct object *o;
	AUTO(str) slug = { 0 };

	slug_write(&slug, SV("feature/a_b"));
	add_set(s, "b", true, "{\"branches\":{\"repoURL\":\"%s/src\",\"include\":[\"feature/*\"],\"exclude\":[\"*/skip\"]}}", "p-{{ .branch_slug }}");
	UNTIL(s, fake_n(s->c, "Application") == 2);
	AUTO(str) name = { 0 };
	str_addf(&name, "p-%s", str_c(&slug));
	EXPECT(s, (o = app(s, str_c(&name))) != NULL);
	place_run(&place, "git -C src branch -D feature/a_b; git -C src branch feature/new", NULL);
	(void)appsets_refresh(s->sets, any_url, NULL);
	appsets_settle(s->sets, PATIENCE_MS);
	EXPECT(s, fake_n(s->c, "Application") == 3 && meta_deleting(app(s, str_c(&name))->root));
	place_run(&place, "mv src away", NULL);
	(void)appsets_refresh(s->sets, any_url, NULL);
	UNTIL(s, settled(s, "b", "ErrorOccurred", "True", "generator branches: "));
	EXPECT(s, fake_n(s->c, "Application") == 3);
}

static void branches_come_and_go_and_an_unreachable_remote_deletes_nothing(void **state)
{
	(void)state;
	run_scene(play_branches);
}

/* Whatever stands in a repository's files: what is no branch is none, and what cannot be read is not taken for deleted. */
static void play_damage(struct scene *s)
{
	add_set(s, "b", true, "{\"branches\":{\"repoURL\":\"%s/src\",\"exclude\":[\"main\"]}}", "p-{{ .branch_slug }}");
	UNTIL(s, fake_n(s->c, "Application") == 3);
	place_run(&place, "cd src; git pack-refs --all; sed -i \"1a $(git rev-parse HEAD) refs/heads/../../etc\" .git/packed-refs", NULL);
	(void)appsets_refresh(s->sets, any_url, NULL);
	appsets_settle(s->sets, PATIENCE_MS);
	UNTIL(s, settled(s, "b", "ErrorOccurred", "False", ""));
	EXPECT(s, fake_n(s->c, "Application") == 3 && app(s, "p-other") && !meta_deleting(app(s, "p-other")->root));
	place_run(&place, "cd src; echo junk >.git/refs/heads/other", NULL);
	(void)appsets_refresh(s->sets, any_url, NULL);
	UNTIL(s, settled(s, "b", "ErrorOccurred", "True", "'refs/heads/other' cannot be read"));
	EXPECT(s, !meta_deleting(app(s, "p-other")->root));
	place_run(&place, "cd src; rm .git/refs/heads/other; echo \"$(git rev-parse HEAD) refs/heads/aaa\" >>.git/packed-refs", NULL);
	(void)appsets_refresh(s->sets, any_url, NULL);
	UNTIL(s, settled(s, "b", "ErrorOccurred", "True", "named, but not to be found"));
	EXPECT(s, !meta_deleting(app(s, "p-other")->root));
	place_run(&place, "cd src; echo 1111111111111111111111111111111111111111 >.git/refs/heads/other", NULL);
	(void)appsets_refresh(s->sets, any_url, NULL);
	appsets_settle(s->sets, PATIENCE_MS);
	UNTIL(s, settled(s, "b", "ErrorOccurred", "True", "'refs/heads/other' cannot be read"));
	EXPECT(s, !meta_deleting(app(s, "p-other")->root));
}

static void branch_that_cannot_be_read_is_not_taken_for_deleted(void **state)
{
	(void)state;
	run_scene(play_damage);
}

/* What a generator says, and the text that refuses it. */
static const struct { const char *generators, *why; } wrong[] = {
	{ "{\"branches\":{\"repoURL\":\"%s/src\",\"excludes\":[\"main\"]}}", "generator branches: field 'excludes' is not known" },
	{ "{\"branches\":{\"repoURL\":\"%s/src\",\"include\":\"feature/*\"}}", "generator branches: include: want a list of patterns" },
	{ "{\"branches\":{\"repoURL\":\"%s/src\",\"limit\":0}}", "generator branches: limit: want a whole number from 1" },
	{ "{\"branches\":{\"repoURL\":\"%s/src\",\"limit\":2}}", "more than 2 branches match" },
	{ "{\"branches\":{\"repoURL\":\"%s/src\"}}", "which is not a name for" },
	{ "{\"list\":{\"elements\":[]},\"git\":{\"repoURL\":\"%s\"}}", "generators list and git are in one entry" },
	{ "{\"selector\":{}}%.0s", "an entry of generators is empty" },
	{ "{\"plugin\":{}}%.0s", "generator 'plugin' is not known" },
};

static void play_wrong(struct scene *s)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		AUTO(str) name = { 0 };

		str_addf(&name, "wrong-%zu", i);
		add_set(s, str_c(&name), true, wrong[i].generators, "p-{{ .branch }}");
		UNTIL(s, settled(s, str_c(&name), "ErrorOccurred", "True", wrong[i].why));
		if (s->failure.n)
			str_addf(&s->failure, " (%s)", wrong[i].why);
	}
	EXPECT(s, fake_n(s->c, "Application") == 0);
}

static void set_that_is_wrong_says_so_and_touches_nothing(void **state)
{
	(void)state;
	run_scene(play_wrong);
}

static void play_selector(struct scene *s)
{
	add_set(s, "l", false, "{\"selector\":{\"matchLabels\":{\"tier\":\"web\"}},\"list\":{\"elements\":[{\"name\":\"a\",\"tier\":\"web\"},"
		"{\"name\":\"b\",\"tier\":\"db\"},{\"name\":\"c\"}]}}%.0s", "web-{{name}}");
	UNTIL(s, settled(s, "l", "ResourcesUpToDate", "True", ""));
	EXPECT(s, app(s, "web-a") && fake_n(s->c, "Application") == 1);
}

static void selector_of_an_entry_leaves_out_what_it_does_not_match(void **state)
{
	(void)state;
	run_scene(play_selector);
}

static void play_directories(struct scene *s)
{
	add_set(s, "d", true, "{\"git\":{\"repoURL\":\"%s/src\",\"revision\":\"main\",\"directories\":[{\"path\":\"apps/*\"},{\"path\":\"apps/skip\","
		"\"exclude\":true}]}}", "d-{{ .path.basename }}");
	add_set(s, "f", false, "{\"git\":{\"repoURL\":\"%s/src\",\"files\":[{\"path\":\"apps/**/config.yaml\"}]}}",
		"f-{{path.basename}}-{{size}}-{{where.zone}}-{{path[0]}}");
	UNTIL(s, app(s, "d-one") && app(s, "d-two") && app(s, "f-one-3-a-apps"));
	EXPECT(s, fake_n(s->c, "Application") == 3);
}

static void directories_and_files_of_a_commit_are_parameters(void **state)
{
	(void)state;
	run_scene(play_directories);
}

static void play_matrix(struct scene *s)
{
	add_set(s, "m", true, "{\"matrix\":{\"generators\":[{\"list\":{\"elements\":[{\"env\":\"dev\"},{\"env\":\"prod\"}]}},"
		"{\"git\":{\"repoURL\":\"%s/src\",\"directories\":[{\"path\":\"apps/o*\"}]}}]}}", "{{ .path.basename }}-{{ .env }}");
	UNTIL(s, app(s, "one-dev") && app(s, "one-prod"));
}

static void matrix_combines_two_generators(void **state)
{
	(void)state;
	run_scene(play_matrix);
}

static void play_clash(struct scene *s)
{
	add_set(s, "x", false, "{\"list\":{\"elements\":[{\"n\":\"a\"}]}}%.0s", "same");
	UNTIL(s, app(s, "same"));
	add_set(s, "y", false, "{\"list\":{\"elements\":[{\"n\":\"a\"}]}}%.0s", "same");
	UNTIL(s, settled(s, "y", "ErrorOccurred", "True", "does not belong to this set"));
	add_set(s, "v", false, "{\"list\":{\"elements\":[{\"n\":\"new\"},{\"n\":\"same\"}]}}%.0s", "{{n}}");
	UNTIL(s, settled(s, "v", "ErrorOccurred", "True", "'same' exists and does not belong to this set"));
	add_set(s, "z", false, "{\"list\":{\"elements\":[{\"n\":\"a\"},{\"n\":\"b\"}]}}%.0s", "twice");
	UNTIL(s, settled(s, "z", "ErrorOccurred", "True", "the name 'twice'"));
	add_set(s, "w", false, "{\"list\":{\"elements\":[{\"n\":\"A b\"}]}}%.0s", "{{n}}");
	UNTIL(s, settled(s, "w", "ErrorOccurred", "True", "'A b', which is not a name"));
	EXPECT(s, fake_n(s->c, "Application") == 1);
}

static void sets_that_clash_say_so_and_touch_nothing(void **state)
{
	(void)state;
	run_scene(play_clash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slug_of_any_branch_is_a_label),
		TEST(slugs_of_different_branches_differ),
		TEST(normalized_names_follow_argo_cd),
		TEST(fasttemplate_replaces_flat_keys_and_leaves_others),
		TEST(go_template_runs_with_functions),
		TEST(set_of_a_list_follows_it_and_then_rests),
		TEST(branches_come_and_go_and_an_unreachable_remote_deletes_nothing),
		TEST(branch_that_cannot_be_read_is_not_taken_for_deleted),
		TEST(set_that_is_wrong_says_so_and_touches_nothing),
		TEST(selector_of_an_entry_leaves_out_what_it_does_not_match),
		TEST(directories_and_files_of_a_commit_are_parameters),
		TEST(matrix_combines_two_generators),
		TEST(sets_that_clash_say_so_and_touch_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
