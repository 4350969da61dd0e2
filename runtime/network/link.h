/* runtime/network/link.h - devices, addresses and routes of the pods' network, by rtnetlink. Every call blocks
 * shortly.
 *
 * A pod hangs on a veth pair of its own and is reached by a host route; it has a /32 address and sends everything to
 * the gateway, so every packet passes the node's IP layer: connection tracking sees both directions of a Service's
 * connections, a pod cannot forge another one's link addresses, and it works whatever bridge-nf-call-iptables says.
 * The gateway's address lies on a bridge that has no ports (a dummy device, for kernels that have none). All devices
 * of an instance are in one device group, by which they are removed in one go. */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include "base/err.h"

struct link_plan {
	const char *instance;
	struct in_addr gateway;                 /* on the bridge; network byte order */
	struct in_addr service_net;
	unsigned service_bits;
};

/* number: of the address in the pods' range, names the veth */
struct link_pod { struct in_addr ip; uint32_t number; };

void link_bridge_name(const char *instance, char out[static IFNAMSIZ]);         /* "cd-0" */
/* "cd0." : what every pod's device starts with */
void link_pod_prefix(const char *instance, char out[static IFNAMSIZ]);

MUST_CHECK int link_make_bridge(const struct link_plan *p, struct err *err);            /* what exists is kept */
/* what exists is kept */
MUST_CHECK int link_attach(const struct link_plan *p, const struct link_pod *pod, int netns_fd, struct err *err);
MUST_CHECK int link_remove_all(const char *instance, struct err *err);  /* no devices: fine */
