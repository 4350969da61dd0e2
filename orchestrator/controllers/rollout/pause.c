#include "orchestrator/controllers/rollout/rollout.h"

/* The controller's pauses are in status.pauseConditions, and controllerPause says that there are some. A person resumes by
 * clearing the conditions: controllerPause without conditions means just that. */

static const struct node *conditions(const struct rollout *r) { return node_get(r->status, "pauseConditions"); }

bool rollout_is_paused(const struct rollout *r)
{
	return node_bool_at(r->spec, "paused", false) || node_n(conditions(r)) > 0;
}

static const struct node *find(const struct rollout *r, const char *reason)
{
	const struct node *it, *all = conditions(r);

	node_each(it, all)
		if (str_eq(node_str_at(it, "reason"), reason))
			return it;
	return NULL;
}

bool rollout_has_pause(const struct rollout *r, const char *reason) { return find(r, reason) != NULL; }

void rollout_pause(struct rollout *r, const char *reason)
{
	struct node *row;
	char now[32];

	if (rollout_has_pause(r, reason))
		return;
	time_format(clock_ms(), now);
	if (!node_is(node_get(r->status, "pauseConditions"), NODE_SEQ))
		(void)node_del(r->status, "pauseConditions");   /* people write null to resume */
	row = node_map(r->d);
	node_set(r->d, row, "reason", node_str(r->d, reason));
	node_set(r->d, row, "startTime", node_str(r->d, now));
	node_add(r->d, node_seq_at(r->d, r->status, "pauseConditions"), row);
	node_set(r->d, r->status, "controllerPause", node_bool(r->d, true));
	controller_event(r->c, r->object, "Normal", "RolloutPaused", "Rollout is paused (%s)", reason);
}

void rollout_clear_pauses(struct rollout *r)
{
	(void)node_del(r->status, "pauseConditions");
	(void)node_del(r->status, "controllerPause");
}

static bool time_is_up(struct rollout *r, const struct node *pause, int64_t duration_s)
{
	int64_t since, left;

	if (duration_s < 0 || !time_parse(node_str_or(pause, "startTime", ""), &since))
		return false;
	left = since + duration_s * 1000 - clock_ms();
	if (left > 0)
		rollout_look_again(r, left);
	return left <= 0;
}

bool rollout_pause_over(struct rollout *r, const char *reason, int64_t duration_s)
{
	const struct node *pause = find(r, reason);
	bool resumed = !node_n(conditions(r)) && rollout_flag(r, "controllerPause");

	if (!resumed && !pause) {
		rollout_pause(r, reason);
		pause = find(r, reason);
	}
	if (!resumed && !time_is_up(r, pause, duration_s))
		return false;
	rollout_clear_pauses(r);
	controller_event(r->c, r->object, "Normal", "RolloutResumed", "Rollout is resumed");
	return true;
}
