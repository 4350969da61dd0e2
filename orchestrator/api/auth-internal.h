/* orchestrator/api/auth-internal.h - who asks, and whether they may. */
#pragma once

#include "orchestrator/api/api-internal.h"

/* Lines "TOKEN,USER[,UID[,GROUP...]]"; empty ones and comments (#) are skipped. NULL: none. */
MUST_CHECK int tokens_read(struct map *tokens, const char *text, struct err *err);
void tokens_add_admin(struct map *tokens, struct sv token);
void tokens_free(struct map *tokens);

/* Whom a request counts as; the caller's strings are its own. */
struct login {
	struct caller caller;
	struct str user, uid;
	VEC(const char *) groups;
	struct doc *extra;              /* its root is a map of lists; NULL: none */
	struct login *acting;           /* who really asks, when it is for somebody else; NULL: the same */
};
void login_free(struct login *l);
void login_add_group(struct login *l, struct sv name);
void login_finish(struct login *l);     /* user, uid, groups and extra are known: what follows from them */
/* A client certificate's user, a bearer token's, or "system:anonymous"; then whom they act for, if they may
 * (Impersonate-User, Impersonate-Group). ERR_UNAUTHORIZED for a token that nobody has, ERR_FORBIDDEN. */
MUST_CHECK int authenticate(struct api *a, struct http_request *rq, struct login *out, struct err *err);
/* Whose bearer token it is. audiences: a list of texts of which it must be for one; NULL: for this API. *matched (may be
 * NULL): a list in d of those that it is for. ERR_UNAUTHORIZED says why it is nobody's. */
struct token_for { const struct node *audiences; struct doc *d; struct node *matched; };
MUST_CHECK int token_login(struct api *a, struct sv token, struct token_for *what, struct login *out, struct err *err);
bool bootstrap_shaped(struct sv token);          /* bootstrap.c */
MUST_CHECK int bootstrap_login(struct api *a, struct sv token, struct login *out, struct err *err);
/* Whom the request's headers name takes the place of the caller, if it may (impersonate.c). ERR_FORBIDDEN, ERR_BAD_REQUEST. */
MUST_CHECK int impersonate(struct api *a, struct http_request *rq, struct login *l, struct err *err);
bool caller_in(const struct caller *c, const char *group);
/* verb: "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection". ERR_FORBIDDEN. */
MUST_CHECK int authorize(const struct request *rq, const char *verb, struct err *err);
/* A path that is not an object's. */
MUST_CHECK int authorize_path(struct api *a, const struct caller *c, const char *method, const char *path,
			      struct err *err);
