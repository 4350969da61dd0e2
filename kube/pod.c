#include "kube/pod.h"

#include "kube/object.h"

bool pod_ready(const struct node *pod) { return condition_is(node_get(pod, "status"), "Ready", "True"); }

bool pod_finished(const struct node *pod)
{
	const char *phase = node_str_at(pod, "status.phase");

	return str_eq(phase, "Succeeded") || str_eq(phase, "Failed");
}

bool pod_active(const struct node *pod) { return !pod_finished(pod) && !meta_deleting(pod); }

bool pod_available(const struct node *pod, int64_t min_ready_s, int64_t now_ms, int64_t *wait_ms)
{
	const struct node *ready = condition_get(node_get(pod, "status"), "Ready");
	int64_t since, left;

	if (wait_ms)
		*wait_ms = 0;
	if (!pod_ready(pod))
		return false;
	if (min_ready_s <= 0)
		return true;
	if (!time_parse(node_str_or(ready, "lastTransitionTime", ""), &since))
		return false;
	left = since + min_ready_s * 1000 - now_ms;
	if (left > 0 && wait_ms)
		*wait_ms = left;
	return left <= 0;
}

int64_t pod_restarts(const struct node *pod)
{
	const struct node *it, *all = node_at(pod, "status.containerStatuses");
	int64_t most = 0;

	node_each(it, all) {
		int64_t n = node_int_at(it, "restartCount", 0);

		if (n > most)
			most = n;
	}
	return most;
}
