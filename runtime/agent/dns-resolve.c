/* What the cluster's names mean. */
#include "runtime/agent/dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define TTL_S 5                 /* short: endpoints come and go */
#define PARTS_MAX 8

struct parts { struct sv v[PARTS_MAX]; size_t n; };     /* of the name before the domain, last one first */

struct request {
	const struct dns_source *source;
	const struct dns_question *q;
	struct sv packet;
	struct str *out;
};

static bool split(const char *name, struct parts *p)
{
	struct sv rest = sv_c(name), part;

	if (!sv_eq_c(rest, DNS_DOMAIN) && !sv_ends(rest, SV("." DNS_DOMAIN)))
		return false;
	rest.n -= strlen(DNS_DOMAIN);
	rest.n -= rest.n > 0;
	for (bool more = rest.n > 0; more && p->n < PARTS_MAX; p->v[p->n++] = part)
		if (!(more = sv_cut_last(rest, '.', &rest, &part)))
			part = rest;
	return true;
}

static bool wants(const struct request *r, enum dns_type type) { return r->q->type == type || r->q->type == DNS_ANY; }

static bool finish(const struct request *r, enum dns_code code)
{
	if (code != DNS_OK)
		dns_answer_start(r->out, r->packet, r->q, code);
	dns_answer_end(r->out, r->q);
	return true;
}

static struct object *find(struct informer *f, struct sv ns, struct sv name)
{
	char *n = sv_dup(ns), *m = sv_dup(name);
	struct object *o = informer_get(f, n, m);

	free(n);
	free(m);
	return o;
}

static void add_address(const struct request *r, const char *text)
{
	struct in_addr ip;

	if (wants(r, DNS_A) && inet_pton(AF_INET, text, &ip) == 1)
		dns_answer_address(r->out, TTL_S, ip);
}

/* Addresses of a headless Service's pods: all of them, or that with a host name. Returns how many there are. */
static size_t add_pods(const struct request *r, const struct node *endpoints, struct sv host)
{
	const struct node *subsets = node_get(endpoints, "subsets"), *subset, *address;
	size_t n = 0;

	node_each(subset, subsets) {
		const struct node *list = node_get(subset, "addresses");

		for (size_t i = 0; i < node_n(list); i++) {
			address = node_item(list, i);
			if (host.n && !sv_eq(node_sv(node_get(address, "hostname")), host))
				continue;
			add_address(r, node_str_or(address, "ip", ""));
			n++;
		}
	}
	return n;
}

static bool answer_service(const struct request *r, const struct object *service)
{
	const struct node *spec = node_get(service->root, "spec");
	const char *ip = node_str_or(spec, "clusterIP", "");
	struct object *endpoints = informer_get(r->source->endpoints, service->ns, service->name);

	if (str_eq(node_str_at(spec, "type"), "ExternalName")) {
		if (r->q->type != DNS_SRV)
			dns_answer_name(r->out, DNS_CNAME, TTL_S, node_str_or(spec, "externalName", ""));
	} else if (str_eq(ip, "None")) {
		if (endpoints)
			add_pods(r, endpoints->root, SV(""));
	} else {
		add_address(r, ip);
	}
	return finish(r, DNS_OK);
}

static bool answer_host(const struct request *r, const struct object *service, struct sv host)
{
	struct object *endpoints = informer_get(r->source->endpoints, service->ns, service->name);

	return finish(r, endpoints && add_pods(r, endpoints->root, host) ? DNS_OK : DNS_NO_NAME);
}

/* _http._tcp.web.default.svc.cluster.local: the Service's port of that name, at the Service's own name. */
static bool answer_port(const struct request *r, const struct object *service, struct sv protocol, struct sv port)
{
	const struct node *ports = node_at(service->root, "spec.ports"), *it;
	char target[256];
	bool found = false;

	snprintf(target, sizeof target, "%s.%s.svc." DNS_DOMAIN, service->name, service->ns);
	node_each(it, ports) {
		const char *name = node_str_or(it, "name", "");
		struct sv kind = node_get(it, "protocol") ? node_sv(node_get(it, "protocol")) : SV("TCP");

		if (!sv_eq_c(sv_drop(port, 1), name) || kind.n + 1 != protocol.n ||
		    strncasecmp(protocol.p + 1, kind.p, kind.n) != 0)
			continue;
		found = true;
		if (wants(r, DNS_SRV))
			dns_answer_service(r->out, TTL_S, (uint16_t)node_int_at(it, "port", 0), target);
	}
	return finish(r, found ? DNS_OK : DNS_NO_NAME);
}

/* svc, NS, NAME [, HOST | PROTOCOL, PORT] */
static bool answer_svc(const struct request *r, const struct parts *p)
{
	const struct object *service = p->n >= 3 ? find(r->source->services, p->v[1], p->v[2]) : NULL;

	if (p->n == 2)          /* a namespace: there, but no address */
		return finish(r, DNS_OK);
	if (!service)
		return finish(r, DNS_NO_NAME);
	if (p->n == 3)
		return answer_service(r, service);
	if (p->n == 4)
		return answer_host(r, service, p->v[3]);
	if (p->n == 5 && p->v[3].n && *p->v[3].p == '_' && p->v[4].n && *p->v[4].p == '_')
		return answer_port(r, service, p->v[3], p->v[4]);
	return finish(r, DNS_NO_NAME);
}

/* pod, NS, 10-244-0-5 */
static bool answer_pod(const struct request *r, const struct parts *p)
{
	char ip[INET_ADDRSTRLEN];
	struct in_addr a;

	if (p->n != 3 || p->v[2].n >= sizeof ip)
		return finish(r, p->n == 2 ? DNS_OK : DNS_NO_NAME);
	for (size_t i = 0; i < p->v[2].n; i++)
		ip[i] = p->v[2].p[i] == '-' ? '.' : p->v[2].p[i];
	ip[p->v[2].n] = '\0';
	if (inet_pton(AF_INET, ip, &a) != 1)
		return finish(r, DNS_NO_NAME);
	add_address(r, ip);
	return finish(r, DNS_OK);
}

bool dns_resolve(const struct dns_source *source, struct sv packet, const struct dns_question *q, struct str *out)
{
	struct request r = { source, q, packet, out };
	struct parts p = { .n = 0 };

	if (!split(q->name, &p))
		return false;
	dns_answer_start(out, packet, q, DNS_OK);
	if (p.n && sv_eq_c(p.v[0], "svc"))
		return answer_svc(&r, &p);
	if (p.n && sv_eq_c(p.v[0], "pod"))
		return answer_pod(&r, &p);
	return finish(&r, p.n ? DNS_NO_NAME : DNS_OK);
}
