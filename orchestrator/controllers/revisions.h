/* orchestrator/controllers/revisions.h - the versions of a pod template as ControllerRevisions, for owners that have pods
 * themselves (DaemonSet, StatefulSet) and for `kubectl rollout history|undo`. */
#pragma once

#include "kube/controller.h"

#define REVISION_HASH "controller-revision-hash"

struct template_revisions {
	struct controller *c;
	struct informer *informer;              /* of ControllerRevisions */
	struct object *owner;
	struct object_list all;                 /* oldest revision first */
	struct object *update;                  /* of the template as it is; borrowed from all */
};

/* Claims owner's revisions, and makes the one for its template, or gives the number after all others to an old one that
 * is wanted again. */
MUST_CHECK int template_revisions_read(struct template_revisions *r, struct controller *c, struct informer *informer, struct object *owner, struct err *err);
void template_revisions_free(struct template_revisions *r);
struct object *template_revisions_named(const struct template_revisions *r, const char *name);            /* NULL: there is none */
const char *revision_hash(const struct object *revision);                               /* what its pods carry as REVISION_HASH */
bool revision_has_pods(const struct object *revision, const struct object_list *pods);  /* one of them was made of it */
const struct node *revision_template(const struct object *revision);
/* Deletes the oldest beyond the limit, but for those that pods (or the status) still name: used() says so. */
MUST_CHECK int template_revisions_trim(struct template_revisions *r, int64_t limit, bool (*used)(const struct object *revision, void *arg), void *arg,
			      struct err *err);
