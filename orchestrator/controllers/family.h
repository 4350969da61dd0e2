/* orchestrator/controllers/family.h - the ReplicaSets of one owner: one for each version of its pod template.
 *
 * Shared by all kinds that own ReplicaSets (Deployment, Rollout): hashing, matching, revisions, scaling, history. Every
 * change replaces the set in `sets` by its new version; family_settle() waits until the copy shows all of them. */
#pragma once

#include "kube/controller.h"

/* What differs from one owning kind to the next. */
struct family_names {
	const char *hash_label;                 /* "pod-template-hash" */
	const char *revision, *history;         /* annotations: the set's revision, and those it had before */
	const char *desired, *most;             /* annotations: the owner's replicas, and the ceiling with surge */
	const char *injected;                   /* annotation of a set's template, see below; NULL: never any */
};

struct family {
	struct controller *c;
	struct informer *informer;              /* of ReplicaSets */
	const struct family_names *names;
	struct object *owner;
	struct object_list sets;                /* oldest first */
	int64_t seen;                           /* revision of the newest write */
};

/* Claims the sets of owner. */
MUST_CHECK int family_read(struct family *f, struct controller *c, struct informer *informer, const struct family_names *names,
			   struct object *owner, struct err *err);
void family_free(struct family *f);
MUST_CHECK int family_settle(struct family *f, struct err *err);

/* The hash of a template: FNV-1a over its JSON and the number of collisions, in an alphabet without vowels. */
void family_hash(const struct node *template, const int64_t *collisions, char out[static 16]);
#define FAMILY_NONE SIZE_MAX    /* the place of no set; stays so when sets are added */

/* The place of the oldest set with this template (but for the hash label), or FAMILY_NONE. */
size_t family_match(const struct family *f, const struct node *template);
size_t family_find(const struct family *f, const char *hash);         /* by the hash label; a NULL hash is that of none */
const char *family_hash_of(const struct family *f, size_t at);         /* its hash label; NULL: there is no such set */
int64_t family_revision(const struct family *f, const struct object *set);              /* 0: it has none */
int64_t family_next_revision(const struct family *f, size_t current);                   /* after all sets but this one */

struct family_size { int64_t replicas, desired, most; };

/* Makes the set for a template, *at its place. ERR_ALREADY_EXISTS: its name is that of a set with another template. */
MUST_CHECK int family_create(struct family *f, const struct node *template, const int64_t *collisions,
			     const struct family_size *size, size_t *at, struct err *err);
/* Writes the owner's annotations, a new revision and minReadySeconds to a set where they differ. */
MUST_CHECK int family_renew(struct family *f, size_t at, int64_t revision, struct err *err);
/* Sets replicas and their annotations where they differ; an event about the owner when replicas change. */
MUST_CHECK int family_scale(struct family *f, size_t at, const struct family_size *size, struct err *err);
/* The owner carries the revision of its current set: *owner becomes the new version when it has to be written. */
MUST_CHECK int family_mark_owner(struct family *f, size_t current, struct object **owner, struct err *err);
/* Changes a set as client_modify() does; its new version takes its place. */
MUST_CHECK int family_modify(struct family *f, size_t at, int (*change)(struct doc *, struct node *, void *, struct err *),
			     void *arg, struct err *err);
/* Sets an annotation of a set where it differs; value NULL removes it. */
MUST_CHECK int family_annotate(struct family *f, size_t at, const char *key, const char *value, struct err *err);
/* Deletes the oldest sets without pods beyond the limit; `keep` stays and does not count. Places shift. */
MUST_CHECK int family_trim(struct family *f, size_t keep, int64_t limit, struct err *err);

/* Labels and annotations that are put on a version's pods for a time, and are no part of the version: an annotation beside
 * them lists them, {"labels": {...}, "annotations": {...}}. Takes what meta's annotation lists off, and the annotation. */
void family_strip(struct node *meta, const char *annotation);
/* Puts wanted (of that form; NULL: nothing) on in its place. What meta has of its own is never overridden. */
void family_inject(struct doc *d, struct node *parent, const char *annotation, const struct node *wanted);

int64_t set_replicas(const struct object *set);                         /* spec.replicas */
int64_t set_count(const struct object *set, const char *field);         /* status.availableReplicas and so on; 0: absent */
