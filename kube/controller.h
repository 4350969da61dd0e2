/* kube/controller.h - a controller is a row: what it watches, how an event maps to keys, reconcile(key).
 *
 * Level triggered: reconcile() reads the state of now from informers and brings the world one step nearer to it; it
 * never counts events. The queue holds a key once and runs a key on one worker at a time. A reconcile that fails is
 * tried again (after 5 ms, doubling to 5 min) and logged; a conflict is tried again and not logged. */
#pragma once

#include "kube/informer.h"

struct controller;

struct controller_watch {
	const char *api_version, *kind;         /* NULL kind ends the list */
	/* Queues the keys that a change of object o concerns, with controller_queue(); called for the object as it was and
	 * as it is. Must not park. NULL: the object's own key. */
	void (*map)(struct controller *c, const struct object *o);
};

struct controller_spec {
	const char *name;
	const struct controller_watch *watches;         /* the first one is the kind that keys name */
	int (*reconcile)(struct controller *c, const char *ns, const char *name, struct err *err);      /* in a fiber */
	int workers;                                    /* 0: 4 */
	int64_t resync_ms;                              /* every key again after this time; 0: never */
	void *(*state_new)(struct controller *c);       /* what one running controller keeps between reconciles; NULL: nothing */
	void (*state_free)(void *state);
};

/* spec is borrowed. Starts once every watched informer is synced. NULL: the server does not know one of its kinds. */
struct controller *controller_start(struct loop *l, struct client *client, struct informers *informers,
				    const struct controller_spec *spec);
void controller_stop(struct controller **c);            /* in a fiber: waits for running reconciles */

void controller_queue(struct controller *c, const char *ns, const char *name);
void controller_queue_after(struct controller *c, const char *ns, const char *name, int64_t ms);
void controller_map_owner(struct controller *c, const struct object *o);        /* for .map: the key of the controlling owner of the first kind */

/* client_event() in a fiber of its own, so that no reconcile waits for it; the component is the row's name. */
void controller_event(struct controller *c, struct object *about, const char *type, const char *reason, const char *fmt, ...)
	PRINTF(5, 6);

/* Writes a status (a node of any document) to o, of the row's watch, when it differs from o's, and waits until the copy
 * shows it. out (may be NULL): the version written, a new reference; untouched when there was nothing to write. */
MUST_CHECK int controller_put_status(struct controller *c, size_t watch, const struct object *o, const struct node *status,
				     struct object **out, struct err *err);
/* A status to build on: a copy of o's in d, or an empty one. */
struct node *controller_status(struct doc *d, const struct object *o);

struct client *controller_client(const struct controller *c);
struct informer *controller_informer(const struct controller *c, size_t watch);         /* by its place in the row */
struct informers *controller_informers(const struct controller *c);
struct loop *controller_loop(const struct controller *c);
void *controller_state(const struct controller *c);
const char *controller_name(const struct controller *c);
const struct controller_spec *controller_spec_of(const struct controller *c);    /* the row: may be the first member of more */
