/* operator/app/app.h - the Application controller: from what git says to what runs. */
#pragma once

#include "kube/informer.h"
#include "operator/git/repo.h"

struct apps;

struct apps_opts {
	struct client *client;
	struct informers *informers;
	struct repos *repos;
	int64_t poll_ms;                        /* 0: 3 minutes */
};

struct apps *apps_start(struct loop *l, const struct apps_opts *o);     /* in a fiber; NULL: the server does not know Applications */
void apps_stop(struct apps **a);                                        /* in a fiber */

/* Every Application that fn says yes to is looked at now, with a new look at its sources. Returns how many. */
size_t apps_refresh(struct apps *a, bool (*fn)(void *arg, const struct object *application), void *arg);

/* ---- following an application, for a pusher's terminal ---- */
struct app_listener {
	struct app_listener *next;              /* apps' own */
	void (*line)(void *arg, const char *text);      /* on the loop, must not park */
	void *arg;
};
bool apps_listen(struct apps *a, const char *ns, const char *name, struct app_listener *borrowed);
void apps_unlisten(struct apps *a, const char *ns, const char *name, struct app_listener *l);
