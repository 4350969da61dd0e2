/* orchestrator/api/custom-internal.h - CustomResourceDefinitions: kinds that come and go at run time.
 *
 * Each served version of a definition is a kind in the registry. Its objects are pruned, defaulted and validated by the
 * definition's own schema; the rest of the API sees kinds like any other. */
#pragma once

#include "orchestrator/api/api-internal.h"

struct custom {                         /* one version */
	struct kind kind;               /* first: a kind * of it is a custom * */
	struct doc *doc; /* the definition that schema, names and columns are of; also what they are built in */
	const struct node *schema;      /* openAPIV3Schema; NULL: anything goes */
	struct column *columns;
	bool live;                      /* false: no longer in the registry, kept for objects that name it */
};

void customs_open(struct customs *c, struct api *a);
void customs_close(struct customs *c);
const struct custom *custom_of(const struct api *a, const struct kind *k);      /* NULL: a built-in kind */

/* row of the rules table: what is accepted stands in the status at once */
int definition_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		       struct err *err);

/* ---- by the schema (custom-schema.c, custom-validate.c); pure ---- */
MUST_CHECK int custom_prune(struct node *root, const struct custom *c, enum schema_unknown mode, struct str *warnings,
			    struct err *err);
void custom_default(struct doc *d, struct node *root, const struct custom *c);
MUST_CHECK int custom_validate(const struct node *root, const struct custom *c, struct err *err);
