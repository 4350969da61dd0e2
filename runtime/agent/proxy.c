/* Services: what the API says of Services and Endpoints, as the kernel's rules; changes of one turn go in one
 * transaction. */
#include "runtime/agent/agent-internal.h"

#include <stdlib.h>
#include "base/log.h"
#include "kube/informer.h"
#include "kube/traffic.h"

#define RETRY_MS 1000

struct proxy {
	struct agent *a;
	struct map excluded;                    /* addresses of pods that are ending */
	struct map serving;                     /* addresses that the kernel's rules lead to */
	uint64_t wanted, applied;               /* versions: of what is known, of what the kernel has */
	struct fiber_cond changed, done;
};

/* One Service port as it is handed to a job: everything copied. */
struct table { VEC(struct service_port) ports; VEC(char *) texts; VEC(struct backend *) lists; };

static void table_free(struct table *t)
{
	for (size_t i = 0; i < t->texts.n; i++)
		free(t->texts.v[i]);
	for (size_t i = 0; i < t->lists.n; i++)
		free(t->lists.v[i]);
	vec_free(&t->ports);
	vec_free(&t->texts);
	vec_free(&t->lists);
}

static const char *keep(struct table *t, char *take_text)
{
	vec_push(&t->texts, take_text);
	return take_text;
}

/* ---- from objects to the table ---- */

struct reading { struct proxy *p; struct table *t; };

static const struct node *port_named(const struct node *subset, const char *name)
{
	const struct node *ports = node_get(subset, "ports"), *it;

	node_each(it, ports)
		if (str_eq(node_str_or(it, "name", ""), name))
			return it;
	return NULL;
}

static void add_backends(struct reading *r, const struct node *endpoints, const char *name, struct service_port *out)
{
	const struct node *subsets = node_get(endpoints, "subsets"), *subset, *address;
	struct traffic *weights = traffic_read(endpoints);
	VEC(struct backend) all = { 0 };

	node_each(subset, subsets) {
		const struct node *port = port_named(subset, name), *addresses = node_get(subset, "addresses");

		for (size_t i = 0; port && i < node_n(addresses); i++) {
			address = node_item(addresses, i);
			const char *ip = node_str_or(address, "ip", "");

			if (!map_get(&r->p->excluded, sv_c(ip)))
				vec_push(&all, ((struct backend){ keep(r->t, sv_dup(sv_c(ip))),
					(uint16_t)node_int_at(port, "port", 0),
								  traffic_weight(weights, ip) }));
		}
	}
	traffic_free(&weights);
	out->backends = all.v;
	out->n_backends = all.n;
	if (all.v)
		vec_push(&r->t->lists, all.v);
}

static bool add_service(struct object *o, void *arg)
{
	struct reading *r = arg;
	const struct node *spec = node_get(o->root, "spec"), *ports = node_get(spec, "ports"), *it;
	const char *ip = node_str_or(spec, "clusterIP", ""), *type = node_str_or(spec, "type", "ClusterIP");
	struct object *endpoints = informer_get(r->p->a->endpoints, o->ns, o->name);
	bool node_ports = str_eq(type, "NodePort") || str_eq(type, "LoadBalancer");

	if (!*ip || str_eq(ip, "None") || str_eq(type, "ExternalName"))
		return true;
	node_each(it, ports) {
		const char *name = node_str_or(it, "name", "");
		struct service_port p = {
			.key = keep(r->t, str_fmt("%s/%s:%s", o->ns, o->name, name)),
			.cluster_ip = keep(r->t, sv_dup(sv_c(ip))),
			.port = (uint16_t)node_int_at(it, "port", 0),
			.node_port = node_ports ? (uint16_t)node_int_at(it, "nodePort", 0) : 0,
			.protocol = keep(r->t, sv_dup(sv_c(node_str_or(it, "protocol", "TCP")))),
			.client_ip_affinity = str_eq(node_str_at(spec, "sessionAffinity"), "ClientIP"),
		};

		if (endpoints)
			add_backends(r, endpoints->root, name, &p);
		vec_push(&r->t->ports, p);
	}
	return true;
}

/* ---- to the kernel ---- */

struct apply_job { struct network *n; struct table *t; int result; struct err err; };

static void apply(void *arg)
{
	struct apply_job *j = arg;

	j->result = network_services(j->n, j->t->ports.v, j->t->ports.n, &j->err);
}

static void note_serving(struct proxy *p, const struct table *t)
{
	map_free(&p->serving);
	p->serving = (struct map){ 0 };
	for (size_t i = 0; i < t->ports.n; i++)
		for (size_t k = 0; k < t->ports.v[i].n_backends; k++)
			map_put(&p->serving, sv_c(t->ports.v[i].backends[k].ip), p);
}

static int apply_once(struct proxy *p)
{
	struct table t = { 0 };
	struct reading r = { p, &t };
	struct apply_job j = { p->a->network, &t, 0, { 0 } };
	uint64_t version = p->wanted;

	informer_each(p->a->services, NULL, add_service, &r);
	fiber_job(apply, &j);
	if (j.result >= 0) {
		p->applied = version;
		note_serving(p, &t);
		fiber_signal_all(&p->done);
	} else {
		log_event(LOG_ERROR, "services not applied", "error", err_msg(&j.err), NULL);
	}
	err_free(&j.err);
	table_free(&t);
	return j.result;
}

static void run(void *arg)
{
	struct proxy *p = arg;

	if (informer_wait(p->a->services) < 0 || informer_wait(p->a->endpoints) < 0)
		return;
	while (!fiber_canceled()) {
		if (p->applied == p->wanted)
			(void)fiber_wait(&p->changed);
		else if (fiber_yield() == 0 && apply_once(p) < 0)       /* yield: more may change in this turn */
			(void)fiber_sleep(RETRY_MS);
	}
}

static void want(struct proxy *p)
{
	p->wanted++;
	fiber_signal_all(&p->changed);
}

static void on_change(void *arg, const struct object *before, const struct object *after)
{
	(void)before;
	(void)after;
	want(arg);
}

struct proxy *proxy_start(struct agent *a)
{
	struct proxy *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->a = a;
	p->wanted = 1;          /* also no services at all are to be applied once */
	informer_on_change(a->services, on_change, p);
	informer_on_change(a->endpoints, on_change, p);
	fiber_group_start(&a->fibers, "proxy", run, p);
	return p;
}

void proxy_free(struct proxy **pp)
{
	struct proxy *p = TAKE(*pp);

	if (!p)
		return;
	informer_off_change(p->a->services, on_change, p);
	informer_off_change(p->a->endpoints, on_change, p);
	map_free(&p->excluded);
	map_free(&p->serving);
	free(p);
}

void proxy_exclude(struct proxy *p, const char *ip)
{
	uint64_t version;

	map_put(&p->excluded, sv_c(ip), p);
	want(p);
	version = p->wanted;
	while (p->applied < version && fiber_wait_ms(&p->done, 2 * RETRY_MS) == 0)
		;
}

void proxy_include(struct proxy *p, const char *ip)
{
	if (map_del(&p->excluded, sv_c(ip)))
		want(p);
}

bool proxy_serves(struct proxy *p, const char *ip) { return map_get(&p->serving, sv_c(ip)) != NULL; }
