/* orchestrator/api/openapi-internal.h - the kind tables as OpenAPI documents: 2.0 in JSON and in protobuf, 3.0 in JSON. */
#pragma once

#include "kube/kind.h"

/* The document of all kinds (2.0), or of one group and version (3.0). group and version NULL: all. NULL: no such kinds. */
struct node *openapi_v2(struct doc *d, const struct kinds *kinds, const char *program_version);
struct node *openapi_v3(struct doc *d, const struct kinds *kinds, const char *group, const char *version, const char *program_version);
/* A 2.0 document as kubectl before 1.27 asks for it: gnostic's openapi.v2.Document. Appends. */
void openapi_v2_protobuf(struct str *out, const struct node *document);
