#include "check.h"

#include "analysis-target.h"

/* Runs that measure a real HTTP server on the loop, and Rollouts that go by what they find. */

#include "base/fiber.h"
#include "kube/pod.h"
#include "orchestrator/analysis/analysis.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>
#include <stdlib.h>

static const struct controller_spec *const rows[] = { &analysis_controller, &rollout_controller, &replicaset_controller, NULL };

/* ---- runs ---- */

static void add_run(struct world *w, const char *fmt, int port)
{
	char spec[1024], json[2048];

	snprintf(spec, sizeof spec, fmt, port);
	snprintf(json, sizeof json, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"AnalysisRun\",\"metadata\":{\"name\":\"run\",\"namespace\":"
		 "\"default\"},\"spec\":%s}", spec);
	fake_add(w->client, json);
}

static const char *run_str(struct world *w, const char *path) { return world_str(w, "AnalysisRun", "run", path); }

/* Measuring takes real time: until the run is over. */
static void await_run(struct world *w)
{
	for (int i = 0; i < 5000 && !*run_str(w, "status.completedAt"); i++)
		(void)fiber_sleep(1);
	world_settle(w);
}

static void measures(struct world *w)
{
	struct target t = { 0 };
	int port = open_target(w, &t);

	fake_add(w->client, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\",\"namespace\":\"default\"},\"data\":{\"k\":\"czNjcmV0\"}}");
	add_run(w, "{\"args\":[{\"name\":\"path\",\"value\":\"good\"},{\"name\":\"token\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}}],"
		"\"metrics\":[{\"name\":\"rate\",\"count\":2,\"interval\":\"1ms\",\"successCondition\":\"result.rate >= 0.95\",\"provider\":{\"web\":{"
		"\"url\":\"http://127.0.0.1:%d/{{args.path}}\",\"headers\":[{\"key\":\"X-Token\",\"value\":\"{{ args.token }}\"}],\"jsonPath\":\"{$.data}\"}}}]}", port);
	await_run(w);
	const char *phase = run_str(w, "status.phase"), *value = run_str(w, "status.metricResults.0.measurements.1.value");
	bool sent = strstr(str_c(&t.seen), "GET /good s3cret") != NULL;
	int requests = t.requests;

	close_target(&t);
	EXPECT_STR(w, phase, "Successful");
	EXPECT_STR(w, value, "{\"rate\":0.99,\"echo\":\"*****\"}");
	EXPECT(w, sent);
	EXPECT_INT(w, requests, 2);
}

static void analysis_web_measures_with_arguments_and_hides_secrets(void **state)
{
	(void)state;
	world_run(rows, 0, measures);
}

static void fails(struct world *w)
{
	struct target t = { 0 };
	int port = open_target(w, &t);

	add_run(w, "{\"metrics\":[{\"name\":\"endless\",\"interval\":\"1h\",\"provider\":{\"web\":{\"url\":\"http://127.0.0.1:%1$d/good\"}}},"
		"{\"name\":\"rate\",\"successCondition\":\"result.data.rate >= 0.95\",\"provider\":{\"web\":{\"url\":\"http://127.0.0.1:%1$d/bad\"}}}]}", port);
	await_run(w);
	close_target(&t);
	EXPECT_STR(w, run_str(w, "status.phase"), "Failed");
	EXPECT_STR(w, run_str(w, "status.message"), "Metric \"rate\" assessed Failed due to failed (1) > failureLimit (0)");
	EXPECT_STR(w, run_str(w, "status.metricResults.0.phase"), "Successful");
}

static void analysis_one_failed_metric_ends_the_others(void **state)
{
	(void)state;
	world_run(rows, 0, fails);
}

static void asks_prometheus(struct world *w)
{
	struct target t = { 0 };
	int port = open_target(w, &t);

	add_run(w, "{\"metrics\":[{\"name\":\"rate\",\"successCondition\":\"result[0] > 0.9 && isNaN(result[1])\",\"provider\":{\"prometheus\":{"
		"\"address\":\"http://127.0.0.1:%d/\",\"query\":\"sum(rate(x{a=\\\"b\\\"}[1m]))\"}}}]}", port);
	await_run(w);
	bool sent = strstr(str_c(&t.seen), "query=sum%28rate%28x%7Ba%3D%22b%22%7D%5B1m%5D%29%29") != NULL;

	close_target(&t);
	EXPECT(w, sent);
	EXPECT_STR(w, run_str(w, "status.phase"), "Successful");
	EXPECT_STR(w, run_str(w, "status.metricResults.0.measurements.0.value"), "[0.97,NaN]");
}

static void analysis_prometheus_vector_is_a_list(void **state)
{
	(void)state;
	world_run(rows, 0, asks_prometheus);
}

static void errs(struct world *w)
{
	struct target t = { 0 };
	int port = open_target(w, &t);

	add_run(w, "{\"metrics\":[{\"name\":\"m\",\"consecutiveErrorLimit\":0,\"provider\":{\"web\":{\"url\":\"http://127.0.0.1:%d/broken\"}}}]}", port);
	await_run(w);
	close_target(&t);
	EXPECT_STR(w, run_str(w, "status.phase"), "Error");
	EXPECT(w, strstr(run_str(w, "status.metricResults.0.measurements.0.message"), "answered 500: broken"));
	EXPECT(w, strstr(run_str(w, "status.message"), "Metric \"m\" assessed Error due to consecutiveError (1) > consecutiveErrorLimit (0): "
			 "\"Error Message: http://127.0.0.1:"));
}

static void analysis_answer_of_500_is_an_error_with_its_text(void **state)
{
	(void)state;
	world_run(rows, 0, errs);
}

static void first_job(const struct object *o, void *arg) { snprintf(arg, 96, "%s", o->name); }

static void runs_a_job(struct world *w)
{
	char name[96] = "";

	add_run(w, "{\"metrics\":[{\"name\":\"j\",\"provider\":{\"job\":{\"spec\":{\"template\":{\"spec\":{\"containers\":[],\"x\":%d}}}}}}]}", 1);
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "Job"), 1);
	EXPECT_STR(w, run_str(w, "status.phase"), "Running");
	fake_each(w->client, "Job", first_job, name);
	fake_set(w->client, "Job", "default", name, "status", "{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}");
	world_settle(w);
	EXPECT_STR(w, run_str(w, "status.phase"), "Successful");
}

static void analysis_job_that_completes_is_good(void **state)
{
	(void)state;
	world_run(rows, 5, runs_a_job);
}

/* ---- Rollouts ---- */

#define TEMPLATE \
	"{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"AnalysisTemplate\",\"metadata\":{\"name\":\"t\",\"namespace\":\"default\"},\"spec\":{" \
	"\"args\":[{\"name\":\"path\"},{\"name\":\"hash\",\"value\":\"none\"}],\"metrics\":[{\"name\":\"rate\",\"successCondition\":" \
	"\"result.data.rate >= 0.95\",\"provider\":{\"web\":{\"url\":\"http://127.0.0.1:%d/{{args.path}}\"}}}]}}"
#define ROLLOUT \
	"{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"replicas\":" \
	"4,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}},\"strategy\":{\"canary\":{\"steps\":[{\"setWeight\":25},{\"analysis\":{" \
	"\"templates\":[{\"templateName\":\"t\"}],\"args\":[{\"name\":\"path\",\"value\":\"%s\"},{\"name\":\"hash\",\"valueFrom\":" \
	"{\"podTemplateHashValue\":\"Latest\"}}]}}]}}}}"

static void update(struct world *w, const char *path)
{
	char json[2048];

	snprintf(json, sizeof json, ROLLOUT, path);
	fake_add(w->client, json);
	world_converge(w);
	fake_set(w->client, "Rollout", "default", "web", "spec.template.spec.containers", "[{\"name\":\"c\",\"image\":\"v2\"}]");
	for (int i = 0; i < 3000; i++) {
		world_converge(w);
		if (str_eq(world_str(w, "Rollout", "web", "status.phase"), "Degraded")
		    || str_eq(world_str(w, "Rollout", "web", "status.phase"), "Healthy"))
			return;
		(void)fiber_sleep(1);
	}
}

static void goes_on(struct world *w)
{
	struct target t = { 0 };
	char json[1024];

	snprintf(json, sizeof json, TEMPLATE, open_target(w, &t));
	fake_add(w->client, json);
	update(w, "good");
	close_target(&t);
	EXPECT_STR(w, world_str(w, "Rollout", "web", "status.phase"), "Healthy");
	EXPECT_STR(w, world_str(w, "Rollout", "web", "status.stableRS"), world_str(w, "Rollout", "web", "status.currentPodHash"));
	EXPECT_INT(w, fake_n(w->client, "AnalysisRun"), 1);
}

static void analysis_good_lets_the_rollout_go_on(void **state)
{
	(void)state;
	world_run(rows, 3, goes_on);
}

static void goes_back(struct world *w)
{
	struct target t = { 0 };
	char json[1024];

	snprintf(json, sizeof json, TEMPLATE, open_target(w, &t));
	fake_add(w->client, json);
	update(w, "bad");
	close_target(&t);
	EXPECT_STR(w, world_str(w, "Rollout", "web", "status.phase"), "Degraded");
	EXPECT_STR(w, world_str(w, "Rollout", "web", "status.message"), "RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: Metric \"rate\" "
		   "assessed Failed due to failed (1) > failureLimit (0)");
	EXPECT(w, !str_eq(world_str(w, "Rollout", "web", "status.stableRS"), world_str(w, "Rollout", "web", "status.currentPodHash")));
}

static void analysis_bad_aborts_the_rollout_and_says_why(void **state)
{
	(void)state;
	world_run(rows, 3, goes_back);
}

static void misses(struct world *w)
{
	update(w, "good");
	EXPECT_STR(w, world_str(w, "Rollout", "web", "status.phase"), "Degraded");
	EXPECT(w, strstr(world_str(w, "Rollout", "web", "status.message"), "\"t\" not found"));
}

static void analysis_missing_template_changes_nothing(void **state)
{
	(void)state;
	world_run(rows, 2, misses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(analysis_web_measures_with_arguments_and_hides_secrets),
		TEST(analysis_one_failed_metric_ends_the_others),
		TEST(analysis_prometheus_vector_is_a_list),
		TEST(analysis_answer_of_500_is_an_error_with_its_text),
		TEST(analysis_job_that_completes_is_good),
		TEST(analysis_good_lets_the_rollout_go_on),
		TEST(analysis_bad_aborts_the_rollout_and_says_why),
		TEST(analysis_missing_template_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
