#include "check.h"

#include "base/fiber.h"
#include "kube/fake-world.h"
#include "kube/pod.h"
#include "kube/traffic.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>
#include <stdlib.h>

static const struct controller_spec *const rows[] = { &rollout_controller, &replicaset_controller, &endpoints_controller, NULL };

#define ROLLOUT(replicas, strategy) \
	"{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"replicas\":" \
	#replicas ",\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}},\"strategy\":{" strategy "}}}"
#define SERVICE(name) \
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"" name "\",\"namespace\":\"default\"},\"spec\":{\"selector\":" \
	"{\"app\":\"web\"},\"ports\":[{\"port\":80}]}}"
#define STEPS "\"steps\":[{\"setWeight\":20},{\"pause\":{}},{\"setWeight\":60},{\"pause\":{\"duration\":\"0s\"}}]"

static const char *status(struct world *w, const char *path)
{
	char full[96];

	snprintf(full, sizeof full, "status.%s", path);
	return world_str(w, "Rollout", "web", full);
}

static void set_image(struct world *w, const char *image)
{
	char json[128];

	snprintf(json, sizeof json, "[{\"name\":\"c\",\"image\":\"%s\"}]", image);
	fake_set(w->client, "Rollout", "default", "web", "spec.template.spec.containers", json);
}

static void set_status(struct world *w, const char *field, const char *json)
{
	char path[64];

	snprintf(path, sizeof path, "status.%s", field);
	fake_set(w->client, "Rollout", "default", "web", path, json);
}

struct tally { const char *image; int n; };

static void tally(const struct object *pod, void *arg)
{
	struct tally *t = arg;

	t->n += pod_active(pod->root) && str_eq(node_str_at(pod->root, "spec.containers.0.image"), t->image);
}

static int pods(struct world *w, const char *image)
{
	struct tally t = { image, 0 };

	fake_each(w->client, "Pod", tally, &t);
	return t.n;
}

/* ---- canary by replicas ---- */

static void begin(struct world *w, const char *json)
{
	fake_add(w->client, SERVICE("web"));
	fake_add(w->client, SERVICE("stable"));
	fake_add(w->client, SERVICE("canary"));
	fake_add(w->client, json);
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_STR(w, status(w, "stableRS"), status(w, "currentPodHash"));
	EXPECT_INT(w, pods(w, "v1"), 5);
	set_image(w, "v2");
	world_converge(w);
}

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
	world_run(rows, 15, steps);
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
	world_run(rows, 10, aborts);
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
	world_run(rows, 10, promotes_full);
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
	world_run(rows, 10, overtakes);
}

/* ---- canary with weights ---- */

#define ROUTED ROLLOUT(5, "\"canary\":{\"stableService\":\"stable\",\"canaryService\":\"canary\",\"trafficRouting\":{\"native\":{\"service\":\"web\"}}," \
	"\"scaleDownDelaySeconds\":0,\"abortScaleDownDelaySeconds\":0," STEPS "}")

static uint32_t weight_of(struct world *w, const char *image)
{
	const struct object *endpoints = fake_get(w->client, "Endpoints", "default", "web");
	struct traffic *t = endpoints ? traffic_read(endpoints->root) : NULL;
	const struct node *it, *addresses = endpoints ? node_at(endpoints->root, "subsets.0.addresses") : NULL;
	uint32_t sum = 0;

	node_each(it, addresses) {
		const struct object *pod = fake_get(w->client, "Pod", "default", node_str_or(it, "targetRef.name", ""));

		if (pod && str_eq(node_str_at(pod->root, "spec.containers.0.image"), image))
			sum += traffic_weight(t, node_str_or(it, "ip", ""));
	}
	traffic_free(&t);
	return sum;
}

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
	EXPECT_STR(w, node_text(node_get(node_at(canary->root, "spec.selector"), "rollouts-pod-template-hash")), status(w, "currentPodHash"));
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
	world_run(rows, 10, routes);
}

/* ---- blue-green ---- */

#define COLOURS(more) ROLLOUT(5, "\"blueGreen\":{\"activeService\":\"stable\",\"previewService\":\"canary\",\"scaleDownDelaySeconds\":0" more "}")

static const char *points_at(struct world *w, const char *service)
{
	const struct object *s = fake_get(w->client, "Service", "default", service);

	return s ? node_text(node_get(node_at(s->root, "spec.selector"), "rollouts-pod-template-hash")) : "";
}

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
	world_run(rows, 10, switches);
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
	world_run(rows, 10, returns);
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
	world_run(rows, 10, goes_back);
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
	world_run(rows, 12, restarts_canary);
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
	world_run(rows, 12, restarts_blue_green);
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
};

static size_t which;

static void refuses(struct world *w)
{
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
		world_run(rows, 0, refuses);
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
