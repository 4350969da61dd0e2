/* orchestrator/api/auth-internal.h - who asks, and whether they may. */
#pragma once

#include "orchestrator/api/api-internal.h"

/* Lines "TOKEN,USER[,UID[,GROUP...]]"; empty ones and comments (#) are skipped. NULL: none. */
MUST_CHECK int tokens_read(struct map *tokens, const char *text, struct err *err);
void tokens_add_admin(struct map *tokens, struct sv token);
void tokens_free(struct map *tokens);

/* The user of a request: a client certificate's, a bearer token's, or "system:anonymous". ERR_UNAUTHORIZED for a token that
 * nobody has. The caller's strings live as long as the request and the API. */
MUST_CHECK int authenticate(struct api *a, struct http_request *rq, struct caller *out, struct err *err);
bool caller_in(const struct caller *c, const char *group);
/* verb: "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection". ERR_FORBIDDEN. */
MUST_CHECK int authorize(const struct request *rq, const char *verb, struct err *err);
/* A path that is not an object's. */
MUST_CHECK int authorize_path(const struct caller *c, const char *method, const char *path, struct err *err);
