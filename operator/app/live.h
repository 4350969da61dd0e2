/* operator/app/live.h - the live objects of each application, by the instance that tracks them, kept by informers. */
#pragma once

#include "kube/informer.h"

struct live;

/* fn runs, without parking, for every change of an object that an application tracks, before or after. */
struct live *live_new(struct informers *informers, void (*fn)(void *arg, struct sv instance, const struct object *o), void *arg);
void live_free(struct live **l);

/* From here on objects of the kind are seen. Parks until the first list is in. */
MUST_CHECK int live_watch(struct live *l, const struct kind *k, struct err *err);
/* The same for the kinds of a list of {group, version, kind} (status.resources); those that the cluster does not know are left. */
MUST_CHECK int live_watch_all(struct live *l, const struct kinds *kinds, const struct node *resources, struct err *err);
/* All tracked by the instance, in no order. Borrowed until the caller parks. */
void live_each(const struct live *l, struct sv instance, void (*fn)(void *arg, struct object *o), void *arg);
/* Any object of a watched kind, tracked or not; NULL: absent. */
struct object *live_get(const struct live *l, const struct kind *k, const char *ns, const char *name);
struct informer *live_informer(const struct live *l, const struct kind *k);     /* NULL: not watched */
