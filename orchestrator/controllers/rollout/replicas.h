/* orchestrator/controllers/rollout/replicas.h - how many pods the versions of a Rollout get. Pure arithmetic, by Argo
 * Rollouts' rules (rollout semantics 5). */
#pragma once

#include "orchestrator/controllers/rolling.h"

struct canary {
	struct rolling limits;          /* replicas, surge, unavailable */
	int64_t weight, max_weight;     /* of the canary: weight of max_weight */
};

/* Without traffic routing the number of pods is the weight: the counts that come nearest to it. */
void canary_split(const struct canary *c, int64_t *canary, int64_t *stable);
/* One bounded move towards these counts: never above replicas + surge, never below what must be available. stable NULL:
 * there is none, or it is the new set; older: replicas of all other sets, which are drained first. */
void canary_move(const struct canary *c, const struct rolling_set *new, const struct rolling_set *stable, int64_t older,
		 int64_t *new_to, int64_t *stable_to);
/* What the other sets (oldest first) are lowered to: what is not available first, then the newest. */
void canary_drain(const struct canary *c, const struct rolling_set *new, const struct rolling_set *stable,
		  const struct rolling_set *older, size_t n, int64_t *wanted);

struct routed {
	int64_t replicas;
	int64_t weight, max_weight;     /* wanted for the canary */
	int64_t actual;                 /* the canary's weight in the last written status */
	int64_t explicit_canary;        /* setCanaryScale's replicas; -1: none */
	int64_t scale_weight;           /* setCanaryScale's weight; -1: the traffic's */
	int64_t min_pods;               /* minPodsPerReplicaSet */
	bool dynamic_stable, aborted;
};
/* With traffic routing weights need no pods: the canary has what its weight needs, the stable set stays whole unless it
 * scales with its share. */
void routed_split(const struct routed *r, int64_t *canary, int64_t *stable);
int64_t routed_pods(const struct routed *r, int64_t weight);            /* that a weight needs */
/* On the way back: the part of the actual weight that the canary keeps, because so few pods of stable cannot serve it. */
int64_t routed_kept(const struct routed *r, int64_t stable_available);
