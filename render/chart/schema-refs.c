/* render/chart/schema-refs.c - what references in a schema lead to. */
#include "render/chart/schema-internal.h"

const struct node *schema_ref(struct check *c, const struct node *reference, const char **base)
{
	const struct node *schema = node_text(reference) ? schema_resolve(c->index, c->base, node_text(reference), base) : NULL;

	if (!schema) {
		c->broken = true;
		err_set(c->err, ERR_INVALID, "values.schema.json: '" SV_FMT "' refers to nothing in the schema (nothing is fetched from elsewhere)",
			SV_ARG(node_sv(reference)));
	}
	return schema;
}

/* A reference to a dynamic anchor means the outermost resource that was entered and has an anchor of this name. */
const struct node *schema_dynamic_ref(struct check *c, const struct node *reference, const char **base)
{
	const struct node *schema = schema_ref(c, reference, base);
	const char *anchor = schema ? node_str_at(schema, "$dynamicAnchor") : NULL, *hash = schema ? strchr(node_text(reference), '#') : NULL;

	if (!anchor || !hash || strcmp(hash + 1, anchor))
		return schema;
	for (const struct scope *s = c->scope; s; s = s->outer) {
		AUTO(str) name = { 0 };

		str_addf(&name, "%s#%s", s->base, anchor);
		const struct node *found = map_get(&c->index->dynamic, str_sv(&name));
		if (!found)
			continue;
		schema = found;
		*base = s->base;
	}
	return schema;
}
