#include "kube/schema/columns-pod.h"
#include "kube/schema/columns.h"
#include "kube/object.h"
#include "kube/pod.h"

#include <inttypes.h>

/* An init container that restarts by itself runs beside the others and counts like them. */
static bool is_sidecar(const struct node *pod, const char *name)
{
	struct node *c;

	node_each(c, node_at(pod, "spec.initContainers"))
		if (str_eq(node_str_at(c, "name"), name))
			return str_eq(node_str_at(c, "restartPolicy"), "Always");
	return false;
}

static const struct node *statuses(const struct node *pod, const char *list) { return node_get(node_get(pod, "status"), list); }

void column_pod_ready(const struct node *pod, struct str *out)
{
	size_t ready = 0, all = node_n(node_at(pod, "spec.containers"));
	struct node *c;

	node_each(c, node_at(pod, "spec.initContainers"))
		all += str_eq(node_str_at(c, "restartPolicy"), "Always");
	node_each(c, statuses(pod, "containerStatuses"))
		ready += node_bool_at(c, "ready", false) && node_at(c, "state.running");
	node_each(c, statuses(pod, "initContainerStatuses"))
		ready += node_bool_at(c, "ready", false) && node_bool_at(c, "started", false) && is_sidecar(pod, node_str_at(c, "name"));
	str_addf(out, "%zu/%zu", ready, all);
}

/* Why a container is not running, with a prefix; false: nothing to say. */
static bool reason_of(const struct node *c, const char *prefix, struct str *out)
{
	const struct node *ended = node_at(c, "state.terminated");
	const char *reason = node_str_at(ended ? ended : node_at(c, "state.waiting"), "reason");
	int64_t signal = node_int_at(ended, "signal", 0);

	if (reason && *reason)
		str_addf(out, "%s%s", prefix, reason);
	else if (ended && signal)
		str_addf(out, "%sSignal:%" PRId64, prefix, signal);
	else if (ended)
		str_addf(out, "%sExitCode:%" PRId64, prefix, node_int_at(ended, "exitCode", 0));
	else
		return false;
	return true;
}

/* What the first init container that is not done says; false: all are. */
static bool init_status(const struct node *pod, struct str *out)
{
	struct node *c;

	node_each(c, statuses(pod, "initContainerStatuses")) {
		const struct node *ended = node_at(c, "state.terminated");

		if (ended && !node_int_at(ended, "exitCode", 0))
			continue;
		if (node_bool_at(c, "started", false) && is_sidecar(pod, node_str_at(c, "name")))
			continue;
		bool waits = str_eq(node_str_at(c, "state.waiting.reason"), "PodInitializing");
		if (waits || !reason_of(c, "Init:", out))
			str_addf(out, "Init:%zu/%zu", i_, node_n(node_at(pod, "spec.initContainers")));
		return true;
	}
	return false;
}

/* The first container with a reason, unless one that merely completed stands beside one that runs. */
static void container_status(const struct node *pod, struct str *out)
{
	const struct node *list = statuses(pod, "containerStatuses");
	bool running = false;
	AUTO(str) reason = { 0 };

	for (size_t i = node_n(list); i-- > 0;) {
		const struct node *c = list->items[i];
		AUTO(str) own = { 0 };

		if (reason_of(c, "", &own))
			str_move(&reason, &own);
		else
			running |= node_bool_at(c, "ready", false) && node_at(c, "state.running");
	}
	if (!reason.n)
		return;
	str_cut(out, 0);
	if (running && str_eq(str_c(&reason), "Completed"))
		str_addc(out, pod_ready(pod) ? "Running" : "NotReady");
	else
		str_add(out, str_sv(&reason));
}

void column_pod_status(const struct node *pod, struct str *out)
{
	const struct node *status = node_get(pod, "status");
	const char *why = node_str_or(status, "reason", "");
	AUTO(str) text = { 0 };

	if (meta_deleting(pod) && (str_eq(why, "NodeLost") || !pod_finished(pod))) {
		str_addc(out, str_eq(why, "NodeLost") ? "Unknown" : "Terminating");
		return;
	}
	if (init_status(pod, &text) && !condition_is(status, "Initialized", "True")) {
		str_add(out, str_sv(&text));
		return;
	}
	str_cut(&text, 0);
	str_addc(&text, *why ? why : node_str_or(status, "phase", "Unknown"));
	if (str_eq(node_str_at(condition_get(status, "PodScheduled"), "reason"), "SchedulingGated"))
		str_set(&text, "SchedulingGated");
	container_status(pod, &text);
	str_add(out, str_sv(&text));
}

void column_pod_restarts(const struct node *pod, int64_t now_ms, struct str *out)
{
	static const char *const lists[] = { "containerStatuses", "initContainerStatuses" };
	int64_t n = 0, last = INT64_MIN, at;
	struct node *c;

	for (size_t i = 0; i < 2; i++) {
		node_each(c, statuses(pod, lists[i])) {
			if (i && !is_sidecar(pod, node_str_at(c, "name")))
				continue;
			n += node_int_at(c, "restartCount", 0);
			if (time_parse(node_str_at(c, "lastState.terminated.finishedAt"), &at) && at > last)
				last = at;
		}
	}
	str_addf(out, "%" PRId64, n);
	if (!n || last == INT64_MIN)
		return;
	str_addc(out, " (");
	duration_text(now_ms - last, out);
	str_addc(out, " ago)");
}

void column_pod_gates(const struct node *pod, struct str *out)
{
	const struct node *gates = node_at(pod, "spec.readinessGates");
	struct node *g;
	size_t met = 0;

	if (!node_n(gates)) {
		str_addc(out, "<none>");
		return;
	}
	node_each(g, gates)
		met += condition_is(node_get(pod, "status"), node_str_or(g, "conditionType", ""), "True");
	str_addf(out, "%zu/%zu", met, node_n(gates));
}
