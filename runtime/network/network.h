/* runtime/network/network.h - pod addresses on a bridge, and Services in the kernel (nftables), by netlink.
 *
 * Everything made carries the name of the instance, so that several servers on one machine (tests) do not meet:
 * bridge "cd-<instance>", table inet "cd-<instance>". */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct network;
struct network_opts {
	const char *instance;           /* at most 8 characters: "0" */
	const char *pod_cidr;           /* "10.244.0.0/24" */
	const char *service_cidr;       /* "10.96.0.0/16" */
	const char *state_dir;          /* allocations, so that a restart knows them */
};

struct network *network_open(const struct network_opts *o, struct err *err);    /* makes what is missing; keeps what runs */
void network_close(struct network **n);                                         /* leaves everything in place */
MUST_CHECK int network_destroy(const char *instance, struct err *err);          /* bridge, table, routes */

/* A veth pair into the namespace, an address, routes; idempotent by key (the pod's uid). ip: dotted text. */
MUST_CHECK int network_attach(struct network *n, const char *key, int netns_fd, struct str *ip, struct err *err);
MUST_CHECK int network_detach(struct network *n, const char *key, struct err *err);    /* frees the address; the veth dies with its namespace */

/* ---- Services: the whole wanted state is given, the difference is applied as one atomic transaction ---- */
struct backend { const char *ip; uint16_t port; uint32_t weight; };     /* weights are relative; 0: no new connections */
struct service_port {
	const char *key;                /* "ns/name:port": stable, for the difference */
	const char *cluster_ip;         /* "" : none (headless) */
	uint16_t port, node_port;       /* node_port 0: none */
	const char *protocol;           /* "TCP", "UDP" */
	bool client_ip_affinity;
	const struct backend *backends;
	size_t n_backends;              /* 0: connections are rejected */
};
MUST_CHECK int network_services(struct network *n, const struct service_port *v, size_t n_v, struct err *err);
