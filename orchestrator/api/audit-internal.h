/* orchestrator/api/audit-internal.h - who did what, a line of JSON each: audit.k8s.io/v1 Events, by a Policy. */
#pragma once

#include "base/doc.h"
#include "orchestrator/api/auth-internal.h"
#include "orchestrator/api/rbac-internal.h"

/* ---- the policy (audit-policy.c): what is to be written. Pure ---- */
enum audit_level { AUDIT_NONE, AUDIT_METADATA, AUDIT_REQUEST, AUDIT_BOTH };     /* as Kubernetes: RequestResponse is both */
enum audit_stage { STAGE_RECEIVED = 1, STAGE_STARTED = 2, STAGE_COMPLETE = 4 };
struct audit_policy;
struct audit_choice { enum audit_level level; unsigned omitted; };              /* omitted: stages */
const char *audit_level_name(enum audit_level l);

struct audit_policy *audit_policy_read(const char *text, struct err *err);      /* YAML; NULL with err filled */
struct audit_policy *audit_policy_default(void);                                /* Metadata of everything */
void audit_policy_free(struct audit_policy **p);
struct audit_choice audit_choose(const struct audit_policy *p, const struct caller *c, const struct action *what);

/* ---- the file (audit-log.c): lines in order, a new file when one is full ---- */
struct audit_log;
struct audit_log *audit_log_open(struct loop *l, const char *path, int64_t max_bytes, int backups, struct err *err);
void audit_log_close(struct audit_log **l);             /* in a fiber: everything is written */
void audit_log_add(struct audit_log *l, struct sv line);        /* parks when far too much waits */

/* ---- one request (audit.c) ---- */
struct audit_entry {                    /* lives in the handler */
	struct api *api;
	struct audit_choice choice;
	struct doc *d;
	struct node *event;
	int status;
	struct str body;                /* of the answer, when it is to be written */
};

MUST_CHECK int audit_open(struct api *a, const struct api_opts *o, struct err *err);
void audit_close(struct api *a);
/* A request that is answered by http. who NULL: nobody that is known. */
void audit_begin(struct audit_entry *e, struct api *a, struct http_request *rq, const struct login *who, const struct action *what,
		 const char *version);
void audit_answered(struct audit_entry *e, int status, struct sv body);
void audit_end(struct audit_entry *e, bool streams);    /* streams: the answer goes on without the handler */
/* A call in this process, once it is done: r is its result. obj may be NULL. */
void audit_call(const struct request *rq, const char *verb, const struct node *obj, int r, const struct err *why);
