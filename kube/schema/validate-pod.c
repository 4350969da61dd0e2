/* Rules of pods and their parts. */
#include "kube/schema/check.h"
#include "kube/schema/names.h"
#include "kube/quantity.h"
#include "base/map.h"

#include <stdio.h>

/* The names of a list's items, which stand at `path` in each. */
static void collect(struct map *names, const struct node *list, const char *path)
{
	struct node *it;

	node_each(it, list)
		(void)map_put(names, node_sv(node_at(it, path)), it);
}

static void mounts(struct check *c, const struct node *spec, const char *list, const struct map *volumes)
{
	const struct node *containers = node_get(spec, list);
	char at[96];

	for (size_t i = 0; i < node_n(containers); i++) {
		const struct node *ms = node_get(containers->items[i], "volumeMounts");

		for (size_t j = 0; j < node_n(ms); j++) {
			const struct node *name = node_get(ms->items[j], "name");

			snprintf(at, sizeof at, "%s[%zu].volumeMounts[%zu].name", list, i, j);
			if (!node_is_empty(name) && !map_get(volumes, node_sv(name)))
				check_not_found(c, at, name);
		}
		snprintf(at, sizeof at, "%s[%zu].volumeMounts", list, i);
		check_unique(c, ms, at, "mountPath");
	}
}

/* Every mount names a volume of the pod; a StatefulSet's claims are volumes too. */
static void all_mounts(struct check *c, const struct node *spec)
{
	__attribute__((cleanup(map_free))) struct map volumes = { 0 };

	collect(&volumes, node_get(spec, "volumes"), "name");
	collect(&volumes, node_at(c->root, "spec.volumeClaimTemplates"), "metadata.name");
	mounts(c, spec, "containers", &volumes);
	mounts(c, spec, "initContainers", &volumes);
}

/* Names are unique over all kinds of containers. */
static void init_names(struct check *c, const struct node *spec)
{
	__attribute__((cleanup(map_free))) struct map names = { 0 };
	const struct node *init = node_get(spec, "initContainers");
	char at[64];

	collect(&names, init ? node_get(spec, "containers") : NULL, "name");
	for (size_t i = 0; i < node_n(init); i++) {
		const struct node *name = node_get(init->items[i], "name");

		snprintf(at, sizeof at, "initContainers[%zu].name", i);
		if (map_get(&names, node_sv(name)))
			check_duplicate(c, at, name);
	}
}

static void pod_spec(struct check *c, const struct node *spec, const struct node *before)
{
	(void)before;
	check_unique(c, node_get(spec, "containers"), "containers", "name");
	check_unique(c, node_get(spec, "initContainers"), "initContainers", "name");
	check_unique(c, node_get(spec, "volumes"), "volumes", "name");
	init_names(c, spec);
	all_mounts(c, spec);
	check_at_least(c, spec, "terminationGracePeriodSeconds", 0);
	check_at_least(c, spec, "activeDeadlineSeconds", 1);
	check_name(c, spec, "hostname", name_dns_label);
	check_name(c, spec, "subdomain", name_dns_label);
	check_name(c, spec, "serviceAccountName", name_dns_subdomain);
	check_name(c, spec, "nodeName", name_dns_subdomain);
}

static void resources(struct check *c, const struct node *r, const struct node *before)
{
	const struct node *limits = node_get(r, "limits"), *requests = node_get(r, "requests");
	struct member *m;
	int64_t want, limit;

	(void)before;
	node_members(m, requests) {
		const struct node *most = node_getn(limits, (struct sv){ m->key, m->key_n });
		AUTO(str) at = { 0 };

		if (!quantity_milli(node_sv(m->value), &want))
			continue;
		str_addf(&at, "requests[%s]", m->key);
		if (want < 0)
			check_invalid(c, str_c(&at), m->value, "must be greater than or equal to 0");
		else if (most && quantity_milli(node_sv(most), &limit) && want > limit)
			check_invalid(c, "requests", m->value, "must be less than or equal to %s limit of " SV_FMT, m->key, SV_ARG(node_sv(most)));
	}
}

static void image(struct check *c, const struct node *container)
{
	const struct node *v = node_get(container, "image");
	struct sv s = node_sv(v);

	if (node_is_empty(v))
		check_required(c, "image", "");
	else if (s.n && (strchr(" \t\n", *s.p) || strchr(" \t\n", s.p[s.n - 1])))
		check_invalid(c, "image", v, "must not have leading or trailing whitespace");
}

static void container(struct check *c, const struct node *n, const struct node *before)
{
	(void)before;
	check_name(c, n, "name", name_dns_label);
	image(c, n);
	check_unique(c, node_get(n, "ports"), "ports", "name");
}

static void port(struct check *c, const struct node *p, const struct node *before)
{
	int64_t v = node_int_at(p, "hostPort", 0);

	(void)before;
	if (!node_get(p, "containerPort"))
		check_required(c, "containerPort", "");
	check_port_number(c, p, "containerPort");
	if (v)
		check_port_number(c, p, "hostPort");
	check_name(c, p, "name", name_port);
}

static void env(struct check *c, const struct node *e, const struct node *before)
{
	(void)before;
	check_name(c, e, "name", name_env_var);
	if (node_get(e, "valueFrom") && node_sv(node_get(e, "value")).n)
		check_invalid(c, "valueFrom", node_get(e, "value"), "may not be specified when `value` is not empty");
}

static void volume(struct check *c, const struct node *v, const struct node *before)
{
	(void)before;
	check_name(c, v, "name", name_dns_label);
	if (v->n > 2)
		check_forbidden(c, v->members[2].key, "may not specify more than 1 volume type");
}

static void probe(struct check *c, const struct node *p, const struct node *before)
{
	static const char *const handlers[] = { "exec", "httpGet", "tcpSocket", "grpc" };
	static const char *const counts[] = { "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold" };
	size_t n = 0;

	(void)before;
	for (size_t i = 0; i < 4; i++) {
		if (node_get(p, handlers[i]) && n++)
			check_forbidden(c, handlers[i], "may not specify more than 1 handler type");
	}
	if (!n)
		check_required(c, "", "must specify a handler type");
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		check_at_least(c, p, counts[i], i ? 1 : 0);
	if (node_int_at(p, "successThreshold", 1) != 1 && !sv_ends(str_sv(&c->path), SV("readinessProbe")))
		check_invalid(c, "successThreshold", node_get(p, "successThreshold"), "must be 1");
}

static void target_port(struct check *c, const struct node *n, const struct node *before)
{
	(void)before;
	check_port_number_or_name(c, n, "port");
}

static const struct node *without(struct doc *d, const struct node *spec)
{
	static const char *const may_change[] = { "activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "schedulingGates",
						  "ephemeralContainers", "nodeName" };
	static const char *const lists[] = { "containers", "initContainers" };
	struct node *copy = node_copy(d, spec), *it;

	for (size_t i = 0; i < sizeof may_change / sizeof *may_change; i++)
		node_del(copy, may_change[i]);
	for (size_t i = 0; i < 2; i++)
		node_each(it, node_get(copy, lists[i]))
			node_del(it, "image");
	return copy;
}

/* Of a pod that exists, only few things can change. */
static void pod(struct check *c, const struct node *root, const struct node *before)
{
	AUTO_DOC d = before ? doc_new() : NULL;
	const struct node *spec = node_get(root, "spec");

	if (!before || node_eq(without(d, spec), without(d, node_get(before, "spec"))))
		return;
	check_forbidden(c, "spec", "pod updates may not change fields other than `spec.containers[*].image`,"
			"`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
			"tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
}

const struct check_rule check_pod_rules[] = {
	{ "core/v1.Pod", pod }, { "core/v1.PodSpec", pod_spec }, { "core/v1.Container", container }, { "core/v1.EphemeralContainer", container },
	{ "core/v1.ContainerPort", port }, { "core/v1.EnvVar", env }, { "core/v1.Volume", volume }, { "core/v1.Probe", probe },
	{ "core/v1.HTTPGetAction", target_port }, { "core/v1.TCPSocketAction", target_port }, { "core/v1.ResourceRequirements", resources },
	{ 0 },
};
