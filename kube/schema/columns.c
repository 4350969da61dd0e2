/* The functions that columns name: kubectl's way of showing objects. */
#include "kube/schema/columns.h"
#include "kube/schema/columns-pod.h"
#include "kube/jsonpath.h"
#include "kube/object.h"

#include <inttypes.h>
#include <stdlib.h>

/* arg is what stands behind the ':' in the column's path; "" when there is none. */
struct cell { const struct node *root; const char *arg; int64_t now_ms; struct str *out; };

/* ---- times ---- */

void duration_text(int64_t ms, struct str *out)
{
	int64_t s = ms / 1000, m = s / 60, h = s / 3600, d = h / 24, y = d / 365;

	if (s < -1)
		str_addc(out, "<invalid>");
	else if (s < 120)
		str_addf(out, "%" PRId64 "s", s < 0 ? 0 : s);
	else if (m < 10)
		str_addf(out, s % 60 ? "%" PRId64 "m%" PRId64 "s" : "%" PRId64 "m", m, s % 60);
	else if (m < 180)
		str_addf(out, "%" PRId64 "m", m);
	else if (h < 8)
		str_addf(out, m % 60 ? "%" PRId64 "h%" PRId64 "m" : "%" PRId64 "h", h, m % 60);
	else if (h < 48)
		str_addf(out, "%" PRId64 "h", h);
	else if (d < 8)
		str_addf(out, h % 24 ? "%" PRId64 "d%" PRId64 "h" : "%" PRId64 "d", d, h % 24);
	else if (y < 2)
		str_addf(out, "%" PRId64 "d", d);
	else if (y < 8)
		str_addf(out, d % 365 ? "%" PRId64 "y%" PRId64 "d" : "%" PRId64 "y", y, d % 365);
	else
		str_addf(out, "%" PRId64 "y", y);
}

static void since(const struct cell *c, const char *time, const char *absent)
{
	int64_t ms;

	if (time && time_parse(time, &ms))
		duration_text(c->now_ms - ms, c->out);
	else
		str_addc(c->out, absent);
}

static void age(const struct cell *c) { since(c, node_str_at(c->root, "metadata.creationTimestamp"), "<unknown>"); }

static void since_path(const struct cell *c) { since(c, node_str_at(c->root, c->arg + 1), "<none>"); }

/* ---- one value, and what stands for its absence ---- */

static void or_text(const struct cell *c, const char *absent)
{
	size_t before = c->out->n;

	jsonpath_text(c->root, c->arg, c->out);
	if (c->out->n == before)
		str_addc(c->out, absent);
}

static void or_none(const struct cell *c) { or_text(c, "<none>"); }
static void or_unset(const struct cell *c) { or_text(c, "<unset>"); }
static void or_unknown(const struct cell *c) { or_text(c, "<unknown>"); }
static void or_na(const struct cell *c) { or_text(c, "N/A"); }
static void or_false(const struct cell *c) { or_text(c, "false"); }
static void or_delete(const struct cell *c) { or_text(c, "Delete"); }
static void or_immediate(const struct cell *c) { or_text(c, "Immediate"); }
static void number(const struct cell *c) { or_text(c, "0"); }

static void count(const struct cell *c) { str_addf(c->out, "%zu", node_n(node_at(c->root, c->arg + 1))); }

static void data_count(const struct cell *c)
{
	str_addf(c->out, "%zu", node_n(node_get(c->root, "data")) + node_n(node_get(c->root, "binaryData")));
}

/* "3/5": a number of the status of what the spec wants. */
static void ready_of(const struct cell *c)
{
	number(c);
	str_addf(c->out, "/%" PRId64, node_int_at(c->root, "spec.replicas", 1));
}

/* ---- lists ---- */

static void join(struct str *out, size_t *n, struct sv text)
{
	if (!text.n)
		return;
	if ((*n)++)
		str_add1(out, ',');
	str_add(out, text);
}

static void end_list(struct str *out, size_t n, const char *absent)
{
	if (!n)
		str_addc(out, absent);
}

static void add_pairs(const struct cell *c, const struct node *map, size_t *n)
{
	AUTO(str) pair = { 0 };
	struct member *m;

	node_members(m, map) {
		str_cut(&pair, 0);
		str_addf(&pair, "%s=" SV_FMT, m->key, SV_ARG(node_sv(m->value)));
		join(c->out, n, str_sv(&pair));
	}
}

static void pairs(const struct cell *c)
{
	size_t n = 0;

	add_pairs(c, node_at(c->root, c->arg + 1), &n);
	end_list(c->out, n, "<none>");
}

/* "tier in (a,b)", "!x", "x" */
static void add_expression(struct str *text, const struct node *e)
{
	const char *op = node_str_or(e, "operator", ""), *key = node_str_or(e, "key", "");
	bool in = str_eq(op, "In"), out = str_eq(op, "NotIn");
	struct node *v;
	size_t n = 0;

	str_addf(text, "%s%s", str_eq(op, "DoesNotExist") ? "!" : "", key);
	if (!in && !out)
		return;
	str_addc(text, in ? " in (" : " notin (");
	node_each(v, node_get(e, "values"))
		join(text, &n, node_sv(v));
	str_add1(text, ')');
}

static void label_selector(const struct cell *c)
{
	const struct node *s = node_at(c->root, c->arg + 1);
	struct node *e;
	size_t n = 0;

	add_pairs(c, node_get(s, "matchLabels"), &n);
	node_each(e, node_get(s, "matchExpressions")) {
		AUTO(str) text = { 0 };

		add_expression(&text, e);
		join(c->out, &n, str_sv(&text));
	}
	end_list(c->out, n, "<none>");
}

static void access_modes(const struct cell *c)
{
	static const struct { const char *mode, *text; } modes[] = {
		{ "ReadWriteOnce", "RWO" }, { "ReadOnlyMany", "ROX" }, { "ReadWriteMany", "RWX" }, { "ReadWriteOncePod", "RWOP" },
	};
	struct node *it;
	size_t n = 0;

	node_each(it, node_at(c->root, c->arg + 1))
		for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
			if (str_eq(node_text(it), modes[i].mode))
				join(c->out, &n, sv_c(modes[i].text));
}

static void each_container(const struct cell *c, const char *path, const char *key)
{
	struct node *it;
	size_t n = 0;

	node_each(it, node_at(c->root, path))
		join(c->out, &n, node_sv(node_get(it, key)));
	end_list(c->out, n, "<none>");
}

static const char *template_path(const struct cell *c)
{
	return node_get(c->root, "template") ? "template.spec.containers" : "spec.template.spec.containers";
}

static void containers(const struct cell *c) { each_container(c, template_path(c), "name"); }
static void images(const struct cell *c) { each_container(c, template_path(c), "image"); }
static void cronjob_containers(const struct cell *c) { each_container(c, "spec.jobTemplate.spec.template.spec.containers", "name"); }
static void cronjob_images(const struct cell *c) { each_container(c, "spec.jobTemplate.spec.template.spec.containers", "image"); }

/* ---- services and endpoints ---- */

static void service_ports(const struct cell *c)
{
	struct node *p;
	size_t n = 0;

	node_each(p, node_at(c->root, "spec.ports")) {
		int64_t node_port = node_int_at(p, "nodePort", 0);
		AUTO(str) text = { 0 };

		str_addf(&text, "%" PRId64, node_int_at(p, "port", 0));
		if (node_port)
			str_addf(&text, ":%" PRId64, node_port);
		str_addf(&text, "/%s", node_str_or(p, "protocol", "TCP"));
		join(c->out, &n, str_sv(&text));
	}
	end_list(c->out, n, "<none>");
}

static void add_ingress(const struct cell *c, size_t *n)
{
	struct node *it;

	node_each(it, node_at(c->root, "status.loadBalancer.ingress"))
		join(c->out, n, sv_c(node_str_or(it, "ip", node_str_or(it, "hostname", ""))));
}

static void service_external_ip(const struct cell *c)
{
	const char *type = node_str_or(c->root, "spec.type", "");
	struct node *it;
	size_t n = 0;

	if (str_eq(type, "ExternalName")) {
		str_addc(c->out, node_str_or(c->root, "spec.externalName", ""));
		return;
	}
	if (str_eq(type, "LoadBalancer"))
		add_ingress(c, &n);
	node_each(it, node_at(c->root, "spec.externalIPs"))
		join(c->out, &n, node_sv(it));
	end_list(c->out, n, str_eq(type, "LoadBalancer") ? "<pending>" : "<none>");
}

#define SHOWN_MAX 3             /* addresses; how many more there are is said after them */

struct shown { size_t n, all; };        /* how many are written, how many there are */

static void show(const struct cell *c, struct shown *s, struct sv text)
{
	if (s->all++ < SHOWN_MAX)
		join(c->out, &s->n, text);
}

static void show_address(const struct cell *c, struct shown *s, struct sv ip, const struct node *ports)
{
	struct node *p;

	if (!node_n(ports))
		show(c, s, ip);
	node_each(p, ports) {
		AUTO(str) text = { 0 };

		str_addf(&text, SV_FMT ":%" PRId64, SV_ARG(ip), node_int_at(p, "port", 0));
		show(c, s, str_sv(&text));
	}
}

static void end_shown(const struct cell *c, const struct shown *s, const char *absent)
{
	if (s->all > SHOWN_MAX)
		str_addf(c->out, " + %zu more...", s->all - SHOWN_MAX);
	end_list(c->out, s->n, absent);
}

static void endpoints(const struct cell *c)
{
	struct shown s = { 0 };
	struct node *set;

	node_each(set, node_get(c->root, "subsets")) {
		const struct node *addresses = node_get(set, "addresses");

		for (size_t i = 0; i < node_n(addresses); i++)
			show_address(c, &s, node_sv(node_get(addresses->items[i], "ip")), node_get(set, "ports"));
	}
	end_shown(c, &s, "<none>");
}

static void slice_ports(const struct cell *c)
{
	struct node *p;
	size_t n = 0;

	node_each(p, node_get(c->root, "ports"))
		join(c->out, &n, node_sv(node_get(p, "port")));
	end_list(c->out, n, "<unset>");
}

static void slice_addresses(const struct cell *c)
{
	struct shown s = { 0 };
	struct node *e;

	node_each(e, node_get(c->root, "endpoints")) {
		const struct node *addresses = node_get(e, "addresses");

		for (size_t i = 0; i < node_n(addresses); i++)
			show(c, &s, node_sv(addresses->items[i]));
	}
	end_shown(c, &s, "<unset>");
}

static void ingress_hosts(const struct cell *c)
{
	struct node *r;
	size_t n = 0;

	node_each(r, node_at(c->root, "spec.rules"))
		join(c->out, &n, node_sv(node_get(r, "host")));
	end_list(c->out, n, "*");
}

static void ingress_address(const struct cell *c)
{
	size_t n = 0;

	add_ingress(c, &n);
}

static void ingress_ports(const struct cell *c) { str_addc(c->out, node_n(node_at(c->root, "spec.tls")) ? "80, 443" : "80"); }

static void ingress_class_parameters(const struct cell *c)
{
	const struct node *p = node_at(c->root, "spec.parameters");

	if (!p)
		str_addc(c->out, "<none>");
	else if (node_get(p, "apiGroup"))
		str_addf(c->out, "%s.%s/%s", node_str_or(p, "kind", ""), node_str_or(p, "apiGroup", ""), node_str_or(p, "name", ""));
	else
		str_addf(c->out, "%s/%s", node_str_or(p, "kind", ""), node_str_or(p, "name", ""));
}

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
			join(c->out, &n, sv_drop(key, sizeof prefix - 1));
		else if (sv_eq_c(key, "kubernetes.io/role"))
			join(c->out, &n, node_sv(m->value));
	}
	end_list(c->out, n, "<none>");
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

static void event_last_seen(const struct cell *c) { since(c, event_time(c->root, true), "<unknown>"); }
static void event_first_seen(const struct cell *c) { since(c, event_time(c->root, false), "<unknown>"); }

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
		join(c->out, &n, str_sv(&text));
	}
	end_list(c->out, n, "<none>");
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
		join(c->out, &n, str_sv(&text));
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
			join(c->out, &n, sv_c(types[i]));
	if (node_sv(node_get(status, "certificate")).n)
		join(c->out, &n, SV("Issued"));
	end_list(c->out, n, "Pending");
}

static void api_service(const struct cell *c)
{
	const struct node *s = node_at(c->root, "spec.service");

	if (s)
		str_addf(c->out, "%s/%s", node_str_or(s, "namespace", ""), node_str_or(s, "name", ""));
	else
		str_addc(c->out, "Local");
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

/* ---- pods ---- */

static void pod_ready_cell(const struct cell *c) { column_pod_ready(c->root, c->out); }
static void pod_status_cell(const struct cell *c) { column_pod_status(c->root, c->out); }
static void pod_restarts_cell(const struct cell *c) { column_pod_restarts(c->root, c->now_ms, c->out); }
static void pod_gates(const struct cell *c) { column_pod_gates(c->root, c->out); }

#define FUNCTION(name) { #name, name }
static const struct { const char *name; void (*run)(const struct cell *c); } functions[] = {
	FUNCTION(age), { "since", since_path }, FUNCTION(or_none), FUNCTION(or_unset), FUNCTION(or_unknown), FUNCTION(or_na),
	FUNCTION(or_false), FUNCTION(or_delete), FUNCTION(or_immediate), FUNCTION(number), FUNCTION(count), FUNCTION(data_count),
	FUNCTION(ready_of), FUNCTION(pairs), FUNCTION(label_selector), FUNCTION(access_modes), FUNCTION(containers), FUNCTION(images),
	FUNCTION(cronjob_containers), FUNCTION(cronjob_images), FUNCTION(service_ports), FUNCTION(service_external_ip),
	FUNCTION(endpoints), FUNCTION(slice_ports), FUNCTION(slice_addresses), FUNCTION(ingress_hosts), FUNCTION(ingress_address),
	FUNCTION(ingress_ports), FUNCTION(ingress_class_parameters), FUNCTION(node_status), FUNCTION(node_roles),
	FUNCTION(node_internal_ip), FUNCTION(node_external_ip), FUNCTION(event_last_seen), FUNCTION(event_first_seen),
	FUNCTION(event_object), FUNCTION(event_source), FUNCTION(event_count), FUNCTION(job_status), FUNCTION(job_completions),
	FUNCTION(job_duration), FUNCTION(scale_target), FUNCTION(hpa_targets), FUNCTION(role_ref), FUNCTION(subjects), FUNCTION(phase),
	FUNCTION(volume_claim), FUNCTION(controller), FUNCTION(csr_duration), FUNCTION(csr_condition), FUNCTION(api_service),
	FUNCTION(quota_requests), FUNCTION(quota_limits), { "pod_ready", pod_ready_cell }, { "pod_status", pod_status_cell },
	{ "pod_restarts", pod_restarts_cell }, FUNCTION(pod_gates),
};

bool column_known(const struct column *c)
{
	struct sv name, arg;

	if (*c->path != '=')
		return jsonpath_check(c->path, NULL) >= 0;
	sv_cut(sv_c(c->path + 1), ':', &name, &arg);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (sv_eq_c(name, functions[i].name))
			return true;
	return false;
}

void column_text(const struct column *c, const struct node *root, int64_t now_ms, struct str *out)
{
	struct sv name, arg;

	if (*c->path != '=') {
		if (str_eq(c->type, "date"))
			since(&(struct cell){ root, "", now_ms, out }, node_str_at(root, c->path + 1), "");
		else
			jsonpath_text(root, c->path, out);
		return;
	}
	sv_cut(sv_c(c->path + 1), ':', &name, &arg);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (sv_eq_c(name, functions[i].name))
			functions[i].run(&(struct cell){ root, arg.n ? arg.p : "", now_ms, out });
}
