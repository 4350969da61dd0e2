/* operator/app/plan.h - in which order the tasks of a sync run. Pure.
 *
 * By phase, wave, rank of the kind, and name; then a Namespace moves before the first task that lives in it, and a
 * CustomResourceDefinition before the first task of its kind (operator semantics 15). */
#pragma once

#include "operator/app/hooks.h"

struct task {
	enum phase phase;
	int64_t wave;
	const char *group, *kind, *ns, *name;   /* borrowed; ns "" for cluster-scoped kinds */
	const char *defines_group, *defines_kind;       /* of a CustomResourceDefinition; else NULL */
	bool prune;
	size_t row;                             /* the caller's: which row of the comparison */
};

struct plan { struct task *v; size_t n, cap; };

/* Waves of prune tasks are mirrored (what came last goes first); prune_last puts them after everything. */
void plan_sort(struct plan *p, bool prune_last);
/* One past the last task of the same phase and wave as the one at i. */
size_t plan_wave_end(const struct plan *p, size_t i);
int kind_rank(const char *kind);
