/* tests/unit/operator/test_apps.c - the Application controller against a cluster in memory and a real repository. */
#include "check.h"
#include "repo-fixture.h"

#include "base/json.h"
#include "kube/fake-client.h"
#include "operator/app/app.h"

#define PATIENCE_MS 10000

static struct place place;

/* What a scenario works with, and the first thing that went wrong. */
struct scene {
	struct client *c;
	struct kinds *kinds;
	struct informers *informers;
	struct repos *repos;
	struct charts *charts;
	struct apps *apps;
	void (*play)(struct scene *s);
	struct str failure;
};

static void start_apps(struct scene *s)
{
	const struct apps_opts o = { .client = s->c, .informers = s->informers, .repos = s->repos, .charts = s->charts,
				     .poll_ms = 3600000 };

	s->apps = apps_start(fiber_loop(), &o);
}

static int stage(void *arg)
{
	struct scene *s = arg;

	s->kinds = kinds_new();
	s->c = fake_client(fiber_loop(), s->kinds);
	s->informers = informers_new(fiber_loop(), s->c);
	s->repos = repos_new(fiber_loop(), place.dir);
	s->charts = charts_new(fiber_loop(), place.dir);
	start_apps(s);
	s->play(s);
	apps_stop(&s->apps);
	charts_free(&s->charts);
	repos_free(&s->repos);
	informers_free(&s->informers);
	client_free(&s->c);
	kinds_free(&s->kinds);
	return 0;
}

static void run_scene(void (*play)(struct scene *s))
{
	struct scene s = { .play = play };

	place_make(&place);
	place_run(&place, "git init -q -b main src", NULL);
	(void)fiber_main(stage, &s);
	place_remove(&place);
	if (s.failure.n)
		fail_msg("%s", str_c(&s.failure));
	str_free(&s.failure);
}

/* Writes files with the shell text, in the repository, and commits. */
static void commit(const char *text)
{
	AUTO(str) all = { 0 };

	str_addf(&all, "cd src; %s; git add -A; git commit -qm change", text);
	place_run(&place, str_c(&all), NULL);
}

#define CONFIG(name, value) "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: " name "}\\ndata: {key: " value "}\\n' >" name ".yaml"

static void add_app(struct scene *s, const char *policy)
{
	AUTO(str) json = { 0 };

	str_addf(&json, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Application\",\"metadata\":{\"namespace\":\"cd\",\"name\":\"web\","
		 "\"finalizers\":[\"resources-finalizer.argocd.argoproj.io/background\"]},\"spec\":{\"source\":{\"repoURL\":\"%s/src\",\"path\":\".\","
		 "\"targetRevision\":\"main\"},\"destination\":{\"name\":\"in-cluster\",\"namespace\":\"shop\"}%s}}", place.dir, policy);
	(void)fake_add(s->c, str_c(&json));
}

#define AUTOMATED ",\"syncPolicy\":{\"automated\":{\"prune\":true,\"selfHeal\":true},\"syncOptions\":[\"CreateNamespace=true\",\"PrunePropagationPolicy=background\"]}"

static bool all_apps(void *arg, const struct object *o)
{
	(void)arg;
	(void)o;
	return true;
}

static const struct node *app(struct scene *s)
{
	const struct object *o = fake_get(s->c, "Application", "cd", "web");

	return o ? o->root : NULL;
}

/* The text at a path of an object; "" when there is none. */
static const char *at(struct scene *s, const char *kind, const char *ns, const char *name, const char *path)
{
	const struct object *o = fake_get(s->c, kind, ns, name);

	return o ? node_str_or(o->root, path, "") : "";
}

static bool failed(const struct scene *s) { return s->failure.n > 0; }

/* Waits until the condition holds. The first that never does is the scene's failure. */
#define UNTIL(s, condition) do { \
	int64_t until_ = clock_ms() + PATIENCE_MS; \
	while (!failed(s) && !(condition)) { \
		if (clock_ms() > until_) { \
			str_addf(&(s)->failure, "never true: %s\n", #condition); \
			if (app(s)) \
				json_write(&(s)->failure, node_get(app(s), "status"), JSON_INDENT); \
		} \
		fiber_poll_briefly(); \
	} \
} while (0)

static void fiber_poll_briefly(void) { (void)fiber_sleep(1); }

#define EXPECT(s, condition) do { \
	if (!failed(s) && !(condition)) { \
		str_addf(&(s)->failure, "not true: %s\n", #condition); \
		if (app(s)) \
			json_write(&(s)->failure, node_get(app(s), "status"), JSON_INDENT); \
	} \
} while (0)

#define STATUS(s, path, want) str_eq(node_str_or(app(s), "status." path, ""), want)

static void look_now(struct scene *s)
{
	(void)apps_refresh(s->apps, all_apps, NULL);
}

static bool has_condition(struct scene *s, const char *type, const char *text)
{
	const struct node *c;

	node_each(c, node_at(app(s), "status.conditions"))
		if (str_eq(node_str_at(c, "type"), type) && strstr(node_str_or(c, "message", ""), text))
			return true;
	return false;
}

static bool is_idle(struct scene *s)
{
	return !node_get(app(s), "operation") && STATUS(s, "sync.status", "Synced");
}

/* ---- scenes ---- */

static void play_new(struct scene *s)
{
	commit(CONFIG("a", "one"));
	add_app(s, AUTOMATED);
	UNTIL(s, str_eq(at(s, "ConfigMap", "shop", "a", "data.key"), "one"));
	UNTIL(s, is_idle(s));
	EXPECT(s, fake_get(s->c, "Namespace", "", "shop"));
	EXPECT(s, STATUS(s, "operationState.phase", "Succeeded") && STATUS(s, "health.status", "Healthy"));
	EXPECT(s, STATUS(s, "sourceType", "Directory") && node_n(node_at(app(s), "status.history")) == 1);
	EXPECT(s, str_eq(meta_annotation(fake_get(s->c, "ConfigMap", "shop", "a")->root, "argocd.argoproj.io/tracking-id"),
			 "web:/ConfigMap:shop/a"));
	EXPECT(s, strlen(node_str_or(app(s), "status.sync.revision", "")) == 40);
	EXPECT(s, STATUS(s, "operationState.syncResult.resources.0.message", "configmap/a created"));
}

static void new_application_is_synced_and_says_so(void **state)
{
	(void)state;
	run_scene(play_new);
}

static void play_change(struct scene *s)
{
	commit(CONFIG("a", "one") ";" CONFIG("b", "two"));
	add_app(s, AUTOMATED);
	UNTIL(s, is_idle(s) && fake_get(s->c, "ConfigMap", "shop", "b"));
	commit(CONFIG("a", "changed") "; rm b.yaml");
	look_now(s);
	UNTIL(s, str_eq(at(s, "ConfigMap", "shop", "a", "data.key"), "changed"));
	UNTIL(s, !fake_get(s->c, "ConfigMap", "shop", "b"));
	UNTIL(s, is_idle(s) && node_n(node_at(app(s), "status.resources")) == 1);
	EXPECT(s, node_n(node_at(app(s), "status.history")) == 2);
}

static void changed_and_removed_files_are_applied_and_pruned(void **state)
{
	(void)state;
	run_scene(play_change);
}

static void play_drift(struct scene *s)
{
	commit(CONFIG("a", "one"));
	add_app(s, AUTOMATED);
	UNTIL(s, is_idle(s));
	fake_set(s->c, "ConfigMap", "shop", "a", "data.key", "\"by hand\"");
	UNTIL(s, str_eq(at(s, "ConfigMap", "shop", "a", "data.key"), "one"));
	UNTIL(s, is_idle(s));
	EXPECT(s, node_int_at(app(s), "status.operationState.operation.sync.autoHealAttemptsCount", 0) == 1);
	EXPECT(s, node_n(node_at(app(s), "status.history")) == 1);
}

static void changed_live_object_is_mended(void **state)
{
	(void)state;
	run_scene(play_drift);
}

static void play_deleted(struct scene *s)
{
	const struct kind *k = kinds_find(s->kinds, "v1", "ConfigMap");

	commit(CONFIG("a", "one"));
	add_app(s, AUTOMATED);
	UNTIL(s, is_idle(s));
	EXPECT(s, client_delete(s->c, k, "shop", "a", &(struct delete_opts){ .grace_seconds = -1 }, NULL) >= 0);
	UNTIL(s, str_eq(at(s, "ConfigMap", "shop", "a", "data.key"), "one"));
}

static void deleted_live_object_comes_back(void **state)
{
	(void)state;
	run_scene(play_deleted);
}

static void play_broken(struct scene *s)
{
	commit(CONFIG("a", "one"));
	add_app(s, AUTOMATED);
	UNTIL(s, is_idle(s));
	commit("printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: x\\n' >broken.yaml");
	look_now(s);
	UNTIL(s, has_condition(s, "ComparisonError", "broken.yaml:"));
	EXPECT(s, STATUS(s, "sync.status", "Unknown") && STATUS(s, "health.status", "Healthy"));
	EXPECT(s, str_eq(at(s, "ConfigMap", "shop", "a", "data.key"), "one"));
	commit("rm broken.yaml");
	look_now(s);
	UNTIL(s, is_idle(s) && !node_get(node_get(app(s), "status"), "conditions"));
}

static void commit_that_does_not_render_leaves_everything_and_says_why(void **state)
{
	(void)state;
	run_scene(play_broken);
}

/* What was degraded before, and what is degraded by what was applied, is the health of the application. */
static void play_degraded(struct scene *s)
{
	commit(CONFIG("a", "one") "; printf 'apiVersion: argoproj.io/v1alpha1\\nkind: Rollout\\nmetadata: {name: web}\\nspec: {replicas: 1}\\n' >web.yaml");
	add_app(s, AUTOMATED);
	UNTIL(s, is_idle(s) && fake_get(s->c, "Rollout", "shop", "web"));
	if (failed(s))
		return;
	fake_set(s->c, "Rollout", "shop", "web", "status", "{\"observedGeneration\":\"100\",\"phase\":\"Degraded\",\"message\":\"because of this\"}");
	UNTIL(s, STATUS(s, "health.status", "Degraded"));
	commit(CONFIG("a", "changed"));
	look_now(s);
	UNTIL(s, is_idle(s) && str_eq(at(s, "ConfigMap", "shop", "a", "data.key"), "changed") && STATUS(s, "sync.status", "Synced"));
	EXPECT(s, STATUS(s, "operationState.phase", "Succeeded"));
	EXPECT(s, !node_at(app(s), "status.operationState.retryCount") || !node_int_at(app(s), "status.operationState.retryCount", 0));
	EXPECT(s, strstr(node_str_or(app(s), "status.health.message", ""), "Rollout:shop/web (because of this)"));
}

static void object_that_is_degraded_does_not_fail_a_sync_of_one_wave(void **state)
{
	(void)state;
	run_scene(play_degraded);
}

static void play_by_hand(struct scene *s)
{
	commit(CONFIG("a", "one"));
	add_app(s, "");
	UNTIL(s, STATUS(s, "sync.status", "OutOfSync") && STATUS(s, "health.status", "Missing"));
	EXPECT(s, !fake_get(s->c, "ConfigMap", "shop", "a"));
	fake_set(s->c, "Application", "cd", "web", "operation", "{\"sync\":{\"prune\":true}}");
	UNTIL(s, is_idle(s) && fake_get(s->c, "ConfigMap", "shop", "a"));
}

static void application_without_automation_waits_for_an_operation(void **state)
{
	(void)state;
	run_scene(play_by_hand);
}

#define JOB(name, phase, wave) "printf 'apiVersion: batch/v1\\nkind: Job\\nmetadata:\\n  name: " name "\\n  annotations: {argocd.argoproj.io/hook: " \
	phase ", argocd.argoproj.io/hook-delete-policy: HookSucceeded, argocd.argoproj.io/sync-wave: \"" wave "\"}\\n' >" name ".yaml"
#define COMPLETE "[{\"type\":\"Complete\",\"status\":\"True\"}]"

static void play_hooks(struct scene *s)
{
	commit(CONFIG("a", "one") ";" JOB("before", "PreSync", "0") ";" JOB("after", "PostSync", "0"));
	add_app(s, AUTOMATED);
	UNTIL(s, fake_get(s->c, "Job", "shop", "before"));
	UNTIL(s, strstr(node_str_or(app(s), "status.operationState.message", ""), "waiting for completion of hook batch/Job/before"));
	EXPECT(s, !fake_get(s->c, "ConfigMap", "shop", "a"));
	fake_set(s->c, "Job", "shop", "before", "status.conditions", COMPLETE);
	UNTIL(s, fake_get(s->c, "Job", "shop", "after"));
	EXPECT(s, fake_get(s->c, "ConfigMap", "shop", "a"));
	fake_set(s->c, "Job", "shop", "after", "status.conditions", COMPLETE);
	UNTIL(s, is_idle(s));
	UNTIL(s, !fake_get(s->c, "Job", "shop", "before") && !fake_get(s->c, "Job", "shop", "after"));
	EXPECT(s, STATUS(s, "operationState.phase", "Succeeded"));
}

static void hooks_run_around_the_sync_and_go(void **state)
{
	(void)state;
	run_scene(play_hooks);
}

static void play_failing_hook(struct scene *s)
{
	commit(CONFIG("a", "one") ";" JOB("before", "PreSync", "0") ";" JOB("sorry", "SyncFail", "0"));
	add_app(s, ",\"syncPolicy\":{\"automated\":{},\"retry\":{\"limit\":0}}");
	UNTIL(s, fake_get(s->c, "Job", "shop", "before"));
	fake_set(s->c, "Job", "shop", "before", "status.conditions", "[{\"type\":\"Failed\",\"status\":\"True\",\"message\":\"no way\"}]");
	UNTIL(s, fake_get(s->c, "Job", "shop", "sorry"));
	fake_set(s->c, "Job", "shop", "sorry", "status.conditions", COMPLETE);
	UNTIL(s, STATUS(s, "operationState.phase", "Failed"));
	EXPECT(s, strstr(node_str_or(app(s), "status.operationState.message", ""), "Job/before: no way"));
	EXPECT(s, !fake_get(s->c, "ConfigMap", "shop", "a"));
	UNTIL(s, has_condition(s, "SyncError", "no way"));
}

static void hook_that_fails_ends_the_sync_before_anything_is_applied(void **state)
{
	(void)state;
	run_scene(play_failing_hook);
}

static void play_restart(struct scene *s)
{
	AUTO(str) first = { 0 };

	commit(CONFIG("a", "one") ";" JOB("before", "PreSync", "0"));
	add_app(s, AUTOMATED);
	UNTIL(s, fake_get(s->c, "Job", "shop", "before"));
	UNTIL(s, STATUS(s, "operationState.phase", "Running"));
	apps_stop(&s->apps);
	place_run(&place, "git -C src rev-parse HEAD", &first);
	commit(CONFIG("a", "two"));             /* the operation that was cut off is about the commit before */
	start_apps(s);
	fake_set(s->c, "Job", "shop", "before", "status.conditions", COMPLETE);
	UNTIL(s, node_n(node_at(app(s), "status.history")) > 0);
	EXPECT(s, STATUS(s, "history.0.revision", str_c(&first)));
}

static void operation_that_was_cut_off_goes_on_after_a_restart(void **state)
{
	(void)state;
	run_scene(play_restart);
}

static void play_refused(struct scene *s)
{
	commit(CONFIG("a", "one"));
	fake_fail(s->c, "create", "ConfigMap", ERR_INVALID, 1000);
	add_app(s, ",\"syncPolicy\":{\"automated\":{},\"retry\":{\"limit\":0}}");
	UNTIL(s, STATUS(s, "operationState.phase", "Failed"));
	EXPECT(s, STATUS(s, "operationState.syncResult.resources.0.status", "SyncFailed"));
	UNTIL(s, has_condition(s, "SyncError", "Failed last sync attempt"));
}

static void object_that_the_cluster_refuses_fails_the_sync(void **state)
{
	(void)state;
	run_scene(play_refused);
}

static void play_deletion(struct scene *s)
{
	const struct kind *k = kinds_find(s->kinds, "argoproj.io/v1alpha1", "Application");

	commit(CONFIG("a", "one") ";" CONFIG("b", "two"));
	add_app(s, AUTOMATED);
	UNTIL(s, is_idle(s));
	EXPECT(s, client_delete(s->c, k, "cd", "web", &(struct delete_opts){ .grace_seconds = -1 }, NULL) >= 0);
	UNTIL(s, !app(s));
	EXPECT(s, fake_n(s->c, "ConfigMap") == 0);
}

static void application_with_the_finalizer_takes_its_objects_along(void **state)
{
	(void)state;
	run_scene(play_deletion);
}

static void play_invalid(struct scene *s)
{
	(void)fake_add(s->c, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Application\",\"metadata\":{\"namespace\":\"cd\",\"name\":\"web\"},"
		       "\"spec\":{\"source\":{\"repoURL\":\"/nowhere\",\"path\":\".\"},\"destination\":{\"server\":\"https://elsewhere\"}}}");
	UNTIL(s, has_condition(s, "InvalidSpecError", "https://elsewhere"));
	EXPECT(s, STATUS(s, "sync.status", "Unknown") && STATUS(s, "health.status", "Unknown"));
	fake_set(s->c, "Application", "cd", "web", "spec.destination", "{\"name\":\"in-cluster\"}");
	UNTIL(s, has_condition(s, "ComparisonError", "/nowhere does not exist"));
}

static void spec_that_cannot_be_is_told_in_a_condition(void **state)
{
	(void)state;
	run_scene(play_invalid);
}

static void play_project(struct scene *s)
{
	commit(CONFIG("a", "one") "; printf 'apiVersion: v1\\nkind: Secret\\nmetadata: {name: s}\\n' >s.yaml");
	add_app(s, AUTOMATED ",\"project\":\"team\"");
	UNTIL(s, has_condition(s, "InvalidSpecError", "project team which does not exist"));
	(void)fake_add(s->c, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"AppProject\",\"metadata\":{\"namespace\":\"cd\",\"name\":\"team\"},"
		       "\"spec\":{\"sourceRepos\":[\"https://elsewhere/*\"],\"destinations\":[{\"server\":\"*\",\"namespace\":\"shop\"}],"
		       "\"namespaceResourceBlacklist\":[{\"group\":\"\",\"kind\":\"Secret\"}]}}");
	UNTIL(s, has_condition(s, "InvalidSpecError", "is not permitted in project 'team'"));
	fake_set(s->c, "AppProject", "cd", "team", "spec.sourceRepos", "[\"*\"]");
	UNTIL(s, strstr(node_str_or(app(s), "status.operationState.message", ""), "Secret/s: resource :Secret is not permitted in project team"));
	EXPECT(s, !fake_get(s->c, "Secret", "shop", "s") && !fake_get(s->c, "ConfigMap", "shop", "a"));
}

static void project_says_what_an_application_may_have(void **state)
{
	(void)state;
	run_scene(play_project);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_application_is_synced_and_says_so),
		TEST(changed_and_removed_files_are_applied_and_pruned),
		TEST(changed_live_object_is_mended),
		TEST(deleted_live_object_comes_back),
		TEST(commit_that_does_not_render_leaves_everything_and_says_why),
		TEST(application_without_automation_waits_for_an_operation),
		TEST(object_that_is_degraded_does_not_fail_a_sync_of_one_wave),
		TEST(hooks_run_around_the_sync_and_go),
		TEST(hook_that_fails_ends_the_sync_before_anything_is_applied),
		TEST(operation_that_was_cut_off_goes_on_after_a_restart),
		TEST(object_that_the_cluster_refuses_fails_the_sync),
		TEST(application_with_the_finalizer_takes_its_objects_along),
		TEST(spec_that_cannot_be_is_told_in_a_condition),
		TEST(project_says_what_an_application_may_have),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
