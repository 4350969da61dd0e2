/* render/kustomize/target.h - one kustomization that is being built: its file, its directory, its objects so far. */
#pragma once

#include "render/kustomize/build.h"

/* Objects and what was said about them: a base hands all of it to the overlay that names it. */
struct accumulated {
	struct set set;
	struct config config;
	struct { struct declared { const struct var_spec *var; const struct doc *doc; } *v; size_t n, cap; } vars;
};
void accumulated_free(struct accumulated *a);

struct target {
	struct build *b;
	struct dir dir;
	struct kustomization k;
	struct accumulated *acc;                /* a component shares that of its parent */
	const struct origin *origin;            /* of this directory; NULL: not asked for */
	const char *chart_ns;                   /* the namespace of the nearest overlay that has one, for charts */
};

/* Reads the kustomization file of t->dir. */
MUST_CHECK int target_load(struct target *t, struct err *err);
/* Resources, generators, components, transformers, validators, variables, in this order. */
MUST_CHECK int target_accumulate(struct target *t, struct err *err);
/* Adds the objects of files and directories to a set or, for directories, to everything of a. */
MUST_CHECK int target_add_resources(struct target *t, struct accumulated *a, const struct strs *paths, const char *field,
				    struct err *err);
/* The origin of something that this kustomization file configures. */
const struct origin *target_configured(const struct target *t, const char *plugin_kind);
/* "kustomization.yaml:12: " of a part of the kustomization, for the front of messages. */
const char *target_where(const struct target *t, const struct node *at);
