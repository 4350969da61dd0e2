/* runtime/network/rules.h - what an instance's nftables table says: the frame that is always there, and one Service port.
 *
 * table ip cd-<instance>
 *   map service-ips     address . protocol . port : goto a service's chain       so the cost of a packet does not depend
 *   map service-ports   protocol . port : the same, for node ports               on how many services there are
 *   set hairpin         address . address of every backend: a pod that reached itself through a Service
 *   chain svc/NS/NAME/PORT   one rule: numgen random mod RULES_SLOTS -> map svc/... -> dnat
 *   map svc/NS/NAME/PORT     ranges of slots : backend address . port; a change of endpoints or weights changes only this
 *   map aff/NS/NAME/PORT     client address : backend, with timeout (session affinity)
 *   set live/NS/NAME/PORT    backends that a remembered client may still use
 * An established connection stays where it is, as only its first packet sees these rules. A Service without backends
 * is in no map: its address is refused after routing, its node port where no program listens. */
#pragma once

#include "runtime/network/nft.h"
#include <netinet/in.h>

#define RULES_SLOTS 1000000u            /* backends share these by weight: 1 in 1,000 of 1,000 backends is still exact */

struct rules_plan {
	const char *instance;
	struct in_addr pod_net, service_net;
	unsigned pod_bits, service_bits;
};

struct endpoint { struct in_addr ip; uint16_t port; uint32_t weight; };         /* host byte order but ip */

struct service {
	char *key;                      /* "ns/name:port" */
	struct in_addr ip;              /* 0: none */
	uint16_t port, node_port;
	uint8_t protocol;               /* IPPROTO_* */
	bool affinity;
	struct endpoint *endpoints;     /* those with a weight, in order of address */
	size_t n_endpoints;
};

void rules_table_name(const char *instance, char out[static 32]);
void rules_frame(struct nft *n, const struct rules_plan *p);                    /* the table is empty before */
void rules_service_add(struct nft *n, const struct service *s);                 /* one with endpoints */
void rules_service_del(struct nft *n, const struct service *s);
/* replaces those of a service that is there */
void rules_service_endpoints(struct nft *n, const struct service *now);
/* between nft_elements_add/del(n, RULES_HAIRPIN) and _end */
void rules_hairpin(struct nft *n, struct in_addr ip);
#define RULES_HAIRPIN "hairpin"
