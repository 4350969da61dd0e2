/* kube/health-other.c - health of kinds that run no containers. */
#include "base/json.h"
#include "kube/health-rules.h"

int health_pvc(const struct node *o, struct health *h, struct err *err)
{
	static const struct { const char *phase; enum health_status status; } phases[] = {
		{ "Lost", DEGRADED }, { "Pending", PROGRESSING }, { "Bound", HEALTHY },
	};

	(void)err;
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
		if (str_eq(node_str_at(o, "status.phase"), phases[i].phase))
			return health_set(h, phases[i].status, "%s", "");
	return health_set(h, UNKNOWN, "%s", "");
}

static bool has_ingress(const struct node *o)
{
	return node_n(node_at(o, "status.loadBalancer.ingress")) > 0;
}

int health_service(const struct node *o, struct health *h, struct err *err)
{
	bool waits = str_eq(node_str_at(o, "spec.type"), "LoadBalancer") && !has_ingress(o);

	(void)err;
	return health_set(h, waits ? PROGRESSING : HEALTHY, "%s", "");
}

int health_ingress(const struct node *o, struct health *h, struct err *err)
{
	(void)err;
	return health_set(h, has_ingress(o) ? HEALTHY : PROGRESSING, "%s", "");
}

/* ---- HorizontalPodAutoscaler ---- */

static const struct { const char *type, *reason; } hpa_failures[] = {
	{ "AbleToScale", "FailedGetScale" }, { "AbleToScale", "FailedUpdateScale" },
	{ "ScalingActive", "FailedGetResourceMetric" }, { "ScalingActive", "FailedGetObjectMetric" },
	{ "ScalingActive", "FailedGetPodsMetric" }, { "ScalingActive", "FailedGetExternalMetric" },
	{ "ScalingActive", "FailedComputeMetricsReplicas" }, { "ScalingActive", "InvalidSelector" },
};

static bool hpa_failed(const struct node *condition)
{
	for (size_t i = 0; i < sizeof hpa_failures / sizeof *hpa_failures; i++)
		if (str_eq(node_str_at(condition, "type"), hpa_failures[i].type) &&
		    str_eq(node_str_at(condition, "reason"), hpa_failures[i].reason))
			return true;
	return false;
}

static bool hpa_scales(const struct node *condition)
{
	const char *type = node_str_at(condition, "type");

	return (str_eq(type, "AbleToScale") || str_eq(type, "ScalingLimited")) && str_eq(node_str_at(condition, "status"), "True");
}

static int hpa_of(const struct node *conditions, struct health *h)
{
	const struct node *c;

	node_each(c, conditions)
		if (hpa_failed(c))
			return health_set(h, DEGRADED, "%s", node_str_or(c, "message", ""));
	node_each(c, conditions)
		if (hpa_scales(c))
			return health_set(h, HEALTHY, "%s", node_str_or(c, "message", ""));
	return health_set(h, PROGRESSING, "Waiting to Autoscale");
}

int health_hpa(const struct node *o, struct health *h, struct err *err)
{
	(void)err;
	return hpa_of(node_at(o, "status.conditions"), h);
}

/* v1 has no conditions: they are JSON in an annotation. */
int health_hpa_v1(const struct node *o, struct health *h, struct err *err)
{
	const char *text = node_text(node_get(node_at(o, "metadata.annotations"), "autoscaling.alpha.kubernetes.io/conditions"));
	AUTO_DOC doc = NULL;

	if (!text || !*text)
		return hpa_of(NULL, h);
	int r = json_read(sv_c(text), "autoscaling.alpha.kubernetes.io/conditions", 0, &doc, err);
	if (r < 0)
		return r;
	return hpa_of(doc_root(doc), h);
}

int health_apiservice(const struct node *o, struct health *h, struct err *err)
{
	const struct node *c = health_condition(o, "Available");

	(void)err;
	if (!c)
		return health_set(h, PROGRESSING, "Waiting to be processed");
	return health_set(h, str_eq(node_str_at(c, "status"), "True") ? HEALTHY : PROGRESSING, "%s: %s", node_str_or(c, "reason", ""),
			  node_str_or(c, "message", ""));
}

int health_workflow(const struct node *o, struct health *h, struct err *err)
{
	static const struct { const char *phase; enum health_status status; } phases[] = {
		{ "", PROGRESSING }, { "Pending", PROGRESSING }, { "Running", PROGRESSING },
		{ "Succeeded", HEALTHY }, { "Failed", DEGRADED }, { "Error", DEGRADED },
	};
	const char *phase = node_str_or(o, "status.phase", ""), *message = node_str_or(o, "status.message", "");

	(void)err;
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
		if (str_eq(phase, phases[i].phase))
			return health_set(h, phases[i].status, "%s", message);
	return health_set(h, UNKNOWN, "%s", message);
}
