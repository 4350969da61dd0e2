#include "runtime/network/rules.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include "runtime/network/link.h"

#define AFFINITY_MS (3 * 3600 * 1000)   /* Kubernetes' default for sessionAffinity: ClientIP */
#define AFFINITY_MAX 65535

/* Registers by use: a key in A.., a found backend in B (address) and B + 1 (port). */
#define A ((uint32_t)NFT_REG32_00)
#define B ((uint32_t)NFT_REG32_04)

void rules_table_name(const char *instance, char out[static 32]) { snprintf(out, 32, "cd-%s", instance); }

/* ---- single matches ---- */

static void load_saddr(struct nft *n, uint32_t reg)
{
	nft_expr(n, "payload", { NFTA_PAYLOAD_DREG, reg }, { NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER },
		 { NFTA_PAYLOAD_OFFSET, offsetof(struct iphdr, saddr) }, { NFTA_PAYLOAD_LEN, 4 });
}

static void load_daddr(struct nft *n, uint32_t reg)
{
	nft_expr(n, "payload", { NFTA_PAYLOAD_DREG, reg }, { NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER },
		 { NFTA_PAYLOAD_OFFSET, offsetof(struct iphdr, daddr) }, { NFTA_PAYLOAD_LEN, 4 });
}

static void load_protocol(struct nft *n, uint32_t reg)
{
	nft_expr(n, "meta", { NFTA_META_DREG, reg }, { NFTA_META_KEY, NFT_META_L4PROTO });
}

static void load_dport(struct nft *n, uint32_t reg)
{
	nft_expr(n, "payload", { NFTA_PAYLOAD_DREG, reg }, { NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER },
		 { NFTA_PAYLOAD_OFFSET, offsetof(struct tcphdr, dest) }, { NFTA_PAYLOAD_LEN, 2 });
}

static void match_protocol(struct nft *n, uint8_t protocol)
{
	load_protocol(n, A);
	nft_cmp(n, NFT_CMP_EQ, A, &protocol, 1);
}

static void match_net(struct nft *n, void (*load)(struct nft *, uint32_t), enum nft_cmp_ops op, struct in_addr net,
		      unsigned bits)
{
	uint32_t mask = bits ? htonl(~0u << (32 - bits)) : 0;
	uint32_t want = net.s_addr & mask;

	load(n, A);
	nft_mask(n, A, &mask, 4);
	nft_cmp(n, op, A, &want, 4);
}

/* The packet comes from (goes to) a pod of this instance. */
static void match_pod_device(struct nft *n, uint32_t key, enum nft_cmp_ops op, const struct rules_plan *p)
{
	char prefix[IFNAMSIZ];

	link_pod_prefix(p->instance, prefix);
	nft_expr(n, "meta", { NFTA_META_DREG, NFT_REG_1 }, { NFTA_META_KEY, key });
	nft_cmp(n, op, NFT_REG_1, prefix, strlen(prefix));      /* without the NUL: any name that starts so */
}

static void match_ct_state(struct nft *n, uint32_t bits)
{
	static const uint32_t none = 0;

	nft_expr(n, "ct", { NFTA_CT_DREG, A }, { NFTA_CT_KEY, NFT_CT_STATE });
	nft_mask(n, A, &bits, 4);
	nft_cmp(n, NFT_CMP_NEQ, A, &none, 4);
}

/* ---- the frame ---- */

static const struct nft_set frame_sets[] = {
	{ .name = "service-ips", .key_type = NFT_3(NFT_IPADDR, NFT_PROTO, NFT_PORT), .key_n = 12,
	.value_type = NFT_DATA_VERDICT },
	{ .name = "service-ports", .key_type = NFT_2(NFT_PROTO, NFT_PORT), .key_n = 8, .value_type = NFT_DATA_VERDICT },
	{ .name = RULES_HAIRPIN, .key_type = NFT_2(NFT_IPADDR, NFT_IPADDR), .key_n = 8 },
};

static void services_chain(struct nft *n)
{
	static const uint32_t local = RTN_LOCAL;

	nft_chain_add(n, "services");
	nft_rule(n, "services");
	load_daddr(n, A);
	load_protocol(n, A + 1);
	load_dport(n, A + 2);
	nft_in_map(n, "service-ips", A, NFT_REG_VERDICT);
	nft_rule_end(n);

	nft_rule(n, "services");
	nft_expr(n, "fib", { NFTA_FIB_DREG, A }, { NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE }, { NFTA_FIB_FLAGS,
		NFTA_FIB_F_DADDR });
	nft_cmp(n, NFT_CMP_EQ, A, &local, 4);
	load_protocol(n, A);
	load_dport(n, A + 1);
	nft_in_map(n, "service-ports", A, NFT_REG_VERDICT);
	nft_rule_end(n);
}

static void jump_chain(struct nft *n, const char *name, unsigned hook)
{
	nft_chain_hook(n, name, "nat", hook, NF_IP_PRI_NAT_DST);
	nft_rule(n, name);
	nft_verdict(n, NFT_JUMP, "services");
	nft_rule_end(n);
}

/* route_localnet lets the node's loopback addresses onto the pods' devices: never let pods use that the other way. */
static void guard_chain(struct nft *n, const struct rules_plan *p)
{
	nft_chain_hook(n, "guard", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW);
	nft_rule(n, "guard");
	match_pod_device(n, NFT_META_IIFNAME, NFT_CMP_EQ, p);
	match_net(n, load_daddr, NFT_CMP_EQ, (struct in_addr){ htonl(INADDR_LOOPBACK) }, 8);
	nft_verdict(n, NF_DROP, NULL);
	nft_rule_end(n);
}

static void reject_unknown_services(struct nft *n, const char *chain, const struct rules_plan *p)
{
	nft_rule(n, chain);
	match_net(n, load_daddr, NFT_CMP_EQ, p->service_net, p->service_bits);
	match_protocol(n, IPPROTO_TCP);
	nft_reject(n, NFT_REJECT_TCP_RST, 0);
	nft_rule_end(n);
	nft_rule(n, chain);
	match_net(n, load_daddr, NFT_CMP_EQ, p->service_net, p->service_bits);
	nft_reject(n, NFT_REJECT_ICMP_UNREACH, ICMP_PORT_UNREACH);
	nft_rule_end(n);
}

static void filter_chains(struct nft *n, const struct rules_plan *p)
{
	nft_chain_hook(n, "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
	/* out of a connection's window: untranslated, so a reset would meet the wrong side */
	nft_rule(n, "forward");
	match_pod_device(n, NFT_META_IIFNAME, NFT_CMP_EQ, p);
	match_ct_state(n, NF_CT_STATE_INVALID_BIT);
	nft_verdict(n, NF_DROP, NULL);
	nft_rule_end(n);
	reject_unknown_services(n, "forward", p);
	nft_chain_hook(n, "output", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER);
	reject_unknown_services(n, "output", p);
}

static void masquerade(struct nft *n)
{
	nft_expr_v(n, "masq", NULL, 0);
	nft_rule_end(n);
}

static void postrouting_chain(struct nft *n, const struct rules_plan *p)
{
	nft_chain_hook(n, "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	nft_rule(n, "postrouting");     /* a pod to itself through a Service: else it would answer to itself directly */
	load_saddr(n, A);
	load_daddr(n, A + 1);
	nft_in_set(n, RULES_HAIRPIN, A);
	masquerade(n);

	nft_rule(n, "postrouting");     /* a process of the node to 127.0.0.1:NODEPORT */
	match_pod_device(n, NFT_META_OIFNAME, NFT_CMP_EQ, p);
	match_net(n, load_saddr, NFT_CMP_EQ, (struct in_addr){ htonl(INADDR_LOOPBACK) }, 8);
	masquerade(n);

	nft_rule(n, "postrouting");     /* a pod to the world outside */
	match_pod_device(n, NFT_META_OIFNAME, NFT_CMP_NEQ, p);
	match_net(n, load_saddr, NFT_CMP_EQ, p->pod_net, p->pod_bits);
	match_net(n, load_daddr, NFT_CMP_NEQ, p->pod_net, p->pod_bits);
	masquerade(n);
}

void rules_frame(struct nft *n, const struct rules_plan *p)
{
	for (size_t i = 0; i < sizeof frame_sets / sizeof *frame_sets; i++)
		nft_set_add(n, &frame_sets[i]);
	services_chain(n);
	jump_chain(n, "prerouting", NF_INET_PRE_ROUTING);
	jump_chain(n, "node", NF_INET_LOCAL_OUT);
	guard_chain(n, p);
	filter_chains(n, p);
	postrouting_chain(n, p);
}

/* ---- one service ---- */

/* "default/web:http" -> "svc/default/web/http": a name that nft's own language can say. */
static char *name_of(const char *prefix, const struct service *s)
{
	char *name = str_fmt("%s/%s", prefix, s->key);

	for (char *c = name; *c; c++)
		if (*c == ':')
			*c = '/';
	return name;
}

#define AUTO_TEXT __attribute__((cleanup(text_free))) char *
static void text_free(char **p) { free(*p); }

struct backend_value { struct in_addr ip; uint16_t port, pad; };        /* as it lies in two registers */

static struct backend_value value_of(const struct endpoint *e) { return (struct backend_value){ e->ip, htons(e->port),
	0 }; }

void rules_hairpin(struct nft *n, struct in_addr ip)
{
	struct in_addr pair[2] = { ip, ip };

	nft_element(n, pair, sizeof pair, NULL, 0);
}

/* Weights to ranges of slots; the last one ends at RULES_SLOTS exactly. */
static void add_slots(struct nft *n, const char *map, const struct service *s)
{
	uint64_t total = 0, sum = 0;

	for (size_t i = 0; i < s->n_endpoints; i++)
		total += s->endpoints[i].weight;
	nft_elements_add(n, map);
	for (size_t i = 0; i < s->n_endpoints; i++) {
		struct backend_value v = value_of(&s->endpoints[i]);
		uint32_t from = (uint32_t)(sum * RULES_SLOTS / total), to;

		sum += s->endpoints[i].weight;
		to = (uint32_t)(sum * RULES_SLOTS / total);
		if (from == to)         /* less than a millionth of all */
			continue;
		nft_element(n, &(uint32_t){ htonl(from) }, 4, &v, sizeof v);
		nft_element_end_of_range(n, &(uint32_t){ htonl(to) }, 4);
	}
	nft_elements_end(n);
}

static void add_live(struct nft *n, const char *set, const struct service *s)
{
	nft_elements_add(n, set);
	for (size_t i = 0; i < s->n_endpoints; i++) {
		struct backend_value v = value_of(&s->endpoints[i]);

		nft_element(n, &v, sizeof v, NULL, 0);
	}
	nft_elements_end(n);
}

/* A random slot's backend into B. */
static void choose(struct nft *n, const char *map)
{
	nft_expr(n, "numgen", { NFTA_NG_DREG, A + 1 }, { NFTA_NG_MODULUS, RULES_SLOTS }, { NFTA_NG_TYPE,
		NFT_NG_RANDOM },
		 { NFTA_NG_OFFSET, 0 });
	nft_expr(n, "byteorder", { NFTA_BYTEORDER_SREG, A + 1 }, { NFTA_BYTEORDER_DREG, A + 1 },
		 { NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON }, { NFTA_BYTEORDER_LEN, 4 }, { NFTA_BYTEORDER_SIZE, 4 });
	nft_in_map(n, map, A + 1, B);
}

static void dnat(struct nft *n)
{
	nft_expr(n, "nat", { NFTA_NAT_TYPE, NFT_NAT_DNAT }, { NFTA_NAT_FAMILY, NFPROTO_IPV4 }, { NFTA_NAT_REG_ADDR_MIN,
		B },
		 { NFTA_NAT_REG_PROTO_MIN, B + 1 });
	nft_rule_end(n);
}

/* A known client goes where it went last, while that backend lives; any other is given one, which is remembered. */
static void add_affinity_rules(struct nft *n, const char *chain, const char *known, const char *live)
{
	nft_rule(n, chain);
	load_saddr(n, A);
	nft_in_map(n, known, A, B);
	nft_in_set(n, live, B);
	nft_remember(n, NFT_DYNSET_OP_UPDATE, known, A, B);
	dnat(n);

	nft_rule(n, chain);
	choose(n, chain);
	load_saddr(n, A);
	nft_remember(n, NFT_DYNSET_OP_DELETE, known, A, B);     /* an update would keep the backend that is gone */
	nft_remember(n, NFT_DYNSET_OP_UPDATE, known, A, B);
	dnat(n);
}

static void add_affinity(struct nft *n, const char *chain, const struct service *s)
{
	AUTO_TEXT known = name_of("aff", s);
	AUTO_TEXT live = name_of("live", s);

	nft_set_add(n, &(struct nft_set){
		.name = known, .flags = NFT_SET_EVAL, .key_type = NFT_IPADDR, .key_n = 4, .size = AFFINITY_MAX,
		.value_type = NFT_2(NFT_IPADDR, NFT_PORT), .value_n = 8, .timeout_ms = AFFINITY_MS,
	});
	nft_set_add(n, &(struct nft_set){ .name = live, .key_type = NFT_2(NFT_IPADDR, NFT_PORT), .key_n = 8 });
	add_live(n, live, s);
	add_affinity_rules(n, chain, known, live);
}

struct ip_key { struct in_addr ip; uint8_t protocol, pad[3]; uint16_t port, pad2; };
struct port_key { uint8_t protocol, pad[3]; uint16_t port, pad2; };

/* Entries of the two maps that lead to the chain (chain NULL: deletes them). */
static void lead(struct nft *n, const struct service *s, const char *chain)
{
	struct ip_key ip = { .ip = s->ip, .protocol = s->protocol, .port = htons(s->port) };
	struct port_key port = { .protocol = s->protocol, .port = htons(s->node_port) };
	const struct { bool has; const char *map; const void *key; size_t key_n; } ways[] = {
		{ s->ip.s_addr != 0, "service-ips", &ip, sizeof ip },
		{ s->node_port != 0, "service-ports", &port, sizeof port },
	};

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (!ways[i].has)
			continue;
		if (chain) {
			nft_elements_add(n, ways[i].map);
			nft_element_goto(n, ways[i].key, ways[i].key_n, chain);
		} else {
			nft_elements_del(n, ways[i].map);
			nft_element(n, ways[i].key, ways[i].key_n, NULL, 0);
		}
		nft_elements_end(n);
	}
}

void rules_service_add(struct nft *n, const struct service *s)
{
	AUTO_TEXT name = name_of("svc", s);

	nft_set_add(n, &(struct nft_set){ .name = name, .flags = NFT_SET_INTERVAL, .key_type = NFT_INTEGER, .key_n = 4,
					  .value_type = NFT_2(NFT_IPADDR, NFT_PORT), .value_n = 8 });
	add_slots(n, name, s);
	nft_chain_add(n, name);
	if (s->affinity) {
		add_affinity(n, name, s);
	} else {
		nft_rule(n, name);
		choose(n, name);
		dnat(n);
	}
	lead(n, s, name);
}

void rules_service_del(struct nft *n, const struct service *s)
{
	AUTO_TEXT name = name_of("svc", s);
	AUTO_TEXT known = name_of("aff", s);
	AUTO_TEXT live = name_of("live", s);

	lead(n, s, NULL);
	nft_chain_del(n, name);
	nft_set_del(n, name);
	if (s->affinity) {
		nft_set_del(n, known);
		nft_set_del(n, live);
	}
}

void rules_service_endpoints(struct nft *n, const struct service *now)
{
	AUTO_TEXT name = name_of("svc", now);
	AUTO_TEXT live = name_of("live", now);

	nft_set_flush(n, name);
	add_slots(n, name, now);
	if (now->affinity) {
		nft_set_flush(n, live);
		add_live(n, live, now);
	}
}
