/* orchestrator/controllers/rolling.h - how many replicas each ReplicaSet gets while a new one takes over. Pure arithmetic.
 *
 * The rules are those of Kubernetes' Deployment: never more than replicas + max_surge pods, never fewer than replicas -
 * max_unavailable available ones. Sets are given oldest first. */
#pragma once

#include "base/doc.h"

struct rolling { int64_t replicas, max_surge, max_unavailable; };

struct rolling_set {
	int64_t spec, available;
	int64_t most;           /* the ceiling when spec was set (annotation max-replicas); 0: unknown */
};

/* maxSurge and maxUnavailable of a strategy, whole numbers or percent (surge is rounded up, unavailable down; both 0:
 * unavailable is 1). An absent one is def, text of the same form. Errors name the field. */
MUST_CHECK int rolling_read(struct rolling *r, int64_t replicas, const struct node *surge, const struct node *unavailable,
			    const char *def, struct err *err);
/* "25%" or 3 of total; percentages are rounded up or down. */
MUST_CHECK int rolling_resolve(const struct node *value, int64_t total, bool up, int64_t *out, struct err *err);

/* What the new set is raised (or, above replicas, lowered) to. */
int64_t rolling_new(const struct rolling *r, const struct rolling_set *new, const struct rolling_set *old, size_t n_old);
/* What each old set is lowered to: unhealthy replicas first, then as far as availability allows. */
void rolling_old(const struct rolling *r, const struct rolling_set *new, const struct rolling_set *old, size_t n_old, int64_t *wanted);
/* The number of replicas changed in the middle of a roll-out: every set that has some is scaled in proportion. */
void rolling_scale(const struct rolling *r, const struct rolling_set *sets, size_t n, int64_t *wanted);
