/* render/chart/schema-uri.h - which schema an address means: $id, $anchor, $ref. Pure; nothing is fetched. */
#pragma once

#include "base/doc.h"
#include "base/map.h"

enum schema_dialect { SCHEMA_UNSAID, SCHEMA_DRAFT_7, SCHEMA_2019 };     /* 7: that and older ones; 2019: that and newer ones */
enum schema_dialect schema_dialect_of(const struct node *root);

/* Every schema that has an address, and from which address the names inside each one go. */
struct schema_index {
	struct map by_uri;              /* "https://x/y", "https://x/y#anchor" -> const struct node * */
	struct map bases;               /* bytes of a node's pointer -> char *, its base */
	struct map dynamic;             /* "BASE#anchor" of $dynamicAnchor -> const struct node * */
	enum schema_dialect dialect;
};
void schema_index_make(struct schema_index *x, const struct node *root);
void schema_index_free(struct schema_index *x);
/* The base of a schema; otherwise: when it is in no place where schemas are. */
const char *schema_base(const struct schema_index *x, const struct node *schema, const char *otherwise);
/* What a reference leads to, from a base: NULL when it is not in this file. *base: the base there. */
const struct node *schema_resolve(const struct schema_index *x, const char *base, const char *reference, const char **new_base);

void uri_resolve(struct str *out, const char *base, struct sv reference);      /* RFC 3986, 5.2; without fragments */
