#include "orchestrator/controllers/rollout/replicas.h"

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t ceil_of(int64_t n, int64_t weight, int64_t of) { return (n * weight + of - 1) / of; }

/* ---- basic canary ---- */

struct option { int64_t canary, total; };

/* Is a nearer to the weight than b? As fractions: |canary / total - weight / max|. */
static bool nearer(const struct canary *c, struct option a, struct option b)
{
	int64_t da = a.canary * c->max_weight - c->weight * a.total,
		db = b.canary * c->max_weight - c->weight * b.total;

	return (da < 0 ? -da : da) * b.total < (db < 0 ? -db : db) * a.total;
}

static void consider(const struct canary *c, struct option *best, struct option o)
{
	if (best->total < 0 || nearer(c, o, *best))
		*best = o;
}

void canary_split(const struct canary *c, int64_t *canary, int64_t *stable)
{
	int64_t r = c->limits.replicas, w = c->weight, most = c->max_weight;
	int64_t up = ceil_of(r, w, most), down = r * w / most;
	bool tie = 2 * (r * w % most) == most;
	/* A weight between the ends gets at least one pod of each version, as far as there are two. */
	bool zero_allowed = w == 0 || w == most || (r == 1 && !c->limits.max_surge);
	bool down_allowed = !tie && (down > 0 || zero_allowed);
	struct option best = { 0, -1 };

	*canary = *stable = 0;
	if (!r)
		return;
	if (up < r || zero_allowed)
		consider(c, &best, (struct option){ up, r });
	if (down_allowed)
		consider(c, &best, (struct option){ down, r });
	if (c->limits.max_surge > 0) {
		consider(c, &best, (struct option){ up, r + 1 });
		if (down_allowed)
			consider(c, &best, (struct option){ down, r + 1 });
	}
	if (best.total < 0)
		best = (struct option){ 0, r };
	*canary = best.canary;
	*stable = best.total - best.canary;
}

static int64_t raise_to(int64_t now, int64_t target, int64_t *room)
{
	int64_t by = max(0, min(target - now, *room));

	*room -= by;
	return now + by;
}

static int64_t lower_to(int64_t now, int64_t target, int64_t *slack)
{
	int64_t by = max(0, min(now - target, *slack));

	*slack -= by;
	return now - by;
}

void canary_move(const struct canary *c, const struct rolling_set *new, const struct rolling_set *stable, int64_t older,
		 int64_t *new_to, int64_t *stable_to)
{
	static const struct rolling_set none;
	const struct rolling_set *s = stable ? stable : &none;
	int64_t new_target, stable_target,
		room = c->limits.replicas + c->limits.max_surge - new->spec - s->spec - older, slack,
		floor = c->limits.replicas - c->limits.max_unavailable;

	canary_split(c, &new_target, &stable_target);
	if (!stable) {
		new_target = c->limits.replicas;
		stable_target = 0;
	}
	*stable_to = raise_to(s->spec, stable_target, &room);
	*new_to = raise_to(new->spec, new_target, &room);
	if (older > 0)
		return;
	/* A set removes first what does not serve, so all its pods count while it is drained; of the other one what serves. */
	slack = new->spec + min(s->spec, s->available) - floor;
	*new_to = lower_to(*new_to, new_target, &slack);
	slack = s->spec + min(*new_to, new->available) - floor;
	*stable_to = lower_to(*stable_to, stable_target, &slack);
}

void canary_drain(const struct canary *c, const struct rolling_set *new, const struct rolling_set *stable,
		  const struct rolling_set *older, size_t n, int64_t *wanted)
{
	int64_t slack =
		new->available + (stable ? stable->available : 0) - (c->limits.replicas - c->limits.max_unavailable);

	for (size_t i = 0; i < n; i++) {
		wanted[i] = min(older[i].spec, older[i].available);     /* the rest does not serve anyway */
		slack += wanted[i];
	}
	for (size_t i = n; i-- > 0;)
		wanted[i] = lower_to(wanted[i], 0, &slack);
}

/* ---- with traffic routing ---- */

static int64_t at_least(int64_t n, const struct routed *r) { return n > 0 ? min(max(n, r->min_pods), r->replicas) : n; }

int64_t routed_pods(const struct routed *r, int64_t weight) { return at_least(ceil_of(r->replicas, weight, r->max_weight), r); }

int64_t routed_kept(const struct routed *r, int64_t stable_available)
{
	int64_t served = r->replicas ? min(stable_available, r->replicas) * r->max_weight / r->replicas : r->max_weight;

	return min(r->actual, r->max_weight - served);
}

void routed_split(const struct routed *r, int64_t *canary, int64_t *stable)
{
	int64_t weight = r->scale_weight >= 0 ? r->scale_weight : r->weight;

	*canary = r->explicit_canary >= 0 ? r->explicit_canary : routed_pods(r, weight);
	*stable = r->replicas;
	if (!r->dynamic_stable)
		return;
	/* What still gets traffic by the last written weights keeps its pods: the pods follow the traffic. */
	*stable = max(routed_pods(r, r->max_weight - r->weight), routed_pods(r, r->max_weight - r->actual));
	if (r->aborted)
		*canary = max(routed_pods(r, r->actual), *canary);
}
