#include "rollout-world.h"

#include "base/json.h"

#include <stdlib.h>

/* What single fields of a Rollout's spec do. */

#define ROUTING "\"trafficRouting\":{\"native\":{\"service\":\"web\"}}"
#define LONG_AGO "\"2020-01-01T00:00:00Z\""

static void resume(struct world *w)
{
	set_status(w, "pauseConditions", "null");
	world_converge(w);
}

struct names { const char *kind; char name[16][64]; size_t n; };

static void note_name(const struct object *o, void *arg)
{
	struct names *all = arg;

	if (all->n < 16 && !meta_deleting(o->root))
		snprintf(all->name[all->n++], sizeof *all->name, "%s", o->name);
}

static void set_all(struct world *w, const char *kind, const char *path, const char *json)
{
	struct names all = { .kind = kind };

	fake_each(w->client, kind, note_name, &all);
	for (size_t i = 0; i < all.n; i++)
		fake_set(w->client, kind, "default", all.name[i], path, json);
}

/* The set of a version is this old. */
static void date_set(struct world *w, const char *image, const char *json)
{
	struct names all = { .kind = "ReplicaSet" };

	fake_each(w->client, "ReplicaSet", note_name, &all);
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(world_str(w, "ReplicaSet", all.name[i], "spec.template.spec.containers.0.image"), image))
			fake_set(w->client, "ReplicaSet", "default", all.name[i], "metadata.creationTimestamp", json);
}

/* ---- what happened, event by event ---- */

struct seen { char name[64], hash[16]; bool ready; };

struct history {
	bool begun;                     /* since the first version serves */
	struct seen pod[64];
	size_t n;
	int64_t least, replicas;        /* fewest ready pods at any moment */
	char split[2][16];              /* hashes and weights of the Service */
	int64_t weight[2];
	bool overloaded;                /* a version had more connections than its pods can serve */
};

static int64_t ready_of(const struct history *h, const char *hash)
{
	int64_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->pod[i].ready && (!hash || !strcmp(h->pod[i].hash, hash));
	return n;
}

static void note_pod(struct history *h, enum event_type type, const struct object *o)
{
	size_t i = 0;

	while (i < h->n && strcmp(h->pod[i].name, o->name) != 0)
		i++;
	if (i == h->n && h->n < sizeof h->pod / sizeof *h->pod)
		h->n++;
	if (i == h->n)
		return;
	snprintf(h->pod[i].name, sizeof h->pod[i].name, "%s", o->name);
	snprintf(h->pod[i].hash, sizeof h->pod[i].hash, "%s", meta_label(o->root, ROLLOUT_HASH));
	h->pod[i].ready = type != EVENT_DELETED && pod_active(o->root) && pod_ready(o->root);
}

static void note_split(struct history *h, const struct object *o)
{
	AUTO_DOC d = NULL;
	struct member *m;
	size_t i = 0;

	h->weight[0] = h->weight[1] = 0;
	if (json_read(sv_c(meta_annotation(o->root, TRAFFIC_SPLIT)), "split", 0, &d, NULL) < 0)
		return;
	node_members(m, node_get(doc_root(d), "weights"))
		if (i < 2) {
			snprintf(h->split[i], sizeof h->split[i], "%s", m->key);
			(void)node_to_i64(m->value, &h->weight[i++]);
		}
}

static void note(enum event_type type, const struct object *o, void *arg)
{
	struct history *h = arg;

	if (!strcmp(o->kind->kind, "Pod"))
		note_pod(h, type, o);
	if (!strcmp(o->kind->kind, "Service") && meta_annotation(o->root, TRAFFIC_SPLIT))
		note_split(h, o);
	if (!strcmp(o->kind->kind, "Rollout") && str_eq(node_str_at(o->root, "status.phase"), "Healthy"))
		h->begun = true;
	if (!h->begun)
		return;
	if (ready_of(h, NULL) < h->least)
		h->least = ready_of(h, NULL);
	for (size_t i = 0; i < 2; i++)
		h->overloaded |= ready_of(h, h->split[i]) * 100 < h->weight[i] * h->replicas - 99;
}

static struct history history_of(struct world *w)
{
	struct history h = { .replicas = 5, .least = 5 };

	fake_replay(w->client, note, &h);
	return h;
}

/* ---- restartAt ---- */

static void restarts(struct world *w)
{
	struct names before = { .kind = "Pod" }, after = { .kind = "Pod" };
	struct history h;

	start(w, ROLLOUT(5, "\"canary\":{\"maxSurge\":0,\"maxUnavailable\":2}"));
	fake_each(w->client, "Pod", note_name, &before);
	set_all(w, "Pod", "metadata.creationTimestamp", LONG_AGO);
	world_settle(w);
	set_spec(w, "restartAt", "\"2021-01-01T00:00:00Z\"");
	world_converge(w);
	fake_each(w->client, "Pod", note_name, &after);
	EXPECT_INT(w, after.n, 5);
	for (size_t i = 0; i < before.n; i++)
		for (size_t j = 0; j < after.n; j++)
			EXPECT(w, strcmp(before.name[i], after.name[j]) != 0);
	EXPECT_STR(w, status(w, "restartedAt"), "2021-01-01T00:00:00Z");
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 1);
	h = history_of(w);
	EXPECT_INT(w, h.least, 3);
}

static void rollout_restart_replaces_all_pods_within_max_unavailable(void **state)
{
	(void)state;
	world_run(rollout_rows, 15, restarts);
}

static void restarts_colours(struct world *w)
{
	struct history h;

	start(w, ROLLOUT(5, "\"blueGreen\":{\"activeService\":\"stable\",\"maxUnavailable\":\"20%\"}"));
	set_all(w, "Pod", "metadata.creationTimestamp", LONG_AGO);
	world_settle(w);
	set_spec(w, "restartAt", "\"2021-01-01T00:00:00Z\"");
	world_converge(w);
	EXPECT_STR(w, status(w, "restartedAt"), "2021-01-01T00:00:00Z");
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 10);
	h = history_of(w);
	EXPECT_INT(w, h.least, 4);
}

static void rollout_restart_of_blue_green_keeps_its_own_max_unavailable(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, restarts_colours);
}

static void does_not_restart_early(struct world *w)
{
	start(w, ROLLOUT(5, "\"canary\":{}"));
	set_spec(w, "restartAt", "\"2999-01-01T00:00:00Z\"");
	world_converge(w);
	EXPECT_STR(w, status(w, "restartedAt"), "");
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 5);
}

static void rollout_restart_in_the_future_waits(void **state)
{
	(void)state;
	world_run(rollout_rows, 0, does_not_restart_early);
}

/* ---- rollbackWindow ---- */

/* Three versions have been stable, one after the other; then back to the first one. */
static void roll_back(struct world *w, const char *window)
{
	start(w, ROLLOUT(5, "\"canary\":{" STEPS "}"));
	set_spec(w, "rollbackWindow", window);
	for (int v = 2; v <= 3; v++) {
		char image[16];

		snprintf(image, sizeof image, "v%d", v);
		set_image(w, image);
		world_converge(w);
		resume(w);
		EXPECT_STR(w, status(w, "phase"), "Healthy");
	}
	date_set(w, "v1", LONG_AGO);
	date_set(w, "v2", "\"2020-01-02T00:00:00Z\"");
	date_set(w, "v3", "\"2020-01-03T00:00:00Z\"");
	world_settle(w);
	set_image(w, "v1");
	world_converge(w);
}

static void rolls_back_fast(struct world *w)
{
	roll_back(w, "{\"revisions\":2}");
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 4);
	EXPECT_STR(w, status(w, "promoteFull"), "");
}

static void rolls_back_by_steps(struct world *w)
{
	roll_back(w, "{\"revisions\":1}");
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	EXPECT_INT(w, pods(w, "v1"), 1);
}

static void rollout_rollback_within_the_window_skips_steps(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, rolls_back_fast);
}

static void rollout_rollback_beyond_the_window_goes_through_the_steps(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, rolls_back_by_steps);
}

/* ---- ephemeral metadata ---- */

struct roles { const char *image, *role; int with, without; };

static void count_role(const struct object *pod, void *arg)
{
	struct roles *c = arg;

	if (!pod_active(pod->root) || !str_eq(node_str_at(pod->root, "spec.containers.0.image"), c->image))
		return;
	if (str_eq(meta_label(pod->root, "role"), c->role))
		c->with++;
	else
		c->without++;
}

#define EXPECT_ROLE(w, image, role, n) do { \
	struct roles c_ = { (image), (role), 0, 0 }; \
	fake_each((w)->client, "Pod", count_role, &c_); \
	EXPECT_INT((w), c_.with, (n)); \
	EXPECT_INT((w), c_.without, 0); \
} while (0)

static void labels(struct world *w)
{
	start(w, ROLLOUT(5, "\"canary\":{\"canaryMetadata\":{\"labels\":{\"role\":\"canary\"},\"annotations\":{\"a\":\"1\"}},"
			    "\"stableMetadata\":{\"labels\":{\"role\":\"stable\"}}," STEPS "}"));
	EXPECT_ROLE(w, "v1", "stable", 5);
	set_image(w, "v2");
	world_converge(w);
	EXPECT_ROLE(w, "v1", "stable", 4);
	EXPECT_ROLE(w, "v2", "canary", 1);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 2);
	resume(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_ROLE(w, "v2", "stable", 5);
	set_image(w, "v1");             /* found again, although its template has been changed in place */
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 2);
	EXPECT_ROLE(w, "v1", "canary", 1);
	set_spec(w, "strategy.canary.canaryMetadata", "{}");
	set_spec(w, "strategy.canary.stableMetadata", "{\"labels\":{\"role\":\"main\"}}");
	world_converge(w);
	EXPECT_ROLE(w, "v1", NULL, 1);
	EXPECT_ROLE(w, "v2", "main", 4);
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 5 + 5 + 1);
}

static void rollout_canary_metadata_follows_the_part_a_version_plays(void **state)
{
	(void)state;
	world_run(rollout_rows, 12, labels);
}

static void labels_colours(struct world *w)
{
	begin(w, ROLLOUT(5, "\"blueGreen\":{\"activeService\":\"stable\",\"previewService\":\"canary\",\"autoPromotionEnabled\":false,"
			    "\"previewMetadata\":{\"labels\":{\"role\":\"preview\"}},\"activeMetadata\":{\"labels\":{\"role\":\"active\"}}}"));
	EXPECT_STR(w, status(w, "message"), "BlueGreenPause");
	EXPECT_ROLE(w, "v1", "active", 5);
	EXPECT_ROLE(w, "v2", "preview", 5);
	resume(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_ROLE(w, "v2", "active", 5);
	EXPECT_ROLE(w, "v1", NULL, 5);
}

static void rollout_blue_green_metadata_moves_with_the_switch(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, labels_colours);
}

/* ---- scaleDownDelayRevisionLimit ---- */

static void limits_waiting(struct world *w)
{
	start(w, ROLLOUT(5, "\"blueGreen\":{\"activeService\":\"stable\",\"scaleDownDelaySeconds\":3600,\"scaleDownDelayRevisionLimit\":1}"));
	date_set(w, "v1", LONG_AGO);
	world_settle(w);
	set_image(w, "v2");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 5);
	date_set(w, "v2", "\"2020-01-02T00:00:00Z\"");
	world_settle(w);
	set_image(w, "v3");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 0);
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT_INT(w, pods(w, "v3"), 5);
}

static void rollout_revision_limit_ends_all_but_the_newest_waiting(void **state)
{
	(void)state;
	world_run(rollout_rows, 8, limits_waiting);
}

/* ---- progressDeadlineAbort, minReadySeconds, replicaProgressThreshold ---- */

static void runs_late(struct world *w)
{
	start(w, ROLLOUT(5, "\"canary\":{" STEPS "}"));
	set_spec(w, "progressDeadlineAbort", "true");
	set_image(w, "v2");
	world_settle(w);                /* no node starts its pod */
	EXPECT_STR(w, status(w, "message"), "more replicas need to be updated");
	set_status(w, "conditions", "[{\"type\":\"Progressing\",\"status\":\"True\",\"reason\":\"ReplicaSetUpdated\","
		   "\"lastUpdateTime\":" LONG_AGO ",\"lastTransitionTime\":" LONG_AGO "}]");
	world_settle(w);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
	EXPECT(w, world_int(w, "Rollout", "web", "status.currentStepIndex") == 0);
	EXPECT(w, node_bool_at(fake_get(w->client, "Rollout", "default", "web")->root, "status.abort", false));
	world_converge(w);
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 0);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
}

static void rollout_progress_deadline_abort_returns_to_stable(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, runs_late);
}

static void waits_for_min_ready(struct world *w)
{
	start(w, ROLLOUT(5, "\"canary\":{" STEPS "}"));
	set_spec(w, "minReadySeconds", "500");
	set_image(w, "v2");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Progressing");
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 0);
	EXPECT_INT(w, pods(w, "v2"), 1);
	set_spec(w, "minReadySeconds", "0");
	world_converge(w);
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
}

static void rollout_min_ready_seconds_holds_the_step(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, waits_for_min_ready);
}

static void settles_for_less(struct world *w)
{
	struct names all = { .kind = "Pod" };

	start(w, ROLLOUT(5, "\"canary\":{\"replicaProgressThreshold\":{\"type\":\"Percent\",\"value\":60}," ROUTING ","
			    "\"steps\":[{\"setWeight\":100},{\"pause\":{}}]}"));
	set_image(w, "v2");
	world_settle(w);
	fake_each(w->client, "Pod", note_name, &all);
	EXPECT_INT(w, all.n, 10);
	for (size_t i = 0, ready = 0; i < all.n; i++) {
		if (!str_eq(world_str(w, "Pod", all.name[i], "spec.containers.0.image"), "v2"))
			continue;
		EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), ready >= 3);
		fake_set(w->client, "Pod", "default", all.name[i], "status",
			 "{\"phase\":\"Running\",\"podIP\":\"10.1.0.1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
			 "\"lastTransitionTime\":" LONG_AGO "}]}");
		world_settle(w);
		ready++;
	}
}

static void rollout_progress_threshold_is_enough_for_a_step(void **state)
{
	(void)state;
	world_run(rollout_rows, 4, settles_for_less);
}

/* ---- dynamicStableScale ---- */

static void follows_traffic(struct world *w)
{
	struct history h;

	begin(w, ROLLOUT(5, "\"canary\":{\"dynamicStableScale\":true," ROUTING ",\"steps\":[{\"setWeight\":20},{\"pause\":{}},"
			    "{\"setWeight\":60},{\"pause\":{}}]}"));
	EXPECT_INT(w, pods(w, "v1"), 4);
	EXPECT_INT(w, pods(w, "v2"), 1);
	resume(w);
	EXPECT_INT(w, pods(w, "v1"), 2);
	EXPECT_INT(w, pods(w, "v2"), 3);
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.canary.weights.canary.weight"), 60);
	set_status(w, "abort", "true");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Degraded");
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.canary.weights.canary.weight"), 0);
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 0);
	set_status(w, "abort", "false");
	world_converge(w);
	resume(w);
	EXPECT_INT(w, pods(w, "v1"), 2);
	set_image(w, "v1");             /* back by the spec: just as careful */
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v1"), 5);
	EXPECT_INT(w, pods(w, "v2"), 0);
	EXPECT_INT(w, weight_of(w, "v2"), 0);
	h = history_of(w);
	EXPECT(w, !h.overloaded);
}

static void rollout_dynamic_stable_never_has_more_traffic_than_pods(void **state)
{
	(void)state;
	world_run(rollout_rows, 15, follows_traffic);
}

/* ---- pauses ---- */

static void ignores_seconds(struct world *w)
{
	begin(w, ROLLOUT(5, "\"blueGreen\":{\"activeService\":\"stable\",\"autoPromotionEnabled\":false,\"autoPromotionSeconds\":1}"));
	EXPECT_STR(w, status(w, "message"), "BlueGreenPause");
	set_status(w, "pauseConditions", "[{\"reason\":\"BlueGreenPause\",\"startTime\":" LONG_AGO "}]");
	world_converge(w);
	EXPECT_STR(w, status(w, "message"), "BlueGreenPause");
	EXPECT_STR(w, points_at(w, "stable"), status(w, "stableRS"));
}

static void rollout_auto_promotion_off_is_not_ended_by_time(void **state)
{
	(void)state;
	world_run(rollout_rows, 4, ignores_seconds);
}

static void holds(struct world *w)
{
	begin(w, ROLLOUT(5, "\"canary\":{\"steps\":[{\"setWeight\":60},{\"pause\":{}}]}"));
	set_spec(w, "paused", "true");
	world_settle(w);
	set_status(w, "pauseConditions", "null");
	world_converge(w);
	EXPECT_STR(w, status(w, "message"), "manually paused");
	EXPECT_INT(w, world_int(w, "Rollout", "web", "status.currentStepIndex"), 1);
	EXPECT(w, !str_eq(status(w, "stableRS"), status(w, "currentPodHash")));
	set_spec(w, "paused", "false");
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
}

static void rollout_paused_by_its_spec_holds_and_goes_on(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, holds);
}

/* ---- Services that are named no more ---- */

static void lets_go(struct world *w)
{
	const struct object *s;

	begin(w, ROLLOUT(5, "\"canary\":{\"stableService\":\"stable\",\"canaryService\":\"canary\"," ROUTING "," STEPS "}"));
	EXPECT(w, meta_annotation(fake_get(w->client, "Service", "default", "web")->root, TRAFFIC_SPLIT));
	set_spec(w, "strategy", "{\"canary\":{\"stableService\":\"stable\"}}");
	world_converge(w);
	s = fake_get(w->client, "Service", "default", "web");
	EXPECT(w, !meta_annotation(s->root, TRAFFIC_SPLIT) && !meta_annotation(s->root, ROLLOUT_MANAGED));
	EXPECT(w, !points_at(w, "canary"));
	EXPECT_STR(w, points_at(w, "stable"), status(w, "stableRS"));
}

static void rollout_services_it_names_no_more_are_let_go(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, lets_go);
}

static void goes_away(struct world *w)
{
	struct err err = { 0 };

	start(w, ROLLOUT(5, "\"canary\":{" ROUTING "}"));
	EXPECT(w, client_delete(w->client, fake_get(w->client, "Rollout", "default", "web")->kind, "default", "web", NULL, &err) >= 0);
	world_settle(w);
	EXPECT(w, !meta_annotation(fake_get(w->client, "Service", "default", "web")->root, TRAFFIC_SPLIT));
}

static void rollout_deleted_lets_its_split_service_go(void **state)
{
	(void)state;
	world_run(rollout_rows, 4, goes_away);
}

/* ---- spec.analysis ---- */

static void trims(struct world *w)
{
	int good = 0, bad = 0;

	start(w, ROLLOUT(5, "\"canary\":{}"));
	for (int i = 0; i < 12; i++) {
		char json[512];

		snprintf(json, sizeof json,
			 "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"AnalysisRun\",\"metadata\":{\"name\":\"run-%02d\",\"namespace\":\"default\","
			 "\"ownerReferences\":[{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"name\":\"web\",\"uid\":\"%s\",\"controller\":true}]},"
			 "\"spec\":{},\"status\":{\"phase\":\"%s\"}}", i, fake_get(w->client, "Rollout", "default", "web")->uid,
			 i % 2 ? "Successful" : "Failed");
		fake_add(w->client, json);
	}
	set_spec(w, "analysis", "{\"successfulRunHistoryLimit\":2}");
	world_converge(w);
	for (int i = 0; i < 12; i++) {
		char name[16];

		snprintf(name, sizeof name, "run-%02d", i);
		if (fake_get(w->client, "AnalysisRun", "default", name))
			*(i % 2 ? &good : &bad) += 1;
	}
	EXPECT_INT(w, good, 2);
	EXPECT_INT(w, bad, 5);
}

static void rollout_ended_analysis_runs_are_kept_up_to_their_limits(void **state)
{
	(void)state;
	world_run(rollout_rows, 4, trims);
}

/* ---- workloadRef ---- */

#define DEPLOYMENT \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\",\"generation\":1}," \
	"\"spec\":{\"replicas\":5,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}}}}"
#define REFERRING(scale_down) \
	"{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":" \
	"{\"replicas\":5,\"workloadRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"web\"" scale_down "}," \
	"\"strategy\":{\"canary\":{" STEPS "}}}}"

static void takes_template(struct world *w)
{
	fake_add(w->client, REFERRING(""));
	world_settle(w);
	EXPECT_STR(w, status(w, "message"), "InvalidSpec: The Rollout \"web\" is invalid: spec.workloadRef: Deployment \"web\" not found");
	fake_add(w->client, DEPLOYMENT);
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_STR(w, status(w, "workloadObservedGeneration"), "1");
	EXPECT_INT(w, pods(w, "v1"), 5);
	fake_set(w->client, "Deployment", "default", "web", "spec.template.spec.containers", "[{\"name\":\"c\",\"image\":\"v2\"}]");
	world_converge(w);
	EXPECT_STR(w, status(w, "message"), "CanaryPauseStep");
	EXPECT_INT(w, pods(w, "v2"), 1);
	resume(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, pods(w, "v2"), 5);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 2);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "spec.replicas"), 5);
	EXPECT(w, !node_at(fake_get(w->client, "Rollout", "default", "web")->root, "spec.template"));
}

static void rollout_workload_gives_its_template_and_its_changes(void **state)
{
	(void)state;
	world_run(rollout_rows, 10, takes_template);
}

static void takes_over(struct world *w)
{
	fake_add(w->client, DEPLOYMENT);
	fake_add(w->client, REFERRING(",\"scaleDown\":\"onsuccess\""));
	world_settle(w);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "spec.replicas"), 5);
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_INT(w, world_int(w, "Deployment", "web", "spec.replicas"), 0);
}

static void takes_over_bit_by_bit(struct world *w)
{
	struct names all = { .kind = "Pod" };

	fake_add(w->client, DEPLOYMENT);
	fake_add(w->client, REFERRING(",\"scaleDown\":\"progressively\""));
	world_settle(w);
	fake_each(w->client, "Pod", note_name, &all);
	EXPECT_INT(w, all.n, 5);
	for (size_t i = 0; i < all.n; i++) {
		EXPECT_INT(w, world_int(w, "Deployment", "web", "spec.replicas"), 5 - (int64_t)i);
		fake_set(w->client, "Pod", "default", all.name[i], "status",
			 "{\"phase\":\"Running\",\"podIP\":\"10.1.0.1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
			 "\"lastTransitionTime\":" LONG_AGO "}]}");
		world_settle(w);
	}
	EXPECT_INT(w, world_int(w, "Deployment", "web", "spec.replicas"), 0);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
}

static void rollout_workload_is_scaled_down_on_success(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, takes_over);
}

static void rollout_workload_is_scaled_down_pod_by_pod(void **state)
{
	(void)state;
	world_run(rollout_rows, 6, takes_over_bit_by_bit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rollout_restart_replaces_all_pods_within_max_unavailable),
		TEST(rollout_restart_of_blue_green_keeps_its_own_max_unavailable),
		TEST(rollout_restart_in_the_future_waits),
		TEST(rollout_rollback_within_the_window_skips_steps),
		TEST(rollout_rollback_beyond_the_window_goes_through_the_steps),
		TEST(rollout_canary_metadata_follows_the_part_a_version_plays),
		TEST(rollout_blue_green_metadata_moves_with_the_switch),
		TEST(rollout_revision_limit_ends_all_but_the_newest_waiting),
		TEST(rollout_progress_deadline_abort_returns_to_stable),
		TEST(rollout_min_ready_seconds_holds_the_step),
		TEST(rollout_progress_threshold_is_enough_for_a_step),
		TEST(rollout_dynamic_stable_never_has_more_traffic_than_pods),
		TEST(rollout_auto_promotion_off_is_not_ended_by_time),
		TEST(rollout_paused_by_its_spec_holds_and_goes_on),
		TEST(rollout_services_it_names_no_more_are_let_go),
		TEST(rollout_deleted_lets_its_split_service_go),
		TEST(rollout_ended_analysis_runs_are_kept_up_to_their_limits),
		TEST(rollout_workload_gives_its_template_and_its_changes),
		TEST(rollout_workload_is_scaled_down_on_success),
		TEST(rollout_workload_is_scaled_down_pod_by_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
