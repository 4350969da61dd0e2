/* orchestrator/api/admission-internal.h - who else has a say in a write: webhooks and policies.
 *
 * An object that is about to be written (or removed) goes first through what may change it, then, once it is valid,
 * through what may refuse it. https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */
#pragma once

#include "kube/cel/cel.h"
#include "orchestrator/api/api-internal.h"

struct admission { /* one write */
	const struct request *rq;
	struct doc *d;		   /* of root */
	struct node *root;	   /* NULL: a deletion */
	const struct node *before; /* NULL: a creation */
	const char *operation;	   /* "CREATE", "UPDATE", "DELETE" */
	const struct node
		*request; /* an AdmissionRequest without the objects; made when somebody asks: admission_request() */
};

/* *changed: the object is another one, whose defaults are to be set again. Parks. */
MUST_CHECK int admission_mutate(struct admission *a, bool *changed, struct err *err);
MUST_CHECK int admission_validate(struct admission *a, struct err *err);			     /* parks */
MUST_CHECK int admission_delete(const struct request *rq, const struct node *live, struct err *err); /* both; parks */

/* ---- what is asked (admission.c) ---- */
const char *admission_name(const struct admission *a);
const struct node *admission_request(struct admission *a);
int admission_forbidden(const struct admission *a, struct err *err, const char *fmt, ...) PRINTF(3, 4);
const struct node *admission_namespace(const struct admission *a); /* the object's, or NULL */

/* ---- whom it concerns (admission-match.c) ---- */
/* By rows of operations and resources, namespaceSelector and objectSelector. */
bool admission_matches(const struct admission *a, const struct node *rules, const struct node *match);
bool admission_matches_rules(const struct admission *a, const struct node *rules, const char *policy);
/* 1: all are true; 0: one is not; ERR_INVALID: one has an error, and none is false. */
MUST_CHECK int admission_conditions(struct admission *a, const struct node *conditions, struct err *err);

/* ---- expressions (admission-cel.c) ---- */
enum {
	ADMISSION_OBJECT,
	ADMISSION_OLD,
	ADMISSION_REQUEST,
	ADMISSION_NAMESPACE,
	ADMISSION_AUTHORIZER,
	ADMISSION_RESOURCE_CHECK,
	ADMISSION_PARAMS,
	ADMISSION_VARIABLES,
	ADMISSION_VALUES
};
/* variables: the type of `variables`; NULL: there are neither they nor params. Lives in d. */
struct cel_env admission_env(struct doc *d, const struct cel_type *variables);
void admission_values(struct admission *a, struct doc *d, struct cel_value out[static ADMISSION_VALUES]);

/* ---- plugins: rows of a table in admission.c ---- */
typedef int admission_fn(struct admission *a, struct err *err);
admission_fn limits_default, limits_of_pod, limits_of_claim;		   /* admission-limits.c */
admission_fn priority_of_pod, priority_of_class, storage_class_of_claim;   /* admission-defaults.c */
admission_fn security_of_pod, security_of_template, security_of_namespace; /* admission-security.c */
/* row of the rules table */
int limit_range_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
			struct err *err);

/* ---- webhooks (webhook.c), policies (policy.c) ---- */
MUST_CHECK int webhooks_mutate(struct admission *a, bool *changed, struct err *err);
MUST_CHECK int webhooks_validate(struct admission *a, struct err *err);
MUST_CHECK int policies_validate(struct admission *a, struct err *err);
/* rows of the rules table: expressions compile, and what is asked can be */
int policy_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		   struct err *err);
int policy_binding_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
			   struct err *err);
int webhooks_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		     struct err *err);
/* Posts a review to a url or a Service's endpoints; *out: what is answered. https://NAME.NAMESPACE.svc is what it is
 * called there. client: a clientConfig. (webhook-call.c) */
MUST_CHECK int webhook_post(struct api *a, const struct node *client, const struct node *review, int64_t timeout_ms,
			    struct doc **out, struct err *err);
