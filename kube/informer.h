/* kube/informer.h - a local copy of a kind, kept true by list and watch: written once, shared by all controllers. */
#pragma once

#include "kube/client.h"

struct informers;               /* all informers of one client: asking twice for a kind gives the same one */
struct informer;

struct informers *informers_new(struct loop *l, struct client *c);
void informers_free(struct informers **i);              /* in a fiber: ends their fibers */
struct informer *informer_of(struct informers *i, const struct kind *k);        /* starts it */
int informer_wait(struct informer *f);                  /* parks until the first list is in */
bool informer_synced(const struct informer *f);
const struct kind *informer_kind(const struct informer *f);

/* Borrowed until the caller parks: take object_ref() to keep one. */
struct object *informer_get(const struct informer *f, const char *ns, const char *name);
struct object *informer_by_uid(const struct informer *f, const char *uid);
/* In order of namespace and name. fn returns false to stop. ns NULL: all. */
void informer_each(const struct informer *f, const char *ns, bool (*fn)(struct object *o, void *arg), void *arg);
void informer_owned(const struct informer *f, const char *owner_uid, bool (*fn)(struct object *o, void *arg), void *arg);
size_t informer_n(const struct informer *f);

/* fn runs for every change, once the copy has it, and must not park; before or after is NULL for added and deleted. */
typedef void informer_fn(void *arg, const struct object *before, const struct object *after);
void informer_on_change(struct informer *f, informer_fn *fn, void *arg);
void informer_off_change(struct informer *f, informer_fn *fn, void *arg);

/* After a write of one's own: parks until the copy shows it, so that the next look does not see the world of before.
 * ERR_TIMEOUT after 30 s: the caller fails and is tried again. */
MUST_CHECK int informer_wait_seen(struct informer *f, int64_t revision, struct err *err);
MUST_CHECK int informer_wait_gone(struct informer *f, const char *uid, struct err *err);       /* absent, or being deleted */
