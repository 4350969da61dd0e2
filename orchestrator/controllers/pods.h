/* orchestrator/controllers/pods.h - making and removing the pods of an owner. */
#pragma once

#include "kube/controller.h"

/* A pod of the template, controlled by owner; name NULL: generated from the owner's. The caller may edit it further. */
struct doc *pod_of_template(const struct kind *pod, const struct object *owner, const struct node *template, const char *name);

/* Makes n pods (slowly when calls fail), or removes those listed, with events about owner; returns when the copy shows
 * it. Errors are those of the first call that failed. */
MUST_CHECK int pods_create(struct controller *c, struct informer *pods, struct object *owner, const struct node *template,
			   size_t n, struct err *err);
MUST_CHECK int pods_delete(struct controller *c, struct informer *pods, struct object *owner, struct object *const *v, size_t n,
			   struct err *err);
/* Creates this one pod in the same way. */
MUST_CHECK int pods_create_one(struct controller *c, struct informer *pods, struct object *owner, const struct node *pod,
			       struct err *err);

/* Sorts by what is missed least: unassigned, pending, not ready, cheap to delete, on crowded nodes, newest. */
void pods_rank(struct object **v, size_t n);
