/* Three-way merge, as `kubectl apply` does it: what is gone between the last applied and the new version goes, what the
 * new version says is set, and all else stays as others have made it. */
#include "kube/patch/list.h"
#include "base/node-index.h"

static struct node *value(struct doc *d, const struct node *old, const struct node *mod, const struct node *live,
			  const struct field *f, const struct type *item_type);

static const struct type *type_of(const struct field *f) { return f && f->type == FIELD_OBJECT ? f->of : NULL; }

/* A value that is not there yet, without nulls, which mean "absent". */
static struct node *fresh(struct doc *d, const struct node *mod) { return patch_merge(d, NULL, mod); }

static struct node *map(struct doc *d, const struct node *old, const struct node *mod, const struct node *live,
			const struct type *type)
{
	AUTO(node_index) in_old = node_index_of(old);
	AUTO(node_index) in_mod = node_index_of(mod);
	AUTO(node_index) in_live = node_index_of(live);
	struct node *out = node_empty(d, live);
	struct member *m;

	node_members(m, live) {
		struct sv key = { m->key, m->key_n };
		const struct node *new = node_index_get(&in_mod, key), *was = node_index_get(&in_old, key);

		if (new ? new->type == NODE_NULL : was && was->type != NODE_NULL)
			continue;
		node_append(d, out, key, new ? value(d, was, new, m->value, type_field(type, key), NULL) : node_copy(d, m->value));
	}
	node_members(m, mod) {
		struct sv key = { m->key, m->key_n };

		if (m->value->type != NODE_NULL && !node_index_get(&in_live, key))
			node_append(d, out, key, fresh(d, m->value));
	}
	return out;
}

/* Strategy retainKeys (a Deployment's strategy, a volume): what one choice brought goes when another one is made, so only
 * what the new version names stays. Defaults fill in the rest again. */
static void retain(const struct node *mod, struct node *merged)
{
	for (uint32_t i = merged->n; i-- > 0;) {
		struct sv key = { merged->members[i].key, merged->members[i].key_n };

		if (!node_getn(mod, key))
			node_deln(merged, key);
	}
}

/* Not a part of value()'s frame, which is there at every level of a deep map: a fiber's stack is small. */
static __attribute__((noinline)) struct node *list(struct doc *d, const struct node *old, const struct node *mod, const struct node *live,
			 const struct field *f, const char *keys)
{
	AUTO(list_index) in_old = list_index_of(old, keys);
	AUTO(list_index) in_mod = list_index_of(mod, keys);
	AUTO(list_index) in_live = list_index_of(live, keys);
	struct list_entries e = { 0 };
	size_t deleted = 0;

	for (size_t i = 0; i < node_n(live); i++) {
		const struct node *it = live->items[i], *new = list_index_get(&in_mod, it), *was = list_index_get(&in_old, it);

		deleted += !new && was;
		if (!new && was)
			continue;
		struct node *v = new && *keys ? value(d, was, new, it, f, type_of(f)) : node_copy(d, it);
		vec_push(&e, ((struct list_entry){ v, (ptrdiff_t)i, list_index_find(&in_mod, it) }));
	}
	for (size_t i = 0; i < node_n(mod); i++)
		if (!list_index_get(&in_live, mod->items[i]))
			vec_push(&e, ((struct list_entry){ fresh(d, mod->items[i]), -1, (ptrdiff_t)i }));
	if (*keys)
		list_fill_places(&e, node_n(live), deleted);
	struct node *out = list_in_order(d, &e);

	vec_free(&e);
	return out;
}

/* item_type: the value is an item of f's list, and this is its type. */
static struct node *value(struct doc *d, const struct node *old, const struct node *mod, const struct node *live,
			  const struct field *f, const struct type *item_type)
{
	const char *keys = item_type ? NULL : list_merge_key(f);

	if (node_is(mod, NODE_MAP) && node_is(live, NODE_MAP)) {
		bool one = f && f->container == FIELD_ONE;
		struct node *out = map(d, old, mod, live, item_type ? item_type : one ? type_of(f) : NULL);

		if (f && f->flags & FIELD_RETAIN_KEYS)
			retain(mod, out);
		return out;
	}
	if (keys && node_is(mod, NODE_SEQ) && node_is(live, NODE_SEQ))
		return list(d, old, mod, live, f, keys);
	return node_eq(mod, live) ? node_copy(d, live) : fresh(d, mod);
}

int patch_three_way(struct doc *d, const struct node *original, const struct node *modified, const struct node *live,
		    const struct type *type, struct node **out, struct err *err)
{
	if (!node_is(modified, NODE_MAP) || !node_is(live, NODE_MAP))
		return err_set(err, ERR_BAD_REQUEST, "an object is expected, not %s",
			       node_type_name(node_is(modified, NODE_MAP) ? live : modified));
	*out = map(d, original, modified, live, type);
	return 0;
}
