#include "render/chart/values.h"

#include "render/chart/strvals.h"

#define VALUES_MAX ((size_t)8 << 20)

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

static int apply_text(struct doc *d, struct node **values, struct sv text, const char *name, struct err *err)
{
	AUTO_DOC file = NULL;

	TRY(yaml_read(text, name, 0, &file, err));
	if (node_is(doc_root(file), NODE_MAP))
		*values = values_merge(d, *values, doc_root(file));
	else if (!node_is_empty(doc_root(file)))
		return err_set(err, ERR_INVALID, "%s: want a mapping, got %s", name, node_type_name(doc_root(file)));
	return 0;
}

static int apply_file(struct doc *d, struct vfs *v, struct node **values, const char *path, struct err *err)
{
	AUTO(str) text = { 0 };

	TRY(vfs_read(v, path, VALUES_MAX, &text, err));
	return apply_text(d, values, str_sv(&text), path, err);
}

int values_said(struct doc *d, struct vfs *v, const struct render_opts *o, struct node **out, struct err *err)
{
	*out = node_map(d);
	for (size_t i = 0; i < o->n_sets; i++) {
		const struct render_set *s = &o->sets[i];

		if (s->kind == SET_VALUES_TEXT)
			TRY(apply_text(d, out, sv_c(s->text), "values", err));
		else if (s->kind == SET_VALUES_FILE)
			TRY(apply_file(d, v, out, s->text, err));
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
