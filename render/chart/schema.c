#include "render/chart/schema.h"

#include "base/regex.h"

#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 200                   /* of schemas in one another, references followed */

struct check {
	const struct node *root;        /* the whole schema, for references */
	struct str *out;                /* NULL: only the count is wanted */
	struct str path;
	int violations, depth;
	struct err *err;
	bool broken;                    /* the schema itself is */
};

static void check(struct check *c, const struct node *schema, const struct node *value);

static void violation(struct check *c, const char *fmt, ...) PRINTF(2, 3);
static void violation(struct check *c, const char *fmt, ...)
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

/* Whether a schema accepts a value, without a word about why not. */
static bool accepts(struct check *c, const struct node *schema, const struct node *value)
{
	struct check quiet = { .root = c->root, .depth = c->depth, .err = c->err };

	check(&quiet, schema, value);
	str_free(&quiet.path);
	c->broken |= quiet.broken;
	return !quiet.violations;
}

static void check_below(struct check *c, const struct node *schema, const struct node *value, struct sv name)
{
	size_t before = c->path.n;

	str_addf(&c->path, "%s" SV_FMT, before ? "." : "", SV_ARG(name));
	check(c, schema, value);
	str_cut(&c->path, before);
}

static void check_item(struct check *c, const struct node *schema, const struct node *value, size_t i)
{
	char name[24];

	snprintf(name, sizeof name, "%zu", i);
	check_below(c, schema, value, sv_c(name));
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
		violation(c, "Invalid type. Expected: " SV_FMT ", given: %s", SV_ARG(node_sv(types)), node_type_name(value));
	else if (!found)
		violation(c, "Invalid type. Given: %s, which is none of those allowed", node_type_name(value));
}

static void check_enum(struct check *c, const struct node *choices, const struct node *value)
{
	struct node *choice;

	node_each(choice, choices)
		if (node_eq(choice, value))
			return;
	violation(c, "must be one of the values that the schema lists");
}

static void check_const(struct check *c, const struct node *constant, const struct node *value)
{
	if (!node_eq(constant, value))
		violation(c, "does not match: it must be the schema's constant");
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
		violation(c, "Must be greater than or equal to %g", b);
}

static void check_maximum(struct check *c, const struct node *bound, const struct node *value)
{
	double b, v;

	if (number_of(value, &v) && number_of(bound, &b) && v > b)
		violation(c, "Must be less than or equal to %g", b);
}

static void check_exclusive_minimum(struct check *c, const struct node *bound, const struct node *value)
{
	double b, v;

	if (number_of(value, &v) && number_of(bound, &b) && v <= b)
		violation(c, "Must be greater than %g", b);
}

static void check_exclusive_maximum(struct check *c, const struct node *bound, const struct node *value)
{
	double b, v;

	if (number_of(value, &v) && number_of(bound, &b) && v >= b)
		violation(c, "Must be less than %g", b);
}

static void check_multiple(struct check *c, const struct node *of, const struct node *value)
{
	double b, v;

	if (!number_of(value, &v) || !number_of(of, &b) || b <= 0)
		return;
	double times = v / b;
	if (fabs(times - round(times)) > 1e-9 * fmax(1, fabs(times)))
		violation(c, "Must be a multiple of %g", b);
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
		violation(c, "String length must be greater than or equal to %lld", (long long)b);
}

static void check_max_length(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_STR) && node_to_i64(bound, &b) && (int64_t)characters(value) > b)
		violation(c, "String length must be less than or equal to %lld", (long long)b);
}

static bool matches(struct check *c, const char *pattern, struct sv text)
{
	struct regex re;
	int r = regex_init(&re, pattern, false, c->err);

	if (r >= 0)
		r = regex_matches(&re, text, c->err);
	regex_free(&re);
	c->broken |= r < 0;
	return r != 0;
}

static void check_pattern(struct check *c, const struct node *pattern, const struct node *value)
{
	if (node_is(value, NODE_STR) && node_text(pattern) && !matches(c, node_text(pattern), node_sv(value)))
		violation(c, "Does not match pattern '%s'", node_text(pattern));
}

/* ---- arrays ---- */

static void check_min_items(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_SEQ) && node_to_i64(bound, &b) && value->n < b)
		violation(c, "Array must have at least %lld items", (long long)b);
}

static void check_max_items(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_SEQ) && node_to_i64(bound, &b) && value->n > b)
		violation(c, "Array must have at most %lld items", (long long)b);
}

static void check_unique(struct check *c, const struct node *unique, const struct node *value)
{
	if (!node_is(value, NODE_SEQ) || !node_is(unique, NODE_BOOL) || !unique->b)
		return;
	for (size_t i = 0; i < value->n; i++)
		for (size_t k = 0; k < i; k++)
			if (node_eq(value->items[i], value->items[k])) {
				violation(c, "array items[%zu,%zu] must be unique", k, i);
				return;
			}
}

static void check_contains(struct check *c, const struct node *schema, const struct node *value)
{
	struct node *item;

	if (!node_is(value, NODE_SEQ))
		return;
	node_each(item, value)
		if (accepts(c, schema, item))
			return;
	violation(c, "At least one of the items must match");
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
			check_item(c, s, value->items[i], i);
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
			violation(c, SV_FMT " is required", SV_ARG(node_sv(name)));
}

static void check_min_properties(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_MAP) && node_to_i64(bound, &b) && value->n < b)
		violation(c, "Must have at least %lld properties", (long long)b);
}

static void check_max_properties(struct check *c, const struct node *bound, const struct node *value)
{
	int64_t b;

	if (node_is(value, NODE_MAP) && node_to_i64(bound, &b) && value->n > b)
		violation(c, "Must have at most %lld properties", (long long)b);
}

static void check_property_names(struct check *c, const struct node *schema, const struct node *value)
{
	struct member *m;

	node_members(m, value) {
		AUTO_DOC d = doc_new();

		if (!accepts(c, schema, node_strn(d, (struct sv){ m->key, m->key_n })))
			violation(c, "Property name of \"%s\" does not match", m->key);
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
		check_below(c, own, m->value, name);
	node_members(pattern, node_get(schema, "patternProperties"))
		if (matches(c, pattern->key, name)) {
			known = true;
			check_below(c, pattern->value, m->value, name);
		}
	if (known || !others)
		return;
	if (node_is(others, NODE_BOOL) && !others->b)
		violation(c, "Additional property " SV_FMT " is not allowed", SV_ARG(name));
	else if (node_is(others, NODE_MAP))
		check_below(c, others, m->value, name);
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
			check(c, m->value, value);
	}
}

/* ---- schemas together ---- */

static void check_all_of(struct check *c, const struct node *schemas, const struct node *value)
{
	struct node *s;

	node_each(s, schemas)
		check(c, s, value);
}

static size_t count_accepting(struct check *c, const struct node *schemas, const struct node *value)
{
	struct node *s;
	size_t n = 0;

	node_each(s, schemas)
		n += accepts(c, s, value);
	return n;
}

static void check_any_of(struct check *c, const struct node *schemas, const struct node *value)
{
	if (!count_accepting(c, schemas, value))
		violation(c, "Must validate at least one schema (anyOf)");
}

static void check_one_of(struct check *c, const struct node *schemas, const struct node *value)
{
	if (count_accepting(c, schemas, value) != 1)
		violation(c, "Must validate one and only one schema (oneOf)");
}

static void check_not(struct check *c, const struct node *schema, const struct node *value)
{
	if (accepts(c, schema, value))
		violation(c, "Must not validate the schema (not)");
}

static void check_condition(struct check *c, const struct node *schema, const struct node *value)
{
	const struct node *condition = node_get(schema, "if");
	const struct node *then = condition ? node_get(schema, accepts(c, condition, value) ? "then" : "else") : NULL;

	if (then)
		check(c, then, value);
}

/* "#", "#/definitions/port", "#/$defs/a~1b". */
static const struct node *resolve(struct check *c, const char *reference)
{
	const struct node *at = c->root;
	struct sv rest = sv_c(reference), part;

	if (!sv_starts(rest, SV("#")))
		return NULL;
	rest = sv_drop(rest, 1);
	if (sv_starts(rest, SV("/")))
		rest = sv_drop(rest, 1);
	while (at && rest.n) {
		AUTO(str) name = { 0 };
		int64_t i;

		sv_cut(rest, '/', &part, &rest);
		for (size_t k = 0; k < part.n; k++) {
			bool escaped = part.p[k] == '~' && k + 1 < part.n;

			str_add1(&name, !escaped ? part.p[k] : part.p[++k] == '1' ? '/' : '~');
		}
		at = node_is(at, NODE_SEQ) && sv_to_i64(str_sv(&name), &i) ? node_item(at, (size_t)i) : node_getn(at, str_sv(&name));
	}
	return at;
}

static void check_reference(struct check *c, const struct node *reference, const struct node *value)
{
	const struct node *schema = node_text(reference) ? resolve(c, node_text(reference)) : NULL;

	if (schema) {
		check(c, schema, value);
		return;
	}
	c->broken = true;
	err_set(c->err, ERR_INVALID, "values.schema.json: '" SV_FMT "' refers to nothing in the schema", SV_ARG(node_sv(reference)));
}

static const struct { const char *keyword; void (*check)(struct check *, const struct node *, const struct node *); } rules[] = {
	{ "$ref", check_reference }, { "type", check_type }, { "enum", check_enum }, { "const", check_const },
	{ "minimum", check_minimum }, { "maximum", check_maximum }, { "exclusiveMinimum", check_exclusive_minimum },
	{ "exclusiveMaximum", check_exclusive_maximum }, { "multipleOf", check_multiple }, { "minLength", check_min_length },
	{ "maxLength", check_max_length }, { "pattern", check_pattern }, { "minItems", check_min_items },
	{ "maxItems", check_max_items }, { "uniqueItems", check_unique }, { "contains", check_contains },
	{ "required", check_required }, { "minProperties", check_min_properties }, { "maxProperties", check_max_properties },
	{ "propertyNames", check_property_names }, { "dependencies", check_dependent }, { "dependentRequired", check_dependent },
	{ "dependentSchemas", check_dependent }, { "allOf", check_all_of }, { "anyOf", check_any_of }, { "oneOf", check_one_of },
	{ "not", check_not },
};

static void check(struct check *c, const struct node *schema, const struct node *value)
{
	if (node_is(schema, NODE_BOOL) && !schema->b)
		violation(c, "no value is allowed here");
	if (!node_is(schema, NODE_MAP) || c->broken)
		return;
	if (++c->depth > DEPTH_MAX) {
		c->broken = true;
		err_set(c->err, ERR_INVALID, "values.schema.json refers to itself without end");
		return;
	}
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct node *argument = node_get(schema, rules[i].keyword);

		if (argument)
			rules[i].check(c, argument, value);
	}
	check_items(c, schema, value);
	check_properties(c, schema, value);
	check_condition(c, schema, value);
	c->depth--;
}

int json_schema_check(const struct node *schema, const struct node *value, struct str *out, struct err *err)
{
	struct check c = { .root = schema, .out = out, .err = err };

	check(&c, schema, value);
	str_free(&c.path);
	return c.broken ? -ERR_INVALID : c.violations;
}
