/* render/kustomize/merge.h - strategic merge as kustomize does it.
 *
 * It reads the same schema tables as the API server's merge in kube/patch, but differs from it in what it does with them: new
 * list items come first, a list with several keys matches with fewer of them, nulls of the target survive, there is no
 * $setElementOrder. Both outcomes are contracts, so there are two of them. */
#pragma once

#include "base/doc.h"
#include "render/kustomize/openapi.h"

/* Merges a patch into an object, in place; both are in d's arena, and the patch is used up. *out is NULL when the patch
 * deletes the object. */
MUST_CHECK int merge_strategic(struct doc *d, struct node *target, struct node *patch, const struct openapi *schemas,
			       struct node **out, struct err *err);
