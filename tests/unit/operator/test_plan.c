/* tests/unit/operator/test_plan.c - order of tasks, hooks, tracking ids, the decision to sync. */
#include "check.h"

#include "base/json.h"
#include "base/vec.h"
#include "operator/app/autosync.h"
#include "operator/app/plan.h"
#include "operator/app/tracking.h"

static struct task task(enum phase phase, int64_t wave, const char *kind, const char *ns, const char *name)
{
	return (struct task){ .phase = phase, .wave = wave, .group = "", .kind = kind, .ns = ns, .name = name };
}

static void expect_order(struct plan *p, bool prune_last, const char *want)
{
	AUTO(str) got = { 0 };

	for (size_t i = 0; i < p->n; i++)
		p->v[i].row = i;
	plan_sort(p, prune_last);
	for (size_t i = 0; i < p->n; i++)
		str_addf(&got, "%s%s", i ? " " : "", p->v[i].name);
	vec_free(p);
	assert_string_equal(str_c(&got), want);
}

static void plan_orders_by_phase_wave_kind_and_name(void **state)
{
	(void)state;
	struct plan p = { 0 };

	vec_push(&p, task(POST_SYNC, -5, "Job", "a", "after"));
	vec_push(&p, task(SYNC, 1, "ConfigMap", "a", "later"));
	vec_push(&p, task(SYNC, 0, "Widget", "a", "unknown"));
	vec_push(&p, task(SYNC, 0, "Deployment", "a", "deploy"));
	vec_push(&p, task(SYNC, 0, "Service", "a", "svc"));
	vec_push(&p, task(SYNC, 0, "ConfigMap", "a", "b"));
	vec_push(&p, task(SYNC, 0, "ConfigMap", "a", "a"));
	vec_push(&p, task(PRE_SYNC, 9, "Job", "a", "before"));
	vec_push(&p, task(SYNC, -1, "Ingress", "a", "early"));
	expect_order(&p, false, "before early a b svc deploy unknown later after");
}

static void plan_moves_namespaces_and_definitions_before_their_users(void **state)
{
	(void)state;
	struct plan p = { 0 };
	struct task crd = task(SYNC, 0, "CustomResourceDefinition", "", "widgets.example.org");

	crd.group = "apiextensions.k8s.io";
	crd.defines_group = "example.org";
	crd.defines_kind = "Widget";
	struct task widget = task(PRE_SYNC, -3, "Widget", "", "w");
	widget.group = "example.org";
	vec_push(&p, widget);
	vec_push(&p, crd);
	vec_push(&p, task(SYNC, -2, "ConfigMap", "shop", "settings"));
	vec_push(&p, task(SYNC, 0, "Namespace", "", "shop"));
	vec_push(&p, task(SYNC, 0, "Namespace", "", "other"));
	expect_order(&p, false, "widgets.example.org w shop settings other");
}

static void plan_mirrors_the_waves_of_prunes(void **state)
{
	(void)state;
	struct plan p = { 0 };

	for (int i = 0; i < 4; i++) {
		static const char *const names[] = { "p0", "p1", "p2", "p5" };
		static const int64_t waves[] = { 0, 1, 2, 5 };
		struct task t = task(SYNC, waves[i], "ConfigMap", "a", names[i]);
		t.prune = true;
		vec_push(&p, t);
	}
	vec_push(&p, task(SYNC, 1, "Secret", "a", "apply"));
	expect_order(&p, false, "p5 apply p2 p1 p0");
}

static void plan_with_prune_last_prunes_after_everything(void **state)
{
	(void)state;
	struct plan p = { 0 };
	struct task prune = task(SYNC, -4, "ConfigMap", "a", "gone");

	prune.prune = true;
	vec_push(&p, prune);
	vec_push(&p, task(SYNC, 3, "Secret", "a", "kept"));
	expect_order(&p, true, "kept gone");
}

static void plan_wave_ends_where_phase_or_wave_changes(void **state)
{
	(void)state;
	struct plan p = { 0 };

	vec_push(&p, task(SYNC, 0, "Secret", "a", "a"));
	vec_push(&p, task(SYNC, 0, "Service", "a", "b"));
	vec_push(&p, task(SYNC, 1, "Service", "a", "c"));
	assert_int_equal(plan_wave_end(&p, 0), 2);
	assert_int_equal(plan_wave_end(&p, 2), 3);
	vec_free(&p);
}

/* ---- hooks ---- */

static struct hooks hooks_of(const char *annotations, struct doc **d)
{
	AUTO(str) text = { 0 };
	struct hooks h;

	str_addf(&text, "{\"metadata\":{\"annotations\":{%s}}}", annotations);
	if (json_read(str_sv(&text), "test", 0, d, NULL) < 0)
		fail_msg("%s", str_c(&text));
	hooks_read(doc_root(*d), &h);
	return h;
}

static void hooks_of_argo_and_helm_are_read(void **state)
{
	(void)state;
	static const struct { const char *annotations; unsigned phases, policies; bool is_hook, skipped; } rows[] = {
		{ "", 0, 0, false, false },
		{ "\"argocd.argoproj.io/hook\":\"PreSync, PostSync\"", 1 << PRE_SYNC | 1 << POST_SYNC, DELETE_BEFORE_CREATION, true, false },
		{ "\"argocd.argoproj.io/hook\":\"Skip\"", 0, DELETE_BEFORE_CREATION, true, true },
		{ "\"argocd.argoproj.io/hook\":\"Sometime\"", 0, DELETE_BEFORE_CREATION, true, true },
		{ "\"helm.sh/hook\":\"pre-install,pre-upgrade\",\"helm.sh/hook-delete-policy\":\"hook-succeeded\"", 1 << PRE_SYNC,
		  DELETE_ON_SUCCESS, true, false },
		{ "\"helm.sh/hook\":\"crd-install\"", 0, 0, false, false },
		{ "\"helm.sh/hook\":\"test\"", 0, DELETE_BEFORE_CREATION, true, true },
		{ "\"helm.sh/hook\":\"pre-install\",\"argocd.argoproj.io/hook\":\"Sync\"", 1 << SYNC, DELETE_BEFORE_CREATION, true, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = NULL;
		struct hooks h = hooks_of(rows[i].annotations, &d);
		assert_int_equal(h.phases, rows[i].phases);
		assert_int_equal(h.policies, rows[i].policies);
		assert_true(h.is_hook == rows[i].is_hook && h.skipped == rows[i].skipped);
	}
}

static void wave_and_options_come_from_annotations(void **state)
{
	(void)state;
	AUTO_DOC d = NULL;
	AUTO_DOC e = NULL;

	(void)hooks_of("\"argocd.argoproj.io/sync-wave\":\"-3\",\"argocd.argoproj.io/sync-options\":\"Prune=false, Replace=true\"", &d);
	assert_int_equal(wave_of(doc_root(d)), -3);
	assert_true(sync_option(doc_root(d), "Prune=false") && sync_option(doc_root(d), "Replace=true"));
	assert_false(sync_option(doc_root(d), "Replace"));
	(void)hooks_of("\"helm.sh/hook-weight\":\"7\"", &e);
	assert_int_equal(wave_of(doc_root(e)), 7);
	assert_int_equal(phase_parse("PostSync"), POST_SYNC);
	assert_int_equal(phase_parse("postsync"), -1);
}

/* ---- tracking ---- */

static void tracking_id_reads_strictly(void **state)
{
	(void)state;
	struct tracking t;
	static const char *const bad[] = { "", "web", "web:apps/Deployment", "web:apps:ns/n", "web:apps/Deployment:n", ":apps/D:a/b",
					   "web:a/b/c:ns/n", "web:apps/:ns/n", "web:apps/D:ns/" };

	assert_true(tracking_parse("shop_web:apps/Deployment:shop/web", &t));
	assert_true(sv_eq_c(t.instance, "shop_web") && sv_eq_c(t.group, "apps") && sv_eq_c(t.kind, "Deployment"));
	assert_true(sv_eq_c(t.ns, "shop") && sv_eq_c(t.name, "web"));
	assert_true(tracking_parse("web:/ConfigMap:ns/n", &t) && t.group.n == 0);
	assert_true(tracking_parse("web:rbac.authorization.k8s.io/ClusterRole:ns/system:admin", &t) && sv_eq_c(t.name, "system:admin"));
	assert_false(tracking_parse(NULL, &t));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(tracking_parse(bad[i], &t));
}

static bool is_tracked(const char *json, const struct kind *k, const char *want)
{
	struct doc *d = NULL;
	struct sv instance;

	if (json_read(sv_c(json), "test", 0, &d, NULL) < 0)
		return false;
	AUTO_OBJECT o = object_new(k, d);
	return tracking_of(o, &instance) && sv_eq_c(instance, want);
}

static void tracking_of_a_copied_annotation_is_nobodys(void **state)
{
	(void)state;
	static const struct kind config_map = { .group = "", .version = "v1", .kind = "ConfigMap", .namespaced = true };
	static const struct kind ns = { .group = "", .version = "v1", .kind = "Namespace" };

	assert_true(is_tracked("{\"metadata\":{\"namespace\":\"a\",\"name\":\"x\",\"annotations\":{\"" TRACKING_ID
			       "\":\"web:/ConfigMap:a/x\"}}}", &config_map, "web"));
	assert_false(is_tracked("{\"metadata\":{\"namespace\":\"a\",\"name\":\"copy\",\"annotations\":{\"" TRACKING_ID
				"\":\"web:/ConfigMap:a/x\"}}}", &config_map, "web"));
	assert_false(is_tracked("{\"metadata\":{\"namespace\":\"b\",\"name\":\"x\",\"annotations\":{\"" TRACKING_ID
				"\":\"web:/ConfigMap:a/x\"}}}", &config_map, "web"));
	assert_true(is_tracked("{\"metadata\":{\"name\":\"x\",\"annotations\":{\"" TRACKING_ID "\":\"web:/Namespace:dest/x\"}}}", &ns,
			       "web"));
}

/* ---- the decision to sync ---- */

static const struct autosync_facts drifted = {
	.automated = true, .prune = true, .self_heal = true, .out_of_sync = true, .rows = 3, .rows_not_synced = 1,
	.attempted = true, .succeeded = true, .since_finish_ms = 100,
};

static enum autosync decide(struct autosync_facts f, int64_t *wait)
{
	struct autosync_answer a = { 0 };

	autosync_decide(&f, &a);
	if (wait)
		*wait = a.wait_ms;
	str_free(&a.why);
	return a.what;
}

#define WITH(...) ({ struct autosync_facts f_ = drifted; struct autosync_facts *f = &f_; __VA_ARGS__; f_; })

static void autosync_decides_by_its_table(void **state)
{
	(void)state;
	int64_t wait;

	assert_int_equal(decide(drifted, NULL), AUTO_HEAL);
	assert_int_equal(decide(WITH(f->automated = false), NULL), AUTO_NOTHING);
	assert_int_equal(decide(WITH(f->deleting = true), NULL), AUTO_NOTHING);
	assert_int_equal(decide(WITH(f->operation = true), NULL), AUTO_NOTHING);
	assert_int_equal(decide(WITH(f->out_of_sync = false), NULL), AUTO_NOTHING);
	assert_int_equal(decide(WITH(f->attempted = false), NULL), AUTO_FULL);
	assert_int_equal(decide(WITH(f->self_heal = false), NULL), AUTO_NOTHING);
	assert_int_equal(decide(WITH(f->succeeded = false), NULL), AUTO_REFUSE);
	assert_int_equal(decide(WITH(f->prune = false; f->rows_to_prune = 1), NULL), AUTO_NOTHING);
	assert_int_equal(decide(WITH(f->prune = false; f->rows_to_prune = 1; f->rows_not_synced = 2), NULL), AUTO_HEAL);
	assert_int_equal(decide(WITH(f->attempted = false; f->rows_to_prune = 3; f->rows_not_synced = 3), NULL), AUTO_REFUSE);
	assert_int_equal(decide(WITH(f->attempted = false; f->rows_to_prune = 3; f->rows_not_synced = 3; f->allow_empty = true), NULL),
			 AUTO_FULL);
	assert_int_equal(decide(WITH(f->heals = 1), &wait), AUTO_WAIT);
	assert_int_equal(wait, 1900);
	assert_int_equal(decide(WITH(f->heals = 2), &wait), AUTO_WAIT);
	assert_int_equal(wait, 5900);
	assert_int_equal(decide(WITH(f->heals = 1; f->since_finish_ms = 2000), NULL), AUTO_HEAL);
	assert_int_equal(decide(WITH(f->heals = 9; f->since_finish_ms = 331000), NULL), AUTO_HEAL);
}

static void heal_backoff_triples_up_to_five_minutes(void **state)
{
	(void)state;
	assert_int_equal(heal_backoff_ms(0), 2000);
	assert_int_equal(heal_backoff_ms(1), 6000);
	assert_int_equal(heal_backoff_ms(2), 18000);
	assert_int_equal(heal_backoff_ms(60), 300000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plan_orders_by_phase_wave_kind_and_name),
		TEST(plan_moves_namespaces_and_definitions_before_their_users),
		TEST(plan_mirrors_the_waves_of_prunes),
		TEST(plan_with_prune_last_prunes_after_everything),
		TEST(plan_wave_ends_where_phase_or_wave_changes),
		TEST(hooks_of_argo_and_helm_are_read),
		TEST(wave_and_options_come_from_annotations),
		TEST(tracking_id_reads_strictly),
		TEST(tracking_of_a_copied_annotation_is_nobodys),
		TEST(autosync_decides_by_its_table),
		TEST(heal_backoff_triples_up_to_five_minutes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
