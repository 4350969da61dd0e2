/* x-kubernetes-validations: rules in a schema, compiled with the definition and run on each write. */
#include "orchestrator/api/custom-internal.h"

#include "base/json.h"
#include "kube/schema/walk.h"

#include <string.h>

struct rule_branch {
	struct sv name;
	const struct rule_tree *tree;
};

struct rule_tree { /* the part of a schema that has rules in it */
	const struct node *schema;
	const struct cel_type *type;
	struct rule *rules;
	size_t n_rules;
	const struct rule_tree *items, *more; /* of a list; of a map with free keys */
	struct rule_branch *properties;
	size_t n_properties;
};

/* ---- compiling ---- */

static const char *text_of(const struct node *row, const char *name) { return node_str_or(row, name, ""); }

static int compile(struct doc *d, const struct cel_env *env, const char *text, enum cel_kind kind, const char *what,
		   struct cel_program **out, struct err *err)
{
	struct cel_program *p;

	*out = NULL;
	int r = cel_compile(d, env, text, &p, err);
	if (r < 0)
		return err_wrap(err, r, "%s", what);
	if (!p->type || p->type->kind != kind)
		return err_set(err, ERR_INVALID,
			       kind == CEL_BOOL ? "cel expression must evaluate to a bool"
						: "messageExpression must evaluate to a string");
	*out = p;
	return 0;
}

void custom_compile_rule(struct doc *d, const struct cel_type *type, const struct node *row, struct rule *out,
			 struct err *rule_error, struct err *message_error)
{
	struct cel_type *optional = doc_alloc(d, sizeof *optional);
	bool may_be_new = node_bool_at(row, "optionalOldSelf", false);
	const char *message = text_of(row, "messageExpression");

	optional->kind = CEL_OPTIONAL;
	optional->of = type;
	const struct cel_variable variables[] = { { "self", type }, { "oldSelf", may_be_new ? optional : type } };
	struct cel_env env = { variables, 2, NULL };
	*out = (struct rule){ .text = row, .optional_old = may_be_new };
	if (compile(d, &env, text_of(row, "rule"), CEL_BOOL, "compilation failed", &out->program, rule_error) >= 0)
		out->uses_old = cel_uses(out->program, "oldSelf");
	if (*message)
		(void)!compile(d, &env, message, CEL_STRING, "messageExpression compilation failed", &out->message,
			       message_error);
}

static bool has_rules(const struct node *schema);
static const struct rule_tree *build(struct doc *d, const struct node *schema, const struct cel_type *type);

static const struct cel_type *field_type(const struct cel_type *t, struct sv json)
{
	for (size_t i = 0; t && i < t->n_fields; i++)
		if (sv_eq(t->fields[i].json, json))
			return t->fields[i].type;
	return NULL;
}

static void build_properties(struct doc *d, struct rule_tree *t)
{
	const struct node *properties = node_get(t->schema, "properties");
	struct member *m;

	t->properties = doc_alloc(d, (node_n(properties) + 1) * sizeof *t->properties);
	node_members(m, properties) {
		struct sv name = { m->key, m->key_n };
		const struct cel_type *type = field_type(t->type, name);
		const struct rule_tree *tree;

		if (!type && has_rules(m->value)) /* expressions above have no name for it */
			type = cel_type_of_schema(d, m->value, false);
		if ((tree = build(d, m->value, type)))
			t->properties[t->n_properties++] = (struct rule_branch){ name, tree };
	}
}

static bool has_rules_below(const struct node *schema, const char *name)
{
	const struct node *below = node_get(schema, name);

	return node_is(below, NODE_MAP) && has_rules(below);
}

/* Most of a schema has none: no types are made for it. */
static bool has_rules(const struct node *schema)
{
	struct member *m;

	if (node_n(node_get(schema, "x-kubernetes-validations")) || has_rules_below(schema, "items") ||
	    has_rules_below(schema, "additionalProperties"))
		return true;
	node_members(m, node_get(schema, "properties"))
		if (has_rules(m->value))
			return true;
	return false;
}

static const struct rule_tree *build(struct doc *d, const struct node *schema, const struct cel_type *type)
{
	const struct node *rows = node_get(schema, "x-kubernetes-validations"), *it;
	const struct cel_type *of = type && (type->kind == CEL_LIST || type->kind == CEL_MAP) ? type->of : NULL;
	struct rule_tree *t;

	if (!node_is(schema, NODE_MAP) || !has_rules(schema))
		return NULL;
	t = doc_alloc(d, sizeof *t);
	t->schema = schema;
	t->type = type;
	t->rules = doc_alloc(d, (node_n(rows) + 1) * sizeof *t->rules);
	node_each(it, rows)
		custom_compile_rule(d, type, it, &t->rules[t->n_rules++], NULL, NULL);
	t->items = build(d, node_get(schema, "items"), of);
	t->more = build(d, node_get(schema, "additionalProperties"), of);
	build_properties(d, t);
	return t->n_rules || t->items || t->more || t->n_properties ? t : NULL;
}

const struct rule_tree *custom_compile_rules(struct doc *d, const struct node *schema, bool whole)
{
	return has_rules(schema) ? build(d, schema, cel_type_of_schema(d, schema, whole)) : NULL;
}

/* ---- running ---- */

struct run {
	struct problems *p;
	struct str *warnings;
	int64_t cost;
	bool over;
};

static void run(struct run *r, const struct rule_tree *t, const struct node *v, const struct node *old);

static const char *type_of(const struct rule_tree *t) { return node_str_or(t->schema, "type", ""); }

static void invalid(struct run *r, const struct rule_tree *t, const char *what)
{
	problem(r->p, "FieldValueInvalid", "Invalid value: \"%s\": %s", type_of(t), what);
}

/* What a broken rule says: its expression's text, its message, or itself. */
static void say(struct run *r, const struct rule *rule, struct doc *d, const struct cel_value *values, struct str *out)
{
	struct cel_value text;
	const char *message = text_of(rule->text, "message");

	if (rule->message && cel_run(rule->message, d, values, &r->cost, &text, NULL) >= 0 && text.kind == CEL_STRING) {
		struct sv s = sv_trim(text.s);

		if (s.n && !memchr(s.p, '\n', s.n))
			return str_add(out, s);
	}
	if (*message)
		str_add(out, sv_trim(sv_c(message)));
	else
		str_addf(out, "failed rule: " SV_FMT, SV_ARG(sv_trim(sv_c(text_of(rule->text, "rule")))));
}

static void broken(struct run *r, const struct rule_tree *t, const struct rule *rule, const char *what, bool unchanged)
{
	const char *reason = text_of(rule->text, "reason"), *below = text_of(rule->text, "fieldPath");
	size_t was = r->p->path.n;

	str_addc(&r->p->path, below + (!was && *below == '.'));
	if (unchanged && !rule->uses_old) {
		if (r->warnings)
			str_addf(r->warnings, "%s: Invalid value: \"%s\": %s\n", problems_path(r->p), type_of(t), what);
	} else if (!strcmp(reason, "FieldValueForbidden")) {
		problem(r->p, reason, "Forbidden: %s", what);
	} else if (!strcmp(reason, "FieldValueRequired")) {
		problem(r->p, reason, "Required value: %s", what);
	} else if (!strcmp(reason, "FieldValueDuplicate")) {
		problem(r->p, reason, "Duplicate value: \"%s\"", type_of(t));
	} else {
		invalid(r, t, what);
	}
	str_cut(&r->p->path, was);
}

static void failed(struct run *r, const struct rule_tree *t, const struct rule *rule, const struct err *err)
{
	const char *text = text_of(rule->text, "rule"), *why = err_msg(err);
	AUTO(str) what = { 0 };

	if (err->code == ERR_TOO_LARGE && r->cost <= 0) {
		str_addc(
			&what,
			"validation failed due to running out of cost budget, no further validation rules will be run");
		r->over = true;
	} else if (err->code == ERR_TOO_LARGE) {
		str_addf(&what,
			 "'%s': no further validation rules will be run due to call cost exceeds limit for rule: %s",
			 why, text);
		r->over = true;
	} else if (!strncmp(why, "no such overload", 16)) {
		str_addf(&what,
			 "'%s': call arguments did not match a supported operator, function or macro signature for "
			 "rule: %s",
			 why, text);
	} else {
		str_addf(&what, "%s evaluating rule: %s", why, text);
	}
	invalid(r, t, str_c(&what));
}

static void run_rule(struct run *r, const struct rule_tree *t, const struct rule *rule, const struct node *v,
		     const struct node *old)
{
	AUTO_DOC d = doc_new();
	struct cel_value values[2] = { cel_of_node(d, v, t->type), cel_null() }, some, out;
	AUTO(err) err = { 0 };
	AUTO(str) what = { 0 };

	if (!rule->program)
		return invalid(r, t, "rule compile error");
	if (rule->uses_old && !old && !rule->optional_old)
		return;
	if (old)
		some = values[1] = cel_of_node(d, old, t->type);
	if (rule->optional_old)
		values[1] = (struct cel_value){ .kind = CEL_OPTIONAL, .some = old ? &some : NULL };
	if (cel_run(rule->program, d, values, &r->cost, &out, &err) < 0)
		return failed(r, t, rule, &err);
	if (out.kind == CEL_BOOL && out.b)
		return;
	say(r, rule, d, values, &what);
	broken(r, t, rule, str_c(&what), old && node_eq(v, old));
}

static void run_members(struct run *r, const struct rule_tree *t, const struct node *v, const struct node *old)
{
	size_t was = r->p->path.n;
	struct member *m;

	for (size_t i = 0; i < t->n_properties; i++) {
		struct sv name = t->properties[i].name;

		str_addf(&r->p->path, "%s" SV_FMT, was ? "." : "", SV_ARG(name));
		run(r, t->properties[i].tree, node_getn(v, name), node_getn(old, name));
		str_cut(&r->p->path, was);
	}
	node_members(m, t->more ? v : NULL) {
		path_key(&r->p->path, m->key);
		run(r, t->more, m->value, node_getn(old, (struct sv){ m->key, m->key_n }));
		str_cut(&r->p->path, was);
	}
}

static void run(struct run *r, const struct rule_tree *t, const struct node *v, const struct node *old)
{
	size_t was = r->p->path.n;
	const struct node *it;

	if (!v || node_is(v, NODE_NULL))
		return;
	for (size_t i = 0; i < t->n_rules && !r->over; i++)
		run_rule(r, t, &t->rules[i], v, node_is(old, NODE_NULL) ? NULL : old);
	if (node_is(v, NODE_MAP))
		run_members(r, t, v, old);
	node_each(it, t->items && !r->over ? v : NULL) {
		path_index(&r->p->path, i_);
		run(r, t->items, it, custom_counterpart(t->schema, it, old));
		str_cut(&r->p->path, was);
	}
}

void custom_run_rules(struct problems *p, const struct node *root, const struct node *before, const struct custom *c,
		      struct str *warnings)
{
	struct run r = { .p = p, .warnings = warnings, .cost = CEL_TOTAL_COST };

	if (c->rules)
		run(&r, c->rules, root, before);
}
