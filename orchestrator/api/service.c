#include "orchestrator/api/api-internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_FIRST = 30000, PORT_LAST = 32767, PORTS = PORT_LAST - PORT_FIRST + 1 };
enum { DYNAMIC_FROM = 256 };    /* lower ones are left to Services that ask for an address of their own choice */

/* ---- what a Service holds ---- */

static bool address_index(const struct service_ranges *s, const char *ip, uint32_t *index)
{
	struct in_addr a;

	if (!ip || inet_pton(AF_INET, ip, &a) != 1)
		return false;
	*index = ntohl(a.s_addr) - s->base;
	return *index > 0 && *index < s->n - 1;
}

static bool port_index(const struct node *port, uint32_t *index)
{
	int64_t v = node_int_at(port, "nodePort", 0);

	*index = (uint32_t)(v - PORT_FIRST);
	return v >= PORT_FIRST && v <= PORT_LAST;
}

static bool holds_port(const struct node *root, uint32_t wanted)
{
	const struct node *it;
	uint32_t i;

	node_each(it, node_at(root, "spec.ports"))
		if (port_index(it, &i) && i == wanted)
			return true;
	return false;
}

/* Marks what root holds and `but` does not. */
static void mark(struct service_ranges *s, const struct node *root, const struct node *but, bool taken)
{
	const char *ip = node_str_at(root, "spec.clusterIP");
	const struct node *it;
	uint32_t i;

	if (address_index(s, ip, &i) && !str_eq(ip, node_str_at(but, "spec.clusterIP")))
		s->addresses[i] = taken;
	node_each(it, node_at(root, "spec.ports"))
		if (port_index(it, &i) && !holds_port(but, i))
			s->ports[i] = taken;
}

static const struct node *root_of(struct item *i)
{
	struct object *o = i ? item_object(i) : NULL;

	return o ? o->root : NULL;
}

static void on_change(struct cache_listener *l, const struct change *c)
{
	struct service_ranges *s = (struct service_ranges *)l;
	const struct node *after = c->gone ? NULL : root_of(c->after);

	mark(s, root_of(c->before), after, false);
	mark(s, after, NULL, true);
}

int service_ranges_open(struct service_ranges *s, struct resource *services, const char *cidr, struct err *err)
{
	struct sv address, bits;
	struct in_addr a;
	int64_t n;

	if (!sv_cut(sv_c(cidr), '/', &address, &bits) || !sv_to_i64(bits, &n) || n < 12 || n > 28)
		return err_set(err, ERR_BAD_REQUEST,
			       "service range '%s': want an IPv4 network of /12 to /28, as in 10.96.0.0/16", cidr);
	char *text = sv_dup(address);
	int ok = inet_pton(AF_INET, text, &a);
	free(text);
	if (ok != 1)
		return err_set(err, ERR_BAD_REQUEST, "service range '%s': not an IPv4 network", cidr);
	s->n = 1u << (32 - n);
	s->base = ntohl(a.s_addr) & ~(s->n - 1);
	s->next = s->n > 2 * DYNAMIC_FROM ? DYNAMIC_FROM : 1;
	s->addresses = calloc(s->n, 1);
	s->ports = calloc(PORTS, 1);
	if (!s->addresses || !s->ports)
		abort();
	s->services = services;
	s->listener.fn = on_change;
	for (size_t i = 0; i < services->items.n; i++)
		mark(s, root_of(services->items.v[i]), NULL, true);
	resource_listen(services, &s->listener);
	return 0;
}

void service_ranges_close(struct service_ranges *s)
{
	if (s->services)
		resource_unlisten(s->services, &s->listener);
	free(s->addresses);
	free(s->ports);
	*s = (struct service_ranges){ 0 };
}

/* ---- addresses ---- */

static int take_address(const struct request *rq, struct doc *d, struct node *root, const char *name, struct err *err)
{
	struct service_ranges *s = &rq->api->services;
	uint32_t first = s->n > 2 * DYNAMIC_FROM ? DYNAMIC_FROM : 1, span = s->n - 1 - first;

	for (uint32_t tries = 0; tries < span; tries++) {
		uint32_t i = first + (s->next - first + tries) % span;
		struct in_addr a = { htonl(s->base + i) };
		char text[INET_ADDRSTRLEN];

		if (s->addresses[i])
			continue;
		s->addresses[i] = 1;
		s->next = i + 1;
		node_put(d, root, "spec.clusterIP", node_str(d, inet_ntop(AF_INET, &a, text, sizeof text)));
		return 0;
	}
	return invalid_field(rq, name, "spec.clusterIPs", err, "failed to allocate IP: range is full");
}

static int claim_address(const struct request *rq, const char *ip, const char *name, struct err *err)
{
	struct service_ranges *s = &rq->api->services;
	uint32_t i;

	if (!address_index(s, ip, &i))
		return invalid_field(rq, name, "spec.clusterIPs", err,
				     "Invalid value: []string{\"%s\"}: failed to allocate IP %s: the provided IP "
				     "is not in the valid range",
				     ip, ip);
	if (s->addresses[i])
		return invalid_field(rq, name, "spec.clusterIPs", err,
				     "Invalid value: []string{\"%s\"}: failed to allocate IP %s: provided IP is "
				     "already allocated",
				     ip, ip);
	s->addresses[i] = 1;
	return 0;
}

static int give_address(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
			const char *name, struct err *err)
{
	const char *ip = node_str_or(root, "spec.clusterIP", ""), *was = node_str_or(before, "spec.clusterIP", "");
	struct node *spec = node_get(root, "spec");

	if (str_eq(node_str_at(root, "spec.type"), "ExternalName")) {
		(void)node_del(spec, "clusterIP");
		(void)node_del(spec, "clusterIPs");
		return 0;
	}
	if (!*ip && *was)
		node_set(d, spec, "clusterIP", node_str(d, was));
	else if (*was && strcmp(ip, was))
		return invalid_field(rq, name, "spec.clusterIPs[0]", err,
				     "Invalid value: []string{\"%s\"}: may not change once set", ip);
	else if (!*ip)
		TRY(take_address(rq, d, root, name, err));
	else if (!*was && strcmp(ip, "None"))
		TRY(claim_address(rq, ip, name, err));
	struct node *all = node_seq(d);
	node_add(d, all, node_str(d, node_str_at(spec, "clusterIP")));
	node_set(d, spec, "clusterIPs", all);
	return 0;
}

/* ---- ports ---- */

static const struct node *same_port(const struct node *before, const struct node *port)
{
	const struct node *it;

	node_each(it, node_at(before, "spec.ports"))
		if (node_int_at(it, "port", 0) == node_int_at(port, "port", 0) &&
		    str_eq(node_str_or(it, "protocol", "TCP"), node_str_or(port, "protocol", "TCP")))
			return it;
	return NULL;
}

static int take_port(const struct request *rq, struct doc *d, struct node *port, const char *name, struct err *err)
{
	uint8_t *taken = rq->api->services.ports;
	uint32_t start = (uint32_t)rand() % PORTS;

	for (uint32_t n = 0; n < PORTS; n++) {
		uint32_t i = (start + n) % PORTS;

		if (taken[i])
			continue;
		taken[i] = 1;
		node_set(d, port, "nodePort", node_int(d, PORT_FIRST + i));
		return 0;
	}
	return invalid_field(rq, name, "spec.ports", err, "failed to allocate a nodePort: range is full");
}

static int give_port(const struct request *rq, struct doc *d, struct node *port, const struct node *before,
		     const char *name, struct err *err)
{
	const struct node *was = same_port(before, port);
	uint32_t i;

	if (!node_int_at(port, "nodePort", 0) && was && node_int_at(was, "nodePort", 0))
		node_set(d, port, "nodePort", node_copy(d, node_get(was, "nodePort")));
	if (!node_int_at(port, "nodePort", 0))
		return take_port(rq, d, port, name, err);
	if (!port_index(port, &i))
		return invalid_field(rq, name, "spec.ports[0].nodePort", err,
				     "Invalid value: %lld: provided port is not in the valid range. "
				     "The range of valid ports is %d-%d",
				     (long long)node_int_at(port, "nodePort", 0), PORT_FIRST, PORT_LAST);
	if (holds_port(before, i))
		return 0;
	if (rq->api->services.ports[i])
		return invalid_field(rq, name, "spec.ports[0].nodePort", err,
				     "Invalid value: %u: provided port is already allocated", PORT_FIRST + i);
	rq->api->services.ports[i] = 1;
	return 0;
}

static bool wants_node_ports(const struct node *root)
{
	const char *type = node_str_or(root, "spec.type", "ClusterIP");

	return !strcmp(type, "NodePort") ||
	       (!strcmp(type, "LoadBalancer") && node_bool_at(root, "spec.allocateLoadBalancerNodePorts", true));
}

static int give_ports(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		      const char *name, struct err *err)
{
	bool node_ports = wants_node_ports(root);
	struct node *it;

	node_each(it, node_at(root, "spec.ports")) {
		if (!node_is(it, NODE_MAP))
			continue;
		if (!node_get(it, "targetPort") && node_get(it, "port"))
			node_set(d, it, "targetPort", node_copy(d, node_get(it, "port")));
		if (node_ports)
			TRY(give_port(rq, d, it, before, name, err));
		else
			(void)node_del(it, "nodePort");
	}
	return 0;
}

/* ---- rows of the rules table ---- */

int service_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		    struct err *err)
{
	const char *name = node_str_or(root, "metadata.name", "");

	if (!node_is(node_get(root, "spec"), NODE_MAP))
		node_set(d, root, "spec", node_map(d));
	TRY(give_address(rq, d, root, before, name, err));
	int r = give_ports(rq, d, root, before, name, err);
	if (r < 0)
		service_give_up(rq, root, before);
	return r;
}

void service_give_up(const struct request *rq, const struct node *root, const struct node *before)
{
	struct service_ranges *s = &rq->api->services;
	const struct item *live = resource_find(s->services, rq->ns, node_str_or(root, "metadata.name", ""));

	mark(s, root, before, false);
	if (live)       /* what another writer of this Service has stored meanwhile stays taken */
		mark(s, root_of((struct item *)live), NULL, true);
}
