/* runtime/agent/agent.h - the node agent: what kubelet and kube-proxy do, through the client only. */
#pragma once

#include "kube/client.h"
#include "kube/informer.h"
#include "kube/nodelink.h"
#include "runtime/image/image.h"

struct agent;

struct agent_opts {
	const char *node_name, *dir;            /* dir: pods, images, volumes, network state */
	const char *instance;                   /* see network.h */
	const char *pod_cidr, *service_cidr;
	struct client *client;                  /* borrowed */
	struct informers *informers;            /* borrowed */
	struct images *images;                  /* borrowed */
};

/* in a fiber: registers the Node, adopts containers */
struct agent *agent_start(struct loop *l, const struct agent_opts *o, struct err *err);
struct nodelink *agent_nodelink(struct agent *a);
const char *agent_gateway(const struct agent *a);       /* the machine's address on the pods' network */
const char *agent_host_ip(const struct agent *a);       /* the one that it speaks from to others */
void agent_stop(struct agent **a);              /* in a fiber: containers go on */
/* in a fiber: ends every container, mount, cgroup and network of a data directory */
MUST_CHECK int agent_destroy(const char *dir, const char *instance, struct err *err);
