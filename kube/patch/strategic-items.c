/* Lists in a strategic merge, as kustomize does it: matched by all keys, the items of the patch first. */
#include "base/map.h"
#include "base/vec.h"
#include "kube/patch/strategic.h"

#define MULTI_KEY_MAX 2000      /* items of a list that is matched by several keys: that takes time by their square */
#define KEYS_MAX 8

static bool is_associative(struct place s)
{
	return s.field && !s.inside && s.field->container == FIELD_LIST && (s.field->flags & FIELD_MERGE);
}

static size_t list_keys(const struct field *f, struct sv keys[static KEYS_MAX])
{
	struct sv rest = sv_c(f->list_keys && *f->list_keys ? f->list_keys : f->merge_key);
	size_t n = 0;

	while (rest.n && n < KEYS_MAX)
		sv_cut(rest, ',', &keys[n++], &rest);
	return n;
}

/* A list's directive is an item that holds nothing else; all items that hold it go. */
static int list_directive(struct merger *m, struct node *src, enum directive *out)
{
	const struct node *first = NULL;
	struct node *item;

	*out = DIRECTIVE_NONE;
	node_each(item, src) {
		if (!first && node_get(item, "$patch"))
			first = item;
	}
	if (!first || node_n(first) > 1 || !node_sv(node_get(first, "$patch")).n)
		return 0;
	TRY(merge_directive_of(m, first, out));
	for (size_t i = src->n; i-- > 0;)
		if (sv_eq(node_sv(node_get(src->items[i], "$patch")), node_sv(node_get(first, "$patch"))))
			node_remove(src, i);
	return 0;
}

/* ---- lists whose items have one key, or are their own key ---- */

struct slot { struct node *dest, *src, *val; };
struct slots { struct slot *v; size_t n, cap; struct map by_key; struct nodes_list { struct node **v; size_t n, cap; } loose; };

static void slots_free(struct slots *s)
{
	vec_free(s);
	vec_free(&s->loose);
	map_free(&s->by_key);
}

static struct sv key_of(const struct node *item, struct sv key) { return node_sv(key.n ? node_getn(item, key) : item); }

/* The slot of an item, by its number plus one, as the map holds pointers. */
static void slot_add(struct slots *all, struct node *item, struct sv key, bool from_src)
{
	struct sv value = key_of(item, key);
	size_t at = (size_t)(uintptr_t)map_get(&all->by_key, value);

	if (!value.n) {
		vec_push(&all->loose, item);
		return;
	}
	if (!at) {
		vec_push(all, ((struct slot){ 0 }));
		at = all->n;
		map_put(&all->by_key, value, (void *)(uintptr_t)at);
	}
	struct node **to = from_src ? &all->v[at - 1].src : &all->v[at - 1].dest;
	if (!*to)
		*to = item;
}

static int walk_slot(struct merger *m, struct slot *slot, struct sv key, struct sv value, struct place s)
{
	TRY(merge_failed(m, merge_walk(m, slot->dest, slot->src, s, &slot->val), "[" SV_FMT "]", value));
	if (merge_missing(slot->val) || (node_is(slot->val, NODE_MAP) && !slot->val->n))
		slot->val = NULL;
	else if (key.n && !node_getn(slot->val, key))
		node_setn(m->d, slot->val, key, node_strn(m->d, value));
	return 0;
}

static int merge_slots(struct merger *m, struct slots *all, struct node *dest, struct sv key, struct place s, struct node **out)
{
	struct node *list = node_seq(m->d), *item;
	struct map_slot *named;
	size_t i = 0;

	map_each(named, &all->by_key) {
		TRY(walk_slot(m, &all->v[i], key, (struct sv){ named->key, named->key_n }, s));
		i++;
	}
	/* Of items with the same key, the object's last one wins, also over a patch that replaces it. */
	node_each(item, dest) {
		size_t at = (size_t)(uintptr_t)map_get(&all->by_key, key_of(item, key));

		if (at && all->v[at - 1].val)
			all->v[at - 1].val = item;
	}
	for (i = 0; i < all->n; i++)
		if (all->v[i].val)
			node_add(m->d, list, all->v[i].val);
	for (i = 0; i < all->loose.n; i++)
		node_add(m->d, list, all->loose.v[i]);
	*out = list;
	return 0;
}

static int walk_keyed(struct merger *m, struct node *dest, struct node *src, struct sv key, struct place s, struct node **out)
{
	struct slots all = { 0 };
	struct node *item;
	int r;

	node_each(item, src)
		slot_add(&all, item, key, true);
	if (dest == src)
		for (size_t i = 0; i < all.n; i++)
			all.v[i].dest = all.v[i].src;
	else
		node_each(item, dest)
			slot_add(&all, item, key, false);
	r = merge_slots(m, &all, dest, key, s, out);
	slots_free(&all);
	return r;
}

/* ---- lists whose items have several keys, some of which may be absent ---- */

struct tuple { struct sv v[KEYS_MAX]; };
struct tuples { struct tuple *v; size_t n, cap; size_t n_keys; struct sv keys[KEYS_MAX]; bool used[KEYS_MAX]; };

static struct tuple tuple_of(const struct tuples *t, const struct node *item)
{
	struct tuple out = { 0 };

	for (size_t k = 0; k < t->n_keys; k++)
		out.v[k] = node_sv(node_getn(item, t->keys[k]));
	return out;
}

static bool tuple_eq(const struct tuples *t, const struct tuple *a, const struct tuple *b)
{
	for (size_t k = 0; k < t->n_keys; k++)
		if (!sv_eq(a->v[k], b->v[k]))
			return false;
	return true;
}

/* The same item when nothing that both say differs, and something is the same: {80, ""} and {80, "TCP"} become one. */
static bool tuples_join(const struct tuples *t, struct tuple *a, struct tuple *b)
{
	struct tuple joined = { 0 };
	bool common = false;

	for (size_t k = 0; k < t->n_keys; k++) {
		bool same = sv_eq(a->v[k], b->v[k]);

		if (!same && a->v[k].n && b->v[k].n)
			return false;
		common |= same;
		joined.v[k] = a->v[k].n ? a->v[k] : b->v[k];
	}
	if (common)
		*a = *b = joined;
	return common;
}

static void tuples_collect(struct tuples *t, const struct node *list)
{
	struct node *item;

	node_each(item, list) {
		struct tuple one = tuple_of(t, item);
		bool seen = false;

		for (size_t i = 0; !seen && i < t->n; i++)
			seen = tuple_eq(t, &t->v[i], &one);
		if (!seen)
			vec_push(t, one);
	}
}

static void tuples_settle(struct tuples *t)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++)
		for (size_t j = 0; j < t->n; j++)
			tuples_join(t, &t->v[i], &t->v[j]);
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->n_keys; k++)
			any |= t->used[k] |= t->v[i].v[k].n > 0;
	for (size_t k = 0; !any && k < t->n_keys; k++)
		t->used[k] = true;
}

/* Whether an item has every part that a tuple gives. */
static bool tuple_names(const struct tuples *t, const struct tuple *one, const struct node *item)
{
	bool any = false;

	for (size_t k = 0; k < t->n_keys; k++) {
		if (!one->v[k].n)
			continue;
		any = true;
		if (!sv_eq(node_sv(node_getn(item, t->keys[k])), one->v[k]))
			return false;
	}
	return any;
}

static struct node *tuple_find(const struct tuples *t, const struct tuple *one, const struct node *list)
{
	struct node *item;

	node_each(item, list)
		if (tuple_names(t, one, item))
			return item;
	return NULL;
}

static void remove_named(const struct tuples *t, const struct tuple *one, struct node *list)
{
	for (size_t i = list->n; i-- > 0;)
		if (tuple_names(t, one, list->items[i]))
			node_remove(list, i);
}

/* An item of the object takes the place of the one that it names; where several keys are in use, it goes to the end instead. */
static void put_named(struct merger *m, const struct tuples *t, struct node *list, struct node *item)
{
	struct tuple one = tuple_of(t, item);
	size_t n_used = 0;

	for (size_t k = 0; k < t->n_keys; k++)
		n_used += t->used[k];
	for (size_t i = 0; n_used == 1 && i < list->n; i++) {
		if (tuple_names(t, &one, list->items[i])) {
			list->items[i] = item;
			return;
		}
	}
	remove_named(t, &one, list);
	node_add(m->d, list, item);
}

static int walk_tuple(struct merger *m, struct tuples *t, const struct tuple *one, struct node *dest, struct node *src, struct place s,
		      struct node *added)
{
	struct node *val;

	TRY(merge_walk(m, tuple_find(t, one, dest), tuple_find(t, one, src), s, &val));
	if (merge_missing(val) || (node_is(val, NODE_MAP) && !val->n)) {
		remove_named(t, one, dest);
		return 0;
	}
	for (size_t k = 0; k < t->n_keys; k++)
		if (t->used[k] && one->v[k].n && !node_getn(val, t->keys[k]))
			node_setn(m->d, val, t->keys[k], node_strn(m->d, one->v[k]));
	remove_named(t, one, added);
	node_add(m->d, added, val);
	return 0;
}

static int walk_tuples(struct merger *m, struct tuples *t, struct node *dest, struct node *src, struct place s, struct node **out)
{
	struct node *added = node_seq(m->d), *item;

	if (node_n(dest) + node_n(src) > MULTI_KEY_MAX)
		return err_set(m->err, ERR_TOO_LARGE, "a list that is matched by several keys has more than %d items", MULTI_KEY_MAX);
	tuples_collect(t, src);
	tuples_collect(t, dest);
	tuples_settle(t);
	for (size_t i = 0; i < t->n; i++)
		TRY(walk_tuple(m, t, &t->v[i], dest, src, s, added));
	node_each(item, dest)
		put_named(m, t, added, item);
	*out = added;
	return 0;
}

/* ---- lists ---- */

static int walk_list_items(struct merger *m, struct node *dest, struct node *src, struct place s, struct node **out)
{
	struct tuples t = { 0 };
	struct place item = { .field = s.field, .inside = true };
	int r;

	t.n_keys = list_keys(s.field, t.keys);
	if (t.n_keys < 2)
		return walk_keyed(m, dest, src, t.n_keys ? t.keys[0] : (struct sv){ "", 0 }, item, out);
	r = walk_tuples(m, &t, dest, src, item, out);
	vec_free(&t);
	return r;
}

int merge_list_kustomize(struct merger *m, const struct list_change *c, struct place s, struct node **out)
{
	struct node *dest = c->old, *src = c->patch;
	enum directive what;

	*out = src ? src : dest;
	if (!is_associative(s))
		return 0;
	*out = NULL;
	if (src && src->type == NODE_NULL)
		return 0;
	TRY(list_directive(m, src, &what));
	if (what == DIRECTIVE_DELETE)
		return 0;
	if (what == DIRECTIVE_REPLACE || merge_missing(dest))
		dest = src;
	return walk_list_items(m, dest, src, s, out);
}
