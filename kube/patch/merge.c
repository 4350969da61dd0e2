/* RFC 7386: JSON merge patch, and the one that leads from one value to another. */
#include "kube/patch/patch.h"
#include "base/node-index.h"

/* A value that is new: without its nulls, which mean "not there". */
static struct node *without_nulls(struct doc *d, const struct node *n)
{
	struct node *out;
	struct member *m;

	if (!node_is(n, NODE_MAP))
		return node_copy(d, n);
	out = node_empty(d, n);
	node_members(m, n)
		if (m->value->type != NODE_NULL)
			node_append(d, out, (struct sv){ m->key, m->key_n }, without_nulls(d, m->value));
	return out;
}

struct node *patch_merge(struct doc *d, const struct node *target, const struct node *patch)
{
	AUTO(node_index) in_patch = node_index_of(patch);
	AUTO(node_index) in_target = node_index_of(target);
	struct node *out;
	struct member *m;

	if (!node_is(patch, NODE_MAP) || !node_is(target, NODE_MAP))
		return without_nulls(d, patch);
	out = node_empty(d, target);
	node_members(m, target) {
		struct sv key = { m->key, m->key_n };
		const struct node *p = node_index_get(&in_patch, key);

		if (!node_is(p, NODE_NULL))
			node_append(d, out, key, p ? patch_merge(d, m->value, p) : node_copy(d, m->value));
	}
	node_members(m, patch) {
		struct sv key = { m->key, m->key_n };

		if (m->value->type != NODE_NULL && !node_index_get(&in_target, key))
			node_append(d, out, key, without_nulls(d, m->value));
	}
	return out;
}

struct node *patch_merge_diff(struct doc *d, const struct node *from, const struct node *to)
{
	AUTO(node_index) in_from = node_index_of(from);
	AUTO(node_index) in_to = node_index_of(to);
	struct node *out;
	struct member *m;

	if (!node_is(from, NODE_MAP) || !node_is(to, NODE_MAP))
		return node_eq(from, to) ? NULL : node_copy(d, to);
	out = node_map(d);
	node_members(m, to) {
		struct sv key = { m->key, m->key_n };
		const struct node *old = node_index_get(&in_from, key);
		struct node *change = old ? patch_merge_diff(d, old, m->value) : node_copy(d, m->value);

		if (change)
			node_append(d, out, key, change);
	}
	node_members(m, from)
		if (!node_index_get(&in_to, (struct sv){ m->key, m->key_n }))
			node_append(d, out, (struct sv){ m->key, m->key_n }, node_null(d));
	return out->n ? out : NULL;
}
