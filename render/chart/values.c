#include "render/chart/values.h"

#include "render/chart/strvals.h"

static struct node *merge(struct doc *d, const struct node *base, const struct node *over);

static void merge_member(struct doc *d, struct node *into, const struct node *base, const struct member *m)
{
	struct sv key = { m->key, m->key_n };
	const struct node *old = node_getn(base, key);

	if (node_is(m->value, NODE_NULL) && old)
		(void)node_deln(into, key);
	else
		node_setn(d, into, key, old ? merge(d, old, m->value) : node_copy(d, m->value));
}

static struct node *merge(struct doc *d, const struct node *base, const struct node *over)
{
	struct member *m;

	if (!node_is(base, NODE_MAP) || !node_is(over, NODE_MAP))
		return node_copy(d, over);
	struct node *out = node_copy(d, base);
	node_members(m, over)
		merge_member(d, out, base, m);
	return out;
}

struct node *values_merge(struct doc *d, const struct node *base, const struct node *over)
{
	return over ? merge(d, base ? base : node_map(d), over) : node_copy(d, base);
}

static int apply_file(struct doc *d, struct node **values, const struct render_set *s, struct err *err)
{
	AUTO_DOC file = NULL;

	TRY(yaml_read(sv_c(s->text), "values", 0, &file, err));
	if (node_is(doc_root(file), NODE_MAP))
		*values = values_merge(d, *values, doc_root(file));
	else if (!node_is_empty(doc_root(file)))
		return err_set(err, ERR_INVALID, "values: want a mapping, got %s", node_type_name(doc_root(file)));
	return 0;
}

int values_said(struct doc *d, const struct render_opts *o, struct node **out, struct err *err)
{
	*out = node_map(d);
	for (size_t i = 0; i < o->n_sets; i++) {
		const struct render_set *s = &o->sets[i];

		if (s->kind == SET_VALUES_TEXT)
			TRY(apply_file(d, out, s, err));
		else
			TRY(strvals_apply(d, *out, s->kind, s->text, &o->set_files, err));
	}
	return 0;
}

/* `global` of the parent wins over what is said for the chart below, and every chart has one. */
static void pass_global(struct doc *d, struct node *below, const struct node *parent)
{
	const struct node *global = node_get(parent, "global"), *own = node_get(below, "global");
	struct node *both = node_is(own, NODE_MAP) ? node_copy(d, own) : node_map(d);
	struct member *m;

	for (m = node_is(global, NODE_MAP) ? global->members : NULL; m && m < global->members + global->n; m++) {
		struct sv key = { m->key, m->key_n };
		const struct node *old = node_getn(both, key);

		if (!node_is(m->value, NODE_MAP) || !old)
			node_setn(d, both, key, node_copy(d, m->value));
		else if (node_is(old, NODE_MAP))
			node_setn(d, both, key, values_merge(d, old, m->value));
	}
	node_set(d, below, "global", both);
}

int values_coalesce(struct doc *d, const struct chart *c, const struct node *said, struct node **out, struct err *err)
{
	*out = values_merge(d, doc_root(c->values), said);
	for (size_t i = 0; i < c->n_deps; i++) {
		const struct node *for_dep = node_get(*out, c->deps[i]->name);
		struct node *below;

		if (for_dep && !node_is(for_dep, NODE_MAP))
			return err_set(err, ERR_INVALID, "%s: values of '%s' are %s; want a mapping", c->path, c->deps[i]->name,
				       node_type_name(for_dep));
		below = for_dep ? node_copy(d, for_dep) : node_map(d);
		pass_global(d, below, *out);
		TRY(values_coalesce(d, c->deps[i], below, &below, err));
		node_set(d, *out, c->deps[i]->name, below);
	}
	return 0;
}
