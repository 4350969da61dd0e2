#include "orchestrator/api/custom-internal.h"

#include "base/json.h"
#include "base/regex.h"
#include "kube/schema/walk.h"
#include "orchestrator/api/problems-internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_AT_MOST = 2000 };   /* items of a list that are compared with each other */

static void value(struct problems *p, const struct node *v, const struct node *old, const struct node *schema);

static void invalid(struct problems *p, const struct node *v, const char *what)
{
	problem_value(p, v, "%s in body %s", problems_path(p), what);
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
static bool check_type(struct problems *p, const struct node *v, const struct node *schema)
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
	problem(p, "FieldValueTypeInvalid", "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"",
		node_type_name(v), problems_path(p), type, node_type_name(v));
	return false;
}

/* ---- bounds ---- */

static void check_number(struct problems *p, const struct node *v, const struct node *schema)
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
		invalid(p, v, str_c(&what));
	}
	if (most && node_to_double(most, &bound) && (n > bound || (below && n >= bound))) {
		str_set(&what, "");
		str_addf(&what, "should be less than %s" SV_FMT, below ? "" : "or equal to ", SV_ARG(node_sv(most)));
		invalid(p, v, str_c(&what));
	}
}

static bool matches(const char *pattern, struct sv text)
{
	AUTO(regex) re = { 0 };

	return regex_init(&re, pattern, false, NULL) < 0 ||     /* a pattern that does not compile asks for nothing */
	       regex_matches(&re, text, NULL) == 1;
}

static int64_t characters(struct sv s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void check_string(struct problems *p, const struct node *v, const struct node *schema)
{
	int64_t n = characters(node_sv(v)), least = node_int_at(schema, "minLength", 0),
		most = node_int_at(schema, "maxLength", INT64_MAX);
	const char *pattern = node_str_at(schema, "pattern");
	AUTO(str) what = { 0 };

	if (n < least) {
		str_addf(&what, "should be at least %" PRId64 " chars long", least);
		invalid(p, v, str_c(&what));
	}
	if (n > most)
		problem(p, "FieldValueTooLong", "Too long: may not be longer than %" PRId64, most);
	if (pattern && !matches(pattern, node_sv(v))) {
		str_set(&what, "");
		str_addf(&what, "should match '%s'", pattern);
		invalid(p, v, str_c(&what));
	}
}

static void check_enum(struct problems *p, const struct node *v, const struct node *schema)
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
	problem(p, "FieldValueNotSupported", "Unsupported value: %s: supported values: %s", str_c(&json), str_c(&all));
}

/* ---- what holds others ---- */

static bool same_keys(const struct node *a, const struct node *b, const struct node *keys)
{
	const struct node *it;

	node_each(it, keys)
		if (!node_eq(node_getn(a, node_sv(it)), node_getn(b, node_sv(it))))
			return false;
	return true;
}

const struct node *custom_counterpart(const struct node *schema, const struct node *item, const struct node *old)
{
	const struct node *keys = node_get(schema, "x-kubernetes-list-map-keys"), *it;

	if (!str_eq(node_str_at(schema, "x-kubernetes-list-type"), "map"))
		return NULL;
	node_each(it, old)
		if (same_keys(item, it, keys))
			return it;
	return NULL;
}

/* The keys of an item, as Go prints them. */
static void write_keys(struct str *out, const struct node *item, const struct node *keys)
{
	const struct node *it;

	str_addc(out, "map[string]interface {}{");
	node_each(it, keys) {
		str_addf(out, "%s\"" SV_FMT "\":", i_ ? ", " : "", SV_ARG(node_sv(it)));
		json_write(out, node_getn(item, node_sv(it)), 0);
	}
	str_add1(out, '}');
}

/* Sets and keyed lists hold nothing twice. */
static void check_unique(struct problems *p, const struct node *v, const struct node *schema)
{
	const char *type = node_str_or(schema, "x-kubernetes-list-type", "");
	const struct node *keys = node_get(schema, "x-kubernetes-list-map-keys");
	bool set = !strcmp(type, "set"), keyed = !strcmp(type, "map");
	size_t was = p->path.n;

	for (size_t i = 1; (set || keyed) && i < v->n && i < LOOK_AT_MOST; i++)
		for (size_t k = 0; k < i; k++) {
			AUTO(str) text = { 0 };

			if (set ? !node_eq(v->items[i], v->items[k]) : !same_keys(v->items[i], v->items[k], keys))
				continue;
			if (set)
				json_write(&text, v->items[i], JSON_SORTED);
			else
				write_keys(&text, v->items[i], keys);
			path_index(&p->path, i);
			problem(p, "FieldValueDuplicate", "Duplicate value: %s", str_c(&text));
			str_cut(&p->path, was);
			break;
		}
}

static void check_list(struct problems *p, const struct node *v, const struct node *old, const struct node *schema)
{
	int64_t least = node_int_at(schema, "minItems", 0), most = node_int_at(schema, "maxItems", INT64_MAX);
	AUTO(str) what = { 0 };
	size_t was = p->path.n;

	if ((int64_t)v->n < least) {
		str_addf(&what, "should have at least %" PRId64 " items", least);
		invalid(p, v, str_c(&what));
	}
	if ((int64_t)v->n > most)
		problem(p, "FieldValueTooMany", "Too many: %u: must have at most %" PRId64 " items", v->n, most);
	check_unique(p, v, schema);
	for (size_t i = 0; i < v->n; i++) {
		path_index(&p->path, i);
		value(p, v->items[i], custom_counterpart(schema, v->items[i], old), node_get(schema, "items"));
		str_cut(&p->path, was);
	}
}

static void check_required(struct problems *p, const struct node *v, const struct node *schema)
{
	size_t was = p->path.n;
	const struct node *it;

	node_each(it, node_get(schema, "required")) {
		if (node_getn(v, node_sv(it)))
			continue;
		str_addf(&p->path, "%s" SV_FMT, was ? "." : "", SV_ARG(node_sv(it)));
		problem(p, "FieldValueRequired", "Required value");
		str_cut(&p->path, was);
	}
}

static void check_map(struct problems *p, const struct node *v, const struct node *old, const struct node *schema)
{
	const struct node *properties = node_get(schema, "properties"),
			  *more = node_get(schema, "additionalProperties");
	int64_t most = node_int_at(schema, "maxProperties", INT64_MAX), least = node_int_at(schema, "minProperties", 0);
	size_t was = p->path.n;
	const struct member *m;

	check_required(p, v, schema);
	if ((int64_t)v->n > most)
		problem(p, "FieldValueTooMany", "Too many: %u: must have at most %" PRId64 " items", v->n, most);
	if ((int64_t)v->n < least)
		invalid(p, v, "should have more properties");
	node_members(m, v) {
		const struct node *own = node_getn(properties, (struct sv){ m->key, m->key_n });

		str_addf(&p->path, "%s%.*s", was ? "." : "", (int)m->key_n, m->key);
		value(p, m->value, node_getn(old, (struct sv){ m->key, m->key_n }),
		      own ? own : node_is(more, NODE_MAP) ? more : NULL);
		str_cut(&p->path, was);
	}
}

/* ---- combinations ---- */

static bool is_valid(const struct node *v, const struct node *schema)
{
	AUTO(problems) p = { 0 };

	value(&p, v, NULL, schema);
	return !p.n;
}

static size_t count_valid(const struct node *v, const struct node *list)
{
	const struct node *it;
	size_t n = 0;

	node_each(it, list)
		n += is_valid(v, it);
	return n;
}

static void check_combinations(struct problems *p, const struct node *v, const struct node *schema)
{
	const struct node *any = node_get(schema, "anyOf"), *one = node_get(schema, "oneOf"),
			  *no = node_get(schema, "not"), *it;

	node_each(it, node_get(schema, "allOf"))
		value(p, v, NULL, it);
	if (any && !count_valid(v, any))
		problem(p, "FieldValueInvalid",
			"Invalid value: \"%s\": %s in body must validate at least one schema (anyOf)",
			node_type_name(v), problems_path(p));
	if (one && count_valid(v, one) != 1)
		problem(p, "FieldValueInvalid",
			"Invalid value: \"%s\": %s in body must validate one and only one schema (oneOf)",
			node_type_name(v), problems_path(p));
	if (no && is_valid(v, no))
		problem(p, "FieldValueInvalid", "Invalid value: \"%s\": %s in body must not validate the schema (not)",
			node_type_name(v), problems_path(p));
}

/* What has not changed may stay as it was: the schema may have become stricter since. */
static void value(struct problems *p, const struct node *v, const struct node *old, const struct node *schema)
{
	if (!schema || (old && node_eq(v, old)) || !check_type(p, v, schema))
		return;
	check_enum(p, v, schema);
	if (node_is(v, NODE_STR))
		check_string(p, v, schema);
	else if (node_is(v, NODE_INT) || node_is(v, NODE_FLOAT))
		check_number(p, v, schema);
	else if (node_is(v, NODE_SEQ))
		check_list(p, v, old, schema);
	else if (node_is(v, NODE_MAP))
		check_map(p, v, old, schema);
	check_combinations(p, v, schema);
}

void custom_check_value(struct problems *p, const struct node *v, const struct node *schema) { value(p, v, NULL, schema); }

int custom_validate(const struct node *root, const struct node *before, const struct custom *custom, struct str *warnings,
		    struct err *err)
{
	AUTO(problems) p = { 0 };

	value(&p, root, before, custom->schema);
	if (!p.blocking)
		custom_run_rules(&p, root, before, custom, warnings);
	else if (custom->rules)
		problem_below(&p, "", "FieldValueInvalid",
			      "Invalid value: \"null\": some validation rules were not checked because the object was "
			      "invalid; correct the existing errors to complete validation");
	return problems_error(&p, &custom->kind, node_str_or(root, "metadata.name", ""), err);
}
