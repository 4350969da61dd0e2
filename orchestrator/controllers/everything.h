/* orchestrator/controllers/everything.h - the copies of all kinds at once, those of CustomResourceDefinitions too: for
 * what must look at every object (garbage collection, the end of a namespace). */
#pragma once

#include "kube/controller.h"

struct everything;

/* fn is called for every change of any object; arg is handed through. */
struct everything *everything_new(struct controller *c, informer_fn *fn, void *arg);
void everything_free(struct everything **e);

size_t everything_n(const struct everything *e);
struct informer *everything_at(const struct everything *e, size_t i);
struct object *everything_by_uid(const struct everything *e, const char *uid);  /* borrowed until the caller parks; NULL: in no copy */
bool everything_synced(const struct everything *e);
/* Every object that names uid as an owner, as references. */
void everything_owned(const struct everything *e, const char *uid, struct object_list *out);
