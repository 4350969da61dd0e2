#include "render/kustomize/shape.h"

#include <stdlib.h>
#include <strings.h>

#include "render/kustomize/near.h"

struct reading {
	const struct shape_source *from;
	const struct shape *shape;
	const char *path;               /* of the mapping that is read */
	struct err *err;
};

static int wrong(const struct reading *r, const struct node *n, const char *name, const char *want)
{
	char where[256];

	return err_set(r->err, ERR_BAD_REQUEST, "%s: %s%s%s%swant %s, got %s", node_where(r->from->doc, n, where), r->path,
		       *r->path && *name ? "." : "", name, *r->path || *name ? ": " : "", want, node_type_name(n));
}

/* Names are compared as Go's decoder does: an exact one first, then regardless of case. */
static const struct shape_field *find(const struct shape *s, struct sv name)
{
	const struct shape_field *loose = NULL;

	for (const struct shape_field *f = s->fields; f->name; f++) {
		if (sv_eq_c(name, f->name))
			return f;
		if (!loose && strlen(f->name) == name.n && !strncasecmp(f->name, name.p, name.n))
			loose = f;
	}
	return loose;
}

static int unknown(const struct reading *r, const struct member *m)
{
	struct near near = near_to((struct sv){ m->key, m->key_n });

	for (const struct shape_field *f = r->shape->fields; f->name; f++)
		near_try(&near, f->name);
	return err_set(r->err, ERR_BAD_REQUEST, "%s:%u: unknown field \"%s%s%s\"" NEAR_FMT,
		       doc_source_name(r->from->doc, m->value->source), m->line, r->path, *r->path ? "." : "", m->key, NEAR_ARG(near));
}

static int read_text(const struct reading *r, const struct node *n, const char *name, const char **out)
{
	if (node_is(n, NODE_STR)) {
		*out = n->text;
		return 0;
	}
	if (!(r->from->flags & SHAPE_LOOSE_TEXT) || !node_sv(n).p || node_n(n) || n->type >= NODE_SEQ)
		return wrong(r, n, name, "a text (quote it if it is one)");
	*out = doc_text(r->from->arena, node_sv(n));
	return 0;
}

static int read_texts(const struct reading *r, const struct node *n, const char *name, struct strs *out)
{
	const struct node *item;

	if (!node_is(n, NODE_SEQ))
		return wrong(r, n, name, "a list of texts");
	out->v = doc_alloc(r->from->arena, (n->n + 1) * sizeof(*out->v));
	out->n = 0;     /* the field may stand there twice, in another case */
	node_each(item, n) {
		out->v[out->n] = "";
		if (!node_is(item, NODE_NULL))
			TRY(read_text(r, item, name, &out->v[out->n]));
		out->n++;
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static int read_pairs(const struct reading *r, const struct node *n, const char *name, struct pairs *out)
{
	const struct member *m;

	if (!node_is(n, NODE_MAP))
		return wrong(r, n, name, "a mapping of texts");
	out->v = doc_alloc(r->from->arena, (n->n + 1) * sizeof(*out->v));
	out->n = 0;     /* the field may stand there twice, in another case */
	node_members(m, n) {
		struct pair *p = &out->v[out->n++];

		*p = (struct pair){ m->key, "", m->value };
		if (!node_is(m->value, NODE_NULL))
			TRY(read_text(r, m->value, name, &p->value));
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_key);
	return 0;
}

static const char *below(const struct reading *r, const char *name, ssize_t index)
{
	AUTO(str) path = { 0 };

	str_addf(&path, "%s%s%s", r->path, *r->path ? "." : "", name);
	if (index >= 0)
		str_addf(&path, "[%zd]", index);
	return doc_text(r->from->arena, str_sv(&path));
}

static int read_many(const struct reading *r, const struct node *n, const struct shape_field *f, void *to)
{
	MANY(char) *out = to;

	if (!node_is(n, NODE_SEQ))
		return wrong(r, n, f->name, "a list");
	out->v = doc_alloc(r->from->arena, (n->n + 1) * f->of->size);
	out->n = 0;
	for (uint32_t i = 0; i < n->n; i++, out->n++)
		TRY(shape_read(r->from, n->items[i], below(r, f->name, i), f->of, out->v + i * f->of->size, r->err));
	return 0;
}

static int read_field(const struct reading *r, const struct node *n, const struct shape_field *f, void *to)
{
	void *one;

	switch (f->type) {
	case SHAPE_STR:
		return read_text(r, n, f->name, to);
	case SHAPE_BOOL:
		if (!node_is(n, NODE_BOOL))
			return wrong(r, n, f->name, "true or false");
		*(bool *)to = n->b;
		return 0;
	case SHAPE_INT:
		return node_to_i64(n, to) ? 0 : wrong(r, n, f->name, "a whole number");
	case SHAPE_STRS:
		return read_texts(r, n, f->name, to);
	case SHAPE_PAIRS:
		return read_pairs(r, n, f->name, to);
	case SHAPE_ONE:
		one = doc_alloc(r->from->arena, f->of->size);
		*(void **)to = one;
		return shape_read(r->from, n, below(r, f->name, -1), f->of, one, r->err);
	case SHAPE_MANY:
		return read_many(r, n, f, to);
	case SHAPE_NODE:
		*(const struct node **)to = n;
		return 0;
	}
	return 0;
}

int shape_read(const struct shape_source *from, const struct node *node, const char *path, const struct shape *shape, void *out,
	       struct err *err)
{
	struct reading r = { from, shape, path, err };
	const struct member *m;

	if (!node || node_is(node, NODE_NULL))
		return 0;
	if (!node_is(node, NODE_MAP))
		return wrong(&r, node, "", "a mapping");
	*(const struct node **)out = node;
	node_members(m, node) {
		const struct shape_field *f = find(shape, (struct sv){ m->key, m->key_n });

		if (!f && (from->flags & SHAPE_STRICT))
			return unknown(&r, m);
		if (f && !node_is(m->value, NODE_NULL))
			TRY(read_field(&r, m->value, f, (char *)out + f->offset));
	}
	return 0;
}
