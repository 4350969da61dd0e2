/* Rules of what makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs. */
#include "kube/schema/check.h"
#include "kube/selector.h"

static void replicas(struct check *c, const struct node *spec)
{
	static const char *const counts[] = { "replicas", "minReadySeconds", "revisionHistoryLimit" };

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		check_at_least(c, spec, counts[i], 0);
}

static void restart_policy(struct check *c, const struct node *spec, const char *choices)
{
	const struct node *v = node_at(spec, "template.spec.restartPolicy");
	bool always = str_eq(node_text(v), "Always");

	if (node_is(v, NODE_STR) && always != str_eq(choices, "Always"))
		check_unsupported(c, "template.spec.restartPolicy", v, choices);
}

/* A selector must choose something, and the pods of its own template. */
static void selects_template(struct check *c, const struct node *spec)
{
	__attribute__((cleanup(selector_free))) struct selector *s = NULL;
	const struct node *selector = node_get(spec, "selector"), *labels = node_at(spec, "template.metadata.labels");
	static const struct node none = { .type = NODE_MAP };

	if (!selector)
		return;
	if (!node_n(node_get(selector, "matchLabels")) && !node_n(node_get(selector, "matchExpressions")))
		check_invalid(c, "selector", selector, "empty selector is invalid for %s", c->kind->singular);
	else if (selector_of(selector, &s, NULL) >= 0 && !selector_matches(s, labels))
		check_invalid(c, "template.metadata.labels", labels ? labels : &none, "`selector` does not match template `labels`");
}

static void workload(struct check *c, const struct node *spec, const struct node *before)
{
	(void)before;
	replicas(c, spec);
	selects_template(c, spec);
	restart_policy(c, spec, "Always");
}

static void deployment(struct check *c, const struct node *spec, const struct node *before)
{
	int64_t deadline = node_int_at(spec, "progressDeadlineSeconds", 600), ready = node_int_at(spec, "minReadySeconds", 0);

	workload(c, spec, before);
	check_at_least(c, spec, "progressDeadlineSeconds", 0);
	if (deadline >= 0 && deadline <= ready)
		check_invalid(c, "progressDeadlineSeconds", node_get(spec, "progressDeadlineSeconds"), "must be greater than minReadySeconds");
}

static bool is_zero(const struct node *v) { return sv_eq_c(node_sv(v), "0") || sv_eq_c(node_sv(v), "0%"); }

static void strategy(struct check *c, const struct node *s, const struct node *before)
{
	const struct node *roll = node_get(s, "rollingUpdate");

	(void)before;
	if (roll && str_eq(node_str_at(s, "type"), "Recreate")) {
		check_forbidden(c, "rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
		return;
	}
	size_t at = c->path.n;
	path_field(&c->path, "rollingUpdate");
	check_percent_or_count(c, roll, "maxUnavailable");
	check_percent_or_count(c, roll, "maxSurge");
	if (is_zero(node_get(roll, "maxUnavailable")) && is_zero(node_get(roll, "maxSurge")))
		check_invalid(c, "maxUnavailable", node_get(roll, "maxUnavailable"), "may not be 0 when `maxSurge` is 0");
	str_cut(&c->path, at);
}

/* Of a StatefulSet's spec, only these may change. */
static void stateful_set(struct check *c, const struct node *spec, const struct node *before)
{
	static const char *const may_change[] = { "replicas", "ordinals", "template", "updateStrategy", "minReadySeconds",
						  "persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit" };
	AUTO_DOC d = before ? doc_new() : NULL;

	workload(c, spec, NULL);
	if (!before)
		return;
	struct node *new = node_copy(d, spec), *old = node_copy(d, before);
	for (size_t i = 0; i < sizeof may_change / sizeof *may_change; i++) {
		node_del(new, may_change[i]);
		node_del(old, may_change[i]);
	}
	if (!node_eq(new, old))
		check_forbidden(c, "", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
				"'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

static void job(struct check *c, const struct node *spec, const struct node *before)
{
	static const char *const counts[] = { "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished" };

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		check_at_least(c, spec, counts[i], 0);
	restart_policy(c, spec, "OnFailure|Never");
	if (node_at(spec, "template.spec") && !node_at(spec, "template.spec.restartPolicy"))
		check_required(c, "template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
	if (before && !node_eq(node_get(before, "template"), node_get(spec, "template")) && !node_bool_at(before, "suspend", false))
		check_invalid(c, "template", node_get(spec, "template"), "field is immutable");
}

/* Five fields, or @hourly and the like, each of digits, names and * , - / ? */
static bool is_schedule(struct sv s)
{
	static const char *const named[] = { "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly" };
	size_t fields = 0;
	bool inside = false;

	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (sv_eq_c(s, named[i]))
			return true;
	if (sv_starts(s, SV("@every ")))
		return true;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool good = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("*,-/?", c));

		if (!good && c != ' ' && c != '\t')
			return false;
		fields += good && !inside;
		inside = good;
	}
	return fields == 5;
}

static void cron_job(struct check *c, const struct node *spec, const struct node *before)
{
	const struct node *s = node_get(spec, "schedule");

	(void)before;
	if (node_is(s, NODE_STR) && s->n && !is_schedule(node_sv(s)))
		check_invalid(c, "schedule", s, "expected exactly 5 fields: minute, hour, day of month, month, day of week");
	check_at_least(c, spec, "startingDeadlineSeconds", 0);
	check_at_least(c, spec, "successfulJobsHistoryLimit", 0);
	check_at_least(c, spec, "failedJobsHistoryLimit", 0);
}

static void autoscaler(struct check *c, const struct node *spec, const struct node *before)
{
	int64_t least = node_int_at(spec, "minReplicas", 1), most = node_int_at(spec, "maxReplicas", 0);

	(void)before;
	check_at_least(c, spec, "minReplicas", 1);
	if (most < 1)
		check_invalid(c, "maxReplicas", node_get(spec, "maxReplicas"), "must be greater than 0");
	else if (most < least)
		check_invalid(c, "maxReplicas", node_get(spec, "maxReplicas"), "must be greater than or equal to `minReplicas`");
}

static void disruption_budget(struct check *c, const struct node *spec, const struct node *before)
{
	(void)before;
	if (node_get(spec, "minAvailable") && node_get(spec, "maxUnavailable"))
		check_invalid(c, "", spec, "minAvailable and maxUnavailable cannot be both set");
	check_percent_or_count(c, spec, "minAvailable");
	check_percent_or_count(c, spec, "maxUnavailable");
}

const struct check_rule check_workload_rules[] = {
	{ "apps/v1.DeploymentSpec", deployment }, { "apps/v1.DeploymentStrategy", strategy }, { "apps/v1.ReplicaSetSpec", workload },
	{ "apps/v1.DaemonSetSpec", workload }, { "apps/v1.StatefulSetSpec", stateful_set }, { "batch/v1.JobSpec", job },
	{ "batch/v1.CronJobSpec", cron_job }, { "autoscaling/v1.HorizontalPodAutoscalerSpec", autoscaler },
	{ "autoscaling/v2.HorizontalPodAutoscalerSpec", autoscaler }, { "policy/v1.PodDisruptionBudgetSpec", disruption_budget },
	{ 0 },
};
