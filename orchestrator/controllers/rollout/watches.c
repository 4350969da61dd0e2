#include "orchestrator/controllers/rollout/rollout.h"

#include "orchestrator/controllers/claim.h"
#include "orchestrator/controllers/rows.h"

/* What Rollouts are looked at again for: the row of the controller. */

struct search { struct controller *c; const char *service; };

static bool queue_if_using(struct object *rollout, void *arg)
{
	const struct search *s = arg;

	if (rollout_names_service(node_get(rollout->root, "spec"), s->service))
		controller_queue(s->c, rollout->ns, rollout->name);
	return true;
}

static void map_service(struct controller *c, const struct object *service)
{
	struct search s = { c, service->name };
	const char *owner = meta_annotation(service->root, ROLLOUT_MANAGED);

	informer_each(controller_informer(c, ROLLOUTS), service->ns, queue_if_using, &s);
	if (owner)
		controller_queue(c, service->ns, owner);
}

static void map_set(struct controller *c, const struct object *set)
{
	claim_map(c, set);
	rollout_map_workload(c, set);
}

/* A pod that comes, gets ready or goes: its set's owner. */
static void map_pod(struct controller *c, const struct object *pod)
{
	const struct node *owner = meta_owner(pod->root);
	const struct object *set = informer_by_uid(controller_informer(c, ROLLOUT_SETS), node_str_or(owner, "uid", ""));

	if (set)
		controller_map_owner(c, set);
}

static bool queue_if_invalid(struct object *rollout, void *arg)
{
	if (condition_is(node_get(rollout->root, "status"), "InvalidSpec", "True"))
		controller_queue(arg, rollout->ns, rollout->name);
	return true;
}

/* A template that was missing or wrong may be right now; one of the cluster may be for every namespace. */
static void map_template(struct controller *c, const struct object *template)
{
	informer_each(controller_informer(c, ROLLOUTS), *template->ns ? template->ns : NULL, queue_if_invalid, c);
}

static bool queue_if_restarting(struct object *rollout, void *arg)
{
	const char *wanted = node_str_at(rollout->root, "spec.restartAt");

	if (wanted && !str_eq(wanted, node_str_at(rollout->root, "status.restartedAt")))
		controller_queue(arg, rollout->ns, rollout->name);
	return true;
}

/* A restart goes on when a Service knows of the new pods. */
static void map_endpoints(struct controller *c, const struct object *endpoints)
{
	informer_each(controller_informer(c, ROLLOUTS), endpoints->ns, queue_if_restarting, c);
}

const struct controller_spec rollout_controller = {
	.name = "rollouts-controller",
	.watches = (const struct controller_watch[]){
		[ROLLOUTS] = { "argoproj.io/v1alpha1", "Rollout", NULL },
		[ROLLOUT_SETS] = { "apps/v1", "ReplicaSet", map_set },
		[ROLLOUT_SERVICES] = { "v1", "Service", map_service },
		[ROLLOUT_RUNS] = { "argoproj.io/v1alpha1", "AnalysisRun", controller_map_owner },
		[ROLLOUT_PODS] = { "v1", "Pod", map_pod },
		[ROLLOUT_TEMPLATES] = { "argoproj.io/v1alpha1", "AnalysisTemplate", map_template },
		[ROLLOUT_CLUSTER_TEMPLATES] = { "argoproj.io/v1alpha1", "ClusterAnalysisTemplate", map_template },
		[ROLLOUT_DEPLOYMENTS] = { "apps/v1", "Deployment", rollout_map_workload },
		[ROLLOUT_POD_TEMPLATES] = { "v1", "PodTemplate", rollout_map_workload },
		[ROLLOUT_ENDPOINTS] = { "v1", "Endpoints", map_endpoints },
		{ 0 },
	},
	.reconcile = rollout_reconcile,
};
