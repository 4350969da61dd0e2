#include "orchestrator/controllers/rollout/rollout.h"

#include "orchestrator/controllers/conditions.h"

#include <stdarg.h>
#include <stdlib.h>

static const struct family_names names = {
	.hash_label = ROLLOUT_HASH,
	.revision = ROLLOUT_REVISION,
	.history = "rollout.argoproj.io/revision-history",
	.desired = "rollout.argoproj.io/desired-replicas",
	.most = "rollout.argoproj.io/max-replicas",
	.injected = ROLLOUT_EPHEMERAL,
};

static void rollout_free(struct rollout *r)
{
	object_drop(&r->object);
	family_free(&r->family);
	doc_drop(&r->d);
	free(r->progress_message);
}

/* ---- what the files of the controller share ---- */

struct rolling_set rollout_count(const struct rollout *r, size_t at)
{
	const struct object *set = rollout_set(r, at);

	return set ? (struct rolling_set){ set_replicas(set), set_count(set, "availableReplicas"), 0 } : (struct rolling_set){ 0, 0, 0 };
}

int rollout_scale(struct rollout *r, size_t at, int64_t replicas, struct err *err)
{
	const struct family_size size = { replicas, r->limits.replicas, r->limits.replicas + r->limits.max_surge };

	return rollout_set(r, at) ? family_scale(&r->family, at, &size, err) : 0;
}

bool rollout_enough(const struct rollout *r, int64_t target)
{
	const struct node *threshold = node_get(r->canary, "replicaProgressThreshold");
	int64_t available = rollout_count(r, r->current).available, value = node_int_at(threshold, "value", 100);

	if (!threshold)
		return available >= target;
	return str_eq(node_str_at(threshold, "type"), "Pod") ? available >= (value < target ? value : target)
							     : available * 100 >= target * value;
}

void rollout_look_again(struct rollout *r, int64_t ms)
{
	controller_queue_after(r->c, r->object->ns, r->object->name, ms);
}

static void note(struct rollout *r, const char *reason, char *take_message)
{
	free(r->progress_message);
	r->progress_reason = reason;
	r->progress_message = take_message;
}

static long long revision(const struct rollout *r)
{
	const struct object *set = rollout_set(r, r->current);

	return set ? family_revision(&r->family, set) : 0;
}

static void put_step(struct rollout *r, int64_t index)
{
	if (r->n_steps)
		node_set(r->d, r->status, "currentStepIndex", node_int(r->d, index));
	else
		(void)node_del(r->status, "currentStepIndex");
}

void rollout_next_step(struct rollout *r)
{
	put_step(r, rollout_step(r) + 1);
	(void)node_del(node_get(r->status, "canary"), "currentStepAnalysisRunStatus");
	controller_event(r->c, r->object, "Normal", "RolloutStepCompleted", "Rollout step %lld/%lld completed",
			 (long long)rollout_step(r), (long long)r->n_steps);
}

void rollout_abort(struct rollout *r, const char *fmt, ...)
{
	struct str why = { 0 };
	char now[32];
	va_list ap;

	va_start(ap, fmt);
	str_addv(&why, fmt, ap);
	va_end(ap);
	time_format(clock_ms(), now);
	node_set(r->d, r->status, "abort", node_bool(r->d, true));
	node_set(r->d, r->status, "abortedAt", node_str(r->d, now));
	(void)node_del(r->status, "promoteFull");       /* a retry goes through the steps */
	rollout_clear_pauses(r);
	put_step(r, 0);
	note(r, "RolloutAborted",
	     str_fmt("Rollout aborted update to revision %lld%s%s", revision(r), why.n ? ": " : "", str_c(&why)));
	controller_event(r->c, r->object, "Warning", "RolloutAborted", "%s", r->progress_message);
	str_free(&why);
}

void rollout_promote(struct rollout *r)
{
	const char *hash = family_hash_of(&r->family, r->current);
	static const char *const over[] = { "abort", "abortedAt", "promoteFull" };

	for (size_t i = 0; i < sizeof over / sizeof *over; i++)
		(void)node_del(r->status, over[i]);
	rollout_clear_pauses(r);
	put_step(r, r->n_steps);
	node_set(r->d, r->status, "stableRS", node_str(r->d, hash));
	r->stable = r->current;
	controller_event(r->c, r->object, "Normal", "RolloutCompleted",
			 "Rollout completed update to revision %lld (%s)", revision(r), hash);
}

/* ---- reading ---- */

static int read_limits(struct rollout *r, struct err *err)
{
	return rolling_read(&r->limits, node_int_at(r->spec, "replicas", 1), node_get(r->canary, "maxSurge"),
			    node_get(r->canary ? r->canary : r->blue_green, "maxUnavailable"), "25%", err);
}

static int take_object(struct rollout *r, struct err *err)
{
	TRY(rollout_resolve(r, err));
	r->spec = node_get(r->object->root, "spec");
	r->canary = node_at(r->spec, "strategy.canary");
	r->blue_green = node_at(r->spec, "strategy.blueGreen");
	r->steps = node_get(r->canary, "steps");
	r->n_steps = (int64_t)node_n(r->steps);
	return 0;
}

static int read_rollout(struct rollout *r, struct err *err)
{
	r->d = doc_new();
	r->status = controller_status(r->d, r->object);
	doc_set_root(r->d, r->status);
	TRY(take_object(r, err));
	r->old = node_get(r->object->root, "status");
	TRY(err_wrap(err, read_limits(r, err), "spec.strategy.%s", r->canary ? "canary" : "blueGreen"));
	return rollout_validate(r, err);
}

static int read_sets(struct rollout *r, struct err *err)
{
	TRY(family_read(&r->family, r->c, controller_informer(r->c, ROLLOUT_SETS), &names, r->object, err));
	r->current = family_match(&r->family, node_get(r->spec, "template"));
	r->stable = family_find(&r->family, node_str_at(r->status, "stableRS"));
	return 0;
}

/* ---- the set for the template as it is ---- */

static int make_current(struct rollout *r, struct err *err)
{
	int64_t collisions = node_int_at(r->status, "collisionCount", -1);
	const struct family_size size = { 0, r->limits.replicas, r->limits.replicas + r->limits.max_surge };
	int result = family_create(&r->family, node_get(r->spec, "template"), collisions < 0 ? NULL : &collisions,
				   &size, &r->current, err);

	if (result == -ERR_ALREADY_EXISTS) {
		node_set(r->d, r->status, "collisionCount",
			 node_int(r->d, collisions + 1)); /* written with the status; then again */
		rollout_look_again(r, 0);
		return 0;
	}
	if (result >= 0)
		note(r, "NewReplicaSetCreated",
		     str_fmt("Created new replica set \"%s\"", rollout_set(r, r->current)->name));
	return result;
}

static int ensure_current(struct rollout *r, struct err *err)
{
	AUTO_OBJECT before = NULL;

	if (!rollout_set(r, r->current)) {
		if (node_bool_at(r->spec, "paused", false))
			return 0;
		TRY(make_current(r, err));
		if (!rollout_set(r, r->current))
			return 0;
	} else {
		TRY(family_renew(&r->family, r->current, family_next_revision(&r->family, r->current), err));
	}
	before = object_ref(r->object);
	TRY(family_mark_owner(&r->family, r->current, &r->object, err));
	return before == r->object ? 0 : take_object(r, err);
}

/* ---- changes of the spec, and what people ask for ---- */

/* Blue-green back to a version that waits for its end, as it does for scaleDownDelaySeconds. */
static bool still_lives(const struct rollout *r)
{
	const struct object *set = rollout_set(r, r->current);

	return r->blue_green && !rollout_promoted(r) && set && set_replicas(set) &&
	       meta_annotation(set->root, ROLLOUT_DEADLINE);
}

static int64_t made_at(const struct rollout *r, size_t at)
{
	int64_t ms;

	return time_parse(node_str_or(rollout_set(r, at)->root, "metadata.creationTimestamp", ""), &ms) ? ms : 0;
}

/* Back to a version that is older than the stable one, with fewer versions between them than rollbackWindow has. */
static bool in_window(const struct rollout *r)
{
	int64_t window = node_int_at(r->spec, "rollbackWindow.revisions", 0), between = 0;

	if (rollout_initial(r) || rollout_promoted(r) || made_at(r, r->current) >= made_at(r, r->stable))
		return false;
	for (size_t i = 0; i < r->family.sets.n; i++)
		between += made_at(r, r->current) < made_at(r, i) && made_at(r, i) < made_at(r, r->stable);
	return between < window;
}

/* Another version, or other steps: everything that belonged to the update so far is over. */
static void reset(struct rollout *r)
{
	static const char *const over[] = { "abort", "abortedAt", "promoteFull" };
	static const char *const runs[] = { "currentStepAnalysisRunStatus", "currentBackgroundAnalysisRunStatus" };
	bool fast = still_lives(r) || in_window(r);     /* it has served before: no pause, no step and no analysis */

	rollout_clear_pauses(r);
	for (size_t i = 0; i < sizeof over / sizeof *over; i++)
		(void)node_del(r->status, over[i]);
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
		(void)node_del(node_get(r->status, "canary"), runs[i]);
	(void)node_del(r->status, "blueGreen");
	put_step(r, rollout_promoted(r) ? r->n_steps : 0);
	if (fast)
		node_set(r->d, r->status, "promoteFull", node_bool(r->d, true));
	if (rollout_promoted(r) || fast)
		controller_event(r->c, r->object, "Normal", "SkipSteps",
				 "Rollback to a version that has served before: steps are skipped");
}

static void note_changes(struct rollout *r)
{
	const char *hash = family_hash_of(&r->family, r->current), *seen = node_str_at(r->status, "currentPodHash");
	char steps[16] = "";

	if (!hash)
		return;
	if (r->n_steps)
		family_hash(r->steps, NULL, steps);
	if (!seen || strcmp(seen, hash) != 0 || !str_eq(node_str_or(r->status, "currentStepHash", ""), steps)) {
		reset(r);
		if (seen && strcmp(seen, hash) != 0)
			controller_event(r->c, r->object, "Normal", "RolloutUpdated",
					 "Rollout updated to revision %lld", revision(r));
	}
	node_set(r->d, r->status, "currentPodHash", node_str(r->d, hash));
	if (*steps)
		node_set(r->d, r->status, "currentStepHash", node_str(r->d, steps));
	else
		(void)node_del(r->status, "currentStepHash");
}

static void take_orders(struct rollout *r)
{
	bool aborted = node_get(r->status, "abortedAt") != NULL;

	if (rollout_flag(r, "abort") && (rollout_promoted(r) || rollout_initial(r))) {
		(void)node_del(r->status, "abort");     /* there is nothing to go back to */
	} else if (rollout_flag(r, "abort") && !aborted) {
		rollout_abort(r, "%s", "");
	} else if (!rollout_flag(r, "abort") && aborted) {
		(void)node_del(r->status, "abortedAt");
		put_step(r, 0);
		note(r, "RolloutRetry", str_fmt("Retrying Rollout for revision %lld", revision(r)));
	}
}

/* ---- the pass ---- */

static int write_status(struct rollout *r, struct err *err)
{
	return controller_put_status(r->c, ROLLOUTS, r->object, r->status, NULL, err);
}

static int write_invalid(struct rollout *r, const char *why, struct err *err)
{
	if (!r->status)
		return err_set(err, ERR_INVALID, "%s", why);
	AUTO(str) message = { 0 }, generation = { 0 };

	str_addf(&message, "The Rollout \"%s\" is invalid: %s", r->object->name, why);
	str_addf(&generation, "%lld", (long long)node_int_at(r->object->root, "metadata.generation", 0));
	if (!str_eq(node_str_at(condition_get(r->status, "InvalidSpec"), "message"), str_c(&message)))
		conditions_put(r->d, r->status, "InvalidSpec", "True", "InvalidSpec", str_c(&message), true);
	node_set(r->d, r->status, "phase", node_str(r->d, "Degraded"));
	node_set(r->d, r->status, "message", node_strf(r->d, "InvalidSpec: %s", str_c(&message)));
	node_set(r->d, r->status, "observedGeneration", node_str(r->d, str_c(&generation)));
	return write_status(r, err);
}

/* Templates are asked for: that may fail for reasons that say nothing about the spec. */
static bool is_transient(enum err_code code)
{
	return code == ERR_CANCELED || code == ERR_TIMEOUT || code == ERR_UNAVAILABLE;
}

static int act(struct rollout *r, struct err *err)
{
	bool evicted;           /* what has been counted is not so any more: the rest waits for the next pass */

	TRY(read_sets(r, err));
	TRY(ensure_current(r, err));
	note_changes(r);
	take_orders(r);
	TRY(rollout_release_services(r->c, r->object->ns, r->object->name, r->spec, err));
	TRY(rollout_restart(r, &evicted, err));
	TRY(rollout_put_metadata(r, err));
	if (!evicted && (rollout_set(r, r->current) || rollout_set(r, r->stable)))
		TRY(r->canary ? rollout_canary(r, err) : rollout_blue_green(r, err));
	TRY(family_settle(&r->family, err));
	rollout_put_status(r);
	TRY(write_status(r, err));
	TRY(rollout_end_runs(r, err));
	TRY(rollout_scale_workload(r, err));
	TRY(rollout_trim_runs(r, err));
	if (!rollout_promoted(r))
		return 0;
	return family_trim(&r->family, r->current, node_int_at(r->spec, "revisionHistoryLimit", 10), err);
}

int rollout_reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *o = informer_get(controller_informer(c, ROLLOUTS), ns, name);
	AUTO(rollout) r = { .c = c };
	AUTO(err) wrong = { 0 };

	if (!o || meta_deleting(o->root))
		return rollout_release_services(c, ns, name, NULL, err);
	r.object = object_ref(o);
	if (read_rollout(&r, &wrong) < 0)
		return is_transient(wrong.code) ? err_move(err, &wrong) : write_invalid(&r, err_msg(&wrong), err);
	(void)conditions_remove(r.status, "InvalidSpec");
	return act(&r, err);
}
