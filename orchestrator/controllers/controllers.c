#include "orchestrator/controllers/controllers.h"

#include "base/vec.h"
#include "orchestrator/analysis/analysis.h"
#include "orchestrator/controllers/rows.h"
#include "orchestrator/scheduler/scheduler.h"

#include <stdlib.h>

const struct controller_spec *const controllers[] = {
	&deployment_controller,
	&replicaset_controller,
	&scheduler,
	&endpoints_controller,
	&namespace_controller,
	&serviceaccount_controller,
	&rootca_controller,
	&token_controller,
	&garbage_controller,
	&podgc_controller,
	&daemonset_controller,
	&statefulset_controller,
	&job_controller,
	&cronjob_controller,
	&rollout_controller,
	&analysis_controller,
	NULL
};

struct controllers { VEC(struct controller *); };

struct controllers *controllers_start(struct loop *l, struct client *c, struct informers *i)
{
	struct controllers *all = calloc(1, sizeof *all);

	if (!all)
		abort();
	for (const struct controller_spec *const *spec = controllers; *spec; spec++) {
		struct controller *one = controller_start(l, c, i, *spec);

		if (one)
			vec_push(all, one);
	}
	return all;
}

void controllers_stop(struct controllers **cp)
{
	struct controllers *all = TAKE(*cp);

	if (!all)
		return;
	for (size_t i = 0; i < all->n; i++)
		controller_stop(&all->v[i]);
	vec_free(all);
	free(all);
}
