/* Lists in a strategic merge, as Kubernetes does it: matched by the merge key, each item in its place. */
#include "kube/patch/list.h"
#include "kube/patch/strategic.h"

struct lists {
	const struct list_change *c;
	const struct field *field;
	const char *keys;
	struct list_index in_old, in_patch, in_order, in_gone;
	struct list_entries entries;
};

static void lists_free(struct lists *l)
{
	list_index_free(&l->in_old);
	list_index_free(&l->in_patch);
	list_index_free(&l->in_order);
	list_index_free(&l->in_gone);
	vec_free(&l->entries);
}

static struct place item_place(const struct lists *l) { return (struct place){ .field = l->field, .inside = true }; }

/* What tells the items apart: NULL for lists that are replaced, and for values where objects should be. */
static const char *keys_of(struct place s, const struct node *patch)
{
	const char *key = s.inside ? NULL : list_merge_key(s.field);

	if (key && !*key && node_is(node_item(patch, 0), NODE_MAP))
		return NULL;
	return key;
}

static int check_item(struct merger *m, const struct lists *l, const struct node *it)
{
	if (!*l->keys)
		return 0;
	if (!node_is(it, NODE_MAP))
		return err_set(m->err, m->rules->code, "items of %s must be objects, not %s", l->field->name, node_type_name(it));
	if (!node_get(it, l->keys))
		return err_set(m->err, m->rules->code, "an item of %s does not contain its merge key \"%s\"", l->field->name, l->keys);
	return 0;
}

/* A new item. It is a copy: where items have the same key, several old ones may meet it. */
static int fresh(struct merger *m, const struct lists *l, const struct node *item, struct node **out)
{
	return merge_walk(m, NULL, node_copy(m->d, item), item_place(l), out);
}

/* The patch's list alone, without the items that are directives. */
static int replaced(struct merger *m, const struct lists *l, struct node **out)
{
	struct node *it, *value;
	enum directive what;

	*out = node_empty(m->d, l->c->patch);
	node_each(it, l->c->patch) {
		TRY(merge_directive_of(m, it, &what));
		if (what != DIRECTIVE_NONE && (what != DIRECTIVE_REPLACE || it->n < 2))
			continue;
		node_del(it, "$patch");
		TRY(fresh(m, l, it, &value));
		node_add(m->d, *out, value ? value : it);
	}
	return 0;
}

/* Does the patch say that its list stands alone? */
static int find_replace(struct merger *m, const struct node *patch, bool *replace)
{
	enum directive what;
	struct node *it;

	*replace = false;
	node_each(it, patch) {
		TRY(merge_directive_of(m, it, &what));
		*replace |= what == DIRECTIVE_REPLACE;
	}
	return 0;
}

/* Where a value stands in the list that gives the order. */
static ptrdiff_t place(const struct lists *l, const struct node *value)
{
	return list_index_find(l->c->order ? &l->in_order : &l->in_patch, value);
}

static int keep_old(struct merger *m, struct lists *l, size_t at)
{
	struct node *old = l->c->old->items[at], *value = old;
	const struct node *p = list_index_get(&l->in_patch, old);
	ptrdiff_t patch_at = place(l, old);
	enum directive what = DIRECTIVE_NONE;

	if (!*l->keys && list_index_get(&l->in_gone, old))
		return 0;
	TRY(merge_directive_of(m, p, &what));
	if (what == DIRECTIVE_DELETE)
		return 0;
	if (p && *l->keys)
		TRY(merge_walk(m, old, node_copy(m->d, p), item_place(l), &value));
	if (value)
		vec_push(&l->entries, ((struct list_entry){ value, (ptrdiff_t)at, patch_at }));
	return 0;
}

static int add_new(struct merger *m, struct lists *l, size_t at)
{
	const struct node *p = l->c->patch->items[at];
	enum directive what;
	struct node *value;

	TRY(check_item(m, l, p));
	TRY(merge_directive_of(m, p, &what));
	if (what == DIRECTIVE_DELETE || list_index_get(&l->in_old, p))
		return 0;
	if (list_index_find(&l->in_patch, p) != (ptrdiff_t)at)   /* the first of several is the one */
		return 0;
	TRY(fresh(m, l, p, &value));
	if (value)
		vec_push(&l->entries, ((struct list_entry){ value, -1, place(l, p) }));
	return 0;
}

/* The old items are changed in place, and their keys with them: what matches is looked up before that, item by item. */
static int merge_lists(struct merger *m, struct lists *l, struct node **out)
{
	size_t n_old = node_n(l->c->old), deleted;

	l->in_old = list_index_of(l->c->old, l->keys);
	l->in_patch = list_index_of(l->c->patch, l->keys);
	l->in_order = list_index_of(l->c->order, l->keys);
	l->in_gone = list_index_of(l->c->gone, "");
	for (size_t i = 0; i < n_old; i++)
		TRY(keep_old(m, l, i));
	deleted = n_old - l->entries.n;
	for (size_t i = 0; i < node_n(l->c->patch); i++)
		TRY(add_new(m, l, i));
	if (l->c->order && *l->keys)
		list_fill_places(&l->entries, n_old, deleted);
	*out = list_in_order(m->d, &l->entries);
	if (l->c->old) {
		(*out)->source = l->c->old->source;
		(*out)->line = l->c->old->line;
	}
	return 0;
}

/* Apart, as a level of a deep document takes little of a fiber's stack. */
static __attribute__((noinline)) int merge_keyed(struct merger *m, const struct list_change *c, const struct field *f, const char *keys,
						 struct node **out)
{
	AUTO(lists) l = { .c = c, .field = f, .keys = keys };
	bool replace;

	TRY(find_replace(m, c->patch, &replace));
	return replace ? replaced(m, &l, out) : merge_lists(m, &l, out);
}

int merge_list_kubernetes(struct merger *m, const struct list_change *c, struct place s, struct node **out)
{
	const char *keys = keys_of(s, c->patch ? c->patch : c->old);

	*out = c->patch ? c->patch : c->old;
	if (!keys || node_is(c->patch, NODE_NULL))
		return 0;
	return merge_keyed(m, &(struct list_change){ merge_missing(c->old) ? NULL : c->old, c->patch, c->order, c->gone }, s.field, keys, out);
}
