#include "runtime/agent/status.h"

#include "kube/object.h"

/* ---- the phase: kubelet's getPhase() ---- */

struct tally { size_t init_pending, init_failed, sidecars, waiting, running, ended, succeeded; };

static bool ended_well(const struct container_facts *c) { return c->now.kind == RUN_ENDED && !c->now.exit_code; }

/* An init container lets the next one begin: by its good end, or, when it goes on beside the others, by having
 * started. */
static bool init_done(const struct container_facts *c) { return c->sidecar ? c->started : ended_well(c); }

static struct tally count(const struct status_facts *f)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < f->n_containers; i++) {
		const struct container_facts *c = &f->containers[i];

		if (c->init) {
			t.sidecars += c->sidecar && c->now.kind == RUN_RUNNING;
			t.init_pending += !init_done(c);
			t.init_failed += !c->sidecar && c->now.kind == RUN_ENDED && c->now.exit_code;
		} else if (c->now.kind == RUN_RUNNING) {
			t.running++;
		} else if (c->now.kind == RUN_ENDED) {
			t.ended++;
			t.succeeded += !c->now.exit_code;
		} else {
			t.waiting += !c->has_last;
			t.ended += c->has_last;
		}
	}
	return t;
}

const char *status_phase(const struct status_facts *f)
{
	const char *policy = node_str_or(f->pod, "spec.restartPolicy", "Always");
	struct tally t = count(f);

	if (f->failed || (t.init_failed && str_eq(policy, "Never")))
		return "Failed";
	if ((t.init_pending && !t.ended) || t.waiting)
		return "Pending";
	if (t.running)
		return "Running";
	if (!t.ended)
		return "Pending";
	if (t.sidecars || str_eq(policy, "Always"))
		return "Running";
	if (t.succeeded == t.ended)
		return "Succeeded";
	return str_eq(policy, "Never") ? "Failed" : "Running";
}

/* ---- conditions ---- */

/* Names of containers that are not as asked, "[a b]". Returns how many. */
static size_t list_unready(const struct status_facts *f, bool init, struct str *out)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_containers; i++) {
		const struct container_facts *c = &f->containers[i];

		if (init ? !c->init || init_done(c) : (c->init && !c->sidecar) || c->ready)
			continue;
		str_addf(out, "%s%s", n++ ? " " : "[", c->name);
	}
	if (n)
		str_add1(out, ']');
	return n;
}

struct verdict { const char *value, *reason; struct str message; };

static void add_condition(struct doc *d, struct node *status, const char *type, const struct verdict *v, int64_t now_ms)
{
	condition_set(d, status, type, v->value, v->reason, str_c(&v->message), now_ms);
}

static void judge_initialized(const struct status_facts *f, const char *phase, struct verdict *v)
{
	AUTO(str) names = { 0 };

	*v = (struct verdict){ .value = "True" };
	if (str_eq(phase, "Succeeded")) {
		v->reason = "PodCompleted";
	} else if (list_unready(f, true, &names)) {
		v->value = "False";
		v->reason = "ContainersNotInitialized";
		str_addf(&v->message, "containers with incomplete status: %s", str_c(&names));
	}
}

static void judge_ready(const struct status_facts *f, const char *phase, struct verdict *v)
{
	AUTO(str) names = { 0 };

	*v = (struct verdict){ .value = "False" };
	if (str_eq(phase, "Succeeded")) {
		v->reason = "PodCompleted";
	} else if (str_eq(phase, "Failed")) {
		v->reason = "PodFailed";
	} else if (list_unready(f, false, &names)) {
		v->reason = "ContainersNotReady";
		str_addf(&v->message, "containers with unready status: %s", str_c(&names));
	} else {
		v->value = "True";
	}
}

/* The pod is ready when its containers are and every readiness gate's condition is True. */
static void judge_gates(const struct status_facts *f, const struct node *status, struct verdict *v)
{
	const struct node *gates = node_at(f->pod, "spec.readinessGates"), *it;

	node_each(it, gates) {
		const char *type = node_str_or(it, "conditionType", "");

		if (!str_eq(v->value, "True") || condition_is(status, type, "True"))
			continue;
		v->value = "False";
		v->reason = "ReadinessGatesNotReady";
		str_addf(&v->message,
			 "corresponding condition of pod readiness gate \"%s\" does not exist or is not True.", type);
	}
}

static void set_conditions(struct doc *d, struct node *status, const struct status_facts *f, const char *phase)
{
	struct verdict v = { .value = f->has_sandbox ? "True" : "False" };

	add_condition(d, status, "PodReadyToStartContainers", &v, f->now_ms);
	judge_initialized(f, phase, &v);
	add_condition(d, status, "Initialized", &v, f->now_ms);
	str_free(&v.message);
	judge_ready(f, phase, &v);
	add_condition(d, status, "ContainersReady", &v, f->now_ms);
	judge_gates(f, status, &v);
	add_condition(d, status, "Ready", &v, f->now_ms);
	str_free(&v.message);
	v = (struct verdict){ .value = "True" };
	if (!condition_get(status, "PodScheduled"))
		add_condition(d, status, "PodScheduled", &v, f->now_ms);
}

/* ---- containers ---- */

static void put_text(struct doc *d, struct node *map, const char *key, const char *text)
{
	if (text && *text)
		node_set(d, map, key, node_str(d, text));
}

static void put_time(struct doc *d, struct node *map, const char *key, int64_t ms)
{
	char text[32];

	if (!ms)
		return;
	time_format(ms, text);
	node_set(d, map, key, node_str(d, text));
}

static struct node *state_node(struct doc *d, const struct run *r)
{
	static const char *const names[] = { [RUN_WAITING] = "waiting", [RUN_RUNNING] = "running",
		[RUN_ENDED] = "terminated" };
	struct node *state = node_map(d), *inner = node_map(d);

	node_set(d, state, names[r->kind], inner);
	if (r->kind == RUN_RUNNING) {
		put_time(d, inner, "startedAt", r->started_ms);
		return state;
	}
	if (r->kind == RUN_ENDED) {
		put_text(d, inner, "containerID", r->container_id);
		node_set(d, inner, "exitCode", node_int(d, r->exit_code));
		put_time(d, inner, "finishedAt", r->finished_ms);
		if (r->signal)
			node_set(d, inner, "signal", node_int(d, r->signal));
		put_time(d, inner, "startedAt", r->started_ms);
	}
	put_text(d, inner, "message", r->message);
	put_text(d, inner, "reason", r->reason);
	return state;
}

static struct node *container_node(struct doc *d, const struct container_facts *c)
{
	struct node *n = node_map(d);

	put_text(d, n, "containerID", c->container_id);
	node_set(d, n, "image", node_str(d, c->image));
	node_set(d, n, "imageID", node_str(d, c->image_id));
	node_set(d, n, "lastState", c->has_last ? state_node(d, &c->last) : node_map(d));
	node_set(d, n, "name", node_str(d, c->name));
	node_set(d, n, "ready", node_bool(d, c->ready));
	node_set(d, n, "restartCount", node_int(d, c->restarts));
	node_set(d, n, "started", node_bool(d, c->started));
	node_set(d, n, "state", state_node(d, &c->now));
	return n;
}

static void set_containers(struct doc *d, struct node *status, const struct status_facts *f)
{
	struct node *lists[] = { node_seq(d), node_seq(d) };
	static const char *const names[] = { "containerStatuses", "initContainerStatuses" };

	for (size_t i = 0; i < f->n_containers; i++)
		node_add(d, lists[f->containers[i].init], container_node(d, &f->containers[i]));
	for (size_t i = 0; i < 2; i++) {
		if (lists[i]->n)
			node_set(d, status, names[i], lists[i]);
		else
			node_del(status, names[i]);
	}
}

/* ---- the rest ---- */

static void set_address(struct doc *d, struct node *status, const char *one, const char *many, const char *ip)
{
	struct node *list = node_seq(d), *item = node_map(d);

	if (!*ip)
		return;
	node_set(d, status, one, node_str(d, ip));
	node_set(d, item, "ip", node_str(d, ip));
	node_add(d, list, item);
	node_set(d, status, many, list);
}

static bool has_quantities(const struct node *c, const char *where)
{
	return node_n(node_at(c, where)) > 0;
}

/* Guaranteed: every container limits cpu and memory, and asks for just that. BestEffort: none asks or limits. */
static const char *qos_class(const struct node *pod)
{
	const struct node *containers = node_at(pod, "spec.containers"), *c;
	bool any = false, guaranteed = node_n(containers) > 0;
	static const char *const both[] = { "cpu", "memory" };

	node_each(c, containers) {
		any |= has_quantities(c, "resources.limits") || has_quantities(c, "resources.requests");
		for (size_t i = 0; i < 2; i++) {
			const struct node *limit = node_get(node_at(c, "resources.limits"), both[i]);
			const struct node *request = node_get(node_at(c, "resources.requests"), both[i]);

			guaranteed &= limit && (!request || node_eq(limit, request));
		}
	}
	return guaranteed ? "Guaranteed" : any ? "Burstable" : "BestEffort";
}

struct node *status_build(struct doc *d, const struct status_facts *f)
{
	const struct node *old = node_get(f->pod, "status");
	struct node *status = old ? node_copy(d, old) : node_map(d);
	const char *phase = status_phase(f);

	set_conditions(d, status, f, phase);
	set_containers(d, status, f);
	node_set(d, status, "phase", node_str(d, phase));
	set_address(d, status, "hostIP", "hostIPs", f->host_ip);
	set_address(d, status, "podIP", "podIPs", f->pod_ip);
	if (!node_get(status, "qosClass"))
		node_set(d, status, "qosClass", node_str(d, qos_class(f->pod)));
	if (!node_get(status, "startTime"))
		put_time(d, status, "startTime", f->start_ms);
	if (f->reason)
		put_text(d, status, "reason", f->reason);
	if (f->message)
		put_text(d, status, "message", f->message);
	return status;
}
