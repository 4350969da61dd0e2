/* kube/client.h - the only way to the cluster: the same calls in-process, over HTTPS, and against a fake in tests.
 *
 * Every call parks the fiber that makes it. Errors carry the API's reason as their code, its message and its causes. */
#pragma once

#include "base/loop.h"
#include "kube/object.h"

struct client {
	const struct client_ops *ops;
	struct loop *loop;
	const struct kinds *kinds;
	const char *ns;                 /* what calls of people without a namespace mean; NULL: "default" */
};

struct list_opts {
	const char *ns;                 /* NULL: all namespaces */
	const char *labels, *fields;    /* selectors as query text; NULL: none */
	int64_t limit;                  /* 0: all */
	const char *token;              /* continue */
};

enum patch_type { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY };

struct write_opts {
	const char *subresource;        /* "status", "scale"; NULL: the object itself */
	const char *manager;            /* field manager; required for PATCH_APPLY */
	bool force, dry_run;
};

struct delete_opts {
	const char *propagation;        /* "Background", "Foreground", "Orphan"; NULL: the kind's default */
	int64_t grace_seconds;          /* -1: the object's own */
	const char *uid;                /* precondition; NULL: none */
	bool dry_run;
};

enum event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED, EVENT_BOOKMARK };
struct event { enum event_type type; struct object *object; };          /* object: a reference that the receiver drops */

struct watch { const struct watch_ops *ops; };
struct watch_ops {
	/* Parks until the next event. ERR_EXPIRED: list again; ERR_CANCELED; anything else: watch again. */
	int (*next)(struct watch *, struct event *out, struct err *);
	void (*close)(struct watch *);
};

struct client_connection;

struct client_ops {
	int (*get)(struct client *, const struct kind *, const char *ns, const char *name, struct object **out, struct err *);
	int (*list)(struct client *, const struct kind *, const struct list_opts *, struct object_list *out, struct err *);
	int (*watch)(struct client *, const struct kind *, const struct list_opts *, int64_t from, struct watch **out, struct err *);
	int (*create)(struct client *, const struct kind *, const struct node *obj, const struct write_opts *, struct object **out,
		      struct err *);
	int (*update)(struct client *, const struct kind *, const struct node *obj, const struct write_opts *, struct object **out,
		      struct err *);
	int (*patch)(struct client *, const struct kind *, const char *ns, const char *name, enum patch_type,
		     const struct node *patch, const struct write_opts *, struct object **out, struct err *);
	int (*del)(struct client *, const struct kind *, const char *ns, const char *name, const struct delete_opts *, struct err *);
	/* A GET of any path whose body comes piece by piece: logs, raw. on_data runs on the loop; less than 0 stops. */
	int (*stream)(struct client *, const char *path, int (*on_data)(void *arg, struct sv data), void *arg, struct err *);
	/* A connection of SPDY/3.1 at a path (client-stream.h). NULL: this client has none */
	int (*connect)(struct client *, const char *path, const char *protocol, struct client_connection **out, struct err *);
	/* Asks the server for kinds that are not in client.kinds and adds them. NULL: kinds holds all there are. */
	int (*discover)(struct client *, struct err *);
	void (*free)(struct client *);
};

/* opts may be NULL everywhere; out may be NULL where the answer does not matter; *out is a new reference. */
MUST_CHECK int client_get(struct client *c, const struct kind *k, const char *ns, const char *name, struct object **out,
			  struct err *err);
MUST_CHECK int client_list(struct client *c, const struct kind *k, const struct list_opts *o, struct object_list *out,
			   struct err *err);
MUST_CHECK int client_watch(struct client *c, const struct kind *k, const struct list_opts *o, int64_t from, struct watch **out,
			    struct err *err);
MUST_CHECK int client_create(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
			     struct object **out, struct err *err);
/* obj's metadata.resourceVersion, when set, must be the live one: else ERR_CONFLICT. */
MUST_CHECK int client_update(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
			     struct object **out, struct err *err);
MUST_CHECK int client_patch(struct client *c, const struct kind *k, const char *ns, const char *name, enum patch_type type,
			    const struct node *patch, const struct write_opts *o, struct object **out, struct err *err);
MUST_CHECK int client_delete(struct client *c, const struct kind *k, const char *ns, const char *name,
			     const struct delete_opts *o, struct err *err);
MUST_CHECK int client_stream(struct client *c, const char *path, int (*on_data)(void *arg, struct sv data), void *arg,
			     struct err *err);
/* Kubernetes' client-side apply: three-way merge of last-applied annotation, obj and live; creates when absent.
 * *changed (may be NULL): whether a write was needed. */
MUST_CHECK int client_apply(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
			    struct object **out, bool *changed, struct err *err);
/* Read, change, update, again on conflict: change() edits a copy and returns 1 (write), 0 (leave), or less (error). */
MUST_CHECK int client_modify(struct client *c, const struct kind *k, const char *ns, const char *name, const char *subresource,
			     int (*change)(struct doc *d, struct node *root, void *arg, struct err *err), void *arg,
			     struct object **out, struct err *err);
/* A kind by its names, or by what a person types ("po"); asks the server when it is not known. NULL: err says so. */
const struct kind *client_kind(struct client *c, const char *api_version, const char *kind, struct err *err);
const struct kind *client_kind_named(struct client *c, const char *name, struct err *err);
int watch_next(struct watch *w, struct event *out, struct err *err);
void watch_close(struct watch **w);
void client_free(struct client **c);

/* Over HTTPS, from a kubeconfig file (NULL: $KUBECONFIG, then ~/.kube/config) and a context (NULL: the current one).
 * Kinds of the server that are not built in are discovered when asked for. */
struct client *client_https(struct loop *l, const char *kubeconfig, const char *context, struct err *err);
const char *client_namespace(const struct client *c);   /* of the context; "default" when it has none */

/* An Event about an object ("Normal" or "Warning"); repeated ones are counted. Best effort: never fails, may park. */
void client_event(struct client *c, const struct object *about, const char *component, const char *type, const char *reason,
		  const char *fmt, ...) PRINTF(6, 7);
