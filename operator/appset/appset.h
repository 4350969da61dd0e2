/* operator/appset/appset.h - ApplicationSets: Applications made of a template and parameters, and removed with them. */
#pragma once

#include "kube/informer.h"
#include "operator/git/repo.h"

struct appsets;

struct appsets_opts { struct client *client; struct informers *informers; struct repos *repos; int64_t poll_ms; };

struct appsets *appsets_start(struct loop *l, const struct appsets_opts *o);    /* NULL: the server does not know the kind */
void appsets_stop(struct appsets **a);                                          /* in a fiber */

/* Sets that ask a repository which fn says yes to generate again, now. Returns how many. */
size_t appsets_refresh(struct appsets *a, bool (*fn)(void *arg, const char *url), void *arg);
/* Parks until what was refreshed has been generated, at most so long. */
void appsets_settle(struct appsets *a, int64_t ms);
