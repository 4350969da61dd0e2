#include "orchestrator/controllers/rollout/rollout.h"

#include <stdio.h>
#include <stdlib.h>

#define DELAY_S 30              /* scaleDownDelaySeconds, abortScaleDownDelaySeconds */

/* ---- steps ---- */

static const struct node *step_at(const struct rollout *r, int64_t i)
{
	return i >= 0 && i < r->n_steps ? node_item(r->steps, (size_t)i) : NULL;
}

/* The last value of a step's field at or before the index; NULL: no step has set it. */
static const struct node *last_set(const struct rollout *r, int64_t index, const char *field)
{
	for (int64_t i = index < r->n_steps ? index : r->n_steps - 1; i >= 0; i--)
		if (node_get(step_at(r, i), field))
			return node_get(step_at(r, i), field);
	return NULL;
}

static int64_t max_weight(const struct rollout *r)
{
	return node_int_at(r->canary, "trafficRouting.maxTrafficWeight", 100);
}

static int64_t weight_at(const struct rollout *r, int64_t index)
{
	const struct node *set = last_set(r, index, "setWeight");
	int64_t weight = 0;

	if (index >= r->n_steps)
		return max_weight(r);
	return set && node_to_i64(set, &weight) ? weight : 0;
}

/* The weight that the Rollout is to have now. */
static int64_t wanted_weight(const struct rollout *r)
{
	if (rollout_initial(r) || rollout_promoted(r))
		return max_weight(r);
	if (rollout_flag(r, "abort"))
		return 0;
	return rollout_flag(r, "promoteFull") ? max_weight(r) : weight_at(r, rollout_step(r));
}

/* ---- replicas ---- */

static bool is_older(const struct rollout *r, size_t at) { return at != r->current && at != r->stable; }

static int64_t older_count(const struct rollout *r, bool available)
{
	int64_t sum = 0;

	for (size_t i = 0; i < r->family.sets.n; i++)
		if (is_older(r, i))
			sum += available ? rollout_count(r, i).available : rollout_count(r, i).spec;
	return sum;
}

static int drain_older(struct rollout *r, const struct canary *c, const struct rolling_set *new,
		       const struct rolling_set *stable, struct err *err)
{
	size_t n = 0;
	struct rolling_set *sets = calloc(r->family.sets.n + 1, sizeof *sets);
	int64_t *wanted = calloc(r->family.sets.n + 1, sizeof *wanted);
	int result = 0;

	if (!sets || !wanted)
		abort();
	for (size_t i = 0; i < r->family.sets.n; i++)
		if (is_older(r, i))
			sets[n++] = rollout_count(r, i);
	canary_drain(c, new, stable, sets, n, wanted);
	n = 0;
	for (size_t i = 0; i < r->family.sets.n && result >= 0; i++)
		if (is_older(r, i) && wanted[n++] != rollout_count(r, i).spec)
			result = rollout_scale(r, i, wanted[n - 1], err);
	free(sets);
	free(wanted);
	return result;
}

/* Pods are the weight: one bounded move of all sets, on counts that were read together. *there: the counts are reached. */
static int move_replicas(struct rollout *r, bool *there, struct err *err)
{
	const struct canary c = { r->limits, wanted_weight(r), max_weight(r) };
	const struct rolling_set new = rollout_count(r, r->current), old = rollout_count(r, r->stable);
	const struct rolling_set *stable = rollout_initial(r) || rollout_promoted(r) ? NULL : &old;
	int64_t new_to, stable_to, canary, rest;

	canary_split(&c, &canary, &rest);
	*there = new.spec == canary && new.available <= canary && rollout_enough(r, canary) &&
		 (!stable || old.spec == rest) && !older_count(r, true);
	canary_move(&c, &new, stable, older_count(r, false), &new_to, &stable_to);
	TRY(drain_older(r, &c, &new, stable, err));
	if (stable)
		TRY(rollout_scale(r, r->stable, stable_to, err));
	return rollout_scale(r, r->current, new_to, err);
}

/* ---- replicas and weights with traffic routing ---- */

static int64_t actual_weight(const struct rollout *r) { return node_int_at(r->old, "canary.weights.canary.weight", 0); }

static bool is_dynamic(const struct rollout *r) { return node_bool_at(r->canary, "dynamicStableScale", false); }

/* The set that shares with the stable one: the current one, or, after the way back to the stable version, the one that was
 * given up, for as long as it has connections that the stable one could not take yet. */
static size_t canary_set(const struct rollout *r)
{
	size_t at = family_find(&r->family, node_str_at(r->old, "canary.weights.canary.podTemplateHash"));

	return rollout_promoted(r) && is_dynamic(r) && actual_weight(r) && rollout_set(r, at) ? at : r->current;
}

static struct routed routed_of(const struct rollout *r)
{
	const struct node *scale =
		rollout_initial(r) || rollout_promoted(r) || rollout_flag(r, "promoteFull") || rollout_flag(r, "abort")
			? NULL
			: last_set(r, rollout_step(r), "setCanaryScale");

	if (node_bool_at(scale, "matchTrafficWeight", false) || rollout_step(r) >= r->n_steps)
		scale = NULL;
	return (struct routed){
		.replicas = r->limits.replicas,
		.weight = wanted_weight(r),
		.max_weight = max_weight(r),
		.actual = actual_weight(r),
		.explicit_canary = node_int_at(scale, "replicas", -1),
		.scale_weight = node_int_at(scale, "weight", -1),
		.min_pods = node_int_at(r->canary, "minPodsPerReplicaSet", 0),
		.dynamic_stable = is_dynamic(r),
		.aborted = rollout_flag(r, "abort"),
	};
}

/* On the way back all connections are stable's at once, when it has all its pods. */
static int64_t weight_kept(const struct rollout *r, const struct routed *routed)
{
	if (!is_dynamic(r) || canary_set(r) == r->stable)
		return 0;
	return routed_kept(routed, rollout_count(r, r->stable).available);
}

/* Weight follows pods: it is raised when the canary has them, and before stable loses its own. */
static int64_t weight_in_effect(const struct rollout *r, const struct routed *routed, bool there)
{
	const struct rolling_set new = rollout_count(r, canary_set(r)), stable = rollout_count(r, r->stable);
	int64_t wanted = wanted_weight(r), most = max_weight(r), before = actual_weight(r);

	if (rollout_initial(r) || !new.available)
		return 0;
	if (rollout_promoted(r) || rollout_flag(r, "abort"))
		return weight_kept(r, routed);
	if (rollout_flag(r, "promoteFull"))
		return before;
	if (!there)
		wanted = weight_at(r, rollout_step(r) - 1 < 0 ? -1 : rollout_step(r) - 1);
	if (wanted < before && stable.available * most < (most - wanted) * r->limits.replicas)
		return before;  /* stable cannot serve more yet */
	return wanted;
}

static void put_weights(struct rollout *r, int64_t weight)
{
	const char *canary = family_hash_of(&r->family, canary_set(r)), *stable = family_hash_of(&r->family, r->stable);
	struct node *weights = node_map(r->d);

	node_put(r->d, r->status, "canary.weights", weights);
	node_put(r->d, weights, "canary.weight", node_int(r->d, weight));
	if (canary)
		node_put(r->d, weights, "canary.podTemplateHash", node_str(r->d, canary));
	node_put(r->d, weights, "stable.weight", node_int(r->d, max_weight(r) - weight));
	if (stable)
		node_put(r->d, weights, "stable.podTemplateHash", node_str(r->d, stable));
	node_set(r->d, weights, "verified", node_bool(r->d, true));
}

/* Sets that get no traffic any more: at once when they were given up on the way, later when they served as stable. */
static int end_older(struct rollout *r, const struct routed *routed, struct err *err)
{
	int64_t delay_s = node_int_at(r->canary, "scaleDownDelaySeconds", DELAY_S), needed;
	size_t sharing = canary_set(r);

	if (is_dynamic(r) || !rollout_promoted(r))
		delay_s = 0;
	needed = routed_pods(routed, routed->actual);
	if (is_older(r, sharing) && rollout_count(r, sharing).spec > needed)
		TRY(rollout_scale(r, sharing, needed, err));
	return rollout_end_older(r, sharing, delay_s, node_int_at(r->canary, "scaleDownDelayRevisionLimit", INT64_MAX), err);
}

/* Pods that scale with the traffic leave with it; others wait, so that a retry finds them. */
static int end_aborted(struct rollout *r, int64_t canary, struct err *err)
{
	int64_t delay_s = node_int_at(r->canary, "abortScaleDownDelaySeconds", DELAY_S);

	if (is_dynamic(r) && !node_get(r->canary, "abortScaleDownDelaySeconds"))
		return rollout_count(r, r->current).spec > canary ? rollout_scale(r, r->current, canary, err) : 0;
	if (rollout_count(r, r->stable).available < r->limits.replicas || !delay_s)
		return 0;       /* 0 keeps the canary for ever */
	return rollout_delay_scale_down(r, r->current, delay_s, err);
}

static int route(struct rollout *r, bool *there, struct err *err)
{
	const struct routed routed = routed_of(r);
	const struct rolling_set new = rollout_count(r, r->current);
	int64_t canary, stable, weight;

	routed_split(&routed, &canary, &stable);
	if (rollout_initial(r) || rollout_promoted(r))
		canary = r->limits.replicas;
	*there = new.spec == canary && rollout_enough(r, canary);
	if (!rollout_initial(r) && !rollout_promoted(r))
		TRY(rollout_scale(r, r->stable, stable, err));
	weight = weight_in_effect(r, &routed, *there);
	if (!routed.aborted) {
		TRY(rollout_keep(r, r->current, err));
		if (canary > new.spec)
			TRY(rollout_scale(r, r->current, canary, err));
	}
	TRY(rollout_split(r, node_str_at(r->canary, "trafficRouting.native.service"), canary_set(r), weight, max_weight(r),
			  err));
	put_weights(r, weight);
	*there = *there && weight == wanted_weight(r);
	if (routed.aborted && !rollout_promoted(r))
		return end_aborted(r, canary, err);
	if (canary < new.spec)
		TRY(rollout_scale(r, r->current, canary, err));
	return end_older(r, &routed, err);
}

/* ---- services ---- */

/* A Service is moved to a version that can serve: wholly the first time, and later as soon as any of it can. */
static int point(struct rollout *r, const char *service, size_t at, struct err *err)
{
	int64_t available = rollout_count(r, at).available,
		enough = rollout_service_hash(r, service) ? 1 : r->limits.replicas;

	return available >= enough ? rollout_point_service(r, service, at, err) : 0;
}

static int point_services(struct rollout *r, struct err *err)
{
	const char *stable = node_str_at(r->canary, "stableService"), *canary = node_str_at(r->canary, "canaryService");

	if (rollout_initial(r))
		return 0;
	TRY(point(r, stable, r->stable, err));
	return point(r, canary, rollout_flag(r, "abort") ? r->stable : r->current, err);
}

/* ---- the current step ---- */

static int judge_step(struct rollout *r, const struct node *spec, bool *done, struct err *err)
{
	char suffix[24];
	const struct analysis a = { "Step", suffix, "canary.currentStepAnalysisRunStatus", spec };

	snprintf(suffix, sizeof suffix, "-%lld", (long long)rollout_step(r));
	return rollout_judge(r, &a, done, err);
}

static int run_step(struct rollout *r, bool there, struct err *err)
{
	const struct node *step = step_at(r, rollout_step(r)), *pause = node_get(step, "pause");
	bool done = there;
	int64_t duration_s = -1;

	if (pause) {
		if (node_get(pause, "duration"))
			TRY(rollout_seconds(node_get(pause, "duration"), &duration_s));
		done = rollout_pause_over(r, "CanaryPauseStep", duration_s);
	} else if (node_get(step, "analysis")) {
		TRY(judge_step(r, node_get(step, "analysis"), &done, err));
	}
	if (done)
		rollout_next_step(r);
	return 0;
}

static int judge_background(struct rollout *r, struct err *err)
{
	const struct analysis a = { "Background", "", "canary.currentBackgroundAnalysisRunStatus", node_get(r->canary, "analysis") };

	return a.spec && rollout_step(r) >= node_int_at(a.spec, "startingStep", 0) ? rollout_watch(r, &a, err) : 0;
}

/* All of the new version serves: it is the stable one. */
static bool is_through(const struct rollout *r)
{
	bool last = rollout_initial(r) || rollout_flag(r, "promoteFull") || rollout_step(r) >= r->n_steps;

	return last && rollout_enough(r, r->limits.replicas) && !node_bool_at(r->spec, "paused", false);
}

static int go_on(struct rollout *r, bool there, struct err *err)
{
	if (is_through(r) && !rollout_promoted(r) && !rollout_flag(r, "abort"))
		rollout_promote(r);
	if (rollout_promoted(r) || rollout_flag(r, "abort") || rollout_initial(r) || rollout_flag(r, "promoteFull")) {
		rollout_end_analyses(r);
		return 0;
	}
	rollout_end_undecided(r);
	TRY(judge_background(r, err));
	if (rollout_flag(r, "abort") || rollout_step(r) >= r->n_steps || node_bool_at(r->spec, "paused", false))
		return 0;
	if (rollout_has_pause(r, INCONCLUSIVE) && !node_get(step_at(r, rollout_step(r)), "analysis"))
		return 0;
	return run_step(r, there, err);
}

int rollout_canary(struct rollout *r, struct err *err)
{
	bool there = false;

	TRY(point_services(r, err));
	if (node_get(r->canary, "trafficRouting"))
		TRY(route(r, &there, err));
	else
		TRY(move_replicas(r, &there, err));
	return go_on(r, there, err);
}
