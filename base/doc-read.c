/* Reading documents: paths, typed values, comparison. */
#include "base/node-index.h"

#include <stdlib.h>

struct node *node_at(const struct node *n, const char *path)
{
	struct sv rest = sv_c(path), key;
	int64_t i;

	do {
		bool last = !sv_cut(rest, '.', &key, &rest);

		if (node_is(n, NODE_SEQ))
			n = sv_to_i64(key, &i) && i >= 0 ? node_item(n, (size_t)i) : NULL;
		else
			n = node_getn(n, key);
		if (last)
			return (struct node *)n;
	} while (n);
	return NULL;
}

const char *node_text(const struct node *n) { return node_is(n, NODE_STR) ? n->text : NULL; }

struct sv node_sv(const struct node *n)
{
	if (!n)
		return SV("");
	switch (n->type) {
	case NODE_BOOL:
		return n->b ? SV("true") : SV("false");
	case NODE_INT:
	case NODE_FLOAT:
	case NODE_STR:
		return (struct sv){ n->text, n->n };
	default:
		return SV("");
	}
}

const char *node_str_at(const struct node *n, const char *path) { return node_text(node_at(n, path)); }

const char *node_str_or(const struct node *n, const char *path, const char *def)
{
	const char *s = node_str_at(n, path);

	return s ? s : def;
}

int64_t node_int_at(const struct node *n, const char *path, int64_t def)
{
	int64_t v;

	return node_to_i64(node_at(n, path), &v) ? v : def;
}

bool node_bool_at(const struct node *n, const char *path, bool def)
{
	const struct node *v = node_at(n, path);

	return node_is(v, NODE_BOOL) ? v->b : def;
}

bool node_is_empty(const struct node *n)
{
	return !n || n->type == NODE_NULL || (n->type >= NODE_STR && !n->n);
}

const char *node_type_name(const struct node *n)
{
	static const char *const names[] = { "null", "boolean", "integer", "number", "string", "array", "object" };

	return names[n ? n->type : NODE_NULL];
}

static bool is_number(const struct node *n) { return n->type == NODE_INT || n->type == NODE_FLOAT; }

static bool number_eq(const struct node *a, const struct node *b)
{
	int64_t i, j;
	double x, y;

	if (a->n == b->n && !memcmp(a->text, b->text, a->n))
		return true;
	if (node_to_i64(a, &i) && node_to_i64(b, &j))
		return i == j;
	return node_to_double(a, &x) && node_to_double(b, &y) && x == y;
}

/* The table is built when the first key is not where it was expected. */
static const struct node *find_other(struct node_index *ix, struct sv key)
{
	if (!ix->at)
		*ix = node_index_of(ix->map);
	return node_index_get(ix, key);
}

/* Members are nearly always in the same order on both sides: the same position is looked at first. */
static bool map_eq(const struct node *a, const struct node *b)
{
	AUTO(node_index) in_b = { .map = b };

	for (uint32_t i = 0; i < a->n; i++) {
		const struct member *m = &a->members[i], *o = &b->members[i];
		const struct node *other = o->value;

		if (m->key_n != o->key_n || memcmp(m->key, o->key, m->key_n))
			other = find_other(&in_b, (struct sv){ m->key, m->key_n });
		if (!other || !node_eq(m->value, other))
			return false;
	}
	return true;
}

bool node_eq(const struct node *a, const struct node *b)
{
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	if (is_number(a) && is_number(b))
		return number_eq(a, b);
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case NODE_BOOL:
		return a->b == b->b;
	case NODE_STR:
		return a->n == b->n && !memcmp(a->text, b->text, a->n);
	case NODE_SEQ:
		for (uint32_t i = 0; a->n == b->n && i < a->n; i++)
			if (!node_eq(a->items[i], b->items[i]))
				return false;
		return a->n == b->n;
	case NODE_MAP:
		return a->n == b->n && map_eq(a, b);
	default:
		return true;
	}
}
