/* operator/app/app-internal.h - what the files of the Application controller share. */
#pragma once

#include "base/map.h"
#include "kube/controller.h"
#include "operator/app/app.h"
#include "kube/patch/patch.h"
#include "operator/app/comparison.h"

/* What is kept in memory about one Application: caches and wishes, nothing that a restart would miss. */
struct app {
	char *ns, *name, *instance;
	struct rendering *last, *good;          /* the newest look at the sources, and the newest that rendered; references */
	struct compare_cache cache;
	int64_t looked_ms;                      /* loop's clock: when the revisions were asked for; -1: never */
	bool refresh, hard;                     /* somebody wants a new look */
	struct app_listener *listeners;
	uint64_t looks;                         /* how often the sources were asked */
	struct str said;                        /* the last progress that listeners were told */
};

struct apps {
	struct controller_spec spec;            /* first: how the controller finds us */
	struct controller *controller;
	struct loop *loop;
	struct client *client;
	struct informers *informers;
	struct repos *repos;
	struct charts *charts;
	struct live *live;
	const struct kind *kind;                /* Application */
	struct map apps;                        /* "ns/name" -> struct app */
	struct map instances;                   /* instance name -> struct app, borrowed */
	int64_t poll_ms;
	const char *control_ns;
	unsigned seed;                          /* of the jitter */
};

/* One reconcile of one Application: the stored object, and the copy that is being edited. */
struct pass {
	struct apps *apps;
	struct app *app;
	struct object *first, *stored;          /* references: what the pass began with (spec borrows from it), what is stored now */
	struct doc *d;
	struct node *root;                      /* of d */
	struct object *project;                 /* a reference; NULL: none is needed */
	struct app_spec spec;
	struct comparison now;
	bool compared;
	int64_t again_ms;                       /* look again after this time; 0: only when something changes */
};

/* Stores what was edited, when anything was. */
MUST_CHECK int pass_write(struct pass *p, struct err *err);
void pass_again(struct pass *p, int64_t ms);    /* the soonest wish counts */

/* ---- news.c: for everyone who listens ---- */
void app_say(struct app *a, const char *fmt, ...) PRINTF(2, 3);
/* At the end of a pass: how things stand. refused: why an automated sync does not start, or "". */
void app_tell(struct pass *p, const struct err *failure, const char *refused);
void app_tell_gone(struct app *a);              /* the Application does not exist any more */

/* ---- engine.c: the operation that the Application holds ---- */
enum engine { ENGINE_IDLE, ENGINE_WAITS, ENGINE_DONE };
/* Runs the operation as far as it goes now. *out: no operation, one that waits for something, or one that just ended. */
MUST_CHECK int engine_run(struct pass *p, enum engine *out, struct err *err);
bool engine_has_operation(const struct node *root);

/* ---- apply.c ---- */
#define NAMESPACE_CREATOR "timonier.dev/created-by"     /* annotation of a namespace: the application that CreateNamespace=true was for */
struct apply_opts { bool dry_run, force, prune; };
struct applied { bool failed; const char *status; struct str message; int64_t revision; };      /* status: "Synced", ... */
void applied_free(struct applied *a);
/* Brings one row's object to what its target says (or removes it when it has none). Parks. ns, name: of the object. */
void apply_row(struct apps *apps, const struct app_spec *spec, const struct row *row, const char *name,
	       const struct apply_opts *o, struct applied *out);
MUST_CHECK int apply_namespace(struct apps *apps, const struct app_spec *spec, struct err *err);
MUST_CHECK int apply_delete(struct apps *apps, const struct object *o, const char *propagation, struct err *err);

/* ---- delete.c ---- */
MUST_CHECK int app_delete(struct pass *p, struct err *err);
