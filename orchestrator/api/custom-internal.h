/* orchestrator/api/custom-internal.h - CustomResourceDefinitions: kinds that come and go at run time.
 *
 * Each served version of a definition is a kind in the registry. Its objects are pruned, defaulted and validated by the
 * definition's own schema; the rest of the API sees kinds like any other. */
#pragma once

#include "kube/cel/cel.h"
#include "orchestrator/api/api-internal.h"
#include "orchestrator/api/problems-internal.h"

struct custom {                         /* one version */
	struct kind kind;               /* first: a kind * of it is a custom * */
	struct doc *doc; /* the definition that schema, names and columns are of; also what they are built in */
	const struct node *schema;      /* openAPIV3Schema; NULL: anything goes */
	const struct rule_tree *rules;  /* x-kubernetes-validations; NULL: none */
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
/* before: as it was, NULL at creation. Warnings may be NULL. */
MUST_CHECK int custom_validate(const struct node *root, const struct node *before, const struct custom *c,
			       struct str *warnings, struct err *err);
void custom_check_value(struct problems *p, const struct node *v, const struct node *schema);
/* What an item of a keyed list was before; NULL: it is new, or the list has no keys. */
const struct node *custom_counterpart(const struct node *schema, const struct node *item, const struct node *old);

/* ---- rules in a schema (custom-rules.c) ---- */
struct rule {
	const struct node *text;                        /* the row of x-kubernetes-validations */
	struct cel_program *program, *message;          /* NULL: does not compile; there is none */
	bool uses_old, optional_old;
};
struct rule_tree;
/* Made in d; NULL: the schema has no rules. whole: of an object of the API. */
const struct rule_tree *custom_compile_rules(struct doc *d, const struct node *schema, bool whole);
/* One row for values of a type; errors as they are told at the definition. */
void custom_compile_rule(struct doc *d, const struct cel_type *type, const struct node *row, struct rule *out,
			 struct err *rule_error, struct err *message_error);
void custom_run_rules(struct problems *p, const struct node *root, const struct node *before, const struct custom *c,
		      struct str *warnings);

/* ---- what a definition may say (custom-check.c) ---- */
void custom_check_schema(struct problems *p, const struct node *schema);
