/* kube/schema/schema.h - what the kind tables are for: defaults, validation, pruning. Pure. */
#pragma once

#include "kube/kind.h"

enum schema_unknown { UNKNOWN_IGNORE, UNKNOWN_WARN, UNKNOWN_STRICT };  /* fieldValidation */

/* Fills in defaults, in place. For objects whose types are right: after schema_prune(). */
void schema_default(struct doc *d, struct node *root, const struct kind *k);
/* Types, required fields, choices, names, labels, and each kind's own rules. ERR_INVALID with a cause for every problem, its
 * message as Kubernetes words it: `Deployment.apps "web" is invalid: spec.replicas: Invalid value: ...`. Wrong types are
 * ERR_BAD_REQUEST, as they are there. before: the stored object on update (immutable fields), or NULL. */
MUST_CHECK int schema_validate(const struct node *root, const struct node *before, const struct kind *k, struct err *err);
/* Decoding: wrong types are ERR_BAD_REQUEST; then removes unknown fields (and null ones), in place; a line "unknown field \"spec.foo\"" each is added to warnings (may be
 * NULL); UNKNOWN_STRICT makes them one ERR_BAD_REQUEST "strict decoding error: ...". */
MUST_CHECK int schema_prune(struct node *root, const struct kind *k, enum schema_unknown mode, struct str *warnings, struct err *err);
/* For files of people: unknown fields and wrong types, each with file, line, field and the near miss. */
MUST_CHECK int schema_check_file(const struct doc *d, const struct kinds *kinds, struct err *err);
