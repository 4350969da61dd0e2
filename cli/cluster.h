/* cli/cluster.h - for commands that talk to a server: their common options, the connection, what resources were named. */
#pragma once

#include "base/opt.h"
#include "kube/client.h"

struct cluster_opts { const char *kubeconfig, *context, *ns; bool all; };

#define CLUSTER_OPTIONS(o) \
	{ "namespace", 'n', OPT_STR, &(o).ns, "NAMESPACE", "where; default: the context's" }, \
	{ "kubeconfig", 0, OPT_STR, &(o).kubeconfig, "FILE", "which servers there are; default: $KUBECONFIG, ~/.kube/config, else ./.cd-data" }, \
	{ "context", 0, OPT_STR, &(o).context, "NAME", "which one of them" }
#define ALL_NAMESPACES_OPTION(o) { "all-namespaces", 'A', OPT_FLAG, &(o).all, NULL, "in every namespace" }

struct cluster {
	struct client *client;
	const char *ns;                 /* of -n, else the context's; with -A, NULL */
};

/* Runs fn in a fiber, with a connection; its result is an exit code, or -code, which is reported. */
int cluster_run(const char *command, const struct cluster_opts *o, int (*fn)(struct cluster *c, void *arg, struct err *err),
		void *arg);

/* ---- what was named: `TYPE`, `TYPE NAME...`, `TYPE/NAME...`, `TYPE,TYPE`, `all` ---- */
struct resource { const struct kind *kind; char *name; };       /* name NULL: all of the kind */
struct resources { struct resource *v; size_t n, cap; };
MUST_CHECK int resources_parse(struct client *c, const struct opt_list *args, struct resources *out, struct err *err);
MUST_CHECK int resources_one(struct client *c, const struct opt_list *args, struct resources *out, struct err *err);   /* exactly one, named */
void resources_free(struct resources *r);
const char *resource_ns(const struct cluster *c, const struct kind *k);         /* NULL for kinds without namespaces */
