/* Columns of nodes, events, jobs, autoscalers, access, storage and certificates. */
#include "kube/schema/columns-internal.h"
#include "kube/object.h"

#include <inttypes.h>

/* ---- nodes ---- */

static void node_status(const struct cell *c)
{
	const struct node *ready = condition_get(node_get(c->root, "status"), "Ready");

	if (!ready)
		str_addc(c->out, "Unknown");
	else
		str_addc(c->out, str_eq(node_str_at(ready, "status"), "True") ? "Ready" : "NotReady");
	if (node_bool_at(c->root, "spec.unschedulable", false))
		str_addc(c->out, ",SchedulingDisabled");
}

static void node_roles(const struct cell *c)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	struct member *m;
	size_t n = 0;

	node_members(m, node_at(c->root, "metadata.labels")) {
		struct sv key = { m->key, m->key_n };

		if (sv_starts(key, sv_c(prefix)))
			column_join(c->out, &n, sv_drop(key, sizeof prefix - 1));
		else if (sv_eq_c(key, "kubernetes.io/role"))
			column_join(c->out, &n, node_sv(m->value));
	}
	column_end(c->out, n, "<none>");
}

static void node_address(const struct cell *c, const char *type)
{
	struct node *a;

	node_each(a, node_at(c->root, "status.addresses")) {
		if (str_eq(node_str_at(a, "type"), type)) {
			str_addc(c->out, node_str_or(a, "address", ""));
			return;
		}
	}
	str_addc(c->out, "<none>");
}

static void node_internal_ip(const struct cell *c) { node_address(c, "InternalIP"); }
static void node_external_ip(const struct cell *c) { node_address(c, "ExternalIP"); }

/* ---- events ---- */

static const char *event_time(const struct node *e, bool last)
{
	const char *t = node_str_at(e, last ? "series.lastObservedTime" : "firstTimestamp");

	if (!t)
		t = node_str_at(e, last ? "lastTimestamp" : "deprecatedFirstTimestamp");
	if (!t)
		t = node_str_at(e, last ? "firstTimestamp" : "eventTime");
	return t ? t : node_str_at(e, "eventTime");
}

static void event_last_seen(const struct cell *c) { column_since(c, event_time(c->root, true), "<unknown>"); }
static void event_first_seen(const struct cell *c) { column_since(c, event_time(c->root, false), "<unknown>"); }

static void event_object(const struct cell *c)
{
	const struct node *o = node_get(c->root, "involvedObject");

	if (!o)
		o = node_get(c->root, "regarding");
	for (const char *p = node_str_or(o, "kind", ""); *p; p++)
		str_add1(c->out, *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p);
	str_addf(c->out, "/%s", node_str_or(o, "name", ""));
}

static void event_source(const struct cell *c)
{
	const char *component = node_str_or(c->root, "source.component", ""), *host = node_str_at(c->root, "source.host");

	str_addc(c->out, *component ? component : node_str_or(c->root, "reportingComponent", ""));
	if (host && *host)
		str_addf(c->out, ", %s", host);
}

static void event_count(const struct cell *c)
{
	str_addf(c->out, "%" PRId64, node_int_at(c->root, "series.count", node_int_at(c->root, "count", 1)));
}

/* ---- jobs and autoscalers ---- */

static void job_status(const struct cell *c)
{
	static const struct { const char *condition, *text; } states[] = {
		{ "Complete", "Complete" }, { "Failed", "Failed" }, { "Suspended", "Suspended" }, { "FailureTarget", "FailureTarget" },
		{ "SuccessCriteriaMet", "SuccessCriteriaMet" },
	};
	const struct node *status = node_get(c->root, "status");

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (condition_is(status, states[i].condition, "True")) {
			str_addc(c->out, states[i].text);
			return;
		}
	}
	str_addc(c->out, meta_deleting(c->root) ? "Terminating" : "Running");
}

static void job_completions(const struct cell *c)
{
	int64_t done = node_int_at(c->root, "status.succeeded", 0), parallel = node_int_at(c->root, "spec.parallelism", 0);
	const struct node *wanted = node_at(c->root, "spec.completions");

	str_addf(c->out, "%" PRId64 "/", done);
	if (wanted)
		str_add(c->out, node_sv(wanted));
	else if (parallel > 1)
		str_addf(c->out, "1 of %" PRId64, parallel);
	else
		str_addc(c->out, "1");
}

static void job_duration(const struct cell *c)
{
	const char *start = node_str_at(c->root, "status.startTime"), *end = node_str_at(c->root, "status.completionTime");
	int64_t from, to = c->now_ms;

	if (!start || !time_parse(start, &from))
		return;
	if (end)
		(void)time_parse(end, &to);
	duration_text(to - from, c->out);
}

static void scale_target(const struct cell *c)
{
	str_addf(c->out, "%s/%s", node_str_or(c->root, "spec.scaleTargetRef.kind", ""), node_str_or(c->root, "spec.scaleTargetRef.name", ""));
}

/* "cpu: 12%/80%" for what is measured in percent, else the quantities. */
static void add_target(struct str *text, const struct node *spec, const struct node *current)
{
	const struct node *target = node_at(spec, "target");
	bool percent = node_get(target, "averageUtilization");
	const char *key = percent ? "averageUtilization" : node_get(target, "averageValue") ? "averageValue" : "value";
	struct sv is = node_sv(node_get(node_get(current, "current"), key)), name = node_sv(node_get(spec, "name"));

	if (name.n)
		str_addf(text, SV_FMT ": ", SV_ARG(name));
	if (is.n)
		str_addf(text, SV_FMT "%s", SV_ARG(is), percent ? "%" : "");
	else
		str_addc(text, "<unknown>");
	str_addf(text, "/" SV_FMT "%s", SV_ARG(node_sv(node_get(target, key))), percent ? "%" : "");
}

static const struct node *source_of(const struct node *metric)
{
	static const char *const sources[] = { "resource", "containerResource", "pods", "object", "external" };

	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (node_get(metric, sources[i]))
			return node_get(metric, sources[i]);
	return NULL;
}

static void hpa_targets(const struct cell *c)
{
	struct node *metric;
	size_t n = 0;

	node_each(metric, node_at(c->root, "spec.metrics")) {
		AUTO(str) text = { 0 };

		if (n)
			str_addc(&text, " ");
		add_target(&text, source_of(metric), source_of(node_item(node_at(c->root, "status.currentMetrics"), i_)));
		column_join(c->out, &n, str_sv(&text));
	}
	column_end(c->out, n, "<none>");
}

/* ---- access, storage, certificates, services of the API ---- */

static void role_ref(const struct cell *c)
{
	str_addf(c->out, "%s/%s", node_str_or(c->root, "roleRef.kind", ""), node_str_or(c->root, "roleRef.name", ""));
}

static void subjects(const struct cell *c)
{
	struct node *s;
	size_t n = 0;

	node_each(s, node_get(c->root, "subjects")) {
		const char *ns = node_str_at(s, "namespace");
		AUTO(str) text = { 0 };

		if (!str_eq(node_str_at(s, "kind"), c->arg))
			continue;
		str_addf(&text, "%s%s%s", ns && str_eq(c->arg, "ServiceAccount") ? ns : "",
			 ns && str_eq(c->arg, "ServiceAccount") ? "/" : "", node_str_or(s, "name", ""));
		column_join(c->out, &n, str_sv(&text));
	}
}

static void phase(const struct cell *c)
{
	str_addc(c->out, meta_deleting(c->root) ? "Terminating" : node_str_or(c->root, "status.phase", "Pending"));
}

static void volume_claim(const struct cell *c)
{
	const struct node *ref = node_at(c->root, "spec.claimRef");

	if (ref)
		str_addf(c->out, "%s/%s", node_str_or(ref, "namespace", ""), node_str_or(ref, "name", ""));
}

static void controller(const struct cell *c)
{
	const struct node *owner = meta_owner(c->root);

	if (!owner) {
		str_addc(c->out, "<none>");
		return;
	}
	for (const char *p = node_str_or(owner, "kind", ""); *p; p++)
		str_add1(c->out, *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p);
	const char *slash = strchr(node_str_or(owner, "apiVersion", ""), '/');
	if (slash)
		str_addf(c->out, ".%.*s", (int)(slash - node_str_or(owner, "apiVersion", "")), node_str_or(owner, "apiVersion", ""));
	str_addf(c->out, "/%s", node_str_or(owner, "name", ""));
}

static void csr_duration(const struct cell *c)
{
	int64_t s = node_int_at(c->root, "spec.expirationSeconds", -1);

	if (s < 0)
		str_addc(c->out, "<none>");
	else
		duration_text(s * 1000, c->out);
}

static void csr_condition(const struct cell *c)
{
	static const char *const types[] = { "Approved", "Denied", "Failed" };
	const struct node *status = node_get(c->root, "status");
	size_t n = 0;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (condition_get(status, types[i]))
			column_join(c->out, &n, sv_c(types[i]));
	if (node_sv(node_get(status, "certificate")).n)
		column_join(c->out, &n, SV("Issued"));
	column_end(c->out, n, "Pending");
}

static void api_service(const struct cell *c)
{
	const struct node *s = node_at(c->root, "spec.service");

	if (s)
		str_addf(c->out, "%s/%s", node_str_or(s, "namespace", ""), node_str_or(s, "name", ""));
	else
		str_addc(c->out, "Local");
}

static void param_kind(const struct cell *c)
{
	const struct node *k = node_at(c->root, "spec.paramKind");

	if (k)
		str_addf(c->out, "%s/%s", node_str_or(k, "apiVersion", ""), node_str_or(k, "kind", ""));
	else
		str_addc(c->out, "<unset>");
}

static void param_ref(const struct cell *c)
{
	const struct node *ref = node_at(c->root, "spec.paramRef");
	const char *ns = node_str_or(ref, "namespace", "");

	if (!ref)
		str_addc(c->out, "<unset>");
	else if (node_get(ref, "selector"))
		str_addc(c->out, "<selector>");
	else
		str_addf(c->out, "%s%s%s", ns, *ns ? "/" : "", node_str_or(ref, "name", ""));
}

/* "cpu: 1/4, pods: 3/10" */
static void quota(const struct cell *c, bool limits)
{
	const struct node *hard = node_at(c->root, "status.hard"), *used = node_at(c->root, "status.used");
	struct member *m;
	size_t n = 0;

	node_members(m, hard) {
		struct sv key = { m->key, m->key_n };

		if (sv_starts(key, SV("limits.")) != limits)
			continue;
		str_addf(c->out, "%s%s: " SV_FMT "/" SV_FMT, n++ ? ", " : "", m->key, SV_ARG(node_sv(node_getn(used, key))),
			 SV_ARG(node_sv(m->value)));
	}
}

static void quota_requests(const struct cell *c) { quota(c, false); }
static void quota_limits(const struct cell *c) { quota(c, true); }

const struct column_function column_other[] = {
	FUNCTION(node_status), FUNCTION(node_roles), FUNCTION(node_internal_ip), FUNCTION(node_external_ip),
	FUNCTION(event_last_seen), FUNCTION(event_first_seen), FUNCTION(event_object), FUNCTION(event_source),
	FUNCTION(event_count), FUNCTION(job_status), FUNCTION(job_completions), FUNCTION(job_duration),
	FUNCTION(scale_target), FUNCTION(hpa_targets), FUNCTION(role_ref), FUNCTION(subjects), FUNCTION(phase),
	FUNCTION(volume_claim), FUNCTION(controller), FUNCTION(csr_duration), FUNCTION(csr_condition),
	FUNCTION(api_service), FUNCTION(quota_requests), FUNCTION(quota_limits),
	FUNCTION(param_kind), FUNCTION(param_ref), { 0 },
};
