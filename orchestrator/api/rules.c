#include "orchestrator/api/account-internal.h"
#include "orchestrator/api/admission-internal.h"
#include "orchestrator/api/custom-internal.h"
#include "orchestrator/api/rbac-internal.h"

#include "base/encode.h"

#include <string.h>

/* ---- Namespace ---- */

static int namespace_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
			     struct err *err)
{
	const struct node *held = node_at(before, "spec.finalizers");
	struct node *all;

	(void)err;
	meta_set_label(d, root, "kubernetes.io/metadata.name", node_str_or(root, "metadata.name", ""));
	if (!before) {
		all = node_seq(d);
		node_add(d, all, node_str(d, "kubernetes"));
		node_put(d, root, "spec.finalizers", all);
		node_put(d, root, "status.phase", node_str(d, "Active"));
	} else if (strcmp(rq->subresource, "finalize")) {
		node_put(d, root, "spec.finalizers", held ? node_copy(d, held) : node_seq(d));
	}
	return 0;
}

static int namespace_check_delete(const struct request *rq, struct err *err)
{
	static const char *const immortal[] = { "default", "kube-system", "kube-public" };

	for (size_t i = 0; i < sizeof immortal / sizeof *immortal; i++)
		if (!strcmp(rq->name, immortal[i]))
			return err_set(err, ERR_FORBIDDEN,
				       "namespaces \"%s\" is forbidden: this namespace may not be deleted", rq->name);
	return 0;
}

/* ---- Secret ---- */

static int secret_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
			  struct err *err)
{
	struct member *m;

	(void)before;
	node_members(m, node_get(root, "stringData")) {
		AUTO(str) text = { 0 };

		base64_encode(&text, node_sv(m->value));
		node_setn(d, node_map_at(d, root, "data"), (struct sv){ m->key, m->key_n },
			  node_strn(d, str_sv(&text)));
	}
	(void)node_del(root, "stringData");
	return str_eq(node_str_at(root, "type"), ACCOUNT_TOKEN_TYPE) ? account_secret(rq, d, root, err) : 0;
}

/* ---- Pod ---- */

static const char *const qos_names[] = { "cpu", "memory" };

/* A limit without a request is the request as well. */
static void request_what_is_limited(struct doc *d, struct node *container)
{
	const struct node *limits = node_at(container, "resources.limits");
	struct member *m;

	node_members(m, limits) {
		struct node *requests = node_map_at(d, container, "resources.requests");

		if (!node_getn(requests, (struct sv){ m->key, m->key_n }))
			node_setn(d, requests, (struct sv){ m->key, m->key_n }, node_copy(d, m->value));
	}
}

static const char *qos_class(const struct node *root)
{
	bool guaranteed = true, best_effort = true;
	const struct node *it;

	node_each(it, node_at(root, "spec.containers")) {
		const struct node *limits = node_at(it, "resources.limits"),
				  *requests = node_at(it, "resources.requests");

		for (size_t i = 0; i < 2; i++) {
			const struct node *limit = node_get(limits, qos_names[i]),
					  *asked = node_get(requests, qos_names[i]);

			best_effort = best_effort && !limit && !asked;
			guaranteed = guaranteed && limit && node_eq(limit, asked);
		}
	}
	return best_effort ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

static void pod_containers(struct doc *d, struct node *root)
{
	struct node *it;

	node_each(it, node_at(root, "spec.containers"))
		request_what_is_limited(d, it);
	node_each(it, node_at(root, "spec.initContainers"))
		request_what_is_limited(d, it);
}

static int pod_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		       struct err *err)
{
	struct node *spec = node_get(root, "spec");
	const char *account;

	if (before || !node_is(spec, NODE_MAP))
		return 0;
	pod_containers(d, root);
	account = node_str_or(spec, "serviceAccountName", node_str_or(spec, "serviceAccount", "default"));
	node_set(d, spec, "serviceAccountName", node_str(d, account));
	node_set(d, spec, "serviceAccount", node_str(d, account));
	node_put(d, root, "status.phase", node_str(d, "Pending"));
	return account_admit(rq, d, root, err);
}

static void pod_settle(struct doc *d, struct node *root)
{
	node_put(d, root, "status.qosClass", node_str(d, qos_class(root)));
}

/* ---- Job ---- */

/* A Job's pods are found by its uid, unless a person chose the selector. */
static int job_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		       struct err *err)
{
	const char *uid = node_str_or(root, "metadata.uid", ""), *name = node_str_or(root, "metadata.name", "");
	const char *const labels[][2] = {
		{ "batch.kubernetes.io/controller-uid", uid },
		{ "batch.kubernetes.io/job-name", name },
		{ "controller-uid", uid },
		{ "job-name", name },
	};
	struct node *template = node_at(root, "spec.template");

	(void)rq;
	(void)err;
	if (before || !template || node_bool_at(root, "spec.manualSelector", false))
		return 0;
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		meta_set_label(d, template, labels[i][0], labels[i][1]);
	node_set(d, node_map_at(d, root, "spec.selector.matchLabels"), labels[0][0], node_str(d, uid));
	return 0;
}

/* A pod that runs is told to end, and given time; one that no node has, or that has ended, needs none. */
static int64_t pod_grace(const struct node *live, int64_t asked)
{
	const char *phase = node_str_or(live, "status.phase", "");
	int64_t grace = asked >= 0 ? asked : node_int_at(live, "spec.terminationGracePeriodSeconds", 30);

	if (!*node_str_or(live, "spec.nodeName", "") || !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))
		return 0;
	return grace < 0 ? 1 : grace;
}

/* ---- the table ---- */

static const struct rules table[] = {
	{ "", "namespaces", .prepare = namespace_prepare, .check_delete = namespace_check_delete,
	  .finalize_in_spec = true },
	{ "", "pods", .ready = account_ready, .prepare = pod_prepare, .settle = pod_settle, .grace = pod_grace },
	{ "", "limitranges", .prepare = limit_range_prepare },
	{ "", "secrets", .prepare = secret_prepare },
	{ "", "services", .prepare = service_prepare, .give_up = service_give_up },
	{ "batch", "jobs", .prepare = job_prepare },
	{ "admissionregistration.k8s.io", "validatingadmissionpolicies", .prepare = policy_prepare },
	{ "admissionregistration.k8s.io", "validatingadmissionpolicybindings", .prepare = policy_binding_prepare },
	{ "admissionregistration.k8s.io", "mutatingwebhookconfigurations", .prepare = webhooks_prepare },
	{ "admissionregistration.k8s.io", "validatingwebhookconfigurations", .prepare = webhooks_prepare },
	{ "apiextensions.k8s.io", "customresourcedefinitions", .prepare = definition_prepare },
	{ "certificates.k8s.io", "certificatesigningrequests", .prepare = csr_prepare },
	{ "rbac.authorization.k8s.io", "roles", .prepare = role_prepare },
	{ "rbac.authorization.k8s.io", "clusterroles", .prepare = role_prepare },
	{ "rbac.authorization.k8s.io", "rolebindings", .prepare = binding_prepare },
	{ "rbac.authorization.k8s.io", "clusterrolebindings", .prepare = binding_prepare },
};

const struct rules *rules_of(const struct kind *k)
{
	static const struct rules none = { 0 };

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (!strcmp(table[i].group, k->group) && !strcmp(table[i].plural, k->plural))
			return &table[i];
	return &none;
}

/* Of the core kinds only these count changes of their spec. */
bool kind_has_generation(const struct kind *k)
{
	if (!*k->group)
		return !strcmp(k->plural, "replicationcontrollers");
	return !k->type || type_field(k->type, SV("spec"));
}
