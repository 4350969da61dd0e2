/* kube/patch/patch.h - the patches of Kubernetes. Pure: nothing is changed but the result, which is built in d.
 *
 * What is taken over from a target or a patch is copied with node_copy(): where sources (file, line) matter, import both
 * into d first. */
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
/* What is known of lists besides the built-in types. */
struct patch_schemas {
	const void *arg;
	const struct type *(*type_of)(const void *arg, const char *api_version, const char *kind);            /* NULL: unknown */
	const struct field *(*field_at)(const void *arg, const struct doc *d, const struct node *list);       /* that stands beside it; or NULL */
};
/* The same merge by kustomize's rules: new and patched items come first, lists with several keys match with fewer of them, nulls
 * of the target survive, of the directives there is only $patch. In place: both are in d, and the patch is used up.
 * *out is NULL when the patch deletes the object. */
MUST_CHECK int patch_strategic_kustomize(struct doc *d, struct node *target, struct node *patch, const struct patch_schemas *schemas,
					 struct node **out, struct err *err);
/* Three-way: what changed from original to modified, and what modified sets, over live. original NULL: two-way (nothing
 * is deleted). type NULL: JSON merge semantics. The result is the new live object. */
MUST_CHECK int patch_three_way(struct doc *d, const struct node *original, const struct node *modified, const struct node *live,
			       const struct type *type, struct node **out, struct err *err);
