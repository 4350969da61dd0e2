/* render/kustomize/openapi.h - which lists have keys: the built-in kinds, or an OpenAPI document that replaces them. */
#pragma once

#include "kube/kind.h"

struct openapi;

struct openapi *openapi_builtin(void);                          /* made once a build, on first use */
/* The definitions of an OpenAPI v2 document, which must outlive the result; also_builtin: in addition to the built-in kinds,
 * which win, and not in place of them. */
MUST_CHECK int openapi_custom(const struct doc *d, bool also_builtin, struct openapi **out, struct err *err);
const struct type *openapi_type(const struct openapi *o, const char *api_version, const char *kind);     /* NULL: unknown */
void openapi_free(struct openapi **o);
