/* operator/app/compare.h - is a live object what its manifest wants? Pure.
 *
 * Argo CD's client-side comparison (operator semantics 6 and 7): both sides are brought to one form, the manifest is merged
 * over the live object three-way with its last-applied annotation, and the result is compared with the live object. */
#pragma once

#include "kube/kind.h"

struct compare_opts {
	const struct kinds *kinds;
	const struct node *ignore;              /* spec.ignoreDifferences, or NULL */
	bool ignore_aggregated_roles;
};

struct compared {
	bool modified;
	const struct node *live, *predicted;    /* both normalised, in the caller's document: what a diff shows */
};

/* kind NULL or without a type: JSON merge semantics. Errors: a patch that cannot be made, a rule that cannot be read. */
MUST_CHECK int compare(struct doc *d, const struct node *target, const struct node *live, const struct kind *kind,
		       const struct compare_opts *o, struct compared *out, struct err *err);
