/* Columns of Services, endpoints and Ingresses. */
#include "kube/schema/columns-internal.h"

#include <inttypes.h>

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
		column_join(c->out, &n, str_sv(&text));
	}
	column_end(c->out, n, "<none>");
}

static void add_ingress(const struct cell *c, size_t *n)
{
	struct node *it;

	node_each(it, node_at(c->root, "status.loadBalancer.ingress"))
		column_join(c->out, n, sv_c(node_str_or(it, "ip", node_str_or(it, "hostname", ""))));
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
		column_join(c->out, &n, node_sv(it));
	column_end(c->out, n, str_eq(type, "LoadBalancer") ? "<pending>" : "<none>");
}

#define SHOWN_MAX 3             /* addresses; how many more there are is said after them */

struct shown { size_t n, all; };        /* how many are written, how many there are */

static void show(const struct cell *c, struct shown *s, struct sv text)
{
	if (s->all++ < SHOWN_MAX)
		column_join(c->out, &s->n, text);
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
	column_end(c->out, s->n, absent);
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
		column_join(c->out, &n, node_sv(node_get(p, "port")));
	column_end(c->out, n, "<unset>");
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
		column_join(c->out, &n, node_sv(node_get(r, "host")));
	column_end(c->out, n, "*");
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

const struct column_function column_network[] = {
	FUNCTION(service_ports), FUNCTION(service_external_ip), FUNCTION(endpoints), FUNCTION(slice_ports),
	FUNCTION(slice_addresses), FUNCTION(ingress_hosts), FUNCTION(ingress_address), FUNCTION(ingress_ports),
	FUNCTION(ingress_class_parameters), { 0 },
};
