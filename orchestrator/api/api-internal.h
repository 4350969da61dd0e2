/* orchestrator/api/api-internal.h - the verbs of the API, without a transport: HTTP and the in-process client call
 * these. */
#pragma once

#include "base/metrics.h"
#include "kube/schema/schema.h"
#include "kube/selector.h"
#include "orchestrator/api/api.h"
#include "orchestrator/api/cache-internal.h"
#include "orchestrator/api/lines-internal.h"
#include "orchestrator/api/service-internal.h"

struct custom;
struct customs {                        /* kinds of CustomResourceDefinitions: custom-internal.h */
	struct cache_listener listener; /* first */
	struct api *api;
	VEC(struct custom *) all;
	struct resource *definitions;
};

struct flow;
struct flows {                          /* fair queueing: flow-internal.h */
	unsigned seats, taken;          /* seats 0: no limit */
	unsigned waiting;
	int64_t wait_ms;
	struct map by_name;             /* those that wait: name -> struct flow * */
	struct flow *next;              /* whose turn it is: a ring; NULL: nobody waits */
};

struct accounts {                       /* service accounts: account-internal.h */
	VEC(struct jwt_key *) keys;     /* the first one signs; all are believed */
	char *issuer;
	char *ca;                       /* PEM, for pods; "" : they get no token by themselves */
	struct map verified;            /* digests of tokens that were seen to be signed */
};

struct api {
	struct loop *loop;
	struct cache cache;
	struct kinds *kinds;
	struct store *store;
	char *version;
	struct map nodes;               /* name -> struct nodelink * */
	struct service_ranges services;
	struct customs customs;
	struct fiber_group fibers;      /* housekeeping */
	struct map tokens;              /* digest of a bearer token -> struct user * */
	struct accounts accounts;
	struct { struct audit_policy *policy; struct audit_log *log; } audit;  /* NULLs: nothing is written */
	struct flows flows;
	struct metrics metrics;
	int64_t request_timeout_ms;     /* 0: none */
	int watches, watches_max;
	struct str ca_key;              /* empty: nothing is signed */
	struct oidc *oidc;              /* NULL: not asked for */
	struct httpc *http;             /* to webhooks; NULL until one is called */
	struct lines lines;             /* what watchers are being sent */
	struct creating *creating;      /* objects on their way into the store */
	struct protobuf *protobuf;      /* NULL until a client sends some */
	struct fiber_cond quota_changed;        /* something was made or removed */
};

struct caller {
	const char *user;
	const char *const *groups;
	size_t n_groups;
	const char *uid;                /* NULL: none is known */
	const struct node *extra;       /* a map of lists, or NULL */
};

struct request {                        /* who wants what of which object; borrowed for the length of the call */
	struct api *api;
	const struct caller *caller;
	const struct kind *kind;
	const char *ns, *name;          /* "" : none */
	const char *subresource;        /* "" : the object itself */
	const char *manager;            /* field manager; "" : unknown */
	bool dry_run, force;
	enum schema_unknown unknown;    /* fieldValidation */
	struct str *warnings;           /* a line each; may be NULL */
	bool applies;                   /* server-side apply: managedFields are part of what is written */
};

static inline struct resource *request_resource(const struct request *rq)
{
	return cache_resource(&rq->api->cache, rq->kind);
}

/* ---- reading (read.c) ---- */
struct filter {
	struct selector *labels;
	struct field_selector *fields;
	char *name;
}; /* name: metadata.name= alone, or NULL */
MUST_CHECK int filter_parse(struct filter *f, const char *labels, const char *fields,
			    struct err *err); /* NULL or "": none */
void filter_free(struct filter *f);
static inline bool filter_is_empty(const struct filter *f) { return !f->labels && !f->fields && !f->name; }
bool filter_matches(const struct filter *f, struct item *i);

struct list_query {
	const char *labels, *fields;    /* NULL: none */
	int64_t limit;                  /* 0: all */
	const char *token;              /* continue; NULL: from the start */
	int64_t revision;               /* resourceVersion: must have been reached; 0: any */
	bool exact;                     /* resourceVersionMatch=Exact: as of that revision */
};
MUST_CHECK int check_reached(const struct request *rq, int64_t revision, struct err *err);  /* ERR_TIMEOUT */
struct list_result {
	struct items items;
	int64_t revision, remaining;
	char *token;                    /* NULL: complete */
	bool uncounted;                 /* a selector was given: what remains is not told */
};
/* The token that goes on after one that has expired, with what is there by then; heap, NULL: it is none. */
char *list_inconsistent(const char *token);
MUST_CHECK int verb_get(const struct request *rq, struct item **out, struct err *err);
MUST_CHECK int verb_list(const struct request *rq, const struct list_query *q, struct list_result *out,
			 struct err *err);
void list_result_free(struct list_result *r);

/* What a change is to a watcher of a filter and a namespace ("" or NULL: all). False: nothing. *out: a reference. */
bool change_view(const struct filter *f, const char *ns, const struct change *c, enum event_type *type,
		 struct item **out);

/* ---- writing (write.c, delete.c); *out is a reference, and may be what was there when nothing changed ---- */
MUST_CHECK int verb_create(const struct request *rq, const struct node *obj, struct item **out, struct err *err);
MUST_CHECK int verb_update(const struct request *rq, const struct node *obj, struct item **out, struct err *err);
/* PATCH_APPLY creates what is not there. */
MUST_CHECK int verb_patch(const struct request *rq, enum patch_type type, const struct node *patch, struct item **out,
			  struct err *err);
struct deletion {
	const char *propagation;        /* NULL: the kind's default */
	int64_t grace_seconds;          /* -1: the object's own */
	const char *uid;                /* preconditions; NULL: none */
	int64_t revision;               /* 0: none */
};
/* *out: what is left of the object while it is being deleted; NULL: it is gone. *last (may be NULL): the object as it
 * was. */
MUST_CHECK int verb_delete(const struct request *rq, const struct deletion *how, struct item **out, struct item **last,
			   struct err *err);
MUST_CHECK int verb_delete_collection(const struct request *rq, const struct list_query *q, const struct deletion *how,
				      struct list_result *out, struct err *err);

/* Reads the live object and writes what make() builds of it in d, again when another writer was faster. make() may be
 * called several times; the object that it gives must be in d. */
typedef int make_fn(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err);
MUST_CHECK int write_object(const struct request *rq, make_fn *make, void *arg, struct item **out, struct err *err);
/* Puts a finished object in the store: expect as in store.h. Loses its resourceVersion on the way. */
MUST_CHECK int store_object(const struct request *rq, const char *ns, const char *name, struct node *root,
			    int64_t expect, int64_t revision, struct item **out, struct err *err);
MUST_CHECK int remove_object(const struct request *rq, const struct item *live, struct err *err);
int lost_race(int r, struct err *err); /* of the two above: 1 when another writer was faster, and err is emptied */
void begin_deletion(struct doc *d, struct node *root,
		    int64_t grace_seconds); /* deletionTimestamp and what goes with it */

/* Server-side apply of a configuration (apply.c). */
MUST_CHECK int verb_apply(const struct request *rq, const struct node *config, struct item **out, struct err *err);
/* Ownership of fields after any other write. */
void track_fields(const struct request *rq, struct doc *d, const struct node *before, struct node *root);

/* ---- what happens to an object between the request and the store (prepare.c) ---- */
/* A new root that begins with kind, apiVersion and metadata, once it was seen to be of the request's kind. */
MUST_CHECK int canonical_object(const struct request *rq, struct doc *d, struct node *root, struct node **result,
				struct err *err);
MUST_CHECK int prepare_create(const struct request *rq, struct doc *d, struct node *root, struct err *err);
MUST_CHECK int prepare_update(const struct request *rq, struct doc *d, struct node *root, const struct object *live,
			      struct err *err);
bool object_finished(const struct kind *k,
		     const struct node *root); /* deletion is under way and nothing holds it any more */

/* ---- what differs from kind to kind (rules.c) ---- */
struct rules {
	const char *group, *plural;
	/* Before the creation of an object begins: what it needs is there. Parks. May be NULL */
	int (*ready)(const struct request *rq, const struct node *obj, struct err *err);
	/* On the new object, with defaults, before validation; before: the live one, NULL on create. May be NULL */
	int (*prepare)(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		       struct err *err);
	/* What follows from the rest of a new object, once everybody has had a hand in it. May be NULL */
	void (*settle)(struct doc *d, struct node *root);
	void (*give_up)(const struct request *rq, const struct node *root,
			const struct node *before);  /* it was not written */
	int64_t (*grace)(const struct node *live, int64_t asked);       /* seconds left to the object; NULL: none */
	int (*check_delete)(const struct request *rq, struct err *err);
	bool finalize_in_spec;          /* a Namespace: spec.finalizers hold it too */
};
const struct rules *rules_of(const struct kind *k);     /* never NULL */
bool kind_has_generation(const struct kind *k);

/* ---- subresources with objects of their own (subresource.c) ---- */
MUST_CHECK int scale_get(const struct request *rq, struct item **out, struct err *err);
MUST_CHECK int scale_write(const struct request *rq, make_fn *make, void *arg, struct item **out, struct err *err);
MUST_CHECK int subresource_create(const struct request *rq, const struct node *obj, struct item **out, struct err *err);

/* Streams a pod's log from its node. query: the raw query of the request. Parks. */
MUST_CHECK int pod_log(const struct request *rq, const char *query, int (*write)(void *arg, struct sv data), void *arg,
		       struct err *err);

/* ---- errors in Kubernetes' words ---- */
const char *kind_resource(const struct kind *k, char buf[static 192]);          /* "deployments.apps" */
int not_found(const struct kind *k, const char *name, struct err *err);
int modified(const struct kind *k, const char *name, struct err *err);

/* `Service "web" is invalid: spec.clusterIP: Invalid value: ...`, with its cause. */
int invalid_field(const struct request *rq, const char *name, const char *field, struct err *err, const char *fmt, ...)
	PRINTF(5, 6);

void random_suffix(char *out, size_t n);        /* n letters and digits that spell no words */
struct node *random_uid(struct doc *d);         /* RFC 4122, version 4 */
