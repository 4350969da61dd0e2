/* kube/health-workloads.c - health of what runs containers. The messages are Argo CD's: programs and people match them. */
#include <inttypes.h>
#include "kube/health-rules.h"

#define IGNORE_RESTART_POLICY "argocd.argoproj.io/ignore-restart-policy"

static int64_t status(const struct node *o, const char *field)
{
	return node_int_at(node_get(o, "status"), field, 0);
}

/* Of a workload that says in spec.replicas how many it wants; absent counts as no wish. */
static bool wants_more_than(const struct node *o, int64_t n, int64_t *replicas)
{
	*replicas = node_int_at(o, "spec.replicas", -1);
	return *replicas >= 0 && n < *replicas;
}

static bool behind(const struct node *o)
{
	return node_int_at(o, "metadata.generation", 0) > status(o, "observedGeneration");
}

int health_deployment(const struct node *o, struct health *h, struct err *err)
{
	static const char wait[] = "Waiting for rollout to finish:";
	int64_t want, updated = status(o, "updatedReplicas"), all = status(o, "replicas"), available = status(o, "availableReplicas");

	(void)err;
	if (node_bool_at(o, "spec.paused", false))
		return health_set(h, SUSPENDED, "Deployment is paused");
	if (behind(o))
		return health_set(h, PROGRESSING, "%s observed deployment generation less than desired generation", wait);
	if (str_eq(node_str_at(health_condition(o, "Progressing"), "reason"), "ProgressDeadlineExceeded"))
		return health_set(h, DEGRADED, "Deployment \"%s\" exceeded its progress deadline", node_str_or(o, "metadata.name", ""));
	if (wants_more_than(o, updated, &want))
		return health_set(h, PROGRESSING, "%s %" PRId64 " out of %" PRId64 " new replicas have been updated...", wait, updated,
				  want);
	if (all > updated)
		return health_set(h, PROGRESSING, "%s %" PRId64 " old replicas are pending termination...", wait, all - updated);
	if (available < updated)
		return health_set(h, PROGRESSING, "%s %" PRId64 " of %" PRId64 " updated replicas are available...", wait, available,
				  updated);
	return health_set(h, HEALTHY, "%s", "");
}

int health_replicaset(const struct node *o, struct health *h, struct err *err)
{
	static const char wait[] = "Waiting for rollout to finish:";
	const struct node *failure = health_condition(o, "ReplicaFailure");
	int64_t want, available = status(o, "availableReplicas");

	(void)err;
	if (behind(o))
		return health_set(h, PROGRESSING, "%s observed replica set generation less than desired generation", wait);
	if (str_eq(node_str_at(failure, "status"), "True"))
		return health_set(h, DEGRADED, "%s", node_str_or(failure, "message", ""));
	if (wants_more_than(o, available, &want))
		return health_set(h, PROGRESSING, "%s %" PRId64 " out of %" PRId64 " new replicas are available...", wait, available,
				  want);
	return health_set(h, HEALTHY, "%s", "");
}

/* Of a RollingUpdate whose rollingUpdate block is present. */
static int partitioned(const struct node *o, struct health *h)
{
	int64_t want = node_int_at(o, "spec.replicas", -1), updated = status(o, "updatedReplicas");
	int64_t partition = node_int_at(o, "spec.updateStrategy.rollingUpdate.partition", -1);

	if (want >= 0 && partition >= 0 && updated < want - partition)
		return health_set(h, PROGRESSING, "Waiting for partitioned roll out to finish: %" PRId64 " out of %" PRId64
				  " new pods have been updated...", updated, want - partition);
	return health_set(h, HEALTHY, "partitioned roll out complete: %" PRId64 " new pods have been updated...", updated);
}

int health_statefulset(const struct node *o, struct health *h, struct err *err)
{
	const char *strategy = node_str_or(o, "spec.updateStrategy.type", "");
	const char *update = node_str_or(o, "status.updateRevision", ""), *current = node_str_or(o, "status.currentRevision", "");
	int64_t want, ready = status(o, "readyReplicas");

	(void)err;
	if (!status(o, "observedGeneration") || behind(o))
		return health_set(h, PROGRESSING, "Waiting for statefulset spec update to be observed...");
	if (wants_more_than(o, ready, &want))
		return health_set(h, PROGRESSING, "Waiting for %" PRId64 " pods to be ready...", want - ready);
	if (str_eq(strategy, "RollingUpdate") && node_is(node_at(o, "spec.updateStrategy.rollingUpdate"), NODE_MAP))
		return partitioned(o, h);
	if (str_eq(strategy, "OnDelete"))
		return health_set(h, HEALTHY, "statefulset has %" PRId64 " ready pods", ready);
	if (!str_eq(update, current))
		return health_set(h, PROGRESSING, "waiting for statefulset rolling update to complete %" PRId64
				  " pods at revision %s...", status(o, "updatedReplicas"), update);
	return health_set(h, HEALTHY, "statefulset rolling update complete %" PRId64 " pods at revision %s...",
			  status(o, "currentReplicas"), current);
}

int health_daemonset(const struct node *o, struct health *h, struct err *err)
{
	const char *name = node_str_or(o, "metadata.name", "");
	int64_t updated = status(o, "updatedNumberScheduled"), want = status(o, "desiredNumberScheduled");
	int64_t available = status(o, "numberAvailable");

	(void)err;
	if (behind(o))
		return health_set(h, PROGRESSING,
				  "Waiting for rollout to finish: observed daemon set generation less than desired generation");
	if (str_eq(node_str_at(o, "spec.updateStrategy.type"), "OnDelete"))
		return health_set(h, HEALTHY, "daemon set %" PRId64 " out of %" PRId64 " new pods have been updated", updated, want);
	if (updated < want)
		return health_set(h, PROGRESSING, "Waiting for daemon set \"%s\" rollout to finish: %" PRId64 " out of %" PRId64
				  " new pods have been updated...", name, updated, want);
	if (available < want)
		return health_set(h, PROGRESSING, "Waiting for daemon set \"%s\" rollout to finish: %" PRId64 " of %" PRId64
				  " updated pods are available...", name, available, want);
	return health_set(h, HEALTHY, "%s", "");
}

/* ---- Pod ---- */

static const char *annotation(const struct node *o, const char *key)
{
	return node_text(node_get(node_at(o, "metadata.annotations"), key));
}

static bool is_hook(const struct node *o)
{
	return annotation(o, "argocd.argoproj.io/hook") || annotation(o, "helm.sh/hook");
}

/* Containers that wait for a reason which does not go away by itself; their messages in h. */
static bool containers_stuck(const struct node *o, struct health *h)
{
	AUTO(str) why = { 0 };
	const struct node *c;
	bool stuck = false;

	node_each(c, node_at(o, "status.containerStatuses")) {
		struct sv reason = sv_c(node_str_at(c, "state.waiting.reason"));
		if (!sv_starts(reason, SV("Err")) && !sv_ends(reason, SV("Error")) && !sv_ends(reason, SV("BackOff")))
			continue;
		str_addf(&why, "%s%s", stuck ? ", " : "", node_str_or(c, "state.waiting.message", ""));
		stuck = true;
	}
	if (stuck)
		(void)health_set(h, DEGRADED, "%s", str_c(&why));
	return stuck;
}

static bool container_failed(const struct node *statuses, struct health *h)
{
	const struct node *c;

	node_each(c, statuses) {
		const struct node *end = node_at(c, "state.terminated");
		const char *message = node_str_or(end, "message", "");
		int64_t code = node_int_at(end, "exitCode", 0);
		if (*message)
			return health_set(h, DEGRADED, "%s", message) == 0;
		if (str_eq(node_str_at(end, "reason"), "OOMKilled"))
			return health_set(h, DEGRADED, "OOMKilled") == 0;
		if (code)
			return health_set(h, DEGRADED, "container \"%s\" failed with exit code %" PRId64, node_str_or(c, "name", ""),
					  code) == 0;
	}
	return false;
}

static int pod_failed(const struct node *o, const char *message, struct health *h)
{
	if (*message)
		return health_set(h, DEGRADED, "%s", message);
	if (container_failed(node_at(o, "status.initContainerStatuses"), h) ||
	    container_failed(node_at(o, "status.containerStatuses"), h))
		return 0;
	return health_set(h, DEGRADED, "%s", "");
}

static int pod_running(const struct node *o, bool endless, const char *message, struct health *h)
{
	const struct node *c;

	if (!endless)
		return health_set(h, PROGRESSING, "%s", message);
	if (str_eq(node_str_at(health_condition(o, "Ready"), "status"), "True"))
		return health_set(h, HEALTHY, "%s", message);
	node_each(c, node_at(o, "status.containerStatuses"))
		if (node_is(node_at(c, "lastState.terminated"), NODE_MAP))
			return health_set(h, DEGRADED, "%s", message);
	return health_set(h, PROGRESSING, "%s", message);
}

int health_pod(const struct node *o, struct health *h, struct err *err)
{
	const char *phase = node_str_or(o, "status.phase", ""), *message = node_str_or(o, "status.message", "");
	bool endless = str_eq(node_str_at(o, "spec.restartPolicy"), "Always") ||
		       (str_eq(annotation(o, IGNORE_RESTART_POLICY), "true") && !is_hook(o));

	(void)err;
	if (endless && containers_stuck(o, h))
		return 0;
	if (str_eq(phase, "Pending"))
		return health_set(h, PROGRESSING, "%s", message);
	if (str_eq(phase, "Succeeded"))
		return health_set(h, HEALTHY, "%s", message);
	if (str_eq(phase, "Failed"))
		return pod_failed(o, message, h);
	if (str_eq(phase, "Running"))
		return pod_running(o, endless, message, h);
	return health_set(h, UNKNOWN, "%s", message);
}

/* The presence of Failed and Complete counts, not their status. A Job that was suspended and goes on keeps the condition
 * Suspended with status False: it is running. */
int health_job(const struct node *o, struct health *h, struct err *err)
{
	const struct node *failed = health_condition(o, "Failed"), *complete = health_condition(o, "Complete");
	const struct node *suspended = health_condition(o, "Suspended");

	(void)err;
	if (failed)
		return health_set(h, DEGRADED, "%s", node_str_or(failed, "message", ""));
	if (str_eq(node_str_at(suspended, "status"), "True"))
		return health_set(h, SUSPENDED, "%s", node_str_or(suspended, "message", ""));
	if (complete)
		return health_set(h, HEALTHY, "%s", node_str_or(complete, "message", ""));
	return health_set(h, PROGRESSING, "%s", "");
}

/* Rollouts say themselves how they are; observedGeneration is text there. */
int health_rollout(const struct node *o, struct health *h, struct err *err)
{
	static const struct { const char *phase; enum health_status status; } phases[] = {
		{ "Healthy", HEALTHY }, { "Paused", SUSPENDED }, { "Degraded", DEGRADED }, { "Progressing", PROGRESSING },
	};
	const char *phase = node_str_or(o, "status.phase", ""), *message = node_str_or(o, "status.message", "");
	int64_t seen = node_int_at(o, "status.observedGeneration", 0);

	(void)err;
	(void)sv_to_i64(node_sv(node_at(o, "status.observedGeneration")), &seen);
	if (node_int_at(o, "metadata.generation", 0) > seen)
		return health_set(h, PROGRESSING, "Waiting for rollout spec update to be observed");
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
		if (str_eq(phase, phases[i].phase))
			return health_set(h, phases[i].status, "%s", message);
	return health_set(h, PROGRESSING, "Waiting for rollout to finish");
}
