#include "orchestrator/scheduler/scheduler-internal.h"

/* Room left for cpu and memory after the pod, on average: the load spreads. */
static int64_t least_allocated(const struct request *rq, const struct candidate *c)
{
	const struct sv names[] = { SV("cpu"), SV("memory") };
	int64_t sum = 0;

	for (size_t i = 0; i < 2; i++) {
		int64_t all = amounts_get(&c->allocatable, names[i]);
		int64_t left = all - amounts_get(&c->used, names[i]) - amounts_get(&rq->wants, names[i]);

		if (all > 0 && left > 0)
			sum += (int64_t)((__int128)left * 100 / all);
	}
	return sum / 2;
}

static int64_t preferred_affinity(const struct request *rq, const struct candidate *c)
{
	const struct node *it,
		*all = node_at(rq->pod->root,
			       "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution");
	int64_t sum = 0, most = 0;

	node_each(it, all) {
		int64_t weight = node_int_at(it, "weight", 0);

		most += weight;
		sum += node_term_matches(node_get(it, "preference"), c->node->root) ? weight : 0;
	}
	return most ? sum * 100 / most : 0;
}

static int64_t no_preferred_taint(const struct request *rq, const struct candidate *c)
{
	return untolerated_taint(rq->pod->root, c->node->root, "PreferNoSchedule") ? 0 : 100;
}

/* Pods of one owner are better apart. */
static int64_t apart(const struct request *rq, const struct candidate *c)
{
	const char *owner = node_str_at(meta_owner(rq->pod->root), "uid");
	int64_t siblings = 0;

	for (size_t i = 0; owner && i < c->pods.n; i++)
		siblings += str_eq(node_str_at(meta_owner(c->pods.v[i]->root), "uid"), owner);
	return 100 / (1 + siblings);
}

const struct score scores[] = {
	{ "LeastAllocated", 1, least_allocated },
	{ "NodeAffinity", 2, preferred_affinity },
	{ "TaintToleration", 3, no_preferred_taint },
	{ "Spread", 2, apart },
	{ NULL, 0, NULL }
};
