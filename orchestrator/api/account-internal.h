/* orchestrator/api/account-internal.h - service accounts: their tokens, and what a pod gets of them.
 *
 * A token is a JWT that this server signs. It is believed for as long as the account that it names, and the Pod or Secret
 * that it is bound to, are there with the same uid: who deletes them takes the token back. */
#pragma once

#include "base/jwt.h"
#include "orchestrator/api/api-internal.h"

#define ACCOUNT_TOKEN_TYPE "kubernetes.io/service-account-token"
#define ACCOUNT_NAME "kubernetes.io/service-account.name"
#define ACCOUNT_UID "kubernetes.io/service-account.uid"
#define ROOT_CA "kube-root-ca.crt"                      /* the ConfigMap that every namespace has */

struct login;

MUST_CHECK int accounts_open(struct api *a, const struct api_opts *o, struct err *err);
void accounts_close(struct accounts *s);
/* What the cluster has to begin with: kube-system's copy of the CA, from which a controller makes the others. */
MUST_CHECK int accounts_create(struct api *a, struct err *err);

/* Whether a token says that it is ours. It proves nothing. */
bool account_issued(const struct api *a, const struct jwt *t);
bool account_is_legacy(const struct jwt *t);    /* out of a Secret: it names no audience, and is for this API */
/* ERR_UNAUTHORIZED says why not. Its audiences are the caller's to check. */
MUST_CHECK int account_login(struct api *a, const struct jwt *t, struct login *out, struct err *err);

/* serviceaccounts/token: a TokenRequest, answered. */
MUST_CHECK int account_token(const struct request *rq, const struct node *obj, struct item **out, struct err *err);

/* Before a pod is looked at: the account that every namespace has is there. Parks. */
MUST_CHECK int account_ready(const struct request *rq, const struct node *obj, struct err *err);
/* The pod's account exists; its token, pull secrets and the CA are the pod's. */
MUST_CHECK int account_admit(const struct request *rq, struct doc *d, struct node *root, struct err *err);
/* A Secret of type kubernetes.io/service-account-token gets a token. */
MUST_CHECK int account_secret(const struct request *rq, struct doc *d, struct node *root, struct err *err);

/* /.well-known/openid-configuration and /openid/v1/jwks: false: some other path. */
bool serve_issuer(struct api *a, struct http_request *rq, const char *path);
