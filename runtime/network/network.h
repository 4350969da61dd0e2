/* runtime/network/network.h - pod addresses, and Services in the kernel (nftables), by netlink.
 *
 * Everything made carries the name of the instance, so that several servers on one machine (tests) do not meet: bridge
 * "cd-<instance>" (no ports: it holds the gateway's address), a veth "cd<instance>.<n>" a pod, table ip "cd-<instance>"
 * (rules.h). All of it in the network namespace of the calling thread. A pod reaches Services, other pods and the world
 * with its own address; the node reaches Services by their addresses and node ports also at 127.0.0.1.
 * Functions block shortly (netlink): fibers call them in a job. They may be called from any thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct network;
struct network_opts {
	const char *instance;           /* at most 8 characters: "0" */
	const char *pod_cidr;           /* "10.244.0.0/24"; the first address is the node's */
	const char *service_cidr;       /* "10.96.0.0/16" */
	const char *state_dir;          /* allocations, so that a restart knows them */
};

/* makes what is missing; keeps what runs */
struct network *network_open(const struct network_opts *o, struct err *err);
void network_close(struct network **n);                                         /* leaves everything in place */
/* devices, routes, table; absent is fine */
MUST_CHECK int network_destroy(const char *instance, struct err *err);
/* the node's address on the pods' network */
const char *network_gateway(const struct network *n);

/* A veth pair into the namespace, an address, routes; idempotent by key (the pod's uid). ip: dotted text. */
MUST_CHECK int network_attach(struct network *n, const char *key, int netns_fd, struct str *ip, struct err *err);
/* frees the address; the veth dies with its namespace */
MUST_CHECK int network_detach(struct network *n, const char *key, struct err *err);
/* Frees the addresses of all keys that keep() does not want: what pods left that went while no one looked. */
MUST_CHECK int network_detach_others(struct network *n, bool (*keep)(void *arg, const char *key), void *arg,
	struct err *err);
/* TCP connections to listening ports of the namespace that still carry something: accepted or not, until both sides'
 * data has arrived. For draining a pod before its end. */
MUST_CHECK int network_inbound(int netns_fd, unsigned *n, struct err *err);
/* open(arg) in a network namespace: the socket that it makes stays there. May block a little: in a job. */
int network_inside(int netns_fd, int (*open)(void *arg, struct err *err), void *arg, struct err *err);

/* ---- Services: the whole wanted state is given, the difference is applied as one atomic transaction ---- */
/* weights are relative; 0: no new connections */
struct backend { const char *ip; uint16_t port; uint32_t weight; };
struct service_port {
	const char *key;                /* "ns/name:port": stable, for the difference */
	const char *cluster_ip;         /* "" : none (headless) */
	uint16_t port, node_port;       /* node_port 0: none */
	const char *protocol;           /* "TCP", "UDP", "SCTP" */
	bool client_ip_affinity;
	const struct backend *backends; /* those that are no IPv4 address are left out */
	size_t n_backends;              /* 0: connections are refused */
};
MUST_CHECK int network_services(struct network *n, const struct service_port *v, size_t n_v, struct err *err);
