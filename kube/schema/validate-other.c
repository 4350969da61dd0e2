/* Rules of Services, configuration, access, networking, definitions and applications. */
#include "kube/schema/check.h"
#include "kube/schema/names.h"
#include "base/map.h"

#include <stdio.h>

#define DATA_MAX (1024 * 1024)

/* ---- services ---- */

static void port_names(struct check *c, const struct node *ports)
{
	char at[48];

	for (size_t i = 0; i < node_n(ports); i++) {
		const struct node *name = node_get(ports->items[i], "name");

		snprintf(at, sizeof at, "ports[%zu].name", i);
		if (node_is_empty(name) && node_n(ports) > 1)
			check_required(c, at, "");
		else if (node_is(name, NODE_STR) && name->n && name_dns_label(node_sv(name)))
			check_invalid(c, at, name, "%s", name_dns_label(node_sv(name)));
	}
	check_unique(c, ports, "ports", "name");
}

/* The same number and protocol twice. */
static void port_pairs(struct check *c, const struct node *ports)
{
	__attribute__((cleanup(map_free))) struct map seen = { 0 };
	AUTO(str) pair = { 0 };
	char at[48];

	for (size_t i = 0; i < node_n(ports); i++) {
		struct node *p = ports->items[i];

		str_cut(&pair, 0);
		str_addf(&pair, SV_FMT "/" SV_FMT, SV_ARG(node_sv(node_get(p, "port"))), SV_ARG(node_sv(node_get(p, "protocol"))));
		snprintf(at, sizeof at, "ports[%zu]", i);
		if (map_put(&seen, str_sv(&pair), p))
			check_duplicate(c, at, p);
	}
}

static void service(struct check *c, const struct node *spec, const struct node *before)
{
	const char *type = node_str_or(spec, "type", "");
	const struct node *ports = node_get(spec, "ports");
	bool external = str_eq(type, "ExternalName"), headless = str_eq(node_str_at(spec, "clusterIP"), "None");

	(void)before;
	if (!node_n(ports) && !external && !headless)
		check_required(c, "ports", "");
	if (external && node_is_empty(node_get(spec, "externalName")))
		check_required(c, "externalName", "");
	if (headless && (str_eq(type, "NodePort") || str_eq(type, "LoadBalancer")))
		check_invalid(c, "clusterIPs[0]", node_get(spec, "clusterIP"), "may not be set to 'None' for %s services", type);
	port_names(c, ports);
	port_pairs(c, ports);
}

static void service_port(struct check *c, const struct node *p, const struct node *before)
{
	(void)before;
	if (!node_get(p, "port"))
		check_required(c, "port", "");
	check_port_number(c, p, "port");
	check_port_number_or_name(c, p, "targetPort");
	check_at_least(c, p, "nodePort", 0);
}

/* ---- configuration ---- */

static void keys(struct check *c, const struct node *map, const char *field)
{
	struct member *m;

	node_members(m, map) {
		struct node k = { .type = NODE_STR, .text = m->key, .n = m->key_n };
		const char *wrong = name_config_key(node_sv(&k));
		AUTO(str) at = { 0 };

		str_addf(&at, "%s[%s]", field, m->key);
		if (wrong)
			check_invalid(c, str_c(&at), &k, "%s", wrong);
	}
}

static size_t data_size(const struct node *map)
{
	struct member *m;
	size_t n = 0;

	node_members(m, map)
		n += node_sv(m->value).n;
	return n;
}

/* Once immutable, always immutable; before the data itself is looked at. */
static void immutable(struct check *c, const struct node *root, const struct node *before)
{
	static const char *const fields[] = { "data", "binaryData" };

	if (!node_bool_at(before, "immutable", false))
		return;
	if (!node_bool_at(root, "immutable", false))
		check_forbidden(c, "immutable", "field is immutable when `immutable` is set");
	for (size_t i = 0; i < 2; i++)
		if (!node_eq(node_get(root, fields[i]), node_get(before, fields[i])))
			check_forbidden(c, fields[i], "field is immutable when `immutable` is set");
}

static void config(struct check *c, const struct node *root, const struct node *before)
{
	struct member *m;

	keys(c, node_get(root, "data"), "data");
	keys(c, node_get(root, "binaryData"), "binaryData");
	node_members(m, node_get(root, "binaryData")) {
		AUTO(str) at = { 0 };

		str_addf(&at, "data[%s]", m->key);
		if (node_getn(node_get(root, "data"), (struct sv){ m->key, m->key_n }))
			check_invalid(c, str_c(&at), m->value, "duplicate of key present in binaryData");
	}
	if (data_size(node_get(root, "data")) + data_size(node_get(root, "binaryData")) > DATA_MAX)
		err_cause(&c->causes, "", "FieldValueTooLong", "Too long: must have at most %d bytes", DATA_MAX);
	immutable(c, root, before);
}

/* ---- access ---- */

static void subject(struct check *c, const struct node *s, const struct node *before)
{
	(void)before;
	if (str_eq(node_str_at(s, "kind"), "ServiceAccount") && node_is_empty(node_get(s, "namespace")))
		check_required(c, "namespace", "");
}

static void policy_rule(struct check *c, const struct node *r, const struct node *before)
{
	bool urls = node_n(node_get(r, "nonResourceURLs"));

	(void)before;
	if (urls && (node_n(node_get(r, "resources")) || node_n(node_get(r, "apiGroups"))))
		check_invalid(c, "nonResourceURLs", node_get(r, "nonResourceURLs"), "rules cannot apply to both regular resources and non-resource URLs");
	if (urls)
		return;
	if (!node_n(node_get(r, "apiGroups")))
		check_required(c, "apiGroups", "resource rules must supply at least one api group");
	if (!node_n(node_get(r, "resources")))
		check_required(c, "resources", "resource rules must supply at least one resource");
}

/* ---- networking ---- */

static void ingress(struct check *c, const struct node *spec, const struct node *before)
{
	(void)before;
	if (!node_n(node_get(spec, "rules")) && !node_get(spec, "defaultBackend"))
		check_invalid(c, "", spec, "either `defaultBackend` or `rules` must be specified");
}

static void ingress_path(struct check *c, const struct node *p, const struct node *before)
{
	const struct node *path = node_get(p, "path"), *type = node_get(p, "pathType");
	bool free_form = sv_eq_c(node_sv(type), "ImplementationSpecific");

	(void)before;
	if (type && !free_form && (!node_is(path, NODE_STR) || !path->n || *path->text != '/'))
		check_invalid(c, "path", path, "must be an absolute path");
}

static void ingress_backend(struct check *c, const struct node *b, const struct node *before)
{
	const struct node *service_node = node_get(b, "service"), *port = node_get(service_node, "port");

	(void)before;
	if (service_node && node_get(b, "resource"))
		check_invalid(c, "", b, "cannot set both resource and service backends");
	else if (service_node && node_is_empty(node_get(port, "name")) && !node_int_at(port, "number", 0))
		check_required(c, "service.port", "port name or number is required");
	else if (!service_node && !node_get(b, "resource"))
		check_required(c, "", "resource or service backend is required");
}

/* ---- definitions and applications ---- */

static void definition(struct check *c, const struct node *root, const struct node *before)
{
	const struct node *name = node_at(root, "metadata.name"), *versions = node_at(root, "spec.versions");
	AUTO(str) want = { 0 };
	struct node *v;
	size_t stored = 0;

	(void)before;
	str_addf(&want, "%s.%s", node_str_or(root, "spec.names.plural", ""), node_str_or(root, "spec.group", ""));
	if (node_is(name, NODE_STR) && !str_eq(node_text(name), str_c(&want)))
		check_invalid(c, "metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
	node_each(v, versions)
		stored += node_bool_at(v, "storage", false);
	if (node_n(versions) && stored != 1)
		check_invalid(c, "spec.versions", versions, "must have exactly one version marked as storage version");
}

static void application(struct check *c, const struct node *spec, const struct node *before)
{
	const struct node *to = node_get(spec, "destination");

	(void)before;
	if (!node_get(spec, "source") && !node_n(node_get(spec, "sources")) && !node_get(spec, "sourceHydrator"))
		check_required(c, "source", "source or sources must be specified");
	if (node_sv(node_get(to, "server")).n && node_sv(node_get(to, "name")).n)
		check_invalid(c, "destination", to, "can't have both name and server defined");
}

const struct check_rule check_other_rules[] = {
	{ "core/v1.ServiceSpec", service }, { "core/v1.ServicePort", service_port }, { "core/v1.ConfigMap", config }, { "core/v1.Secret", config },
	{ "rbac/v1.Subject", subject }, { "rbac/v1.PolicyRule", policy_rule }, { "networking/v1.IngressSpec", ingress },
	{ "networking/v1.HTTPIngressPath", ingress_path }, { "networking/v1.IngressBackend", ingress_backend },
	{ "apiextensions/v1.CustomResourceDefinition", definition }, { "argoproj.io/v1alpha1.ApplicationSpec", application }, { 0 },
};
