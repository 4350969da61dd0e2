/* render/kustomize/resource.h - one object on its way through a build: its document, and who it was before. */
#pragma once

#include "base/doc.h"
#include "base/vec.h"

struct id { const char *group, *version, *kind, *name, *ns; };          /* "" when absent; borrowed */

#define NS_NONE "_non_namespaceable_"   /* the effective namespace of cluster-scoped kinds */

struct former { const char *ns, *name, *kind; };        /* an earlier identity; ns is an effective one */
struct formers { struct former *v; size_t n, cap; };
struct texts { const char **v; size_t n, cap; };

enum behavior { BEHAVIOR_UNSPECIFIED, BEHAVIOR_CREATE, BEHAVIOR_REPLACE, BEHAVIOR_MERGE };

/* Where an object or a change came from: the origin annotation. Texts may be NULL. */
struct origin {
	const char *path, *repo, *ref, *configured_in;
	const char *by_api, *by_kind, *by_name, *by_ns;
};
struct origins { const struct origin **v; size_t n, cap; };

struct resource {
	struct doc *doc;                        /* owned */
	struct node *root;                      /* NULL: deleted by a patch; dropped after the transformation */
	struct formers formers;                 /* oldest first; texts live in doc */
	struct texts prefixes, suffixes;        /* that were put around its name, in that order */
	struct texts vars;                      /* names of the variables that it gives the value of */
	enum behavior behavior;
	bool hashed;                            /* its name gets a hash of its content */
	bool allow_name, allow_kind;            /* of a patch */
	bool from_chart;                        /* namespaces leave it alone */
	const struct origin *origin;
	struct origins changes;                 /* transformations, oldest first */
	struct trail *trail;                    /* who set what; NULL unless asked for */
	struct id id;                           /* see resource_id() */
	const char *id_api;
};

struct resource *resource_new(struct doc *take);                /* the document's root is the object */
struct resource *resource_copy(const struct resource *r);
void resource_drop(struct resource **r);

/* Its present identity: valid until the object changes. */
const struct id *resource_id(struct resource *r);
size_t resource_n_ids(struct resource *r);                      /* former ones and the present one */
struct id resource_id_at(struct resource *r, size_t i);         /* the present one is the last */
struct id resource_original(struct resource *r);                /* the oldest one */
/* The present identity becomes a former one. kustomize keeps those in an annotation: from now on, the object has some. */
void resource_remember(struct resource *r);

void resource_set_name(struct resource *r, const char *name);
void resource_set_ns(struct resource *r, const char *ns);       /* "" removes it */
void resource_set_kind(struct resource *r, const char *kind);

struct node *resource_metadata(struct resource *r);             /* made when absent */
const struct node *resource_labels(const struct resource *r);   /* NULL: none */
const struct node *resource_annotations(const struct resource *r);
/* Annotations as a mapping of texts in byte order, made when absent; what was there as a number or a boolean becomes a text. */
struct node *resource_annotate(struct resource *r);
/* What kustomize does to labels and annotations when it sets them: texts only, and none when there are none. */
void resource_settle_marks(struct resource *r);

/* ---- identities ---- */
bool id_cluster_scoped(const struct id *id);
const char *id_ns(const struct id *id);                         /* effective: NS_NONE, "default", or its own */
bool id_eq(const struct id *a, const struct id *b);             /* group, version, kind, name, effective namespace */
/* "Deployment.v1.apps/web.[noNs]", as messages show it; heap: free() it. */
char *id_text(const struct id *id);
/* Whether a kind is selected by another one, whose empty parts select everything. NULLs are empty. */
bool gvk_selected(const struct id *id, const char *group, const char *version, const char *kind);
struct id id_of(struct doc *arena, const struct node *root);
