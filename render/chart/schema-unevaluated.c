/* render/chart/schema-unevaluated.c - which members and items of a value no schema has looked at. */
#include "render/chart/schema-internal.h"

#include <stdlib.h>

/* seen[i]: a schema that accepts the value has looked at its i-th member or item. */
static void collect(struct check *c, const struct node *schema, const struct node *value, bool *seen, bool top);

static void see_all(const struct node *value, bool *seen)
{
	for (uint32_t i = 0; i < value->n; i++)
		seen[i] = true;
}

static void see_properties(struct check *c, const struct node *schema, const struct node *value, bool *seen)
{
	for (uint32_t i = 0; i < value->n; i++) {
		struct sv name = { value->members[i].key, value->members[i].key_n };
		struct member *pattern;

		seen[i] |= node_getn(node_get(schema, "properties"), name) != NULL;
		node_members(pattern, node_get(schema, "patternProperties"))
			seen[i] |= schema_matches(c, pattern->key, name);
	}
	if (node_get(schema, "additionalProperties"))
		see_all(value, seen);
}

static void see_items(struct check *c, const struct node *schema, const struct node *value, bool *seen)
{
	const struct node *items = node_get(schema, "items"), *first = node_get(schema, "prefixItems"), *contains = node_get(schema, "contains");

	if (!first && node_is(items, NODE_SEQ))
		first = items;
	for (uint32_t i = 0; i < value->n; i++)
		seen[i] |= i < node_n(first) || (contains && schema_accepts(c, contains, value->items[i]));
	if ((items && first != items) || (first == items && first && node_get(schema, "additionalItems")))
		see_all(value, seen);
}

static void collect_if_accepted(struct check *c, const struct node *schema, const struct node *value, bool *seen)
{
	if (schema && schema_accepts(c, schema, value))
		collect(c, schema, value, seen, false);
}

static void collect_reference(struct check *c, const struct node *schema, const struct node *value, bool *seen)
{
	static const struct { const char *keyword; const struct node *(*resolve)(struct check *, const struct node *, const char **); } kinds[] = {
		{ "$ref", schema_ref }, { "$dynamicRef", schema_dynamic_ref },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct node *reference = node_get(schema, kinds[i].keyword);
		const char *outer = c->base, *base = c->base;
		const struct node *target = reference ? kinds[i].resolve(c, reference, &base) : NULL;

		c->base = base;
		collect_if_accepted(c, target, value, seen);
		c->base = outer;
	}
}

static void collect_applied(struct check *c, const struct node *schema, const struct node *value, bool *seen)
{
	static const char *const lists[] = { "allOf", "anyOf", "oneOf" };
	const struct node *condition = node_get(schema, "if"), *it;
	struct member *m;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		node_each(it, node_get(schema, lists[i]))
			collect_if_accepted(c, it, value, seen);
	if (condition) {
		bool holds = schema_accepts(c, condition, value);

		if (holds)
			collect(c, condition, value, seen, false);
		collect_if_accepted(c, node_get(schema, holds ? "then" : "else"), value, seen);
	}
	node_members(m, node_get(schema, "dependentSchemas"))
		if (node_getn(value, (struct sv){ m->key, m->key_n }))
			collect_if_accepted(c, m->value, value, seen);
}

static void collect(struct check *c, const struct node *schema, const struct node *value, bool *seen, bool top)
{
	const char *outer = c->base, *rest = node_is(value, NODE_MAP) ? "unevaluatedProperties" : "unevaluatedItems";

	if (!node_is(schema, NODE_MAP) || c->broken)
		return;
	if (!schema_enter(c))
		return;
	c->base = schema_base(c->index, schema, c->base);
	if (node_is(value, NODE_MAP))
		see_properties(c, schema, value, seen);
	else
		see_items(c, schema, value, seen);
	collect_reference(c, schema, value, seen);
	collect_applied(c, schema, value, seen);
	if (!top && node_get(schema, rest))
		see_all(value, seen);
	c->base = outer;
	c->depth--;
}

void schema_check_unevaluated(struct check *c, const struct node *schema, const struct node *value)
{
	bool map = node_is(value, NODE_MAP);
	const struct node *rest = node_get(schema, map ? "unevaluatedProperties" : "unevaluatedItems");

	if (!rest || (!map && !node_is(value, NODE_SEQ)) || c->broken)
		return;
	bool *seen = calloc(value->n + 1, sizeof *seen);
	if (!seen)
		abort();
	collect(c, schema, value, seen, true);
	for (uint32_t i = 0; i < value->n; i++) {
		if (seen[i])
			continue;
		if (!map)
			schema_check_item(c, rest, value->items[i], i);
		else if (node_is(rest, NODE_BOOL) && !rest->b)
			schema_violation(c, "Additional property %s is not allowed", value->members[i].key);
		else
			schema_check_below(c, rest, value->members[i].value, (struct sv){ value->members[i].key, value->members[i].key_n });
	}
	free(seen);
}

