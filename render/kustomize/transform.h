/* render/kustomize/transform.h - transformations: one row each, configured by the fields of a kustomization or by a file. */
#pragma once

#include "render/kustomize/target.h"

/* One run of a transformer. */
struct transformation {
	struct target *t;
	struct set *set;
	const struct doc *doc;          /* what its configuration was read from */
	const char *where;              /* "overlay/kustomization.yaml:12": for messages */
};

struct transformer {
	const char *kind;               /* of a configuration file: "PatchTransformer" */
	const struct shape *shape;
	/* How many runs the kustomization's own fields ask for, and what the i-th of them is told; NULL: there is no such field. */
	size_t (*count)(const struct target *t);
	int (*configure)(struct target *t, size_t i, void *config, struct err *err);
	int (*run)(const struct transformation *x, const void *config, struct err *err);
	bool tells_renames;             /* it calls set_changed() itself when it has changed an identity */
};

extern const struct transformer transform_patch, transform_patch_strategic, transform_patch_json, transform_namespace,
	transform_prefix, transform_suffix, transform_prefix_suffix, transform_labels, transform_annotations, transform_images, transform_replicas,
	transform_replacements, transform_value_add, transform_hash;

const struct transformer *transformer_find(const char *kind);           /* NULL: none */

MUST_CHECK int transformers_run(struct target *t, struct err *err);
MUST_CHECK int validators_run(struct target *t, struct err *err);

/* Sets the text of a scalar: it stays a text if it was a quoted one, and else is what the new text reads as. */
void scalar_set(struct resource *r, struct node *n, struct sv text);
void scalar_set_text(struct resource *r, struct node *n, const char *text);      /* always a text */
MUST_CHECK int scalar_check(const struct node *n, struct err *err);              /* ERR_INVALID when it is a list or a mapping */

/* ---- selectors ---- */
struct selection;
MUST_CHECK int selection_new(const struct selector_spec *s, struct selection **out, struct err *err);
void selection_free(struct selection **s);
MUST_CHECK int selection_has(const struct selection *s, struct resource *r, struct err *err);           /* 1 or 0; as patches select */
MUST_CHECK int selection_has_id(const struct selection *s, const struct id *id, struct err *err);       /* group, version, kind, name, namespace */
MUST_CHECK int selection_has_marks(const struct selection *s, struct resource *r, struct err *err);     /* labels and annotations */
/* The objects that could be selected, by position: NULL: any of them. Valid until the set changes. */
const struct found *selection_candidates(const struct selection *s, struct set *set, bool *all);
bool selection_names_ids(const struct selection *s);            /* it says something about the identity */
bool selection_names_marks(const struct selection *s);          /* it says something about labels or annotations */
