#include "check.h"

#include "analysis-target.h"

/* Which runs a Rollout starts, ends and keeps, and what it makes of how they end. */

#include "base/fiber.h"
#include "orchestrator/analysis/analysis.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>

#define PATIENCE_MS 30000

static const struct controller_spec *const rows[] = { &analysis_controller, &rollout_controller, &replicaset_controller, NULL };

/* ---- a script beside a server that is measured ---- */

static void (*play)(struct world *w);
static int port;

static void script(struct world *w)
{
	struct target t = { 0 };

	port = open_target(w, &t);
	play(w);
	close_target(&t);
}

static void run_play(void (*p)(struct world *w))
{
	play = p;
	world_run(rows, 3, script);
}

/* Measuring takes real time. */
#define UNTIL(w, cond) do { \
	int64_t until_ = clock_ms() + PATIENCE_MS; \
	world_converge(w); \
	while (!(cond)) { \
		if (clock_ms() > until_) { world_fail((w), __FILE__, __LINE__, "never true: %s; status %s: %s", #cond, status(w, "phase"), \
						      status(w, "message")); return; } \
		(void)fiber_sleep(1); \
		world_converge(w); \
	} \
} while (0)

static const char *status(struct world *w, const char *path)
{
	char full[96];

	snprintf(full, sizeof full, "status.%s", path);
	return world_str(w, "Rollout", "web", full);
}

static bool is_phase(struct world *w, const char *phase) { return str_eq(status(w, "phase"), phase); }

static void add_service(struct world *w, const char *name)
{
	char json[256];

	snprintf(json, sizeof json, "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\"},\"spec\":"
		 "{\"selector\":{\"app\":\"web\"},\"clusterIP\":\"127.0.0.1\",\"ports\":[{\"port\":80}]}}", name);
	fake_add(w->client, json);
}

/* A template with one metric; more: further fields of the metric, each with a comma at its end; spec: of the template, likewise. */
static void add_template(struct world *w, const char *kind, const char *name, const char *path, const char *more, const char *spec)
{
	char json[2048];

	snprintf(json, sizeof json, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"%s},\"spec\":{%s"
		 "\"metrics\":[{\"name\":\"%s-rate\",%s\"successCondition\":\"result.data.rate >= 0.95\",\"failureCondition\":"
		 "\"result.data.rate < 0.4\",\"provider\":{\"web\":{\"url\":\"http://127.0.0.1:%d%s\",\"headers\":[{\"key\":\"X-Token\",\"value\":"
		 "\"%s\"}]}}}]}}", kind, name, *kind == 'C' ? "" : ",\"namespace\":\"default\"", spec, name, more, port, path,
		 *spec ? "{{args.token}}" : "none");
	fake_add(w->client, json);
}

static void add_rollout(struct world *w, const char *strategy)
{
	char json[2048];

	snprintf(json, sizeof json, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"name\":\"web\",\"namespace\":"
		 "\"default\",\"labels\":{\"team.example/name\":\"blue\"}},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},"
		 "\"analysis\":{\"successfulRunHistoryLimit\":2},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":"
		 "[{\"name\":\"c\",\"image\":\"v1\"}]}},\"strategy\":{%s}}}", strategy);
	fake_add(w->client, json);
}

static void set_image(struct world *w, const char *image)
{
	char json[128];

	snprintf(json, sizeof json, "[{\"name\":\"c\",\"image\":\"%s\"}]", image);
	fake_set(w->client, "Rollout", "default", "web", "spec.template.spec.containers", json);
}

static void resume(struct world *w) { fake_set(w->client, "Rollout", "default", "web", "status.pauseConditions", "null"); }

/* The runs with a label "step-index" or type, and how many of them are not over. */
struct runs { const char *label, *value; int n, open; };

static void count(const struct object *run, void *arg)
{
	struct runs *r = arg;

	if (!str_eq(meta_label(run->root, r->label), r->value))
		return;
	r->n++;
	r->open += !node_at(run->root, "status.completedAt");
}

static struct runs runs(struct world *w, const char *label, const char *value)
{
	struct runs r = { .label = label, .value = value };

	fake_each(w->client, "AnalysisRun", count, &r);
	return r;
}

#define TEMPLATES(name) "\"templates\":[{\"templateName\":\"" name "\"}]"

/* ---- steps ---- */

static void two_steps(struct world *w)
{
	add_template(w, "AnalysisTemplate", "good", "/good", "", "");
	add_template(w, "AnalysisTemplate", "broken", "/broken", "\"consecutiveErrorLimit\":0,", "");
	add_rollout(w, "\"canary\":{\"steps\":[{\"setWeight\":50},{\"analysis\":{" TEMPLATES("good") "}},{\"analysis\":{" TEMPLATES("broken") "}}]}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, is_phase(w, "Degraded"));
	EXPECT_INT(w, runs(w, "step-index", "1").n, 1);
	EXPECT_INT(w, runs(w, "step-index", "2").n, 1);
	EXPECT(w, strstr(status(w, "message"), "Step-based analysis phase error/failed: Metric \"broken-rate\" assessed Error due to "
						"consecutiveError (1) > consecutiveErrorLimit (0)"));
}

static void rollout_analysis_of_a_later_step_is_a_run_of_its_own(void **state)
{
	(void)state;
	run_play(two_steps);
}

static void unclear(struct world *w)
{
	add_template(w, "AnalysisTemplate", "t", "/bad", "", "");
	add_rollout(w, "\"canary\":{\"steps\":[{\"setWeight\":50},{\"analysis\":{" TEMPLATES("t") "}},{\"pause\":{}}]}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, is_phase(w, "Paused"));
	EXPECT_STR(w, status(w, "message"), "InconclusiveAnalysisRun");
	resume(w);                      /* a person has decided */
	UNTIL(w, str_eq(status(w, "message"), "CanaryPauseStep"));
	resume(w);
	UNTIL(w, is_phase(w, "Healthy"));
	EXPECT_INT(w, runs(w, "rollout-type", "Step").n, 1);
}

static void rollout_analysis_that_is_unclear_pauses_until_a_person_decides(void **state)
{
	(void)state;
	run_play(unclear);
}

/* As the plugin of kubectl does it: the pause is cleared and the step raised. */
static void raised(struct world *w)
{
	add_template(w, "AnalysisTemplate", "t", "/bad", "", "");
	add_rollout(w, "\"canary\":{\"steps\":[{\"setWeight\":50},{\"analysis\":{" TEMPLATES("t") "}},{\"pause\":{}}]}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, str_eq(status(w, "message"), "InconclusiveAnalysisRun"));
	fake_set(w->client, "Rollout", "default", "web", "status.currentStepIndex", "2");
	resume(w);
	UNTIL(w, str_eq(status(w, "message"), "CanaryPauseStep") || is_phase(w, "Healthy"));
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
}

static void rollout_analysis_that_was_decided_does_not_end_the_next_pause(void **state)
{
	(void)state;
	play = raised;
	world_run(rows, 0, script);     /* two writes that belong together: without anything between them */
}

/* ---- in the background ---- */

#define ENDLESS "\"interval\":\"1h\","

static void overtaken(struct world *w)
{
	add_template(w, "AnalysisTemplate", "t", "/good", ENDLESS, "");
	add_rollout(w, "\"canary\":{\"analysis\":{" TEMPLATES("t") ",\"startingStep\":1},\"steps\":[{\"setWeight\":50},{\"pause\":{}}]}");
	world_converge(w);
	EXPECT_INT(w, (int64_t)fake_n(w->client, "AnalysisRun"), 0);
	set_image(w, "v2");
	UNTIL(w, is_phase(w, "Paused") && runs(w, "rollout-type", "Background").open == 1);
	set_image(w, "v3");             /* the run of v2 is over */
	UNTIL(w, is_phase(w, "Paused") && runs(w, "rollout-type", "Background").n == 2 && runs(w, "rollout-type", "Background").open == 1);
	resume(w);
	UNTIL(w, is_phase(w, "Healthy") && !runs(w, "rollout-type", "Background").open);
}

static void rollout_analysis_in_the_background_ends_with_its_version(void **state)
{
	(void)state;
	run_play(overtaken);
}

static void fails_behind(struct world *w)
{
	add_template(w, "AnalysisTemplate", "t", "/broken", "\"consecutiveErrorLimit\":0,", "");
	add_rollout(w, "\"canary\":{\"analysis\":{" TEMPLATES("t") "},\"steps\":[{\"setWeight\":50},{\"pause\":{}}]}");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	set_image(w, "v2");
	UNTIL(w, is_phase(w, "Degraded"));
	EXPECT(w, strstr(status(w, "message"), "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed"));
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 0);
	fake_set(w->client, "Rollout", "default", "web", "status.abort", "false");
	UNTIL(w, runs(w, "rollout-type", "Background").n == 2 && is_phase(w, "Degraded"));
}

static void rollout_analysis_in_the_background_aborts_and_a_retry_starts_another(void **state)
{
	(void)state;
	run_play(fails_behind);
}

static void unclear_behind(struct world *w)
{
	add_template(w, "AnalysisTemplate", "t", "/bad", "", "");
	add_rollout(w, "\"canary\":{\"analysis\":{" TEMPLATES("t") "},\"steps\":[{\"setWeight\":50},{\"setWeight\":60},{\"setWeight\":70}]}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, str_eq(status(w, "message"), "InconclusiveAnalysisRun"));
	resume(w);
	UNTIL(w, runs(w, "rollout-type", "Background").n == 2);
}

static void rollout_analysis_in_the_background_begins_anew_after_an_unclear_one(void **state)
{
	(void)state;
	run_play(unclear_behind);
}

/* ---- blue-green ---- */

static void before_the_switch(struct world *w)
{
	add_service(w, "active");
	add_template(w, "AnalysisTemplate", "t", "/broken", "\"consecutiveErrorLimit\":0,", "");
	add_rollout(w, "\"blueGreen\":{\"activeService\":\"active\",\"prePromotionAnalysis\":{" TEMPLATES("t") "}}");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	set_image(w, "v2");
	UNTIL(w, is_phase(w, "Degraded"));
	EXPECT(w, strstr(status(w, "message"), "Pre-promotion analysis phase error/failed"));
	EXPECT_STR(w, status(w, "blueGreen.activeSelector"), status(w, "stableRS"));
	EXPECT(w, !str_eq(status(w, "stableRS"), status(w, "currentPodHash")));
}

static void rollout_analysis_before_the_switch_prevents_it(void **state)
{
	(void)state;
	run_play(before_the_switch);
}

static void after_the_switch(struct world *w)
{
	add_service(w, "active");
	add_template(w, "AnalysisTemplate", "good", "/good", "", "");
	add_template(w, "AnalysisTemplate", "broken", "/broken", "\"consecutiveErrorLimit\":0,", "");
	add_rollout(w, "\"blueGreen\":{\"activeService\":\"active\",\"prePromotionAnalysis\":{" TEMPLATES("good") "},\"postPromotionAnalysis\":{"
		    TEMPLATES("broken") "}}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, is_phase(w, "Degraded"));
	EXPECT(w, strstr(status(w, "message"), "Post-promotion analysis phase error/failed"));
	EXPECT_STR(w, status(w, "blueGreen.activeSelector"), status(w, "stableRS"));
	EXPECT_INT(w, runs(w, "rollout-type", "PrePromotion").n, 1);
}

static void rollout_analysis_after_the_switch_takes_it_back(void **state)
{
	(void)state;
	run_play(after_the_switch);
}

static void unclear_before(struct world *w)
{
	add_service(w, "active");
	add_template(w, "AnalysisTemplate", "t", "/bad", "", "");
	add_rollout(w, "\"blueGreen\":{\"activeService\":\"active\",\"autoPromotionEnabled\":false,\"prePromotionAnalysis\":{" TEMPLATES("t") "}}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, str_eq(status(w, "message"), "InconclusiveAnalysisRun"));
	resume(w);
	UNTIL(w, str_eq(status(w, "message"), "BlueGreenPause"));
	resume(w);
	UNTIL(w, is_phase(w, "Healthy"));
	EXPECT_STR(w, status(w, "blueGreen.activeSelector"), status(w, "currentPodHash"));
}

static void rollout_analysis_before_the_switch_is_decided_once(void **state)
{
	(void)state;
	run_play(unclear_before);
}

/* ---- templates and arguments ---- */

static void count_spec(const struct object *run, void *arg)
{
	struct str *out = arg;
	const struct node *it;

	node_each(it, node_at(run->root, "spec.args"))
		str_addf(out, "%s=%s ", node_str_or(it, "name", ""), node_str_or(it, "value", "from elsewhere"));
	str_addf(out, "metrics %zu dry %s keep %lld label %s", node_n(node_at(run->root, "spec.metrics")),
		 node_str_or(run->root, "spec.dryRun.0.metricName", ""), (long long)node_int_at(run->root, "spec.measurementRetention.0.limit", 0),
		 meta_label(run->root, "app"));
}

static void templates(struct world *w)
{
	AUTO(str) got = { 0 };

	fake_add(w->client, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\",\"namespace\":\"default\"},\"data\":{\"k\":\"czNjcmV0\"}}");
	add_template(w, "AnalysisTemplate", "one", "/good", "", "\"args\":[{\"name\":\"token\"},{\"name\":\"team\",\"valueFrom\":{\"fieldRef\":"
		     "{\"fieldPath\":\"metadata.labels['team.example/name']\"}}},{\"name\":\"kept\",\"value\":\"default\"}],"
		     "\"templates\":[{\"templateName\":\"two\",\"clusterScope\":true},{\"templateName\":\"three\"}],");
	add_template(w, "ClusterAnalysisTemplate", "two", "/broken", "\"consecutiveErrorLimit\":0,", "\"args\":[{\"name\":\"token\"}],");
	add_template(w, "AnalysisTemplate", "three", "/good", "", "\"args\":[{\"name\":\"token\"}],\"templates\":[{\"templateName\":\"one\"}],");
	add_rollout(w, "\"canary\":{\"steps\":[{\"analysis\":{" TEMPLATES("one") ",\"dryRun\":[{\"metricName\":\"two-.*\"}],\"measurementRetention\":"
		    "[{\"metricName\":\"one-rate\",\"limit\":3}],\"args\":[{\"name\":\"token\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}},"
		    "{\"name\":\"team\",\"value\":\"green\"},{\"name\":\"unused\",\"value\":\"x\"}]}},{\"pause\":{}}]}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, str_eq(status(w, "message"), "CanaryPauseStep"));
	fake_each(w->client, "AnalysisRun", count_spec, &got);
	EXPECT_STR(w, str_c(&got), "token=from elsewhere team=green kept=default metrics 3 dry two-.* keep 3 label web");
}

static void rollout_analysis_templates_are_put_together(void **state)
{
	(void)state;
	run_play(templates);
}

static void fields(struct world *w)
{
	AUTO(str) got = { 0 };
	AUTO(str) want = { 0 };

	add_template(w, "AnalysisTemplate", "t", "/good", "", "\"args\":[{\"name\":\"token\",\"valueFrom\":{\"podTemplateHashValue\":\"Latest\"}},"
		     "{\"name\":\"team\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels['team.example/name']\"}}}],");
	add_rollout(w, "\"canary\":{\"steps\":[{\"analysis\":{" TEMPLATES("t") "}},{\"pause\":{}}]}");
	world_converge(w);
	set_image(w, "v2");
	UNTIL(w, str_eq(status(w, "message"), "CanaryPauseStep"));
	fake_each(w->client, "AnalysisRun", count_spec, &got);
	str_addf(&want, "token=%s team=blue metrics 1 dry  keep 0 label web", status(w, "currentPodHash"));
	EXPECT_STR(w, str_c(&got), str_c(&want));
}

static void rollout_analysis_arguments_of_templates_come_from_the_rollout(void **state)
{
	(void)state;
	run_play(fields);
}

static void services(struct world *w)
{
	char json[1024];

	add_service(w, "web");
	snprintf(json, sizeof json, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"AnalysisRun\",\"metadata\":{\"name\":\"run\",\"namespace\":\"default\"},"
		 "\"spec\":{\"metrics\":[{\"name\":\"a\",\"provider\":{\"web\":{\"url\":\"http://web.default.svc:%1$d/good\"}}},"
		 "{\"name\":\"b\",\"provider\":{\"web\":{\"url\":\"http://web.default.svc.cluster.local:%1$d/good\"}}},"
		 "{\"name\":\"c\",\"provider\":{\"web\":{\"url\":\"http://web.default:%1$d/good\"}}},"
		 "{\"name\":\"d\",\"consecutiveErrorLimit\":0,\"provider\":{\"web\":{\"url\":\"http://none.default.svc:%1$d/good\"}}}],"
		 "\"dryRun\":[{\"metricName\":\"d\"}]}}", port);
	fake_add(w->client, json);
	UNTIL(w, *world_str(w, "AnalysisRun", "run", "status.completedAt"));
	EXPECT_STR(w, world_str(w, "AnalysisRun", "run", "status.phase"), "Successful");
	EXPECT_INT(w, world_int(w, "AnalysisRun", "run", "status.runSummary.count"), 3);
	EXPECT_INT(w, world_int(w, "AnalysisRun", "run", "status.runSummary.successful"), 3);
	EXPECT_INT(w, world_int(w, "AnalysisRun", "run", "status.dryRunSummary.error"), 1);
	EXPECT(w, strstr(world_str(w, "AnalysisRun", "run", "status.metricResults.3.measurements.0.message"), "\"none\" not found"));
}

static void analysis_hosts_may_be_services(void **state)
{
	(void)state;
	run_play(services);
}

/* ---- history ---- */

static void history(struct world *w)
{
	char image[16], before[64];

	add_template(w, "AnalysisTemplate", "t", "/good", "", "");
	add_rollout(w, "\"canary\":{\"steps\":[{\"analysis\":{" TEMPLATES("t") "}}]}");
	world_converge(w);
	for (int i = 2; i <= 6; i++) {
		snprintf(image, sizeof image, "v%d", i);
		snprintf(before, sizeof before, "%s", status(w, "stableRS"));
		set_image(w, image);
		UNTIL(w, is_phase(w, "Healthy") && !str_eq(status(w, "stableRS"), before));
	}
	UNTIL(w, fake_n(w->client, "AnalysisRun") == 2);
}

static void rollout_analysis_keeps_the_last_runs(void **state)
{
	(void)state;
	run_play(history);
}

/* ---- wrong ones ---- */

static const struct { const char *strategy, *why; } wrong[] = {
	{ "\"canary\":{\"steps\":[{\"analysis\":{" TEMPLATES("none") "}}]}", "spec.strategy.canary.steps[0].analysis: " },
	{ "\"canary\":{\"steps\":[{\"analysis\":{" TEMPLATES("endless") "}}]}", "has an interval and no count, so it never ends" },
	{ "\"blueGreen\":{\"activeService\":\"active\",\"prePromotionAnalysis\":{" TEMPLATES("endless") "}}", "blueGreen.prePromotionAnalysis: metric" },
	{ "\"canary\":{\"analysis\":{" TEMPLATES("open") "},\"steps\":[{\"setWeight\":1}]}", "canary.analysis: argument \"token\" has no value" },
	{ "\"canary\":{\"analysis\":{" TEMPLATES("endless") ",\"startingStep\":1},\"steps\":[{\"setWeight\":1}]}", "startingStep: there is no step 1" },
	{ "\"canary\":{\"analysis\":{},\"steps\":[{\"setWeight\":1}]}", "canary.analysis: the analysis has no metrics" },
	{ "\"canary\":{\"analysis\":{" TEMPLATES("endless") ",\"dryRun\":[{\"metricName\":\"x\"}]},\"steps\":[{\"setWeight\":1}]}", "no metric is named like 'x'" },
	{ "\"canary\":{\"analysis\":{" TEMPLATES("open") ",\"args\":[{\"name\":\"token\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"spec.none\"}}}]},"
	  "\"steps\":[{\"setWeight\":1}]}", "argument \"token\": the rollout has no spec.none" },
};

static size_t which;

static void refuses(struct world *w)
{
	add_service(w, "active");
	add_template(w, "AnalysisTemplate", "endless", "/good", ENDLESS, "");
	add_template(w, "AnalysisTemplate", "open", "/good", "", "\"args\":[{\"name\":\"token\"}],");
	add_rollout(w, wrong[which].strategy);
	world_settle(w);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
	if (!strstr(status(w, "message"), wrong[which].why))
		world_fail(w, __FILE__, __LINE__, "want '%s' in '%s'", wrong[which].why, status(w, "message"));
	EXPECT_INT(w, (int64_t)fake_n(w->client, "ReplicaSet"), 0);
	EXPECT_INT(w, (int64_t)fake_n(w->client, "AnalysisRun"), 0);
}

static void rollout_analysis_that_is_wrong_is_named_and_changes_nothing(void **state)
{
	(void)state;
	play = refuses;
	for (which = 0; which < sizeof wrong / sizeof *wrong; which++)
		world_run(rows, 0, script);
}

static void mended(struct world *w)
{
	add_rollout(w, "\"canary\":{\"steps\":[{\"analysis\":{" TEMPLATES("late") "}}]}");
	UNTIL(w, is_phase(w, "Degraded"));
	add_template(w, "AnalysisTemplate", "late", "/good", "", "");
	UNTIL(w, is_phase(w, "Healthy"));
}

static void rollout_analysis_goes_on_when_its_template_comes(void **state)
{
	(void)state;
	run_play(mended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rollout_analysis_of_a_later_step_is_a_run_of_its_own),
		TEST(rollout_analysis_that_is_unclear_pauses_until_a_person_decides),
		TEST(rollout_analysis_that_was_decided_does_not_end_the_next_pause),
		TEST(rollout_analysis_in_the_background_ends_with_its_version),
		TEST(rollout_analysis_in_the_background_aborts_and_a_retry_starts_another),
		TEST(rollout_analysis_in_the_background_begins_anew_after_an_unclear_one),
		TEST(rollout_analysis_before_the_switch_prevents_it),
		TEST(rollout_analysis_after_the_switch_takes_it_back),
		TEST(rollout_analysis_before_the_switch_is_decided_once),
		TEST(rollout_analysis_templates_are_put_together),
		TEST(rollout_analysis_arguments_of_templates_come_from_the_rollout),
		TEST(analysis_hosts_may_be_services),
		TEST(rollout_analysis_keeps_the_last_runs),
		TEST(rollout_analysis_that_is_wrong_is_named_and_changes_nothing),
		TEST(rollout_analysis_goes_on_when_its_template_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
