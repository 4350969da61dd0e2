/* operator/app/app.h - the Application controller: from what git says to what runs. */
#pragma once

#include "kube/informer.h"
#include "operator/chart/charts.h"
#include "operator/git/repo.h"

struct apps;

struct apps_opts {
	struct client *client;
	struct informers *informers;
	struct repos *repos;
	struct charts *charts;                  /* borrowed, as repos */
	int64_t poll_ms;                        /* 0: 3 minutes */
};

struct apps *apps_start(struct loop *l, const struct apps_opts *o);     /* in a fiber; NULL: the server does not know Applications */
void apps_stop(struct apps **a);                                        /* in a fiber */

/* Every Application that fn says yes to is looked at now, with a new look at its sources. Returns how many. */
size_t apps_refresh(struct apps *a, bool (*fn)(void *arg, const struct object *application), void *arg);

/* ---- following an application, for a pusher's terminal ---- */
enum app_news {
	NEWS_LINE,                      /* something happened; more comes */
	NEWS_WELL, NEWS_BAD,            /* how it ended: nothing more is to come of what was looked at */
};
struct app_listener {
	/* From inside a reconcile: must not park, and not unlisten. Endings are told of looks that began after apps_listen(). */
	void (*news)(void *arg, enum app_news what, const char *text);
	void *arg;
	uint64_t since;                 /* apps' own, as next */
	struct app_listener *next;
};
void apps_listen(struct apps *a, const char *ns, const char *name, struct app_listener *borrowed);
void apps_unlisten(struct apps *a, const char *ns, const char *name, struct app_listener *l);
