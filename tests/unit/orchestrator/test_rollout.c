#include "rollout-world.h"

#include "base/fiber.h"

#include <stdlib.h>

/* ---- canary by replicas ---- */

#define BASIC ROLLOUT(5, "\"canary\":{\"maxSurge\":1,\"maxUnavailable\":0," STEPS "}")

static void count_skips(const struct object *event, void *arg) { *(int *)arg += str_eq(node_str_at(event->root, "reason"), "SkipSteps"); }

static void steps(struct world *w)
{
	int skips = 0;

	begin(w, BASIC);
	EXPECT_STR(w, status(w, "phase"), "Paused");
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 1);
	EXPECT_INT(w, pods(w, "v1"), 4);
	EXPECT_INT(w, pods(w, "v2"), 1);
	set_status(w, "pauseConditions", "null");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 0);
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT_STR(w, status(w, "stableRS"), status(w, "currentPodHash"));
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 4);
	EXPECT_STR(w, meta_annotation(fake_get(w->client, "Rollout", "default", "web")->root, "rollout.argoproj.io/revision"), "2");
	fake_each(w->client, "Event", count_skips, &skips);
	EXPECT_INT(w, skips, 0);
}

static void rollout_canary_goes_through_its_steps(void **state)
{
	(void)state;
	world_run(rollout_rows, 15, steps);
}

static void aborts(struct world *w)
{
	begin(w, BASIC);
	set_status(w, "abort", "true");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
	EXPECT_STR(w, status(w, "message"), "RolloutAborted: Rollout aborted update to revision 2");
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 0);
	set_status(w, "abort", "false");
	world_converge(w);
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	EXPECT_INT(w, pods(w, "v2"), 1);
	set_image(w, "v1");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 0);
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 4);
}

static void rollout_abort_retry_and_undo(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, aborts);
}

static void promotes_full(struct world *w)
{
	begin(w, BASIC);
	set_status(w, "promoteFull", "true");
	set_status(w, "pauseConditions", "null");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT(w, !world_str(w, "Rollout", "web", "status.promoteFull")[0]);
}

static void rollout_promote_full_skips_the_rest(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, promotes_full);
}

static void overtakes(struct world *w)
{
	begin(w, BASIC);
	set_image(w, "v3");
	world_converge(w);
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	EXPECT_INT(w, pods(w, "v1"), 4);
	EXPECT_INT(w, pods(w, "v2"), 0);
	EXPECT_INT(w, pods(w, "v3"), 1);
}

static void rollout_newer_version_takes_over_in_the_middle(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, overtakes);
}

/* ---- canary with weights ---- */

#define ROUTED ROLLOUT(5, "\"canary\":{\"stableService\":\"stable\",\"canaryService\":\"canary\",\"trafficRouting\":{\"native\":{\"service\":\"web\"}}," \
	"\"scaleDownDelaySeconds\":0,\"abortScaleDownDelaySeconds\":0," STEPS "}")

static void routes(struct world *w)
{
	const struct object *canary;

	begin(w, ROUTED);
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 1);
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.canary.weights.canary.weight"), 20);
	EXPECT(w, weight_of(w, "v2") > 0);
	EXPECT_INT(w, weight_of(w, "v1"), 4 * (int64_t)weight_of(w, "v2"));
	canary = fake_get(w->client, "Service", "default", "canary");
	EXPECT_STR(w, node_text(node_get(node_at(canary->root, "spec.selector"), ROLLOUT_HASH)), status(w, "currentPodHash"));
	set_status(w, "abort", "true");
	world_converge(w);
	EXPECT_INT(w, weight_of(w, "v2"), 0);
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.canary.weights.canary.weight"), 0);
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 1);        /* abortScaleDownDelaySeconds 0: it stays */
	set_status(w, "abort", "false");
	world_converge(w);
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	set_status(w, "pauseConditions", "null");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 0);
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT(w, weight_of(w, "v2") > 0);
}

static void rollout_routed_canary_sets_weights_of_addresses(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, routes);
}

/* ---- blue-green ---- */

#define COLOURS(more) ROLLOUT(5, "\"blueGreen\":{\"activeService\":\"stable\",\"previewService\":\"canary\",\"scaleDownDelaySeconds\":0" more "}")

static void switches(struct world *w)
{
	char old[32];

	begin(w, COLOURS(",\"autoPromotionEnabled\":false,\"previewReplicaCount\":2"));
	EXPECT_STR(w, status(w, "message"), "BlueGreenPause");
	EXPECT_STR(w, points_at(w, "stable"), status(w, "stableRS"));
	EXPECT_STR(w, points_at(w, "canary"), status(w, "currentPodHash"));
	EXPECT(w, !str_eq(status(w, "stableRS"), status(w, "currentPodHash")));
	EXPECT_INT(w, pods(w, "v2"), 2);
	EXPECT_INT(w, pods(w, "v1"), 5);
	snprintf(old, sizeof old, "%s", status(w, "stableRS"));
	set_status(w, "pauseConditions", "null");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_STR(w, points_at(w, "stable"), status(w, "currentPodHash"));
	EXPECT(w, !str_eq(points_at(w, "stable"), old));
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT_INT(w, pods(w, "v1"), 0);
}

static void rollout_blue_green_switches_when_resumed(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, switches);
}

static void returns(struct world *w)
{
	begin(w, ROLLOUT(5, "\"blueGreen\":{\"activeService\":\"stable\",\"autoPromotionEnabled\":false}"));
	set_status(w, "pauseConditions", "null");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 5);        /* for scaleDownDelaySeconds */
	set_image(w, "v1");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_STR(w, points_at(w, "stable"), status(w, "currentPodHash"));
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT(w, !world_str(w, "Rollout", "web", "status.promoteFull")[0]);
}

static void rollout_blue_green_goes_back_at_once_while_the_old_version_lives(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, returns);
}

static void goes_back(struct world *w)
{
	begin(w, COLOURS(",\"autoPromotionEnabled\":false,\"abortScaleDownDelaySeconds\":0"));
	EXPECT_STR(w, status(w, "message"), "BlueGreenPause");
	set_status(w, "abort", "true");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
	EXPECT_STR(w, points_at(w, "stable"), status(w, "stableRS"));
	EXPECT_INT(w, pods(w, "v1"), 5);
	set_image(w, "v1");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 0);
}

static void rollout_blue_green_abort_stays_on_stable(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, goes_back);
}

/* ---- ended at any moment, and started anew ---- */

static void stumble(struct world *w, unsigned *rnd)
{
	for (int i = 0; i < 25; i++) {
		for (unsigned turns = (unsigned)rand_r(rnd) % 60; turns; turns--)
			(void)fiber_yield();
		(void)world_kubelet(w);
		world_restart(w);
	}
	world_converge(w);
}

static void restarts_canary(struct world *w)
{
	unsigned rnd = w->seed;

	begin(w, ROUTED);
	set_status(w, "pauseConditions", "null");
	stumble(w, &rnd);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT_INT(w, pods(w, "v1"), 0);
	set_image(w, "v3");
	stumble(w, &rnd);
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 1);
	EXPECT_INT(w, weight_of(w, "v2"), 4 * (int64_t)weight_of(w, "v3"));
	set_status(w, "abort", "true");
	stumble(w, &rnd);
	EXPECT_INT(w, weight_of(w, "v3"), 0);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 3);
}

static void rollout_canary_goes_on_after_restarts_at_any_moment(void **state)
{
	(void)state;
	world_run(rollout_rows, 12, restarts_canary);
}

static void restarts_blue_green(struct world *w)
{
	unsigned rnd = w->seed;

	begin(w, COLOURS(",\"autoPromotionEnabled\":false,\"previewReplicaCount\":2"));
	set_status(w, "pauseConditions", "null");
	stumble(w, &rnd);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_STR(w, points_at(w, "stable"), status(w, "currentPodHash"));
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT_INT(w, pods(w, "v1"), 0);
}

static void rollout_blue_green_goes_on_after_restarts_at_any_moment(void **state)
{
	(void)state;
	world_run(rollout_rows, 12, restarts_blue_green);
}

/* ---- wrong ones ---- */

static const struct { const char *json, *why; } wrong[] = {
	{ ROLLOUT(1, "\"canary\":{\"steps\":[{\"setWeight\":101}]}"), "spec.strategy.canary.steps[0].setWeight: must be between 0 and 100" },
	{ ROLLOUT(1, "\"canary\":{\"steps\":[{\"setWeight\":10,\"pause\":{}}]}"), "steps[0]: must have exactly one action" },
	{ ROLLOUT(1, "\"canary\":{\"steps\":[{\"pause\":{\"duration\":\"soon\"}}]}"), "steps[0].pause.duration: 'soon' is not a duration" },
	{ ROLLOUT(1, "\"canary\":{\"stableService\":\"none\"}"), "stableService: service \"none\" not found" },
	{ ROLLOUT(1, "\"blueGreen\":{\"activeService\":\"a\",\"previewService\":\"a\"}"), "must be different" },
	{ ROLLOUT(1, ""), "must be one of canary and blueGreen" },
	{ ROLLOUT(1, "\"canary\":{\"trafficRouting\":{\"istio\":{}}}"), "trafficRouting.istio: is not supported" },
	{ ROLLOUT(1, "\"canary\":{\"steps\":[{\"setCanaryScale\":{\"replicas\":1}}]}"), "setCanaryScale needs trafficRouting" },
	{ ROLLOUT(1, "\"canary\":{\"antiAffinity\":{}}"), "spec.strategy.canary.antiAffinity: is not supported: put podAntiAffinity" },
	{ ROLLOUT(1, "\"canary\":{\"pingPong\":{\"pingService\":\"a\",\"pongService\":\"b\"}}"), "spec.strategy.canary.pingPong: is not supported" },
	{ ROLLOUT(1, "\"blueGreen\":{\"activeService\":\"a\",\"antiAffinity\":{}}"), "spec.strategy.blueGreen.antiAffinity: is not supported" },
	{ ROLLOUT(1, "\"blueGreen\":{\"activeService\":\"a\",\"previewReplicaCount\":-1}"), "spec.strategy.blueGreen.previewReplicaCount: must not be negative" },
	{ ROLLOUT(1, "\"blueGreen\":{\"activeService\":\"a\",\"maxUnavailable\":\"some\"}"), "spec.strategy.blueGreen: maxUnavailable: 'some'" },
	{ ROLLOUT(1, "\"canary\":{\"scaleDownDelaySeconds\":5}"), "spec.strategy.canary.scaleDownDelaySeconds: needs trafficRouting" },
	{ ROLLOUT(1, "\"canary\":{\"canaryMetadata\":{\"labels\":{\"app\":\"x\"}}}"), "canaryMetadata.labels: 'app' is in the pod template already" },
	{ ROLLOUT(1, "\"canary\":{\"trafficRouting\":{\"maxTrafficWeight\":0,\"native\":{\"service\":\"web\"}}}"), "maxTrafficWeight: must be a whole number from 1" },
	{ ROLLOUT(1, "\"canary\":{\"trafficRouting\":{\"native\":{\"service\":\"web\",\"port\":1}}}"), "trafficRouting.native.port: is not known" },
	{ ROLLOUT(1, "\"canary\":{\"dynamicStableScale\":true,\"scaleDownDelaySeconds\":5,\"trafficRouting\":{\"native\":{\"service\":\"web\"}}}"), "so scaleDownDelaySeconds cannot be set" },
	{ ROLLOUT(1, "\"canary\":{\"replicaProgressThreshold\":{\"type\":\"Percent\",\"value\":101}}"), "replicaProgressThreshold.value: must be between 1 and 100" },
	{ ROLLOUT(1, "\"canary\":{\"replicaProgressThreshold\":{\"type\":\"Most\",\"value\":1}}"), "replicaProgressThreshold.type: must be Percent or Pod" },
	{ ROLLOUT(1, "\"canary\":{\"trafficRouting\":{\"native\":{\"service\":\"web\"}},\"steps\":[{\"setCanaryScale\":{\"replicas\":1,\"weight\":5}}]}"), "setCanaryScale must have exactly one" },
	{ ROLLOUT(-1, "\"canary\":{}"), "spec.replicas: must not be negative" },
};

static size_t which;

static void refuses(struct world *w)
{
	fake_add(w->client, SERVICE("web"));
	fake_add(w->client, wrong[which].json);
	world_settle(w);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
	if (!strstr(status(w, "message"), wrong[which].why))
		world_fail(w, __FILE__, __LINE__, "want '%s' in '%s'", wrong[which].why, status(w, "message"));
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 0);
}

static void rollout_wrong_spec_is_named_and_changes_nothing(void **state)
{
	(void)state;
	for (which = 0; which < sizeof wrong / sizeof *wrong; which++)
		world_run(rollout_rows, 0, refuses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rollout_canary_goes_through_its_steps),
		TEST(rollout_abort_retry_and_undo),
		TEST(rollout_promote_full_skips_the_rest),
		TEST(rollout_newer_version_takes_over_in_the_middle),
		TEST(rollout_routed_canary_sets_weights_of_addresses),
		TEST(rollout_blue_green_switches_when_resumed),
		TEST(rollout_blue_green_goes_back_at_once_while_the_old_version_lives),
		TEST(rollout_blue_green_abort_stays_on_stable),
		TEST(rollout_canary_goes_on_after_restarts_at_any_moment),
		TEST(rollout_blue_green_goes_on_after_restarts_at_any_moment),
		TEST(rollout_wrong_spec_is_named_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
