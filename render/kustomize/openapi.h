/* render/kustomize/openapi.h - which lists have keys: the built-in kinds, or an OpenAPI document that replaces them. */
#pragma once

#include "base/str.h"
#include "kube/kind.h"

struct openapi;

struct openapi *openapi_builtin(void);                          /* made once a build, on first use */
/* The definitions of an OpenAPI v2 document, which must outlive the result; also_builtin: in addition to the built-in kinds,
 * which win, and not in place of them. */
MUST_CHECK int openapi_custom(const struct doc *d, bool also_builtin, struct openapi **out, struct err *err);
/* Schemas that stand in comments of a text, `containers: # {"type": "array", "x-kubernetes-patch-strategy": "merge", ...}`:
 * they count for the field of their line, or of the next one. */
void openapi_read_comments(struct openapi *o, struct sv text, const char *file);
const struct field *openapi_comment(const struct openapi *o, const char *file, uint32_t line);          /* NULL: none */
const struct type *openapi_type(const struct openapi *o, const char *api_version, const char *kind);     /* NULL: unknown */
void openapi_free(struct openapi **o);
