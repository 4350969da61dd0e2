/* Defaults: those of the rows, and those that depend on other fields. */
#include "kube/schema/schema.h"
#include "base/encode.h"
#include "base/json.h"

#include <ctype.h>
#include <stdlib.h>

static bool has(const struct node *map, const char *key) { return !node_is_empty(node_get(map, key)); }

static bool is(const struct node *map, const char *key, const char *text) { return str_eq(node_str_at(map, key), text); }

static void set_text(struct doc *d, struct node *map, const char *key, const char *text)
{
	if (!has(map, key))
		node_set(d, map, key, node_str(d, text));
}

static void set_int(struct doc *d, struct node *map, const char *key, int64_t v)
{
	if (!node_get(map, key))
		node_set(d, map, key, node_int(d, v));
}

static void set_map(struct doc *d, struct node *map, const char *key)
{
	if (!node_get(map, key))
		node_set(d, map, key, node_map(d));
}

/* ---- pods ---- */

static void volume(struct doc *d, struct node *v)
{
	if (v->n == 1 && node_get(v, "name"))
		node_set(d, v, "emptyDir", node_map(d));
}

/* Without a tag it is "latest", unless a digest says which one it is. */
static bool is_latest(const char *image)
{
	struct sv name, rest, dir, base, tag;

	bool digest = sv_cut(sv_c(image), '@', &name, &rest);
	if (!sv_cut_last(name, '/', &dir, &base))
		base = name;
	if (!sv_cut_last(base, ':', &rest, &tag))
		return !digest;
	return sv_eq_c(tag, "latest");
}

static void container(struct doc *d, struct node *c)
{
	const char *image = node_str_at(c, "image");

	if (image && *image)
		set_text(d, c, "imagePullPolicy", is_latest(image) ? "Always" : "IfNotPresent");
}

static void pod_spec(struct doc *d, struct node *spec)
{
	struct node *c, *ports;

	if (!node_bool_at(spec, "hostNetwork", false))
		return;
	node_each(c, node_get(spec, "containers")) {
		ports = node_get(c, "ports");
		for (size_t i = 0; i < node_n(ports); i++)
			set_int(d, ports->items[i], "hostPort", node_int_at(ports->items[i], "containerPort", 0));
	}
}

/* What is limited is requested as well, when nothing else is said. */
static void requests(struct doc *d, struct node *c)
{
	const struct node *limits = node_at(c, "resources.limits");
	struct member *m;

	node_members(m, limits) {
		struct node *req = node_map_at(d, c, "resources.requests");

		if (!node_getn(req, (struct sv){ m->key, m->key_n }))
			node_setn(d, req, (struct sv){ m->key, m->key_n }, node_copy(d, m->value));
	}
}

static void pod(struct doc *d, struct node *root)
{
	struct node *spec = node_get(root, "spec"), *c;

	if (!spec)
		return;
	if (!node_get(spec, "enableServiceLinks"))
		node_set(d, spec, "enableServiceLinks", node_bool(d, true));
	node_each(c, node_get(spec, "containers"))
		requests(d, c);
	node_each(c, node_get(spec, "initContainers"))
		requests(d, c);
}

/* ---- the other core kinds ---- */

static void service_port(struct doc *d, struct node *p)
{
	if (!has(p, "targetPort") && node_get(p, "port"))
		node_set(d, p, "targetPort", node_copy(d, node_get(p, "port")));
}

static void service_spec(struct doc *d, struct node *spec)
{
	bool balancer = is(spec, "type", "LoadBalancer");

	if (!is(spec, "type", "ExternalName"))
		set_text(d, spec, "internalTrafficPolicy", "Cluster");
	if (balancer || is(spec, "type", "NodePort"))
		set_text(d, spec, "externalTrafficPolicy", "Cluster");
	if (balancer && !node_get(spec, "allocateLoadBalancerNodePorts"))
		node_set(d, spec, "allocateLoadBalancerNodePorts", node_bool(d, true));
	if (is(spec, "sessionAffinity", "ClientIP"))
		node_map_at(d, spec, "sessionAffinityConfig.clientIP");
}

static void namespace(struct doc *d, struct node *root)
{
	struct node *name = node_at(root, "metadata.name");

	if (node_is(name, NODE_STR))
		node_set(d, node_map_at(d, root, "metadata.labels"), "kubernetes.io/metadata.name", node_copy(d, name));
}

/* stringData is for writing only: it becomes data. */
static void secret(struct doc *d, struct node *root)
{
	struct node *texts = node_get(root, "stringData");
	struct member *m;

	node_members(m, texts) {
		AUTO(str) packed = { 0 };

		base64_encode(&packed, node_sv(m->value));
		node_setn(d, node_map_at(d, root, "data"), (struct sv){ m->key, m->key_n }, node_strn(d, str_sv(&packed)));
	}
	node_del(root, "stringData");
}

static void replication_controller(struct doc *d, struct node *root)
{
	const struct node *labels = node_at(root, "spec.template.metadata.labels");

	if (!node_n(labels))
		return;
	if (!node_n(node_at(root, "spec.selector")))
		node_put(d, root, "spec.selector", node_copy(d, labels));
	if (!node_n(node_at(root, "metadata.labels")))
		node_put(d, root, "metadata.labels", node_copy(d, labels));
}

/* ---- apps and batch ---- */

static void rolling_update(struct doc *d, struct node *strategy)
{
	if (is(strategy, "type", "RollingUpdate"))
		set_map(d, strategy, "rollingUpdate");
}

static void job_spec(struct doc *d, struct node *spec)
{
	if (!node_get(spec, "completions") && !node_get(spec, "parallelism"))
		set_int(d, spec, "completions", 1);
	set_int(d, spec, "parallelism", 1);
	set_text(d, spec, "podReplacementPolicy", node_get(spec, "podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
}

static void job(struct doc *d, struct node *root)
{
	const struct node *labels = node_at(root, "spec.template.metadata.labels");

	if (node_n(labels) && !node_n(node_at(root, "metadata.labels")))
		node_put(d, root, "metadata.labels", node_copy(d, labels));
}

/* ---- the rest ---- */

static void subject(struct doc *d, struct node *s)
{
	if (is(s, "kind", "User") || is(s, "kind", "Group"))
		set_text(d, s, "apiGroup", "rbac.authorization.k8s.io");
}

static void network_policy(struct doc *d, struct node *spec)
{
	struct node *types;

	if (has(spec, "policyTypes"))
		return;
	types = node_seq(d);
	node_add(d, types, node_str(d, "Ingress"));
	if (node_n(node_get(spec, "egress")))
		node_add(d, types, node_str(d, "Egress"));
	node_set(d, spec, "policyTypes", types);
}

static void autoscaler(struct doc *d, struct node *spec)
{
	struct node *metric;

	if (node_n(node_get(spec, "metrics")))
		return;
	metric = node_map(d);
	node_set(d, metric, "type", node_str(d, "Resource"));
	node_put(d, metric, "resource.name", node_str(d, "cpu"));
	node_put(d, metric, "resource.target.type", node_str(d, "Utilization"));
	node_put(d, metric, "resource.target.averageUtilization", node_int(d, 80));
	node_set(d, spec, "metrics", node_seq(d));
	node_add(d, node_get(spec, "metrics"), metric);
}

static void definition(struct doc *d, struct node *spec)
{
	struct node *names = node_map_at(d, spec, "names");
	const char *kind = node_str_at(names, "kind");
	AUTO(str) lower = { 0 };

	if (!kind || !*kind)
		return;
	for (const char *p = kind; *p; p++)
		str_add1(&lower, (char)tolower((unsigned char)*p));
	set_text(d, names, "singular", str_c(&lower));
	str_cut(&lower, 0);
	str_addf(&lower, "%sList", kind);
	set_text(d, names, "listKind", str_c(&lower));
}

static const struct { const char *type; void (*run)(struct doc *d, struct node *n); } rules[] = {
	{ "core/v1.Volume", volume }, { "core/v1.Container", container }, { "core/v1.EphemeralContainer", container },
	{ "core/v1.PodSpec", pod_spec }, { "core/v1.Pod", pod }, { "core/v1.ServicePort", service_port },
	{ "core/v1.ServiceSpec", service_spec }, { "core/v1.Namespace", namespace }, { "core/v1.Secret", secret },
	{ "core/v1.ReplicationController", replication_controller }, { "apps/v1.DeploymentStrategy", rolling_update },
	{ "apps/v1.StatefulSetUpdateStrategy", rolling_update }, { "apps/v1.DaemonSetUpdateStrategy", rolling_update },
	{ "batch/v1.JobSpec", job_spec }, { "batch/v1.Job", job }, { "rbac/v1.Subject", subject },
	{ "networking/v1.NetworkPolicySpec", network_policy }, { "autoscaling/v2.HorizontalPodAutoscalerSpec", autoscaler },
	{ "apiextensions/v1.CustomResourceDefinitionSpec", definition },
};

/* ---- the walk ---- */

/* The value of a row's default. */
static struct node *literal(struct doc *d, const char *json)
{
	AUTO_DOC parsed = NULL;

	if (*json == '{' && json[1] == '}')
		return node_map(d);
	if (*json >= '0' && *json <= '9')
		return node_int(d, atoll(json));
	if (json_read(sv_c(json), "default", 0, &parsed, NULL) < 0)
		abort();                        /* a unit test reads every one of them */
	return node_copy(d, doc_root(parsed));
}

static void object(struct doc *d, struct node *n, const struct type *t);

static void children(struct doc *d, struct node *n, const struct field *f)
{
	struct node *it;
	struct member *m;

	if (f->container == FIELD_ONE)
		object(d, n, f->of);
	node_each(it, f->container == FIELD_LIST ? n : NULL)
		object(d, it, f->of);
	node_members(m, f->container == FIELD_MAP ? n : NULL)
		object(d, m->value, f->of);
}

static void run_rules(struct doc *d, struct node *n, const struct type *t)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (str_eq(rules[i].type, t->name))
			rules[i].run(d, n);
}

/* First the rows, then what depends on them, then what is below. */
static void object(struct doc *d, struct node *n, const struct type *t)
{
	if (!node_is(n, NODE_MAP) || !(t->flags & TYPE_DEFAULTS))
		return;
	for (size_t i = 0; i < t->n_fields; i++)
		if (t->fields[i].def && !node_get(n, t->fields[i].name))
			node_set(d, n, t->fields[i].name, literal(d, t->fields[i].def));
	if (t->flags & TYPE_RULES)
		run_rules(d, n, t);
	for (uint32_t i = 0; i < n->n; i++) {
		const struct field *f = type_field(t, (struct sv){ n->members[i].key, n->members[i].key_n });

		if (f && f->of)
			children(d, n->members[i].value, f);
	}
}

void schema_default(struct doc *d, struct node *root, const struct kind *k)
{
	if (k->type)
		object(d, root, k->type);
}
