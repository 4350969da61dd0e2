#include "orchestrator/controllers/rollout/rollout.h"

#include "kube/selector.h"
#include "orchestrator/controllers/conditions.h"

#include <stdlib.h>

#define DEADLINE_S 600

struct totals { int64_t replicas, updated, ready, available; };

static struct totals total(const struct rollout *r)
{
	struct totals t = { 0 };

	for (size_t i = 0; i < r->family.sets.n; i++) {
		const struct object *set = r->family.sets.v[i];

		t.replicas += set_count(set, "replicas");
		t.ready += set_count(set, "readyReplicas");
		t.available += set_count(set, "availableReplicas");
		if (i == r->current)
			t.updated = set_count(set, "replicas");
	}
	return t;
}

static int64_t active_replicas(const struct rollout *r)
{
	const struct object *set = rollout_set(r, r->stable);

	return set ? set_count(set, "replicas") : 0;
}

static void put_counts(struct rollout *r, const struct totals *t)
{
	const struct { const char *field; int64_t value; } rows[] = {
		{ "replicas", t->replicas }, { "updatedReplicas", t->updated }, { "readyReplicas", t->ready },
		{ "availableReplicas", t->available },
		{ "HPAReplicas", r->blue_green ? active_replicas(r) : t->replicas },
	};
	struct selector *selector = NULL;
	AUTO(str) text = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		node_set(r->d, r->status, rows[i].field, node_int(r->d, rows[i].value));
	node_set(r->d, r->status, "observedGeneration",
		 node_strf(r->d, "%lld", (long long)node_int_at(r->object->root, "metadata.generation", 0)));
	if (selector_of(node_get(r->spec, "selector"), &selector, NULL) >= 0)
		selector_write(selector, &text);
	selector_free(&selector);
	node_set(r->d, r->status, "selector", node_str(r->d, str_c(&text)));
}

/* ---- conditions ---- */

static void put_bool(struct rollout *r, const char *type, bool value, const char *reason, const char *message)
{
	conditions_put(r->d, r->status, type, value ? "True" : "False", reason, message, false);
}

static bool is_healthy(const struct rollout *r, const struct totals *t)
{
	int64_t n = r->limits.replicas;

	return rollout_promoted(r) && t->updated == n && rollout_count(r, r->current).available == n &&
	       !rollout_is_paused(r) && (r->blue_green || node_get(r->canary, "trafficRouting") || t->replicas == n);
}

static bool has_progressed(const struct rollout *r, const struct totals *t)
{
	static const char *const watched[] = { "currentStepIndex", "stableRS", "currentPodHash" };

	for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
		if (!node_eq(node_get(r->old, watched[i]), node_get(r->status, watched[i])))
			return true;
	return t->updated > node_int_at(r->old, "updatedReplicas", 0) ||
	       t->ready > node_int_at(r->old, "readyReplicas", 0) ||
	       t->available > node_int_at(r->old, "availableReplicas", 0);
}

static bool reason_is(const struct node *condition, const char *reason)
{
	return str_eq(node_str_at(condition, "reason"), reason);
}

static bool waits_for_others(const struct rollout *r)
{
	const struct node *step = rollout_step(r) < r->n_steps ? node_item(r->steps, (size_t)rollout_step(r)) : NULL;

	return rollout_is_paused(r) || node_get(step, "pause") || node_get(step, "analysis");
}

static int64_t time_left(const struct rollout *r, const struct node *progressing)
{
	int64_t since;

	if (!time_parse(node_str_or(progressing, "lastUpdateTime", ""), &since))
		since = clock_ms();
	return since + node_int_at(r->spec, "progressDeadlineSeconds", DEADLINE_S) * 1000 - clock_ms();
}

static void check_deadline(struct rollout *r, const struct node *now, const char *who)
{
	char *text;

	if (!now || waits_for_others(r) || reason_is(now, "NewReplicaSetAvailable") || reason_is(now, "RolloutAborted"))
		return;
	if (reason_is(now, "ProgressDeadlineExceeded"))
		return;
	if (time_left(r, now) >= 0) {
		rollout_look_again(r, time_left(r, now) + 1000);
		return;
	}
	text = str_fmt("ReplicaSet \"%s\" has timed out progressing.", who);
	conditions_put(r->d, r->status, "Progressing", "False", "ProgressDeadlineExceeded", text, false);
	if (node_bool_at(r->spec, "progressDeadlineAbort", false) && !rollout_promoted(r) && !rollout_initial(r))
		rollout_abort(r, "%s", text);
	free(text);
}

static void put_progress(struct rollout *r, const struct totals *t)
{
	const struct node *now = condition_get(r->status, "Progressing");
	const char *who = rollout_set(r, r->current) ? rollout_set(r, r->current)->name : r->object->name;
	char *text = NULL;

	if (r->progress_reason) {
		conditions_put(r->d, r->status, "Progressing",
			       str_eq(r->progress_reason, "RolloutAborted") ? "False" : "True", r->progress_reason,
			       r->progress_message, true);
	} else if (rollout_flag(r, "abort")) {
		return;                 /* the reason stays until the next update or retry */
	} else if (rollout_is_paused(r)) {
		conditions_put(r->d, r->status, "Progressing", "Unknown", "RolloutPaused", "Rollout is paused", false);
	} else if (is_healthy(r, t)) {
		text = str_fmt("ReplicaSet \"%s\" has successfully progressed.", who);
		conditions_put(r->d, r->status, "Progressing", "True", "NewReplicaSetAvailable", text, false);
	} else if (has_progressed(r, t) || reason_is(now, "RolloutPaused")) {
		text = str_fmt("ReplicaSet \"%s\" is progressing.", who);
		conditions_put(r->d, r->status, "Progressing", "True", "ReplicaSetUpdated", text, true);
	} else {
		check_deadline(r, now, who);
	}
	free(text);
}

static void put_conditions(struct rollout *r, const struct totals *t)
{
	bool available = t->available >= r->limits.replicas - r->limits.max_unavailable, paused = rollout_is_paused(r);
	bool healthy = is_healthy(r, t), complete = rollout_promoted(r);

	put_bool(r, "Available", available, "AvailableReason",
		 available ? "Rollout has minimum availability" : "Rollout does not have minimum availability");
	put_bool(r, "Paused", paused, "RolloutPaused", paused ? "Rollout is paused" : "Rollout is not paused");
	put_bool(r, "Completed", complete, "RolloutCompleted",
		 complete ? "Rollout completed update" : "Rollout not completed, started update");
	put_progress(r, t);
	put_bool(r, "Healthy", healthy, healthy ? "RolloutHealthy" : "RolloutNotHealthy",
		 healthy ? "Rollout is healthy" : "Rollout is not healthy");
}

/* ---- phase ---- */

static const char *waiting_for(const struct rollout *r, const struct totals *t)
{
	const char *active = node_str_at(r->status, "blueGreen.activeSelector"),
		   *current = family_hash_of(&r->family, r->current);

	if (t->updated < r->limits.replicas)
		return "more replicas need to be updated";
	if (rollout_count(r, r->current).available < t->updated)
		return "updated replicas are still becoming available";
	if (r->blue_green && !str_eq(active, current))
		return "active service cutover pending";
	if (r->blue_green && !rollout_promoted(r))
		return "waiting for post-promotion verification to complete";
	if (r->canary && !node_get(r->canary, "trafficRouting") && t->replicas > t->updated)
		return "old replicas are pending termination";
	return rollout_promoted(r) ? NULL : "waiting for all steps to complete";
}

static void put_phase(struct rollout *r, const char *phase, const char *message)
{
	node_set(r->d, r->status, "phase", node_str(r->d, phase));
	if (message && *message)
		node_set(r->d, r->status, "message", node_str(r->d, message));
	else
		(void)node_del(r->status, "message");
}

static void decide_phase(struct rollout *r, const struct totals *t)
{
	const struct node *progressing = condition_get(r->status, "Progressing"),
			  *pause = node_item(node_get(r->status, "pauseConditions"), 0);

	if (reason_is(progressing, "RolloutAborted") || reason_is(progressing, "ProgressDeadlineExceeded")) {
		char *text = str_fmt("%s: %s", node_str_or(progressing, "reason", ""),
				     node_str_or(progressing, "message", ""));

		put_phase(r, "Degraded", text);
		free(text);
	} else if (node_bool_at(r->spec, "paused", false)) {
		put_phase(r, "Paused", "manually paused");
	} else if (pause) {
		put_phase(r, "Paused", node_str_or(pause, "reason", ""));
	} else if (rollout_restarting(r)) {
		put_phase(r, "Progressing", "rollout is restarting");
	} else {
		const char *waits = waiting_for(r, t);

		put_phase(r, waits ? "Progressing" : "Healthy", waits);
	}
}

void rollout_put_status(struct rollout *r)
{
	const struct totals t = total(r);

	put_counts(r, &t);
	put_conditions(r, &t);
	decide_phase(r, &t);
}
