/* render/kustomize/openapi.h - which lists have keys: the built-in kinds, or an OpenAPI document that replaces them. */
#pragma once

#include "kube/kind.h"

struct openapi;

struct openapi *openapi_builtin(void);                          /* made once a build, on first use */
/* definitions of an OpenAPI v2 document; d is referenced. */
MUST_CHECK int openapi_custom(const struct doc *d, struct openapi **out, struct err *err);
const struct type *openapi_type(const struct openapi *o, const char *api_version, const char *kind);     /* NULL: unknown */
void openapi_free(struct openapi **o);
