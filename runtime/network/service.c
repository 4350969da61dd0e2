#include "runtime/network/service.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include "runtime/network/conntrack.h"

static void service_drop(struct service *s)
{
	if (!s)
		return;
	free(s->key);
	free(s->endpoints);
	free(s);
}

static void drop_all(struct map *m)
{
	struct map_slot *slot;

	map_each(slot, m)
		service_drop(slot->value);
	map_free(m);
}

void services_free(struct services *s) { drop_all(&s->by_key); }

/* ---- from what is wanted ---- */

static int by_address(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;
	uint32_t i = ntohl(x->ip.s_addr), j = ntohl(y->ip.s_addr);

	return i != j ? (i < j ? -1 : 1) : (int)x->port - (int)y->port;
}

static const struct { const char *name; uint8_t number; } protocols[] = {
	{ "TCP", IPPROTO_TCP }, { "UDP", IPPROTO_UDP }, { "SCTP", IPPROTO_SCTP },
};

static uint8_t protocol_of(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (str_eq(protocols[i].name, name))
			return protocols[i].number;
	return IPPROTO_TCP;
}

/* Backends with a weight and an IPv4 address, in order, each once: an address that is named twice gets both weights. */
static void read_backends(struct service *s, const struct service_port *w)
{
	struct endpoint *e = calloc(w->n_backends + 1, sizeof *e);
	size_t n = 0, kept = 0;

	if (!e)
		abort();
	for (size_t i = 0; i < w->n_backends; i++) {
		const struct backend *b = &w->backends[i];

		e[n] = (struct endpoint){ .port = b->port, .weight = b->weight };
		if (b->weight && inet_pton(AF_INET, b->ip, &e[n].ip) == 1)
			n++;
	}
	qsort(e, n, sizeof *e, by_address);
	for (size_t i = 0; i < n; i++) {
		if (kept && !by_address(&e[kept - 1], &e[i]))
			e[kept - 1].weight += e[i].weight;
		else
			e[kept++] = e[i];
	}
	s->endpoints = e;
	s->n_endpoints = kept;
}

static struct service *read_service(const struct service_port *w)
{
	struct service *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->key = sv_dup(sv_c(w->key));
	s->port = w->port;
	s->node_port = w->node_port;
	s->protocol = protocol_of(w->protocol);
	s->affinity = w->client_ip_affinity;
	if (inet_pton(AF_INET, w->cluster_ip, &s->ip) != 1)
		s->ip.s_addr = 0;
	read_backends(s, w);
	return s;
}

/* The first one has an address and port; a second one that wants the same is left out, or the kernel would refuse
 * all. */
static bool is_free(struct map *taken, const struct service *s)
{
	char key[64];
	struct { bool has; uint32_t ip; uint16_t port; } ways[] = {
		{ s->ip.s_addr != 0, s->ip.s_addr, s->port }, { s->node_port != 0, 0, s->node_port },
	};

	for (size_t i = 0; i < 2; i++) {
		snprintf(key, sizeof key, "%x %u %u", ways[i].ip, s->protocol, ways[i].port);
		if (ways[i].has && map_get(taken, sv_c(key)))
			return false;
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(key, sizeof key, "%x %u %u", ways[i].ip, s->protocol, ways[i].port);
		if (ways[i].has)
			map_put(taken, sv_c(key), taken);
	}
	return true;
}

/* Services with a way in and a backend: all others are nowhere in the table. */
static void read_all(const struct service_port *v, size_t n_v, struct map *out)
{
	AUTO(map) taken = { 0 };

	for (size_t i = 0; i < n_v; i++) {
		struct service *s = read_service(&v[i]);

		if (s->n_endpoints && (s->ip.s_addr || s->node_port) && is_free(&taken, s))
			service_drop(map_put(out, sv_c(s->key), s));
		else
			service_drop(s);
	}
}

/* ---- the difference ---- */

static bool same_way(const struct service *a, const struct service *b)
{
	return a->ip.s_addr == b->ip.s_addr && a->port == b->port && a->node_port == b->node_port &&
	       a->protocol == b->protocol && a->affinity == b->affinity;
}

static bool same_endpoints(const struct service *a, const struct service *b)
{
	if (a->n_endpoints != b->n_endpoints)
		return false;
	for (size_t i = 0; i < a->n_endpoints; i++)
		if (by_address(&a->endpoints[i], &b->endpoints[i]) || a->endpoints[i].weight != b->endpoints[i].weight)
			return false;
	return true;
}

static void addresses_of(const struct map *services, struct map *out)
{
	struct map_slot *slot;

	map_each(slot, services) {
		const struct service *s = slot->value;

		for (size_t i = 0; i < s->n_endpoints; i++)
			map_put(out, (struct sv){ (const char *)&s->endpoints[i].ip, 4 }, out);
	}
}

/* Addresses of a that b has not: as elements of the transaction. Returns how many. */
static size_t hairpins_only_in(struct nft *n, const struct map *a, const struct map *b)
{
	struct map_slot *slot;
	size_t count = 0;

	map_each(slot, a) {
		struct in_addr ip;

		if (map_get(b, (struct sv){ slot->key, 4 }))
			continue;
		memcpy(&ip, slot->key, 4);
		rules_hairpin(n, ip);
		count++;
	}
	return count;
}

static size_t hairpins(struct nft *n, const struct map *before, const struct map *after)
{
	AUTO(map) old = { 0 };
	AUTO(map) now = { 0 };
	size_t count;

	addresses_of(before, &old);
	addresses_of(after, &now);
	nft_elements_del(n, RULES_HAIRPIN);
	count = hairpins_only_in(n, &old, &now);
	nft_elements_end(n);
	nft_elements_add(n, RULES_HAIRPIN);
	count += hairpins_only_in(n, &now, &old);
	nft_elements_end(n);
	return count;
}

/* Everything that goes first, so that what comes may take its place. Returns the number of changes. */
static size_t difference(struct nft *n, const struct map *before, const struct map *after)
{
	struct map_slot *slot;
	size_t count = 0;

	map_each(slot, before) {
		const struct service *now = map_get(after, (struct sv){ slot->key, slot->key_n });

		if (now && same_way(slot->value, now))
			continue;
		rules_service_del(n, slot->value);
		count++;
	}
	map_each(slot, after) {
		const struct service *now = slot->value, *was = map_get(before, (struct sv){ slot->key, slot->key_n });

		if (was && same_way(was, now) && same_endpoints(was, now))
			continue;
		if (was && same_way(was, now))
			rules_service_endpoints(n, now);
		else
			rules_service_add(n, now);
		count++;
	}
	return count + hairpins(n, before, after);
}

static bool has_endpoint(const struct service *s, const struct endpoint *e)
{
	for (size_t i = 0; s && i < s->n_endpoints; i++)
		if (!by_address(&s->endpoints[i], e))
			return true;
	return false;
}

/* Backends that UDP services led to and lead to no longer. */
static void gone_udp(const struct map *before, const struct map *after, struct conntrack_ends *out)
{
	struct map_slot *slot;

	map_each(slot, before) {
		const struct service *was = slot->value, *now = map_get(after, (struct sv){ slot->key, slot->key_n });

		for (size_t i = 0; was->protocol == IPPROTO_UDP && i < was->n_endpoints; i++)
			if (!has_endpoint(now, &was->endpoints[i]))
				vec_push(out, ((struct sockaddr_in){ .sin_addr = was->endpoints[i].ip,
					.sin_port = htons(was->endpoints[i].port) }));
	}
}

static int forget_flows(const struct map *before, const struct map *after, struct err *err)
{
	struct conntrack_ends gone = { 0 };
	int r;

	gone_udp(before, after, &gone);
	r = gone.n ? conntrack_forget_udp(&gone, err) : 0;
	vec_free(&gone);
	return r;
}

int services_apply(struct services *s, const struct rules_plan *p, const struct service_port *v, size_t n_v,
		   struct err *err)
{
	AUTO(nft) n = { 0 };
	AUTO_FD fd = nl_open(NETLINK_NETFILTER, err);
	struct map wanted = { 0 };
	char table[32];
	int r = 0;

	if (fd < 0)
		return fd;
	rules_table_name(p->instance, table);
	read_all(v, n_v, &wanted);
	nft_start(&n, table);
	if (!s->known) {        /* left by an earlier run: replaced as a whole, in the same instant */
		drop_all(&s->by_key);
		nft_table_del(&n, true);
		nft_table_add(&n);
		rules_frame(&n, p);
	}
	if (difference(&n, &s->by_key, &wanted) || !s->known)
		r = nft_commit(&n, fd, err);
	if (r < 0) {
		drop_all(&wanted);
		s->known = false;       /* whatever made it fail, the next time starts from nothing */
		return r;
	}
	/* after the rules: the next packet must not find the old ones */
	r = forget_flows(&s->by_key, &wanted, err);
	drop_all(&s->by_key);
	s->by_key = wanted;
	s->known = true;
	return r;
}
