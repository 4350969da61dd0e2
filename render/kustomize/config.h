/* render/kustomize/config.h - where each transformation applies: the built-in field specifications and those that
 * `configurations:` and `crds:` add. */
#pragma once

#include "render/kustomize/fieldspec.h"

enum config_list {
	CONFIG_NAME_PREFIX, CONFIG_NAME_SUFFIX, CONFIG_NAMESPACE, CONFIG_COMMON_LABELS, CONFIG_LABELS, CONFIG_TEMPLATE_LABELS,
	CONFIG_CLAIM_LABELS, CONFIG_COMMON_ANNOTATIONS, CONFIG_VAR_REFERENCE, CONFIG_IMAGES, CONFIG_REPLICAS,
	CONFIG_LISTS
};

/* Fields that hold the name of an object of some kind. */
struct name_reference {
	const struct node *at;
	const char *group, *version, *kind;     /* of the object that is named */
	MANY(struct fieldspec) fields;
};

struct config {
	struct fieldspecs lists[CONFIG_LISTS];
	struct { struct name_reference *v; size_t n; } names;           /* besides the built-in ones */
};

extern const struct config config_builtin;      /* without name references: see config_each_name() */
/* The built-in list of a pod's fields is the same for each kind that has pods, so it is made of two tables. */
typedef int config_name_fn(void *arg, const char *group, const char *version, const char *kind, const struct fieldspec *field);
int config_each_builtin_name(config_name_fn *fn, void *arg);    /* stops at the first value below 0, and returns it */

/* One `configurations:` file. */
MUST_CHECK int config_read(struct doc *arena, const struct doc *file, struct config *out, struct err *err);
/* One `crds:` file: what its x-kubernetes-* extensions say. */
MUST_CHECK int config_read_crds(struct doc *arena, const struct doc *file, struct config *out, struct err *err);
MUST_CHECK int config_merge(struct doc *arena, struct config *to, const struct config *from, struct err *err);
