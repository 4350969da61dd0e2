/* render/chart/schema.c - the keywords of JSON Schema. */
#include "render/chart/schema-internal.h"

#include "base/regex.h"
#include "render/chart/schema-format.h"

#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 200                   /* of schemas in one another, references followed */
#define CHECKS_MAX ((size_t)2 << 20)   /* of schemas against values: a few lines can ask for more than there is time */

void schema_violation(struct check *c, const char *fmt, ...)
{
	va_list ap;

	c->violations++;
	if (!c->out)
		return;
	str_addf(c->out, "- %s: ", c->path.n ? str_c(&c->path) : "(root)");
	va_start(ap, fmt);
	str_addv(c->out, fmt, ap);
	va_end(ap);
	str_add1(c->out, '\n');
}

bool schema_enter(struct check *c)
{
	if (++c->depth <= DEPTH_MAX && *c->left && --*c->left)
		return true;
	c->broken = true;
	err_set(c->err, ERR_INVALID, *c->left ? "values.schema.json refers to itself without end" :
						"values.schema.json takes too long to be checked: its alternatives multiply");
	return false;
}

bool schema_accepts(struct check *c, const struct node *schema, const struct node *value)
{
	struct check quiet = { .index = c->index, .base = c->base, .scope = c->scope, .depth = c->depth, .left = c->left, .err = c->err };

	if (c->broken)
		return false;
	schema_check(&quiet, schema, value);
	str_free(&quiet.path);
	c->broken |= quiet.broken;
	return !quiet.violations;
}

void schema_check_below(struct check *c, const struct node *schema, const struct node *value, struct sv name)
{
	size_t before = c->path.n;

	str_addf(&c->path, "%s" SV_FMT, before ? "." : "", SV_ARG(name));
	schema_check(c, schema, value);
	str_cut(&c->path, before);
}

void schema_check_item(struct check *c, const struct node *schema, const struct node *value, size_t i)
{
	char name[24];

	snprintf(name, sizeof name, "%zu", i);
	schema_check_below(c, schema, value, sv_c(name));
}

/* ---- types ---- */

static bool has_type(const struct node *value, struct sv type)
{
	double v;

	if (sv_eq_c(type, "integer"))
		return node_to_double(value, &v) && v == trunc(v);
	if (sv_eq_c(type, "number"))
		return node_is(value, NODE_INT) || node_is(value, NODE_FLOAT);
	return sv_eq_c(type, node_type_name(value));
}

static void check_type(struct check *c, const struct node *types, const struct node *value)
{
	struct node *type;
	bool found = node_is(types, NODE_STR) && has_type(value, node_sv(types));

	node_each(type, types)
		found |= has_type(value, node_sv(type));
	if (!found && node_is(types, NODE_STR))
		schema_violation(c, "Invalid type. Expected: " SV_FMT ", given: %s", SV_ARG(node_sv(types)), node_type_name(value));
	else if (!found)
		schema_violation(c, "Invalid type. Given: %s, which is none of those allowed", node_type_name(value));
}

static void check_enum(struct check *c, const struct node *choices, const struct node *value)
{
	struct node *choice;

	node_each(choice, choices)
		if (node_eq(choice, value))
			return;
	schema_violation(c, "must be one of the values that the schema lists");
}

static void check_const(struct check *c, const struct node *constant, const struct node *value)
{
	if (!node_eq(constant, value))
		schema_violation(c, "does not match: it must be the schema's constant");
}

/* ---- numbers ---- */

static bool number_of(const struct node *value, double *v)
{
	return (node_is(value, NODE_INT) || node_is(value, NODE_FLOAT)) && node_to_double(value, v);
}

static void check_minimum(struct check *c, const struct node *bound, const struct node *value)
{
	double b, v;

	if (number_of(value, &v) && number_of(bound, &b) && v < b)
		schema_violation(c, "Must be greater than or equal to %g", b);
}

static void check_maximum(struct check *c, const struct node *bound, const struct node *value)
{
	double b, v;

	if (number_of(value, &v) && number_of(bound, &b) && v > b)
		schema_violation(c, "Must be less than or equal to %g", b);
}

static void check_exclusive_minimum(struct check *c, const struct node *bound, const struct node *value)
{
	double b, v;

	if (number_of(value, &v) && number_of(bound, &b) && v <= b)
		schema_violation(c, "Must be greater than %g", b);
}

static void check_exclusive_maximum(struct check *c, const struct node *bound, const struct node *value)
{
	double b, v;

	if (number_of(value, &v) && number_of(bound, &b) && v >= b)
		schema_violation(c, "Must be less than %g", b);
}

static void check_multiple(struct check *c, const struct node *of, const struct node *value)
{
	double b, v;

	if (!number_of(value, &v) || !number_of(of, &b) || b <= 0)
		return;
	double times = v / b;
	if (!isfinite(times) ? fmod(v, b) != 0 : fabs(times - round(times)) > 1e-9 * fmax(1, fabs(times)))
		schema_violation(c, "Must be a multiple of %g", b);
}

/* ---- strings ---- */

static size_t characters(const struct node *value)
{
	size_t n = 0;

	for (uint32_t i = 0; i < value->n; i++)
		n += ((unsigned char)value->text[i] & 0xc0) != 0x80;
	return n;
}

static void check_min_length(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_STR) && node_to_i64(bound, &b) && (int64_t)characters(value) < b)
		schema_violation(c, "String length must be greater than or equal to %lld", (long long)b);
}

static void check_max_length(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_STR) && node_to_i64(bound, &b) && (int64_t)characters(value) > b)
		schema_violation(c, "String length must be less than or equal to %lld", (long long)b);
}

bool schema_matches(struct check *c, const char *pattern, struct sv text)
{
	struct regex re;
	int r = regex_init(&re, pattern, false, c->err);

	if (r >= 0)
		r = regex_matches(&re, text, c->err);
	regex_free(&re);
	c->broken |= r < 0;
	return r != 0;
}

/* What format means is an opinion since 2019-09; before that, Helm checks it. */
static void check_format(struct check *c, const struct node *format, const struct node *value)
{
	if (c->index->dialect == SCHEMA_2019 || !node_is(value, NODE_STR) || !node_text(format))
		return;
	if (!schema_format_accepts(node_text(format), node_sv(value)))
		schema_violation(c, "Does not match format '%s'", node_text(format));
}

static void check_pattern(struct check *c, const struct node *pattern, const struct node *value)
{
	if (node_is(value, NODE_STR) && node_text(pattern) && !schema_matches(c, node_text(pattern), node_sv(value)))
		schema_violation(c, "Does not match pattern '%s'", node_text(pattern));
}

/* ---- arrays ---- */

static void check_min_items(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_SEQ) && node_to_i64(bound, &b) && value->n < b)
		schema_violation(c, "Array must have at least %lld items", (long long)b);
}

static void check_max_items(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_SEQ) && node_to_i64(bound, &b) && value->n > b)
		schema_violation(c, "Array must have at most %lld items", (long long)b);
}

static void check_unique(struct check *c, const struct node *unique, const struct node *value)
{
	if (!node_is(value, NODE_SEQ) || !node_is(unique, NODE_BOOL) || !unique->b)
		return;
	for (size_t i = 0; i < value->n; i++)
		for (size_t k = 0; k < i; k++)
			if (node_eq(value->items[i], value->items[k])) {
				schema_violation(c, "array items[%zu,%zu] must be unique", k, i);
				return;
			}
}

/* contains with minContains and maxContains (since 2019-09). */
static void check_contains(struct check *c, const struct node *schema, const struct node *value)
{
	const struct node *wanted = node_get(schema, "contains");
	bool counted = c->index->dialect != SCHEMA_DRAFT_7;
	double least = 1, most = INFINITY;
	struct node *item;
	size_t n = 0;

	if (!wanted || !node_is(value, NODE_SEQ))
		return;
	if (counted)
		(void)number_of(node_get(schema, "minContains"), &least);
	if (counted)
		(void)number_of(node_get(schema, "maxContains"), &most);
	node_each(item, value)
		n += schema_accepts(c, wanted, item);
	if ((double)n < least && least > 1)
		schema_violation(c, "At least %g of the items must match", least);
	else if ((double)n < least)
		schema_violation(c, "At least one of the items must match");
	if ((double)n > most)
		schema_violation(c, "At most %g of the items may match", most);
}

/* items as one schema, or (before 2020-12) one for each place with additionalItems for the rest; prefixItems since. */
static void check_items(struct check *c, const struct node *schema, const struct node *value)
{
	const struct node *items = node_get(schema, "items"), *first = node_get(schema, "prefixItems");
	const struct node *rest = first ? items : node_get(schema, "additionalItems");

	if (!node_is(value, NODE_SEQ))
		return;
	if (!first && node_is(items, NODE_SEQ))
		first = items;
	else if (!first)
		rest = items;
	for (size_t i = 0; i < value->n; i++) {
		const struct node *s = i < node_n(first) ? node_item(first, i) : rest;

		if (s)
			schema_check_item(c, s, value->items[i], i);
	}
}

/* ---- objects ---- */

static void check_required(struct check *c, const struct node *required, const struct node *value)
{
	struct node *name;

	if (!node_is(value, NODE_MAP))
		return;
	node_each(name, required)
		if (!node_getn(value, node_sv(name)))
			schema_violation(c, SV_FMT " is required", SV_ARG(node_sv(name)));
}

static void check_min_properties(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_MAP) && node_to_i64(bound, &b) && value->n < b)
		schema_violation(c, "Must have at least %lld properties", (long long)b);
}

static void check_max_properties(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_MAP) && node_to_i64(bound, &b) && value->n > b)
		schema_violation(c, "Must have at most %lld properties", (long long)b);
}

static void check_property_names(struct check *c, const struct node *schema, const struct node *value)
{
	struct member *m;

	node_members(m, value) {
		AUTO_DOC d = doc_new();

		if (!schema_accepts(c, schema, node_strn(d, (struct sv){ m->key, m->key_n })))
			schema_violation(c, "Property name of \"%s\" does not match", m->key);
	}
}

/* The property's own schemas, and what else is allowed when there is none. */
static void check_property(struct check *c, const struct node *schema, const struct member *m)
{
	struct sv name = { m->key, m->key_n };
	const struct node *own = node_getn(node_get(schema, "properties"), name), *others = node_get(schema, "additionalProperties");
	struct member *pattern;
	bool known = own != NULL;

	if (own)
		schema_check_below(c, own, m->value, name);
	node_members(pattern, node_get(schema, "patternProperties"))
		if (schema_matches(c, pattern->key, name)) {
			known = true;
			schema_check_below(c, pattern->value, m->value, name);
		}
	if (known || !others)
		return;
	if (node_is(others, NODE_BOOL) && !others->b)
		schema_violation(c, "Additional property " SV_FMT " is not allowed", SV_ARG(name));
	else if (node_is(others, NODE_MAP))
		schema_check_below(c, others, m->value, name);
}

static void check_properties(struct check *c, const struct node *schema, const struct node *value)
{
	struct member *m;

	node_members(m, value)
		check_property(c, schema, m);
}

/* dependencies, dependentRequired, dependentSchemas: what must hold when a property is there. */
static void check_dependent(struct check *c, const struct node *dependent, const struct node *value)
{
	struct member *m;

	node_members(m, dependent) {
		if (!node_getn(value, (struct sv){ m->key, m->key_n }))
			continue;
		if (node_is(m->value, NODE_SEQ))
			check_required(c, m->value, value);
		else
			schema_check(c, m->value, value);
	}
}

/* ---- schemas together ---- */

static void check_all_of(struct check *c, const struct node *schemas, const struct node *value)
{
	struct node *s;

	node_each(s, schemas)
		schema_check(c, s, value);
}

static size_t count_accepting(struct check *c, const struct node *schemas, const struct node *value)
{
	struct node *s;
	size_t n = 0;

	node_each(s, schemas)
		n += schema_accepts(c, s, value);
	return n;
}

static void check_any_of(struct check *c, const struct node *schemas, const struct node *value)
{
	if (!count_accepting(c, schemas, value))
		schema_violation(c, "Must validate at least one schema (anyOf)");
}

static void check_one_of(struct check *c, const struct node *schemas, const struct node *value)
{
	if (count_accepting(c, schemas, value) != 1)
		schema_violation(c, "Must validate one and only one schema (oneOf)");
}

static void check_not(struct check *c, const struct node *schema, const struct node *value)
{
	if (schema_accepts(c, schema, value))
		schema_violation(c, "Must not validate the schema (not)");
}

static void check_condition(struct check *c, const struct node *schema, const struct node *value)
{
	const struct node *condition = node_get(schema, "if");
	const struct node *then = condition ? node_get(schema, schema_accepts(c, condition, value) ? "then" : "else") : NULL;

	if (then)
		schema_check(c, then, value);
}

static void check_at(struct check *c, const struct node *schema, const char *base, const struct node *value)
{
	const char *outer = c->base;

	c->base = base;
	schema_check(c, schema, value);
	c->base = outer;
}

static void check_reference(struct check *c, const struct node *reference, const struct node *value)
{
	const char *base = c->base;
	const struct node *schema = schema_ref(c, reference, &base);

	if (schema)
		check_at(c, schema, base, value);
}

static void check_dynamic_reference(struct check *c, const struct node *reference, const struct node *value)
{
	const char *base = c->base;
	const struct node *schema = schema_dynamic_ref(c, reference, &base);

	if (schema)
		check_at(c, schema, base, value);
}

static const struct { const char *keyword; void (*check)(struct check *, const struct node *, const struct node *); } rules[] = {
	{ "$ref", check_reference }, { "$dynamicRef", check_dynamic_reference }, { "type", check_type }, { "enum", check_enum }, { "const", check_const },
	{ "minimum", check_minimum }, { "maximum", check_maximum }, { "exclusiveMinimum", check_exclusive_minimum },
	{ "exclusiveMaximum", check_exclusive_maximum }, { "multipleOf", check_multiple }, { "minLength", check_min_length },
	{ "maxLength", check_max_length }, { "pattern", check_pattern }, { "format", check_format }, { "minItems", check_min_items },
	{ "maxItems", check_max_items }, { "uniqueItems", check_unique }, 
	{ "required", check_required }, { "minProperties", check_min_properties }, { "maxProperties", check_max_properties },
	{ "propertyNames", check_property_names }, { "dependencies", check_dependent }, { "dependentRequired", check_dependent },
	{ "dependentSchemas", check_dependent }, { "allOf", check_all_of }, { "anyOf", check_any_of }, { "oneOf", check_one_of },
	{ "not", check_not },
};

static void check_keywords(struct check *c, const struct node *schema, const struct node *value)
{
	const struct node *reference = node_get(schema, "$ref");

	if (reference && c->index->dialect == SCHEMA_DRAFT_7) { /* it hides what stands beside it */
		check_reference(c, reference, value);
		return;
	}
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct node *argument = node_get(schema, rules[i].keyword);

		if (argument)
			rules[i].check(c, argument, value);
	}
	check_items(c, schema, value);
	check_contains(c, schema, value);
	check_properties(c, schema, value);
	check_condition(c, schema, value);
	schema_check_unevaluated(c, schema, value);
}

void schema_check(struct check *c, const struct node *schema, const struct node *value)
{
	const char *outer = c->base;
	struct scope scope = { NULL, c->scope };

	if (node_is(schema, NODE_BOOL) && !schema->b)
		schema_violation(c, "no value is allowed here");
	if (!node_is(schema, NODE_MAP) || c->broken)
		return;
	if (!schema_enter(c))
		return;
	c->base = scope.base = schema_base(c->index, schema, c->base);
	if (!c->scope || strcmp(c->scope->base, c->base))
		c->scope = &scope;
	check_keywords(c, schema, value);
	c->scope = scope.outer;
	c->base = outer;
	c->depth--;
}

int json_schema_check(const struct node *schema, const struct node *value, struct str *out, struct err *err)
{
	struct schema_index index;
	size_t left = CHECKS_MAX;
	struct check c = { .index = &index, .base = "", .out = out, .left = &left, .err = err };

	schema_index_make(&index, schema);
	schema_check(&c, schema, value);
	schema_index_free(&index);
	str_free(&c.path);
	return c.broken ? -ERR_INVALID : c.violations;
}
