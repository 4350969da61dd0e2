/* orchestrator/api/rbac-internal.h - may somebody do something: Roles, ClusterRoles and their bindings, read off the
 * cache. */
#pragma once

#include "orchestrator/api/api-internal.h"

struct action {                         /* "" where a part does not apply */
	const char *verb, *group, *resource, *subresource, *name, *ns;
	const char *path;               /* not an object: resource is "" */
};

/* *why (may be NULL) gets the binding that allows it. */
bool rbac_allows(struct api *a, const struct caller *c, const struct action *what, struct str *why);
/* Whether the caller holds everything that a rule grants, in a namespace ("" : everywhere). */
bool rbac_holds(struct api *a, const struct caller *c, const struct node *rule, const char *ns);
/* fn for every rule that the caller has in a namespace. */
void rbac_each_rule(struct api *a, const struct caller *c, const char *ns,
		    void (*fn)(void *arg, const struct node *rule), void *arg);
/* The roles that every cluster has. */
MUST_CHECK int rbac_create_defaults(struct api *a,
				    int (*create)(struct api *a, const struct node *obj, struct err *err),
				    struct err *err);

/* rows of the rules table: nobody grants more than they have */
int role_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		 struct err *err);
/* certificates are approved by those who may (csr.c) */
int csr_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before, struct err *err);
int binding_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		    struct err *err);
