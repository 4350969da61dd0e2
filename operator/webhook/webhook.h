/* operator/webhook/webhook.h - POST /api/webhook: pushes that forges tell about (operator semantics 18). */
#pragma once

#include "base/doc.h"
#include "base/err.h"
#include "base/vec.h"

struct operator;
struct webhook;

struct webhook *webhook_new(struct operator *op);
void webhook_free(struct webhook **w);

/* What a forge's payload says. Strings borrow from the payload's document, or are owned where said. */
struct push_event {
	VEC(const char *) urls;         /* of the repository, in every form that the payload has */
	const char *ref;                /* "refs/heads/main" */
	const char *default_branch;     /* "" when the payload does not say */
	VEC(const char *) files;        /* that the commits touched; none when the payload does not say */
	bool is_push;                   /* false: an event that is answered and not acted on (ping) */
};

struct forge {
	const char *name;
	const char *header;             /* the request header whose presence tells this forge */
	const char *secret_key;         /* in the Secret argocd-secret; NULL: none */
	/* How the request proves that it knows the secret. */
	enum { PROOF_HMAC_SHA256, PROOF_TOKEN } proof;
	const char *proof_header, *proof_prefix;        /* "X-Hub-Signature-256", "sha256=" */
	void (*read)(const struct node *payload, const char *event, struct push_event *out);
};

extern const struct forge forges[];     /* in order of detection; ended by a NULL name */

void push_event_free(struct push_event *e);

/* Does one of the files lie where the application reads, by the annotation argocd.argoproj.io/manifest-generate-paths? No
 * annotation and no files: yes. Pure. */
bool paths_touched(const char *annotation, const char *source_path, const char *const *files, size_t n);
