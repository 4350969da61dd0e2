/* kube/object.h - one version of an object: immutable, shared by reference, on the loop's thread. */
#pragma once

#include "kube/kind.h"

struct object {
	unsigned refs;
	const struct kind *kind;
	struct doc *doc;
	const struct node *root;        /* the whole object */
	const char *ns, *name, *uid;    /* borrowed from the document; "" when absent */
	int64_t revision;               /* metadata.resourceVersion as a number; 0: none */
};

struct object *object_new(const struct kind *kind, struct doc *take);   /* reads names and revision off the document */
struct object *object_ref(struct object *o);                            /* where a pointer is kept: w->last = object_ref(o) */
void object_drop(struct object **o);                                    /* sets *o to NULL; NULL is fine */
#define AUTO_OBJECT __attribute__((cleanup(object_drop))) struct object *

struct object_list { struct object **v; size_t n, cap; int64_t revision; char *token; };        /* token: continue, or NULL */
void object_list_free(struct object_list *l);

/* "default/web", or "web" when it has no namespace: keys of queues and maps. */
char *object_key(const char *ns, const char *name);                     /* heap */
void api_version_split(const char *api_version, struct sv *group, struct sv *version);  /* "apps/v1"; the group of "v1" is "" */
void object_key_split(const char *key, struct str *ns, const char **name);

/* ---- readers of metadata; root is an object's root node ---- */
const char *meta_label(const struct node *root, const char *key);       /* NULL: absent */
const char *meta_annotation(const struct node *root, const char *key);
const struct node *meta_owner(const struct node *root);                 /* the ownerReference with controller: true, or NULL */
bool meta_owned_by(const struct node *root, const char *uid);           /* any ownerReference */
bool meta_deleting(const struct node *root);
bool meta_has_finalizer(const struct node *root, const char *finalizer);

/* ---- writers into a document that is being built ---- */
void meta_set_label(struct doc *d, struct node *root, const char *key, const char *value);
void meta_set_annotation(struct doc *d, struct node *root, const char *key, const char *value);
void meta_add_owner(struct doc *d, struct node *root, const struct object *owner);      /* controller, blockOwnerDeletion */
bool meta_remove_finalizer(struct node *root, const char *finalizer);
struct node *object_start(struct doc *d, const struct kind *kind, const char *ns, const char *name);    /* root with apiVersion, kind, metadata */

/* Conditions of a status: sets type's row; lastTransitionTime changes only with status. now_ms is wall clock. */
bool condition_set(struct doc *d, struct node *status, const char *type, const char *value, const char *reason,
		   const char *message, int64_t now_ms);                /* true: something changed */
const struct node *condition_get(const struct node *status, const char *type);
bool condition_is(const struct node *status, const char *type, const char *value);

void time_format(int64_t ms, char out[static 32]);                      /* RFC 3339, seconds, Z */
bool time_parse(const char *text, int64_t *ms);                         /* RFC 3339, fractions and offsets allowed */
