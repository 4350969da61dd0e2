/* What the schema of a definition may say: it is structural, its defaults are valid by it, its rules compile.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
#include "orchestrator/api/custom-internal.h"

#include "base/json.h"
#include "base/regex.h"
#include "kube/schema/walk.h"

#include <string.h>

enum level { ROOT, ITEM, FIELD };

struct checking {
	struct problems *p;
	struct doc *d;	     /* of types and programs, which are only looked at */
	bool no_counterpart; /* within items of a list that have no keys: there is no old one */
};

static void check(struct checking *c, const struct node *schema, enum level level);
static void check_nested(struct checking *c, const struct node *schema);

static bool flag(const struct node *schema, const char *name) { return node_bool_at(schema, name, false); }

#define REQUIRED(below, what) problem_below(c->p, below, "FieldValueRequired", "Required value: %s", what)
#define FORBIDDEN(below, what) problem_below(c->p, below, "FieldValueForbidden", "Forbidden: %s", what)
#define INVALID(below, value, what)                                                                                    \
	problem_below(c->p, below, "FieldValueInvalid", "Invalid value: \"%s\": %s", value, what)

/* ---- places below a schema ---- */

static void below(struct checking *c, const struct node *schema, const char *path, bool nested, enum level level)
{
	size_t was = c->p->path.n;

	if (!schema)
		return;
	str_addc(&c->p->path, path);
	if (nested)
		check_nested(c, schema);
	else
		check(c, schema, level);
	str_cut(&c->p->path, was);
}

static void each_property(struct checking *c, const struct node *schema, bool nested)
{
	size_t was = c->p->path.n;
	struct member *m;

	node_members(m, node_get(schema, "properties")) {
		str_addc(&c->p->path, ".properties");
		path_key(&c->p->path, m->key);
		below(c, m->value, "", nested, FIELD);
		str_cut(&c->p->path, was);
	}
}

static void each_row(struct checking *c, const struct node *schema, const char *name)
{
	const struct node *it;
	size_t was = c->p->path.n;

	node_each(it, node_get(schema, name)) {
		path_field(&c->p->path, name);
		path_index(&c->p->path, i_);
		check_nested(c, it);
		str_cut(&c->p->path, was);
	}
}

/* ---- validation of values: allOf, anyOf, oneOf, not, pattern ---- */

static bool is_type_row(const struct node *row, const char *type)
{
	return node_n(row) == 1 && str_eq(node_str_at(row, "type"), type);
}

/* anyOf: [{type: integer}, {type: string}], which may say it in the old way. */
static bool says_int_or_string(const struct node *schema)
{
	const struct node *any = node_get(schema, "anyOf");

	return node_n(any) == 2 && is_type_row(node_item(any, 0), "integer") &&
	       is_type_row(node_item(any, 1), "string");
}

static void check_pattern(struct checking *c, const struct node *schema)
{
	const char *pattern = node_str_or(schema, "pattern", "");
	AUTO(regex) re = { 0 };
	AUTO(err) err = { 0 };
	AUTO(str) what = { 0 };

	if (!*pattern || regex_init(&re, pattern, false, &err) >= 0)
		return;
	str_addf(&what, "must be a valid regular expression, but isn't: %s", err_msg(&err));
	INVALID(".pattern", pattern, str_c(&what));
}

static void check_values(struct checking *c, const struct node *schema)
{
	if (!says_int_or_string(schema))
		each_row(c, schema, "anyOf");
	if (!says_int_or_string(node_item(node_get(schema, "allOf"), 0)))
		each_row(c, schema, "allOf");
	each_row(c, schema, "oneOf");
	below(c, node_get(schema, "not"), ".not", true, FIELD);
	check_pattern(c, schema);
}

/* Within them only values are talked of, not what fields there are. */
static void check_nested(struct checking *c, const struct node *schema)
{
	static const struct {
		const char *name, *what;
	} forbidden[] = {
		{ "type", "must be empty to be structural" },
		{ "additionalProperties", "must be undefined to be structural" },
		{ "default", "must be undefined to be structural" },
		{ "title", "must be empty to be structural" },
		{ "description", "must be empty to be structural" },
		{ "nullable", "must be false to be structural" },
		{ "x-kubernetes-preserve-unknown-fields", "must be false to be structural" },
		{ "x-kubernetes-embedded-resource", "must be false to be structural" },
		{ "x-kubernetes-int-or-string", "must be false to be structural" },
		{ "x-kubernetes-list-map-keys", "must be empty to be structural" },
		{ "x-kubernetes-list-type", "must be undefined to be structural" },
		{ "x-kubernetes-map-type", "must be undefined to be structural" },
		{ "x-kubernetes-validations", "must be empty to be structural" },
	};

	check_values(c, schema);
	below(c, node_get(schema, "items"), ".items", true, ITEM);
	each_property(c, schema, true);
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		const struct node *v = node_get(schema, forbidden[i].name);
		AUTO(str) path = { 0 };

		if (!v || (node_is(v, NODE_BOOL) && !v->b && strcmp(forbidden[i].name, "additionalProperties") != 0))
			continue;
		str_addf(&path, ".%s", forbidden[i].name);
		FORBIDDEN(str_c(&path), forbidden[i].what);
	}
	if (node_at(schema, "properties.metadata"))
		FORBIDDEN(".properties[metadata]", "must not be specified in a nested context");
}

/* ---- types ---- */

static void check_type(struct checking *c, const struct node *schema, enum level level)
{
	static const char *const empty[] = { "must not be empty at the root",
					     "must not be empty for specified array items",
					     "must not be empty for specified object fields" };
	static const char embedded[] = "must be object if x-kubernetes-embedded-resource is true";
	const char *type = node_str_or(schema, "type", "");

	if (flag(schema, "x-kubernetes-embedded-resource") && strcmp(type, "object") != 0) {
		if (*type)
			INVALID(".type", type, embedded);
		else
			REQUIRED(".type", embedded);
	} else if (!*type && !flag(schema, "x-kubernetes-int-or-string") &&
		   !flag(schema, "x-kubernetes-preserve-unknown-fields")) {
		REQUIRED(".type", empty[level]);
	}
	if (level == ROOT && *type && strcmp(type, "object") != 0)
		INVALID(".type", type, "must be object at the root");
	if (!strcmp(type, "array") && !node_get(schema, "items"))
		REQUIRED(".items", "must be specified");
}

static void check_metadata(struct checking *c, const struct node *schema, enum level level)
{
	static const char *const texts[] = { "kind", "apiVersion" };
	const struct node *metadata = node_at(schema, "properties.metadata");
	const struct member *m;

	for (size_t i = 0; i < 2; i++) {
		const struct node *own = node_get(node_get(schema, "properties"), texts[i]);
		AUTO(str) path = { 0 };

		str_addf(&path, ".properties[%s].type", texts[i]);
		if (own && !str_eq(node_str_at(own, "type"), "string"))
			INVALID(str_c(&path), node_str_or(own, "type", ""), "must be string");
	}
	if (metadata && !str_eq(node_str_at(metadata, "type"), "object"))
		INVALID(".properties[metadata].type", node_str_or(metadata, "type", ""), "must be object");
	node_members(m, level == ROOT ? node_get(metadata, "properties") : NULL)
		if (strcmp(m->key, "name") != 0 && strcmp(m->key, "generateName") != 0) {
			FORBIDDEN(".properties[metadata]",
				  "must not specify anything other than name and generateName, "
				  "but metadata is implicitly specified");
			break;
		}
}

static void check_extensions(struct checking *c, const struct node *schema, enum level level)
{
	bool embedded = flag(schema, "x-kubernetes-embedded-resource"),
	     either = flag(schema, "x-kubernetes-int-or-string"),
	     keeps = flag(schema, "x-kubernetes-preserve-unknown-fields");
	const struct node *more = node_get(schema, "additionalProperties"),
			  *properties = node_get(schema, "properties");

	if (either && keeps)
		problem_below(c->p, ".x-kubernetes-preserve-unknown-fields", "FieldValueInvalid",
			      "Invalid value: true: must be false if x-kubernetes-int-or-string is true");
	if (either && embedded)
		problem_below(c->p, ".x-kubernetes-embedded-resource", "FieldValueInvalid",
			      "Invalid value: true: must be false if x-kubernetes-int-or-string is true");
	if (node_is(node_get(schema, "x-kubernetes-preserve-unknown-fields"), NODE_BOOL) && !keeps)
		problem_below(c->p, ".x-kubernetes-preserve-unknown-fields", "FieldValueInvalid",
			      "Invalid value: false: must be true or undefined");
	if (more && level == ROOT)
		FORBIDDEN(".additionalProperties", "must not be used at the root");
	if (more && embedded)
		FORBIDDEN(".additionalProperties", "must not be used if x-kubernetes-embedded-resource is set");
	if (more && properties)
		FORBIDDEN(".additionalProperties", "additionalProperties and properties are mutual exclusive");
	if (flag(schema, "uniqueItems"))
		FORBIDDEN(".uniqueItems",
			  "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
	if (node_get(schema, "$ref"))
		FORBIDDEN(".$ref", "$ref is not supported");
	if (embedded && !keeps && !node_n(properties))
		REQUIRED(".properties", "must not be empty if x-kubernetes-embedded-resource is true without "
					"x-kubernetes-preserve-unknown-fields");
	if (level == ROOT || embedded)
		check_metadata(c, schema, level);
}

/* ---- lists ---- */

static void check_keys(struct checking *c, const struct node *schema)
{
	const struct node *items = node_get(schema, "items"), *keys = node_get(schema, "x-kubernetes-list-map-keys"),
			  *required = node_get(items, "required"), *it, *one;

	if (!node_n(keys))
		REQUIRED(".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map");
	if (!items)
		REQUIRED(".items", "must have a schema if x-kubernetes-list-type is map");
	else if (!str_eq(node_str_at(items, "type"), "object"))
		INVALID(".items.type", node_str_or(items, "type", ""),
			"must be object if parent array's x-kubernetes-list-type is map");
	node_each(it, keys) {
		const struct node *own = node_getn(node_get(items, "properties"), node_sv(it));
		AUTO(str) path = { 0 };
		bool always = node_get(own, "default") != NULL;

		str_addf(&path, ".items.properties[" SV_FMT "].default", SV_ARG(node_sv(it)));
		for (size_t i = 0; i < node_n(required); i++)
			always |= (one = node_item(required, i)) && sv_eq(node_sv(one), node_sv(it));
		if (!own)
			INVALID(".x-kubernetes-list-map-keys", node_text(it) ? node_text(it) : "",
				"entries must all be names of item properties");
		else if (!always)
			REQUIRED(str_c(&path),
				 "this property is in x-kubernetes-list-map-keys, so it must have a default or "
				 "be a required property");
	}
}

static void check_list_type(struct checking *c, const struct node *schema)
{
	const char *list = node_str_or(schema, "x-kubernetes-list-type", ""), *type = node_str_or(schema, "type", ""),
		   *map = node_str_or(schema, "x-kubernetes-map-type", "");
	bool keyed = !strcmp(list, "map");

	if (*list && strcmp(type, "array") != 0)
		INVALID(".type", type, "must be array if x-kubernetes-list-type is specified");
	if (*map && strcmp(type, "object") != 0)
		INVALID(".type", type, "must be object if x-kubernetes-map-type is specified");
	if (*list && !keyed && strcmp(list, "set") != 0 && strcmp(list, "atomic") != 0)
		problem_below(c->p, ".x-kubernetes-list-type", "FieldValueNotSupported",
			      "Unsupported value: \"%s\": supported values: \"atomic\", \"set\", \"map\"", list);
	if (*map && strcmp(map, "granular") != 0 && strcmp(map, "atomic") != 0)
		problem_below(c->p, ".x-kubernetes-map-type", "FieldValueNotSupported",
			      "Unsupported value: \"%s\": supported values: \"atomic\", \"granular\"", map);
	if (keyed)
		check_keys(c, schema);
	else if (node_n(node_get(schema, "x-kubernetes-list-map-keys")))
		REQUIRED(".x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty");
	if ((keyed || !strcmp(list, "set")) && node_bool_at(schema, "items.nullable", false)) {
		AUTO(str) what = { 0 };

		str_addf(&what, "cannot be nullable when x-kubernetes-list-type is %s", list);
		FORBIDDEN(".items.nullable", str_c(&what));
	}
}

/* ---- defaults ---- */

static void check_default(struct checking *c, const struct node *schema)
{
	const struct node *def = node_get(schema, "default");
	AUTO(problems) found = { 0 };

	if (!def)
		return;
	str_addf(&found.path, "%s.default", str_c(&c->p->path));
	custom_check_value(&found, def, schema);
	for (size_t i = 0; i < found.found.n_causes; i++) {
		AUTO(str) keep = { 0 };

		str_move(&keep, &c->p->path);
		str_set(&c->p->path, found.found.causes[i].field);
		problem(c->p, found.found.causes[i].reason, "%s", found.found.causes[i].msg);
		str_move(&c->p->path, &keep);
	}
}

/* ---- rules ---- */

/* A row, as Go prints it. */
static void write_row(struct str *out, const struct node *row)
{
	static const char *const texts[][2] = { { "rule", "Rule" },
						{ "message", "Message" },
						{ "messageExpression", "MessageExpression" } };

	str_addc(out, "apiextensions.ValidationRule{");
	for (size_t i = 0; i < 3; i++) {
		str_addf(out, "%s:", texts[i][1]);
		json_write_string(out, sv_c(node_str_or(row, texts[i][0], "")), 0);
		str_addc(out, ", ");
	}
	str_addc(out, "Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:");
	json_write_string(out, sv_c(node_str_or(row, "fieldPath", "")), 0);
	str_addc(out, ", OptionalOldSelf:(*bool)(nil)}");
}

static bool has_line_breaks(struct sv s) { return s.n && (memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n)); }

static void check_row_texts(struct checking *c, const struct node *row)
{
	static const char *const reasons[] = { "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid",
					       "FieldValueRequired" };
	struct sv rule = sv_trim(sv_c(node_str_or(row, "rule", ""))),
		  message = sv_trim(sv_c(node_str_or(row, "message", "")));
	const char *reason = node_str_or(row, "reason", ""), *path = node_str_or(row, "fieldPath", "");
	bool known = !*reason;

	for (size_t i = 0; i < 4; i++)
		known |= !strcmp(reason, reasons[i]);
	if (!rule.n)
		REQUIRED(".rule", "rule is not specified");
	else if (*node_str_or(row, "message", "") && !message.n)
		INVALID(".message", node_str_or(row, "message", ""), "must be non-empty if specified");
	else if (has_line_breaks(message))
		INVALID(".message", node_str_or(row, "message", ""), "must not contain line breaks");
	else if (has_line_breaks(rule) && !message.n)
		REQUIRED(".message", "message must be specified if rule contains line breaks");
	if (*node_str_or(row, "messageExpression", "") && !sv_trim(sv_c(node_str_or(row, "messageExpression", ""))).n)
		REQUIRED(".messageExpression", "messageExpression must be non-empty if specified");
	if (!known)
		problem_below(c->p, ".reason", "FieldValueNotSupported",
			      "Unsupported value: \"%s\": supported values: \"FieldValueDuplicate\", "
			      "\"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\"",
			      reason);
	if (*path && (!sv_trim(sv_c(path)).n || *path != '.'))
		INVALID(".fieldPath", path, "must be a valid path");
}

static void check_row(struct checking *c, const struct cel_type *type, const struct node *row)
{
	AUTO(err) in_rule = { 0 }, in_message = { 0 };
	AUTO(str) text = { 0 };
	struct rule rule;
	size_t before = c->p->n;

	check_row_texts(c, row);
	if (c->p->n != before)
		return;
	custom_compile_rule(c->d, type, row, &rule, &in_rule, &in_message);
	write_row(&text, row);
	if (in_rule.code)
		problem_below(c->p, ".rule", "FieldValueInvalid", "Invalid value: %s: %s", str_c(&text),
			      err_msg(&in_rule));
	if (in_message.code)
		problem_below(c->p, ".messageExpression", "FieldValueInvalid", "Invalid value: %s: %s", str_c(&text),
			      err_msg(&in_message));
	if (rule.uses_old && c->no_counterpart)
		INVALID(".rule", node_str_or(row, "rule", ""),
			"oldSelf cannot be used on the uncorrelatable portion of the schema");
	if (!in_rule.code && !rule.uses_old && node_get(row, "optionalOldSelf"))
		problem_below(c->p, ".optionalOldSelf", "FieldValueInvalid",
			      "Invalid value: %s: may not be set if oldSelf is not used in rule",
			      rule.optional_old ? "true" : "false");
}

static void check_rules(struct checking *c, const struct node *schema, enum level level)
{
	const struct node *it;
	size_t was = c->p->path.n;

	if (!node_get(schema, "x-kubernetes-validations"))
		return;
	const struct cel_type *type = cel_type_of_schema(c->d, schema, level == ROOT);
	node_each(it, node_get(schema, "x-kubernetes-validations")) {
		str_addc(&c->p->path, ".x-kubernetes-validations");
		path_index(&c->p->path, i_);
		check_row(c, type, it);
		str_cut(&c->p->path, was);
	}
}

/* ---- all of it ---- */

static void check(struct checking *c, const struct node *schema, enum level level)
{
	const struct node *more = node_get(schema, "additionalProperties"), *items = node_get(schema, "items");
	bool outside = c->no_counterpart;

	check_type(c, schema, level);
	check_extensions(c, schema, level);
	check_list_type(c, schema);
	check_values(c, schema);
	check_default(c, schema);
	if (!c->p->n)
		check_rules(c, schema, level);
	each_property(c, schema, false);
	if (node_is(more, NODE_MAP))
		below(c, more, ".additionalProperties", false, FIELD);
	c->no_counterpart |= !str_eq(node_str_at(schema, "x-kubernetes-list-type"), "map");
	below(c, items, ".items", false, ITEM);
	c->no_counterpart = outside;
}

void custom_check_schema(struct problems *p, const struct node *schema)
{
	AUTO_DOC d = doc_new();
	struct checking c = { .p = p, .d = d };

	check(&c, schema, ROOT);
}
