/* tests/unit/kube/test_rollout.c - what people are told about a Rollout that is on its way. */
#include "check.h"

#include "base/json.h"
#include "kube/rollout.h"

#define CANARY(steps, status) "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"strategy\":{\"canary\":{\"steps\":[" steps "]}}}," \
	"\"status\":{\"stableRS\":\"a\",\"currentPodHash\":\"b\"," status "}}"
#define COLOURS(strategy, status) "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"strategy\":{\"blueGreen\":{" strategy "}}}," \
	"\"status\":{\"stableRS\":\"a\",\"currentPodHash\":\"b\"," status "}}"
#define PAUSED(reason) "\"phase\":\"Paused\",\"message\":\"" reason "\",\"pauseConditions\":[{\"reason\":\"" reason "\"}]"
#define COMMANDS "`cd rollout promote web -n shop` goes on, `cd rollout abort web -n shop` goes back"
#define STEPS "{\"setWeight\":50},{\"pause\":{}},{\"pause\":{\"duration\":30}},{\"analysis\":{\"templates\":[{\"templateName\":\"t\"}]}}"

static const struct { const char *json, *want; bool person; } rows[] = {
	{ CANARY(STEPS, "\"phase\":\"Progressing\",\"message\":\"more replicas need to be updated\""), "step 1/4 setWeight 50", false },
	{ CANARY(STEPS, "\"phase\":\"Progressing\",\"message\":\"updated replicas are still becoming available\""),
	  "step 1/4 setWeight 50, updated replicas are still becoming available", false },
	{ CANARY(STEPS, "\"currentStepIndex\":1," PAUSED("CanaryPauseStep")), "step 2/4 pause, paused: " COMMANDS, true },
	{ CANARY(STEPS, "\"currentStepIndex\":2," PAUSED("CanaryPauseStep")), "step 3/4 pause 30s, paused", false },
	{ CANARY("{\"pause\":{\"duration\":\"1m\"}}", "\"phase\":\"Progressing\""), "step 1/1 pause 1m", false },
	{ CANARY(STEPS, "\"currentStepIndex\":3,\"canary\":{\"currentStepAnalysisRunStatus\":{\"status\":\"Running\"}}"), "step 4/4 analysis t, analysis running", false },
	{ CANARY(STEPS, "\"currentStepIndex\":3,\"canary\":{\"currentStepAnalysisRunStatus\":{\"status\":\"Inconclusive\"}}," PAUSED("InconclusiveAnalysisRun")),
	  "step 4/4 analysis t, analysis inconclusive, paused: " COMMANDS, true },
	{ CANARY(STEPS, "\"canary\":{\"currentStepAnalysisRunStatus\":{\"status\":\"Successful\"},\"currentBackgroundAnalysisRunStatus\":{\"status\":\"Pending\"}}"),
	  "step 1/4 setWeight 50, background analysis running", false },
	{ CANARY(STEPS, "\"currentStepIndex\":4,\"phase\":\"Progressing\",\"message\":\"more replicas need to be updated\""),
	  "all 4 steps are done, more replicas need to be updated", false },
	{ CANARY("{\"setCanaryScale\":{\"replicas\":2}}", "\"phase\":\"Progressing\",\"message\":\"waiting for all steps to complete\""),
	  "step 1/1 setCanaryScale replicas 2", false },
	{ CANARY("", "\"phase\":\"Progressing\",\"message\":\"more replicas need to be updated\""), "more replicas need to be updated", false },
	{ CANARY(STEPS, "\"observedGeneration\":\"0\"") , "step 1/4 setWeight 50", false },
	{ "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"generation\":2},\"spec\":{\"strategy\":{\"canary\":{\"steps\":[" STEPS "]}}},"
	  "\"status\":{\"observedGeneration\":\"1\",\"stableRS\":\"a\",\"currentPodHash\":\"b\",\"currentStepIndex\":1}}", "", false },
	{ "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"paused\":true,\"strategy\":{\"canary\":{}}},\"status\":{\"stableRS\":\"a\"}}",
	  "paused by hand: " COMMANDS, true },
	{ COLOURS("", PAUSED("BlueGreenPause")), "paused: " COMMANDS, true },
	{ COLOURS("\"autoPromotionSeconds\":20", PAUSED("BlueGreenPause")), "paused for 20 s before the switch", false },
	{ COLOURS("\"autoPromotionSeconds\":20,\"autoPromotionEnabled\":false", PAUSED("BlueGreenPause")), "paused: " COMMANDS, true },
	{ COLOURS("", "\"phase\":\"Progressing\",\"message\":\"active service cutover pending\",\"blueGreen\":{\"prePromotionAnalysisRunStatus\":{\"status\":"
		  "\"Running\"}}"), "pre-promotion analysis running, active service cutover pending", false },
};

static void rollout_on_its_way_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(str) got = { 0 };
		AUTO_DOC d = NULL;
		AUTO(err) err = { 0 };

		assert_ok(json_read(sv_c(rows[i].json), "test", 0, &d, &err), &err);
		rollout_progress_write(doc_root(d), &got);
		assert_string_equal(str_c(&got), rows[i].want);
		assert_int_equal(rollout_waits_for_person(doc_root(d)), rows[i].person);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(rollout_on_its_way_is_described) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
