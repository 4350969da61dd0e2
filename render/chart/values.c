#include "render/chart/values.h"

#include "render/chart/strvals.h"

#define VALUES_MAX ((size_t)8 << 20)

struct node *values_override(struct doc *d, const struct node *base, const struct node *over)
{
	struct member *m;

	if (!node_is(base, NODE_MAP) || !node_is(over, NODE_MAP))
		return node_copy(d, over);
	struct node *out = node_copy(d, base);
	node_members(m, over) {
		struct sv key = { m->key, m->key_n };

		node_setn(d, out, key, values_override(d, node_getn(base, key), m->value));
	}
	return out;
}

/* What `into` sets to null is null in `from`, too, for those that look at it later; tells which members had a value. */
static bool *note_nulls(struct doc *d, const struct node *into, struct node *from)
{
	bool *had_value = doc_alloc(d, (from->n + 1) * sizeof *had_value);
	struct member *m;

	for (uint32_t i = 0; i < from->n; i++)
		had_value[i] = !node_is(from->members[i].value, NODE_NULL);
	node_members(m, into)
		if (node_is(m->value, NODE_NULL))
			node_setn(d, from, (struct sv){ m->key, m->key_n }, node_null(d));
	return had_value;
}

void values_fill(struct doc *d, struct node *into, struct node *from, bool keep_nulls)
{
	if (!node_is(into, NODE_MAP) || !node_is(from, NODE_MAP) || into == from)
		return;
	uint32_t n = from->n;
	const bool *had_value = note_nulls(d, into, from);
	for (uint32_t i = 0; i < from->n; i++) {
		struct member m = from->members[i];
		struct sv key = { m.key, m.key_n };
		struct node *own = node_getn(into, key);

		if (!own)
			node_setn(d, into, key, m.value);
		else if (node_is(own, NODE_NULL) && !keep_nulls && i < n && had_value[i])
			(void)node_deln(into, key);
		else
			values_fill(d, own, m.value, keep_nulls);
	}
}

static int apply_text(struct doc *d, struct node **values, struct sv text, const char *name, struct err *err)
{
	AUTO_DOC file = NULL;

	TRY(yaml_read(text, name, YAML_FIRST, &file, err));
	if (node_is(doc_root(file), NODE_MAP))
		*values = values_override(d, *values, doc_root(file));
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

/* A new mapping with the same members. */
static struct node *shallow_copy(struct doc *d, const struct node *map)
{
	struct node *out = node_map(d);
	struct member *m;

	node_members(m, map)
		node_append(d, out, (struct sv){ m->key, m->key_n }, m->value);
	return out;
}

/* `global` of the parent wins over what is said for the chart below, and every chart has one. */
static void pass_global(struct doc *d, struct node *below, const struct node *parent)
{
	const struct node *global = node_get(parent, "global");
	struct node *own = node_get(below, "global");
	struct member *m;

	if ((own && !node_is(own, NODE_MAP)) || (global && !node_is(global, NODE_MAP)))
		return;                 /* what is no mapping is left alone */
	if (!own)
		own = node_map(d);
	node_members(m, global) {
		struct sv key = { m->key, m->key_n };
		struct node *old = node_getn(own, key), *value = m->value;

		if (old && node_is(old, NODE_MAP) != node_is(value, NODE_MAP))
			continue;
		if (node_is(value, NODE_MAP)) {
			value = shallow_copy(d, value);
			if (old)
				values_fill(d, value, old, true);
		}
		node_setn(d, own, key, value);
	}
	node_set(d, below, "global", own);
}

static bool has_dep(const struct chart *c, struct sv name)
{
	for (size_t i = 0; i < c->n_deps; i++)
		if (sv_eq_c(name, c->deps[i]->name))
			return true;
	return false;
}

/* The chart's own values under those that are there. */
static void add_own(struct doc *d, const struct chart *c, struct node *into, bool keep_nulls)
{
	struct node *own = node_copy(d, doc_root(c->values));

	for (uint32_t i = 0; i < node_n(own); i++) {
		struct member m = own->members[i];
		struct sv key = { m.key, m.key_n };
		struct node *said = node_getn(into, key);

		if (!said)
			node_setn(d, into, key, m.value);
		else if (node_is(said, NODE_NULL) && !keep_nulls)
			(void)node_deln(into, key);
		else
			values_fill(d, said, m.value, keep_nulls || has_dep(c, key));  /* a null for a chart below is that chart's to see */
	}
}

static int coalesce(struct doc *d, const struct chart *c, struct node *into, bool keep_nulls, struct err *err)
{
	add_own(d, c, into, keep_nulls);
	for (size_t i = 0; i < c->n_deps; i++) {
		struct node *below = node_get(into, c->deps[i]->name);

		if (below && !node_is(below, NODE_MAP))
			return err_set(err, ERR_INVALID, "%s: values of '%s' are %s; want a mapping", c->path, c->deps[i]->name,
				       node_type_name(below));
		if (!below)
			node_set(d, into, c->deps[i]->name, below = node_map(d));
		pass_global(d, below, into);
		TRY(coalesce(d, c->deps[i], below, keep_nulls, err));
	}
	return 0;
}

int values_coalesce(struct doc *d, const struct chart *c, const struct node *said, struct node **out, struct err *err)
{
	*out = said ? node_copy(d, said) : node_map(d);
	return coalesce(d, c, *out, false, err);
}

int values_defaults(struct doc *d, const struct chart *c, struct node **out, struct err *err)
{
	*out = node_map(d);
	return coalesce(d, c, *out, true, err);
}
