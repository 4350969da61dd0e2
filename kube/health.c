/* kube/health.c - which rule answers for a kind, and what holds for every kind. */
#include "kube/health.h"

#include <stdlib.h>
#include "base/vec.h"
#include "kube/health-rules.h"
#include "kube/object.h"

#define HOOK_FINALIZER "argocd.argoproj.io/hook-finalizer"

/* version NULL: any. known_as: how the message about another version calls the kind. */
static const struct rule { const char *group, *version, *kind, *known_as; health_rule *fn; } rules[] = {
	{ "apps", "v1", "Deployment", "Deployment", health_deployment },
	{ "apps", "v1", "ReplicaSet", "ReplicaSet", health_replicaset },
	{ "apps", "v1", "StatefulSet", "StatefulSet", health_statefulset },
	{ "apps", "v1", "DaemonSet", "DaemonSet", health_daemonset },
	{ "", "v1", "Pod", "Pod", health_pod },
	{ "", "v1", "Service", "Service", health_service },
	{ "", "v1", "PersistentVolumeClaim", "PersistentVolumeClaim", health_pvc },
	{ "batch", "v1", "Job", "Job", health_job },
	{ "networking.k8s.io", NULL, "Ingress", "Ingress", health_ingress },
	{ "extensions", NULL, "Ingress", "Ingress", health_ingress },
	{ "autoscaling", "v1", "HorizontalPodAutoscaler", "HPA", health_hpa_v1 },
	{ "autoscaling", "v2", "HorizontalPodAutoscaler", "HPA", health_hpa },
	{ "apiregistration.k8s.io", "v1", "APIService", "APIService", health_apiservice },
	{ "apiregistration.k8s.io", "v1beta1", "APIService", "APIService", health_apiservice },
	{ "argoproj.io", NULL, "Workflow", "Workflow", health_workflow },
	{ "argoproj.io", "v1alpha1", "Rollout", "Rollout", health_rollout },
};

static const char *const names[] = {
	[HEALTHY] = "Healthy", [SUSPENDED] = "Suspended", [PROGRESSING] = "Progressing",
	[MISSING] = "Missing", [DEGRADED] = "Degraded", [UNKNOWN] = "Unknown",
};

const char *health_name(enum health_status s)
{
	return names[s];
}

int health_parse(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, names[i]))
			return (int)i;
	return -1;
}

int health_set(struct health *h, enum health_status status, const char *why, ...)
{
	va_list ap;

	h->status = status;
	h->known = true;
	str_cut(&h->why, 0);
	va_start(ap, why);
	str_addv(&h->why, why, ap);
	va_end(ap);
	return 0;
}

void health_free(struct health *h)
{
	str_free(&h->why);
}

const struct node *health_condition(const struct node *object, const char *type)
{
	const struct node *c;

	node_each(c, node_at(object, "status.conditions"))
		if (str_eq(node_str_at(c, "type"), type))
			return c;
	return NULL;
}

static bool pending_deletion(const struct node *object)
{
	const struct node *f;

	if (node_is_empty(node_at(object, "metadata.deletionTimestamp")))
		return false;
	node_each(f, node_at(object, "metadata.finalizers"))
		if (str_eq(node_text(f), HOOK_FINALIZER))
			return false;
	return true;
}

/* NULL and *other: a rule for another version of the kind. */
static const struct rule *find_rule(struct sv group, struct sv version, const char *kind, const struct rule **other)
{
	*other = NULL;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct rule *r = &rules[i];
		if (!str_eq(r->kind, kind) || !sv_eq_c(group, r->group))
			continue;
		if (!r->version || sv_eq_c(version, r->version))
			return r;
		*other = r;
	}
	return NULL;
}

int health_of(const struct node *object, struct health *h, struct err *err)
{
	struct sv group, version;
	const char *kind = node_str_or(object, "kind", "");
	const struct rule *other;

	h->status = HEALTHY;
	h->known = false;
	str_cut(&h->why, 0);
	if (pending_deletion(object))
		return health_set(h, PROGRESSING, "Pending deletion");
	api_version_split(node_str_at(object, "apiVersion"), &group, &version);
	const struct rule *r = find_rule(group, version, kind, &other);
	if (r)
		return r->fn(object, h, err);
	if (!other)
		return 0;
	return health_set(h, UNKNOWN, "unsupported %s GVK: " SV_FMT "/" SV_FMT ", Kind=%s", other->known_as, SV_ARG(group),
			  SV_ARG(version), kind);
}
