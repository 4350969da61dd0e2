/* operator/app/normalize.h - one form for objects that mean the same. Pure; everything works in place. */
#pragma once

#include "kube/kind.h"

/* Values that Kubernetes' own encoders would write differently or leave out: quantities, nulls, empty optional fields;
 * Secret's stringData; empty rules of roles. Fields that the kind does not know stay as they are. */
struct normal {
	const struct kind *kind;                /* NULL: unknown */
	const struct type *pod_spec;            /* for kinds without a table that hold a pod's template; NULL: leave them */
	bool ignore_aggregated_roles;
};
void normalize(struct doc *d, struct node *root, const struct normal *n);
const struct type *normal_pod_spec(const struct kinds *kinds);

/* Removes from both sides (either may be NULL) the status, what the entries of spec.ignoreDifferences that concern the
 * object name by JSON pointer or by a jq path expression, and what differs and was set by a manager that they trust;
 * managed: metadata.managedFields of the live object. ERR_INVALID: an expression is none. */
MUST_CHECK int ignore_differences(struct node *target, struct node *live, const struct node *entries,
				  const struct node *managed, struct err *err);

/* live with only those fields that original has; list items are paired by position, surplus ones stay. In place. */
void keep_fields_of(struct node *live, const struct node *original);
