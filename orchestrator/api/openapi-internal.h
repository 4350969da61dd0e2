/* orchestrator/api/openapi-internal.h - the kind tables as OpenAPI documents: 2.0 in JSON and in protobuf, 3.0 in JSON.
 */
#pragma once

#include "kube/kind.h"

struct openapi_source {
	const struct kinds *kinds;
	const struct node *(*custom_schema)(void *arg,
					    const struct kind *k); /* of a kind without a type; NULL: free form */
	void *arg;
	const char *program_version;
};

/* The document of all kinds (2.0), or of those of one group and version (3.0; NULL: there are none). Built in d. */
struct node *openapi_v2(struct doc *d, const struct openapi_source *s);
struct node *openapi_v3(struct doc *d, const struct openapi_source *s, const char *group, const char *version);
/* A 2.0 document as kubectl before 1.27 asks for it: gnostic's openapi.v2.Document. Appends. */
void openapi_v2_protobuf(struct str *out, const struct node *document);
struct node *word_list(struct doc *d, const char *list, char by);        /* "a,b" as a sequence */
