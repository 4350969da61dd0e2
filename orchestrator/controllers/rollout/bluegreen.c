#include "orchestrator/controllers/rollout/rollout.h"

#define DELAY_S 30

struct colours {
	const char *active, *preview;   /* Services */
	bool switched;                  /* the active Service points at the new version */
};

static struct colours colours_of(const struct rollout *r)
{
	struct colours c = {node_str_at(r->blue_green, "activeService"), node_str_at(r->blue_green, "previewService"),
			    false};
	const char *hash = rollout_service_hash(r, c.active);

	c.switched = hash && str_eq(hash, family_hash_of(&r->family, r->current));
	return c;
}

/* ---- sizes ---- */

static int64_t preview_size(const struct rollout *r, const struct colours *c)
{
	int64_t preview = node_int_at(r->blue_green, "previewReplicaCount", 0);
	bool whole = !preview || rollout_initial(r) || rollout_promoted(r) || c->switched ||
		     rollout_flag(r, "promoteFull") ||
		     node_bool_at(r->status, "blueGreen.scaleUpPreviewCheckPoint", false);

	return whole ? r->limits.replicas : preview;
}

static int end_older(struct rollout *r, struct err *err)
{
	return rollout_end_older(r, FAMILY_NONE, node_int_at(r->blue_green, "scaleDownDelaySeconds", DELAY_S),
				 node_int_at(r->blue_green, "scaleDownDelayRevisionLimit", INT64_MAX), err);
}

static int size_sets(struct rollout *r, int64_t size, struct err *err)
{
	if (rollout_set(r, r->stable) && !rollout_promoted(r)) {
		TRY(rollout_scale(r, r->stable, r->limits.replicas, err));
		TRY(rollout_keep(r, r->stable, err));
	}
	TRY(rollout_scale(r, r->current, size, err));
	return rollout_keep(r, r->current, err);
}

/* ---- ways back ---- */

static int go_back(struct rollout *r, const struct colours *c, struct err *err)
{
	int64_t delay_s = node_int_at(r->blue_green, "abortScaleDownDelaySeconds", DELAY_S);

	TRY(rollout_scale(r, r->stable, r->limits.replicas, err));
	TRY(rollout_keep(r, r->stable, err));
	TRY(rollout_point_service(r, c->active, r->stable, err));
	rollout_end_analyses(r);
	return delay_s ? rollout_delay_scale_down(r, r->current, delay_s, err) : 0;
}

/* ---- the way forward ---- */

/* The pause before the switch: until resumed, or for a time, or not at all. */
static bool may_switch(struct rollout *r)
{
	int64_t seconds = node_int_at(r->blue_green, "autoPromotionSeconds", 0);
	bool automatic = node_bool_at(r->blue_green, "autoPromotionEnabled", true);

	if (node_bool_at(r->spec, "paused", false))
		return false;
	if (automatic && seconds <= 0)
		return true;
	return node_bool_at(r->status, "blueGreen.scaleUpPreviewCheckPoint", false)
	       || rollout_pause_over(r, "BlueGreenPause", automatic ? seconds : -1);
}

/* With a smaller preview the version is made whole after all checks, and switched to when it is. */
static bool is_whole(struct rollout *r)
{
	if (rollout_set(r, r->current) && set_replicas(rollout_set(r, r->current)) < r->limits.replicas) {
		node_put(r->d, r->status, "blueGreen.scaleUpPreviewCheckPoint", node_bool(r->d, true));
		return false;
	}
	return true;
}

static int try_switch(struct rollout *r, const struct colours *c, int64_t size, bool *switched, struct err *err)
{
	const struct analysis a = { "PrePromotion", "-pre", "blueGreen.prePromotionAnalysisRunStatus", node_get(r->blue_green, "prePromotionAnalysis") };
	bool fast = rollout_promoted(r) || rollout_flag(r, "promoteFull") || !rollout_service_hash(r, c->active);
	bool good = true;

	if (rollout_initial(r) && !rollout_service_hash(r, c->active)) {
		*switched = true;
		return rollout_point_service(r, c->active, r->current, err);
	}
	if (rollout_count(r, r->current).available < size)
		return 0;
	if (!fast && a.spec)
		TRY(rollout_judge(r, &a, &good, err));
	if (!good || rollout_flag(r, "abort") || (!fast && !may_switch(r)) || !is_whole(r))
		return 0;
	*switched = true;
	return rollout_point_service(r, c->active, r->current, err);
}

static int settle(struct rollout *r, struct err *err)
{
	const struct analysis a = { "PostPromotion", "-post", "blueGreen.postPromotionAnalysisRunStatus", node_get(r->blue_green, "postPromotionAnalysis") };
	bool good = true;

	if (rollout_promoted(r) || rollout_count(r, r->current).available < r->limits.replicas ||
	    node_bool_at(r->spec, "paused", false))
		return 0;
	if (a.spec && !rollout_initial(r) && !rollout_flag(r, "promoteFull"))
		TRY(rollout_judge(r, &a, &good, err));
	if (good && !rollout_flag(r, "abort")) {
		rollout_promote(r);
		rollout_end_analyses(r);
	}
	return 0;
}

static void put_selectors(struct rollout *r, const struct colours *c)
{
	const char *active = rollout_service_hash(r, c->active), *preview = rollout_service_hash(r, c->preview);

	if (active)
		node_put(r->d, r->status, "blueGreen.activeSelector", node_str(r->d, active));
	if (preview)
		node_put(r->d, r->status, "blueGreen.previewSelector", node_str(r->d, preview));
}

int rollout_blue_green(struct rollout *r, struct err *err)
{
	struct colours c = colours_of(r);
	int64_t size = preview_size(r, &c);

	if (rollout_flag(r, "abort") && !rollout_promoted(r) && !rollout_initial(r)) {
		TRY(go_back(r, &c, err));
		put_selectors(r, &c);
		return 0;
	}
	TRY(size_sets(r, size, err));
	TRY(rollout_point_service(r, c.preview, r->current, err));
	if (!c.switched)
		TRY(try_switch(r, &c, size, &c.switched, err));
	if (c.switched)
		TRY(settle(r, err));
	put_selectors(r, &c);
	return c.switched || rollout_promoted(r) ? end_older(r, err) : 0;
}
