#include "orchestrator/scheduler/scheduler-internal.h"

#include "base/vec.h"

/* ---- tolerations ---- */

static bool tolerates(const struct node *toleration, const struct node *taint)
{
	const char *key = node_str_or(toleration, "key", ""), *effect = node_str_or(toleration, "effect", "");

	if (*effect && !str_eq(effect, node_str_at(taint, "effect")))
		return false;
	if (*key && !str_eq(key, node_str_at(taint, "key")))
		return false;
	if (str_eq(node_str_at(toleration, "operator"), "Exists"))
		return true;
	return *key && str_eq(node_str_or(toleration, "value", ""), node_str_or(taint, "value", ""));
}

static bool any_tolerates(const struct node *pod, const struct node *taint)
{
	const struct node *it, *all = node_at(pod, "spec.tolerations");

	node_each(it, all)
		if (tolerates(it, taint))
			return true;
	return false;
}

const struct node *untolerated_taint(const struct node *pod, const struct node *node, const char *effect)
{
	const struct node *it, *taints = node_at(node, "spec.taints");

	node_each(it, taints)
		if (str_eq(node_str_at(it, "effect"), effect) && !any_tolerates(pod, it))
			return it;
	return NULL;
}

/* ---- nodeSelector and required node affinity ---- */

static bool value_listed(const struct node *values, struct sv have)
{
	const struct node *it;

	node_each(it, values)
		if (sv_eq(node_sv(it), have))
			return true;
	return false;
}

static bool compares(const struct node *values, const char *have, bool greater)
{
	int64_t a, b;

	if (!have || !sv_to_i64(sv_c(have), &a) || !sv_to_i64(node_sv(node_item(values, 0)), &b))
		return false;
	return greater ? a > b : a < b;
}

static bool requirement_met(const struct node *rule, const char *have)
{
	const char *op = node_str_or(rule, "operator", "");
	const struct node *values = node_get(rule, "values");

	if (str_eq(op, "In"))
		return have && value_listed(values, sv_c(have));
	if (str_eq(op, "NotIn"))
		return !have || !value_listed(values, sv_c(have));
	if (str_eq(op, "Exists"))
		return have != NULL;
	if (str_eq(op, "DoesNotExist"))
		return !have;
	return (str_eq(op, "Gt") || str_eq(op, "Lt")) && compares(values, have, *op == 'G');
}

bool node_term_matches(const struct node *term, const struct node *node)
{
	const struct node *it, *labels = node_get(term, "matchExpressions"), *fields = node_get(term, "matchFields");

	if (!node_n(labels) && !node_n(fields))
		return false;
	node_each(it, labels)
		if (!requirement_met(it, meta_label(node, node_str_or(it, "key", ""))))
			return false;
	node_each(it, fields) if (!str_eq(node_str_at(it, "key"), "metadata.name") ||
				  !requirement_met(it, node_str_at(node, "metadata.name"))) return false;
	return true;
}

bool node_terms_match(const struct node *terms, const struct node *node)
{
	const struct node *it;

	node_each(it, terms)
		if (node_term_matches(it, node))
			return true;
	return false;
}

bool node_is_selected(const struct node *pod, const struct node *node)
{
	const struct node *required =
		node_at(pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
	const struct node *selector = node_at(pod, "spec.nodeSelector");
	const struct member *m;

	if (required && !node_terms_match(node_get(required, "nodeSelectorTerms"), node))
		return false;
	node_members(m, selector)
		if (!str_eq(meta_label(node, m->key), node_text(m->value)))
			return false;
	return true;
}

static bool is_selected(const struct request *rq, const struct candidate *c, struct str *why)
{
	if (node_is_selected(rq->pod->root, c->node->root))
		return true;
	str_set(why, "node(s) didn't match Pod's node affinity/selector");
	return false;
}

/* ---- the node's own state ---- */

static bool is_ready(const struct request *rq, const struct candidate *c, struct str *why)
{
	const struct node *ready = condition_get(node_get(c->node->root, "status"), "Ready");

	(void)rq;
	if (!ready || str_eq(node_str_at(ready, "status"), "True"))
		return true;
	str_set(why, "node(s) were not ready");
	return false;
}

static bool is_schedulable(const struct request *rq, const struct candidate *c, struct str *why)
{
	AUTO_DOC d = NULL;
	struct node *taint;

	if (!node_bool_at(c->node->root, "spec.unschedulable", false))
		return true;
	d = doc_new();
	taint = node_map(d);
	node_set(d, taint, "key", node_str(d, "node.kubernetes.io/unschedulable"));
	node_set(d, taint, "effect", node_str(d, "NoSchedule"));
	if (any_tolerates(rq->pod->root, taint))
		return true;
	str_set(why, "node(s) were unschedulable");
	return false;
}

static bool is_tolerated(const struct request *rq, const struct candidate *c, struct str *why)
{
	const struct node *taint = untolerated_taint(rq->pod->root, c->node->root, "NoSchedule");

	if (!taint)
		taint = untolerated_taint(rq->pod->root, c->node->root, "NoExecute");
	if (!taint)
		return true;
	str_cut(why, 0);
	str_addf(why, "node(s) had untolerated taint {%s: %s}", node_str_or(taint, "key", ""),
		 node_str_or(taint, "value", ""));
	return false;
}

/* ---- host ports ---- */

static bool port_clashes(const struct node *a, const struct node *b)
{
	const char *x = node_str_or(a, "hostIP", ""), *y = node_str_or(b, "hostIP", "");
	int64_t port = node_int_at(a, "hostPort", 0);
	bool all = !*x || !*y || str_eq(x, "0.0.0.0") || str_eq(y, "0.0.0.0");

	return port && port == node_int_at(b, "hostPort", 0) && (all || str_eq(x, y))
	       && str_eq(node_str_or(a, "protocol", "TCP"), node_str_or(b, "protocol", "TCP"));
}

static bool pod_uses(const struct node *pod, const struct node *port)
{
	const struct node *container, *containers = node_at(pod, "spec.containers");

	for (size_t c = 0; (container = node_item(containers, c)); c++) {
		const struct node *it, *ports = node_get(container, "ports");

		node_each(it, ports)
			if (port_clashes(port, it))
				return true;
	}
	return false;
}

static bool port_is_free(const struct candidate *c, const struct node *port)
{
	for (size_t i = 0; i < c->pods.n; i++)
		if (pod_uses(c->pods.v[i]->root, port))
			return false;
	return true;
}

static bool has_ports(const struct request *rq, const struct candidate *c, struct str *why)
{
	const struct node *container, *containers = node_at(rq->pod->root, "spec.containers");

	for (size_t i = 0; (container = node_item(containers, i)); i++) {
		const struct node *it, *ports = node_get(container, "ports");

		node_each(it, ports)
			if (!port_is_free(c, it)) {
				str_set(why, "node(s) didn't have free ports for the requested pod ports");
				return false;
			}
	}
	return true;
}

/* ---- resources ---- */

static bool has_room(const struct request *rq, const struct candidate *c, struct str *why)
{
	const struct amount *it;

	vec_each(it, &rq->wants) {
		int64_t free = amounts_get(&c->allocatable, it->name) - amounts_get(&c->used, it->name);

		if (!it->milli || it->milli <= free)
			continue;
		str_cut(why, 0);
		if (sv_eq_c(it->name, "pods"))
			str_addc(why, "Too many pods");
		else
			str_addf(why, "Insufficient " SV_FMT, SV_ARG(it->name));
		return false;
	}
	return true;
}

const struct filter filters[] = {
	{ "NodeReady", is_ready },
	{ "NodeUnschedulable", is_schedulable },
	{ "TaintToleration", is_tolerated },
	{ "NodeAffinity", is_selected },
	{ "NodePorts", has_ports },
	{ "NodeResourcesFit", has_room },
	{ "InterPodAffinity", affinity_fits },
	{ NULL, NULL }
};
