/* kube/patch/managed.h - server-side apply: who set which field, metadata.managedFields. Pure.
 *
 * Ownership is recorded once somebody has applied an object: one that never was has no managedFields, and its first
 * apply finds all its fields owned by "before-first-apply", as in Kubernetes. */
#pragma once

#include "kube/kind.h"

struct manager {
	const char *name, *subresource;         /* field manager; subresource "" : the object itself */
	const char *api_version, *now;          /* of the kind; RFC 3339 */
	bool force;                             /* take fields over from others */
};

/* The object that applying config makes: live NULL is a creation. Fields that this manager applied before and no longer
 * does go, unless others have them. ERR_CONFLICT with a cause for each field that another manager set to something
 * else. */
MUST_CHECK int managed_apply(struct doc *d, const struct node *live, const struct node *config, const struct type *type,
			     const struct manager *m, struct node **out, struct err *err);
/* After any other write: what changed is the manager's, and what is gone is nobody's. Nothing for an object that was
 * never applied. root is changed in place. */
void managed_update(struct doc *d, const struct node *before, struct node *root, const struct type *type,
		    const struct manager *m);
