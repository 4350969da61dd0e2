/* render/chart/schema-internal.h - one check of a value against a schema, for the files of schema*.c. */
#pragma once

#include "render/chart/schema-uri.h"
#include "render/chart/schema.h"

/* The resources that were entered, innermost first: for $dynamicRef. */
struct scope { const char *base; const struct scope *outer; };

struct check {
	const struct schema_index *index;
	const char *base;               /* from which references go */
	const struct scope *scope;
	struct str *out;                /* NULL: only the count is wanted */
	struct str path;
	int violations, depth;
	size_t *left;                   /* schemas that may still be looked at: shared by all that answer one question */
	struct err *err;
	bool broken;                    /* the schema itself is */
};

void schema_check(struct check *c, const struct node *schema, const struct node *value);
/* Whether a schema accepts a value, without a word about why not. */
bool schema_accepts(struct check *c, const struct node *schema, const struct node *value);
void schema_violation(struct check *c, const char *fmt, ...) PRINTF(2, 3);
/* A member or an item of a value, which the path in messages gets the name of. */
void schema_check_below(struct check *c, const struct node *schema, const struct node *value, struct sv name);
void schema_check_item(struct check *c, const struct node *schema, const struct node *value, size_t i);
bool schema_matches(struct check *c, const char *pattern, struct sv text);
/* One schema deeper; false, and broken, when that is too deep, or too much. */
bool schema_enter(struct check *c);

/* schema-refs.c: the schema that $ref and $dynamicRef mean, with the base there; NULL, and broken, when there is none. */
const struct node *schema_ref(struct check *c, const struct node *reference, const char **base);
const struct node *schema_dynamic_ref(struct check *c, const struct node *reference, const char **base);
/* schema-unevaluated.c: unevaluatedProperties and unevaluatedItems. */
void schema_check_unevaluated(struct check *c, const struct node *schema, const struct node *value);
