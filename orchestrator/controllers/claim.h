/* orchestrator/controllers/claim.h - which objects are an owner's: by ownerReference and selector together. */
#pragma once

#include "kube/controller.h"

/* Every object of the copy that owner controls and its spec.selector matches, by creation, oldest first, as references. What
 * matches and nobody controls is adopted; what owner controls and no longer matches is let go. Objects being deleted are
 * neither adopted nor let go, but are given when they are owner's. */
MUST_CHECK int claim_objects(struct controller *c, struct informer *f, const struct object *owner, struct object_list *out,
			     struct err *err);
/* For .map: the key of the owner of the row's first kind; of an object that nobody controls, the keys of all whose
 * spec.selector would claim it. */
void claim_map(struct controller *c, const struct object *o);
/* An order for qsort() of struct object *: creation, then name. */
int claim_by_creation(const void *a, const void *b);
