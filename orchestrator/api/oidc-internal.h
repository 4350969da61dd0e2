/* orchestrator/api/oidc-internal.h - people by OpenID Connect: an ID token of a provider whose keys are fetched.
 *
 * The provider's keys are read by its discovery document when a token first needs them, and again when a token names a key
 * that is not known, at most every ten seconds. */
#pragma once

#include "base/fiber.h"
#include "base/jwt.h"
#include "base/vec.h"
#include "orchestrator/api/api-internal.h"

struct login;
struct oidc;

/* NULL with *err filled: options that do not go together. */
struct oidc *oidc_new(struct loop *l, const struct oidc_opts *o, struct err *err);
void oidc_free(struct oidc **o);
bool oidc_issued(const struct oidc *o, const struct jwt *t);    /* o may be NULL; it proves nothing */
/* Parks while keys are fetched. ERR_UNAUTHORIZED says why not; ERR_UNAVAILABLE: the provider's keys cannot be had. */
MUST_CHECK int oidc_login(struct oidc *o, const struct jwt *t, struct login *out, struct err *err);
