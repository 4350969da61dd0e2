#include "orchestrator/api/custom-internal.h"

#include "base/json.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <inttypes.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_MAX = 50, MATCH_LIMIT = 200000 };

struct check { struct str path; struct err *err; size_t n; };

static void value(struct check *c, const struct node *v, const struct node *schema);

static void problem(struct check *c, const char *reason, const char *fmt, ...) PRINTF(3, 4);

static void problem(struct check *c, const char *reason, const char *fmt, ...)
{
	AUTO(str) text = { 0 };
	va_list ap;

	if (c->n++ >= PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	err_cause(c->err, c->path.n ? str_c(&c->path) : "<nil>", reason, "%s", str_c(&text));
}

static const char *path(const struct check *c) { return c->path.n ? str_c(&c->path) : "<nil>"; }

static void invalid(struct check *c, const struct node *v, const char *what)
{
	AUTO(str) json = { 0 };

	json_write(&json, v, JSON_SORTED);
	problem(c, "FieldValueInvalid", "Invalid value: %s: %s in body %s", str_c(&json), path(c), what);
}

/* ---- types ---- */

static bool type_is(const struct node *v, const char *type)
{
	int64_t whole;

	if (!strcmp(type, "integer"))
		return (node_is(v, NODE_INT) || node_is(v, NODE_FLOAT)) && node_to_i64(v, &whole);
	if (!strcmp(type, "number"))
		return node_is(v, NODE_INT) || node_is(v, NODE_FLOAT);
	return !strcmp(type, node_type_name(v));
}

/* False: there is no point in looking any closer. */
static bool check_type(struct check *c, const struct node *v, const struct node *schema)
{
	const char *type = node_str_or(schema, "type", "");

	if (node_is(v, NODE_NULL) && node_bool_at(schema, "nullable", false))
		return false;
	if (node_bool_at(schema, "x-kubernetes-int-or-string", false)) {
		if (type_is(v, "integer") || type_is(v, "string"))
			return true;
		type = "integer,string";
	} else if (!*type || type_is(v, type)) {
		return true;
	}
	problem(c, "FieldValueTypeInvalid", "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"",
		node_type_name(v), path(c), type, node_type_name(v));
	return false;
}

/* ---- bounds ---- */

static void check_number(struct check *c, const struct node *v, const struct node *schema)
{
	const struct node *least = node_get(schema, "minimum"), *most = node_get(schema, "maximum");
	bool above = node_bool_at(schema, "exclusiveMinimum", false),
	     below = node_bool_at(schema, "exclusiveMaximum", false);
	double n, bound;
	AUTO(str) what = { 0 };

	if (!node_to_double(v, &n))
		return;
	if (least && node_to_double(least, &bound) && (n < bound || (above && n <= bound))) {
		str_addf(&what, "should be greater than %s" SV_FMT, above ? "" : "or equal to ",
			 SV_ARG(node_sv(least)));
		invalid(c, v, str_c(&what));
	}
	if (most && node_to_double(most, &bound) && (n > bound || (below && n >= bound))) {
		str_set(&what, "");
		str_addf(&what, "should be less than %s" SV_FMT, below ? "" : "or equal to ", SV_ARG(node_sv(most)));
		invalid(c, v, str_c(&what));
	}
}

static bool matches(const char *pattern, struct sv text)
{
	int code;
	PCRE2_SIZE at;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_match_data *data = re ? pcre2_match_data_create_from_pattern(re, NULL) : NULL;
	bool ok = true;                 /* a pattern that does not compile asks for nothing */

	if (re && limits && data) {
		pcre2_set_match_limit(limits, MATCH_LIMIT);
		ok = pcre2_match(re, (PCRE2_SPTR)text.p, text.n, 0, 0, data, limits) >= 0;
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	pcre2_code_free(re);
	return ok;
}

static int64_t characters(struct sv s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void check_string(struct check *c, const struct node *v, const struct node *schema)
{
	int64_t n = characters(node_sv(v)), least = node_int_at(schema, "minLength", 0),
		most = node_int_at(schema, "maxLength", INT64_MAX);
	const char *pattern = node_str_at(schema, "pattern");
	AUTO(str) what = { 0 };

	if (n < least) {
		str_addf(&what, "should be at least %" PRId64 " chars long", least);
		invalid(c, v, str_c(&what));
	}
	if (n > most)
		problem(c, "FieldValueTooLong", "Too long: may not be longer than %" PRId64, most);
	if (pattern && !matches(pattern, node_sv(v))) {
		str_set(&what, "");
		str_addf(&what, "should match '%s'", pattern);
		invalid(c, v, str_c(&what));
	}
}

static void check_enum(struct check *c, const struct node *v, const struct node *schema)
{
	const struct node *choices = node_get(schema, "enum"), *it;
	AUTO(str) all = { 0 };

	node_each(it, choices) {
		if (node_eq(it, v))
			return;
		str_addc(&all, all.n ? ", " : "");
		json_write(&all, it, 0);
	}
	if (!choices)
		return;
	AUTO(str) json = { 0 };
	json_write(&json, v, 0);
	problem(c, "FieldValueNotSupported", "Unsupported value: %s: supported values: %s", str_c(&json), str_c(&all));
}

/* ---- what holds others ---- */

static void check_list(struct check *c, const struct node *v, const struct node *schema)
{
	int64_t least = node_int_at(schema, "minItems", 0), most = node_int_at(schema, "maxItems", INT64_MAX);
	AUTO(str) what = { 0 };
	size_t was = c->path.n;

	if ((int64_t)v->n < least) {
		str_addf(&what, "should have at least %" PRId64 " items", least);
		invalid(c, v, str_c(&what));
	}
	if ((int64_t)v->n > most)
		problem(c, "FieldValueTooMany", "Too many: %u: must have at most %" PRId64 " items", v->n, most);
	for (size_t i = 0; i < v->n; i++) {
		str_addf(&c->path, "[%zu]", i);
		value(c, v->items[i], node_get(schema, "items"));
		str_cut(&c->path, was);
	}
}

static void check_required(struct check *c, const struct node *v, const struct node *schema)
{
	size_t was = c->path.n;
	const struct node *it;

	node_each(it, node_get(schema, "required")) {
		if (node_getn(v, node_sv(it)))
			continue;
		str_addf(&c->path, "%s" SV_FMT, was ? "." : "", SV_ARG(node_sv(it)));
		problem(c, "FieldValueRequired", "Required value");
		str_cut(&c->path, was);
	}
}

static void check_map(struct check *c, const struct node *v, const struct node *schema)
{
	const struct node *properties = node_get(schema, "properties"),
			  *more = node_get(schema, "additionalProperties");
	int64_t most = node_int_at(schema, "maxProperties", INT64_MAX), least = node_int_at(schema, "minProperties", 0);
	size_t was = c->path.n;
	const struct member *m;

	check_required(c, v, schema);
	if ((int64_t)v->n > most)
		problem(c, "FieldValueTooMany", "Too many: %u: must have at most %" PRId64 " items", v->n, most);
	if ((int64_t)v->n < least)
		invalid(c, v, "should have more properties");
	node_members(m, v) {
		const struct node *own = node_getn(properties, (struct sv){ m->key, m->key_n });

		str_addf(&c->path, "%s%.*s", was ? "." : "", (int)m->key_n, m->key);
		value(c, m->value, own ? own : node_is(more, NODE_MAP) ? more : NULL);
		str_cut(&c->path, was);
	}
}

/* ---- combinations ---- */

static bool is_valid(const struct node *v, const struct node *schema)
{
	AUTO(err) e = { 0 };
	struct check c = { .err = &e };

	value(&c, v, schema);
	str_free(&c.path);
	return !c.n;
}

static size_t count_valid(const struct node *v, const struct node *list)
{
	const struct node *it;
	size_t n = 0;

	node_each(it, list)
		n += is_valid(v, it);
	return n;
}

static void check_combinations(struct check *c, const struct node *v, const struct node *schema)
{
	const struct node *any = node_get(schema, "anyOf"), *one = node_get(schema, "oneOf"),
			  *no = node_get(schema, "not"), *it;

	node_each(it, node_get(schema, "allOf"))
		value(c, v, it);
	if (any && !count_valid(v, any))
		problem(c, "FieldValueInvalid",
			"Invalid value: \"%s\": %s in body must validate at least one schema (anyOf)",
			node_type_name(v), path(c));
	if (one && count_valid(v, one) != 1)
		problem(c, "FieldValueInvalid",
			"Invalid value: \"%s\": %s in body must validate one and only one schema (oneOf)",
			node_type_name(v), path(c));
	if (no && is_valid(v, no))
		problem(c, "FieldValueInvalid", "Invalid value: \"%s\": %s in body must not validate the schema (not)",
			node_type_name(v), path(c));
}

static void value(struct check *c, const struct node *v, const struct node *schema)
{
	if (!schema || !check_type(c, v, schema))
		return;
	check_enum(c, v, schema);
	if (node_is(v, NODE_STR))
		check_string(c, v, schema);
	else if (node_is(v, NODE_INT) || node_is(v, NODE_FLOAT))
		check_number(c, v, schema);
	else if (node_is(v, NODE_SEQ))
		check_list(c, v, schema);
	else if (node_is(v, NODE_MAP))
		check_map(c, v, schema);
	check_combinations(c, v, schema);
}

int custom_validate(const struct node *root, const struct custom *custom, struct err *err)
{
	const struct kind *k = &custom->kind;
	AUTO(err) found = { 0 };
	struct check c = { .err = &found };
	AUTO(str) all = { 0 };

	value(&c, root, custom->schema);
	str_free(&c.path);
	if (!c.n)
		return 0;
	for (size_t i = 0; i < found.n_causes; i++)
		str_addf(&all, "%s%s: %s", i ? ", " : "", found.causes[i].field, found.causes[i].msg);
	int r = err_set(err, ERR_INVALID, "%s.%s \"%s\" is invalid: %s%s%s", k->kind, k->group,
			node_str_or(root, "metadata.name", ""), found.n_causes > 1 ? "[" : "", str_c(&all),
			found.n_causes > 1 ? "]" : "");
	for (size_t i = 0; i < found.n_causes; i++)
		err_cause(err, found.causes[i].field, found.causes[i].reason, "%s", found.causes[i].msg);
	return r;
}
