/* Validation: what the rows say, then the rules of each type. */
#include "kube/schema/schema.h"
#include "kube/schema/check.h"
#include "kube/schema/types.h"

#include <stdio.h>
#include <stdlib.h>

static void object(struct check *c, const struct node *n, const struct node *before, const struct type *t);

static bool is_choice(struct sv v, const char *choices)
{
	struct sv rest = sv_c(choices), one;
	bool more;

	do {
		more = sv_cut(rest, '|', &one, &rest);
		if (sv_eq(one, v))
			return true;
	} while (more);
	return false;
}

static void choices(struct check *c, const struct node *v, const struct field *f)
{
	const char *list = *f->choices == '|' ? f->choices + 1 : f->choices;
	struct node *it;

	if (node_is(v, NODE_STR) && v->n && !is_choice(node_sv(v), list))
		check_unsupported(c, "", v, list);
	node_each(it, v) {
		char at[24];

		snprintf(at, sizeof at, "[%zu]", i_);
		if (!is_choice(node_sv(it), list))
			check_unsupported(c, at, it, list);
	}
}

/* Kubernetes' structs are there even when nothing was said: what they lack is named, not they. */
static bool is_struct(const struct field *f)
{
	static const char *const names[] = { "spec", "template", "metadata", "jobTemplate" };

	for (size_t i = 0; f->type == FIELD_OBJECT && f->container == FIELD_ONE && i < sizeof names / sizeof *names; i++)
		if (str_eq(f->name, names[i]))
			return true;
	return false;
}

/* Numbers and booleans have their zero; text that may be empty is not marked as required in the rows. */
static void required(struct check *c, const struct node *v, const struct field *f)
{
	bool counts = f->type == FIELD_STR || f->type == FIELD_OBJECT || f->type == FIELD_RAW || f->type == FIELD_BYTES ||
		      f->type == FIELD_INT_OR_STR || f->container != FIELD_ONE;
	static const struct node nothing = { .type = NODE_MAP };

	if (!counts || (v && !(node_is_empty(v) && (v->type == NODE_STR || v->type == NODE_SEQ || v->type == NODE_NULL))))
		return;
	if (!v && is_struct(f))
		object(c, &nothing, NULL, f->of);
	else
		check_required(c, "", "");
}

static void children(struct check *c, const struct node *v, const struct node *before, const struct field *f)
{
	size_t at = c->path.n;
	struct node *it;
	struct member *m;

	if (f->container == FIELD_ONE) {
		object(c, v, before, f->of);
		return;
	}
	node_each(it, v) {
		path_index(&c->path, i_);
		object(c, it, NULL, f->of);
		str_cut(&c->path, at);
	}
	node_members(m, v) {
		path_key(&c->path, m->key);
		object(c, m->value, NULL, f->of);
		str_cut(&c->path, at);
	}
}

static void field(struct check *c, const struct node *v, const struct node *before, const struct field *f, bool updating)
{
	if (f->flags & FIELD_REQUIRED || (!v && str_eq(f->name, "metadata")))
		required(c, v, f);
	if (updating && f->flags & FIELD_IMMUTABLE && !node_eq(v, before) && !(node_is_empty(v) && node_is_empty(before)))
		check_invalid(c, "", v, "field is immutable");
	if (v && f->choices)
		choices(c, v, f);
	if (v && f->of)
		children(c, v, before, f);
}

static void run_rules(struct check *c, const struct node *n, const struct node *before, const struct type *t)
{
	static const struct check_rule *const tables[] = { check_meta_rules, check_pod_rules, check_workload_rules, check_other_rules };

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct check_rule *r = tables[i]; r->type; r++)
			if (str_eq(r->type, t->name))
				r->run(c, n, before);
}

/* The object's own metadata is looked at even when it is not there: a name is wanted. */
static bool always(const struct check *c, const struct field *f)
{
	return f->flags & (FIELD_REQUIRED | FIELD_IMMUTABLE) || (!c->path.n && str_eq(f->name, "metadata"));
}

/* A status is the system's own word: its types are checked, and no more. */
static bool is_status(const struct check *c, const struct field *f) { return !c->path.n && str_eq(f->name, "status"); }

static void one_field(struct check *c, const struct node *v, const struct node *before, const struct field *f)
{
	size_t at = c->path.n;

	if (is_status(c, f))
		return;
	path_field(&c->path, f->name);
	field(c, v, node_get(before, f->name), f, before != NULL);
	str_cut(&c->path, at);
}

/* The members that are there, then the rows that say something of an absent one. */
static void object(struct check *c, const struct node *n, const struct node *before, const struct type *t)
{
	struct member *m;

	if (!node_is(n, NODE_MAP))
		return;
	node_members(m, n) {
		const struct field *f = type_field(t, (struct sv){ m->key, m->key_n });

		if (f && (f->of || f->flags & (FIELD_REQUIRED | FIELD_IMMUTABLE) || f->choices))
			one_field(c, m->value, before, f);
	}
	for (size_t i = 0; i < t->n_fields; i++)
		if (always(c, &t->fields[i]) && !node_get(n, t->fields[i].name))
			one_field(c, NULL, before, &t->fields[i]);
	if (t->flags & TYPE_RULES)
		run_rules(c, n, before, t);
}

/* `Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0` */
static int report(struct check *c, struct err *err)
{
	const struct kind *k = c->kind;
	struct err *e = &c->causes;
	AUTO(str) s = { 0 };

	if (!e->n_causes)
		return 0;
	str_addf(&s, "%s%s%s \"%s\" is invalid: %s", k->kind, *k->group ? "." : "", k->group, node_str_or(c->root, "metadata.name", ""),
		 e->n_causes > 1 ? "[" : "");
	for (size_t i = 0; i < e->n_causes; i++)
		str_addf(&s, "%s%s: %s", i ? ", " : "", e->causes[i].field, e->causes[i].msg);
	str_addc(&s, e->n_causes > 1 ? "]" : "");
	int r = err_set(err, ERR_INVALID, "%s", str_c(&s));
	for (size_t i = 0; i < e->n_causes; i++)
		err_cause(err, e->causes[i].field, e->causes[i].reason, "%s", e->causes[i].msg);
	return r;
}

int schema_validate(const struct node *root, const struct node *before, const struct kind *k, struct err *err)
{
	struct check c = { .root = root, .before = before, .kind = k };

	TRY(types_check(root, k, err));
	if (k->type)
		object(&c, root, before, k->type);
	int r = report(&c, err);

	str_free(&c.path);
	err_free(&c.causes);
	return r;
}
