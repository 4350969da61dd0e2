/* orchestrator/api/auth-internal.h - who asks, and whether they may. */
#pragma once

#include "orchestrator/api/api-internal.h"

/* Lines "TOKEN,USER[,UID[,GROUP...]]"; empty ones and comments (#) are skipped. NULL: none. */
MUST_CHECK int tokens_read(struct map *tokens, const char *text, struct err *err);
void tokens_add_admin(struct map *tokens, struct sv token);
void tokens_free(struct map *tokens);

/* Whom a request counts as; the caller's strings are its own. */
struct login { struct caller caller; struct str user; VEC(const char *) groups; };
void login_free(struct login *l);
/* A client certificate's user, a bearer token's, or "system:anonymous"; then whom they act for, if they may
 * (Impersonate-User, Impersonate-Group). ERR_UNAUTHORIZED for a token that nobody has, ERR_FORBIDDEN. */
MUST_CHECK int authenticate(struct api *a, struct http_request *rq, struct login *out, struct err *err);
bool token_login(struct api *a, struct sv token, struct login *out);     /* false: nobody's */
bool caller_in(const struct caller *c, const char *group);
/* verb: "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection". ERR_FORBIDDEN. */
MUST_CHECK int authorize(const struct request *rq, const char *verb, struct err *err);
/* A path that is not an object's. */
MUST_CHECK int authorize_path(struct api *a, const struct caller *c, const char *method, const char *path,
			      struct err *err);
