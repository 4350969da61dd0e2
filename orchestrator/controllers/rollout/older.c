#include "orchestrator/controllers/rollout/rollout.h"

/* Sets that serve no more live on for a while, so that going back to them takes no time: the deadline is an annotation. */

int rollout_keep(struct rollout *r, size_t at, struct err *err)
{
	return rollout_set(r, at) ? family_annotate(&r->family, at, ROLLOUT_DEADLINE, NULL, err) : 0;
}

static int end(struct rollout *r, size_t at, struct err *err)
{
	TRY(rollout_scale(r, at, 0, err));
	return rollout_keep(r, at, err);
}

int rollout_delay_scale_down(struct rollout *r, size_t at, int64_t delay_s, struct err *err)
{
	const struct object *set = rollout_set(r, at);
	int64_t deadline, left;
	char text[32];

	if (!set)
		return 0;
	if (!set_replicas(set) || delay_s <= 0)
		return end(r, at, err);
	if (!time_parse(meta_annotation(set->root, ROLLOUT_DEADLINE) ? meta_annotation(set->root, ROLLOUT_DEADLINE)
								     : "",
			&deadline)) {
		deadline = clock_ms() + delay_s * 1000;
		time_format(deadline, text);
		TRY(family_annotate(&r->family, at, ROLLOUT_DEADLINE, text, err));
	}
	left = deadline - clock_ms();
	if (left <= 0)
		return end(r, at, err);
	rollout_look_again(r, left);
	return 0;
}

int rollout_end_older(struct rollout *r, size_t but, int64_t delay_s, int64_t limit, struct err *err)
{
	int64_t waiting = 0;

	for (size_t i = r->family.sets.n; i-- > 0;) {   /* the newest first: they wait, the others end at once */
		if (i == r->current || i == r->stable || i == but)
			continue;
		TRY(rollout_delay_scale_down(r, i, waiting < limit ? delay_s : 0, err));
		waiting += set_replicas(rollout_set(r, i)) > 0;
	}
	return 0;
}
