/* kube/patch/patch.h - the patches of Kubernetes. Pure: nothing is changed but the result, which is built in d.
 *
 * What is taken over from a target or a patch is copied with node_copy(): where sources (file, line) matter, import both
 * into d first. (kustomize orders and matches otherwise: its merge is its own.) */
#pragma once

#include "kube/kind.h"

/* RFC 6902. Errors name the operation: "operation 2 (replace /spec/x): path does not exist". */
MUST_CHECK int patch_json(struct doc *d, const struct node *target, const struct node *ops, struct node **out, struct err *err);
/* RFC 7386. */
struct node *patch_merge(struct doc *d, const struct node *target, const struct node *patch);
/* The merge patch that makes `to` of `from`; NULL: they are equal. */
struct node *patch_merge_diff(struct doc *d, const struct node *from, const struct node *to);
/* Strategic merge by the type's list keys and strategies; type NULL: unknown, lists are replaced. Directives: $patch,
 * $setElementOrder/x, $deleteFromPrimitiveList/x, $retainKeys. */
MUST_CHECK int patch_strategic(struct doc *d, const struct node *target, const struct node *patch, const struct type *type,
			       struct node **out, struct err *err);
/* Three-way: what changed from original to modified, and what modified sets, over live. original NULL: two-way (nothing
 * is deleted). type NULL: JSON merge semantics. The result is the new live object. */
MUST_CHECK int patch_three_way(struct doc *d, const struct node *original, const struct node *modified, const struct node *live,
			       const struct type *type, struct node **out, struct err *err);
