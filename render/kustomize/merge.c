#include "render/kustomize/merge.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/node-index.h"
#include "base/vec.h"

#define MULTI_KEY_MAX 2000      /* items of a list that is matched by several keys: that takes time by their square */
#define KEYS_MAX 8

/* What the tables say about a place: the type of a mapping, or the field that a list or a free mapping is the value of. */
struct schema {
	const struct field *field;
	const struct type *type;
	bool inside;                    /* of field's list or mapping: an item of it */
};

struct merge {
	struct doc *d;
	const struct openapi *schemas;
	struct str path;
	struct err *err;
};

enum directive { MERGE, REPLACE, DELETE };

static int walk(struct merge *m, struct node *dest, struct node *src, struct schema s, struct node **out);

static bool missing(const struct node *n) { return !n || n->type == NODE_NULL; }

/* ---- schemas ---- */

static const struct type *map_type(struct schema s)
{
	if (s.type)
		return s.type;
	return s.field && s.field->type == FIELD_OBJECT && (s.inside || s.field->container == FIELD_ONE) ? s.field->of : NULL;
}

static struct schema below(struct schema s, struct sv key)
{
	const struct type *t = map_type(s);

	if (t)
		return (struct schema){ .field = type_field(t, key) };
	if (s.field && !s.inside && s.field->container == FIELD_MAP)
		return (struct schema){ .field = s.field, .inside = true };
	return (struct schema){ 0 };
}

static bool known(struct schema s) { return s.field || s.type; }

/* Where the tables end, an object that says its own kind starts anew. */
static struct schema schema_of(const struct merge *m, struct schema s, const struct node *dest, const struct node *src)
{
	const struct node *both[] = { dest, src };

	for (size_t i = 0; !known(s) && i < 2; i++) {
		const char *api = node_text(node_get(both[i], "apiVersion")), *kind = node_text(node_get(both[i], "kind"));

		if (api && kind)
			s.type = openapi_type(m->schemas, api, kind);
	}
	return s;
}

static bool is_associative(struct schema s)
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

/* ---- directives ---- */

static int directive_named(struct merge *m, struct sv name, enum directive *out)
{
	*out = MERGE;
	if (sv_eq_c(name, "merge"))
		return 0;
	*out = sv_eq_c(name, "delete") ? DELETE : REPLACE;
	if (*out == DELETE || sv_eq_c(name, "replace"))
		return 0;
	return err_set(m->err, ERR_INVALID, "%s: unknown patch strategy '%.*s' ($patch is merge, replace or delete)", str_c(&m->path),
		       SV_ARG(name));
}

static int map_directive(struct merge *m, struct node *src, enum directive *out)
{
	const struct node *d = node_get(src, "$patch");

	*out = MERGE;
	if (!d)
		return 0;
	TRY(directive_named(m, node_sv(d), out));
	node_del(src, "$patch");
	return 0;
}

/* A list's directive is an item that holds nothing else. */
static int list_directive(struct merge *m, struct node *src, enum directive *out)
{
	struct sv name = { "", 0 };
	struct node *item;

	*out = MERGE;
	if (!node_is(src, NODE_SEQ))
		return 0;
	node_each(item, src) {
		if (!node_get(item, "$patch"))
			continue;
		if (node_n(item) > 1)
			return 0;
		name = node_sv(node_get(item, "$patch"));
		break;
	}
	if (!name.n)
		return 0;
	TRY(directive_named(m, name, out));
	for (size_t i = src->n; i-- > 0;)
		if (sv_eq(node_sv(node_get(src->items[i], "$patch")), name))
			node_remove(src, i);
	return 0;
}

/* ---- mappings ---- */

/* A schema that stands in a comment beside the field goes before what the tables say. */
static struct schema commented(const struct merge *m, const struct node *dest, const struct node *src, struct schema s)
{
	const struct node *both[] = { dest, src };

	for (size_t i = 0; i < 2; i++) {
		const struct node *n = both[i];
		/* A block starts on the line after its key. */
		const struct field *f = node_is(n, NODE_SEQ) ? openapi_comment(m->schemas, doc_source_name(m->d, n->source), n->line) : NULL;

		if (!f && node_is(n, NODE_SEQ) && n->line > 1)
			f = openapi_comment(m->schemas, doc_source_name(m->d, n->source), n->line - 1);
		if (f)
			return (struct schema){ .field = f };
	}
	return s;
}

/* What becomes of one member; *out NULL: it goes. */
static int walk_member(struct merge *m, struct node *old, struct node *new, struct sv key, struct schema s, struct node **out)
{
	size_t mark = m->path.n;
	struct node *val;

	str_addf(&m->path, "%s%.*s", mark ? "." : "", SV_ARG(key));
	TRY(walk(m, old, new, commented(m, old, new, below(s, key)), &val));
	str_cut(&m->path, mark);
	*out = val && (val->type != NODE_NULL || val == old) ? val : NULL;
	return 0;
}

/* The members that are there, in place; those that go leave no gap. */
static int walk_old_members(struct merge *m, struct node *dest, struct node *src, const struct node_index *in_src, struct schema s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < dest->n; i++) {
		struct member it = dest->members[i];
		struct sv key = { it.key, it.key_n };
		struct node *new = src == dest ? it.value : node_index_get(in_src, key), *val;

		TRY(walk_member(m, it.value, new, key, s, &val));
		if (!val)
			continue;
		if (val != it.value && val->type < NODE_SEQ && it.value->type < NODE_SEQ)
			*it.value = *val;       /* it may stand in other places, too: label.c */
		else
			it.value = val;
		dest->members[n++] = it;
	}
	dest->n = n;
	return 0;
}

/* Members that only the patch has. */
static int walk_new_members(struct merge *m, struct node *dest, struct node *src, const struct node_index *in_dest, struct schema s)
{
	const struct member *it;
	struct node *val;

	node_members(it, src) {
		struct sv key = { it->key, it->key_n };

		if (node_index_get(in_dest, key))
			continue;
		TRY(walk_member(m, NULL, it->value, key, s, &val));
		if (val)
			node_append(m->d, dest, key, val);
	}
	return 0;
}

static int walk_members(struct merge *m, struct node *dest, struct node *src, struct schema s)
{
	AUTO(node_index) in_src = { 0 };
	AUTO(node_index) in_dest = { 0 };
	struct node *before;

	if (src == dest || !node_n(src))
		return walk_old_members(m, dest, src == dest ? src : NULL, &in_src, s);
	before = node_map(m->d);                /* the names that were there, also of members that go */
	*before = *dest;
	before->members = doc_alloc(m->d, (dest->n + 1) * sizeof(*dest->members));
	if (dest->n)
		memcpy(before->members, dest->members, dest->n * sizeof(*dest->members));
	in_src = node_index_of(src);
	in_dest = node_index_of(before);
	TRY(walk_old_members(m, dest, src, &in_src, s));
	return walk_new_members(m, dest, src, &in_dest, s);
}

static int walk_map(struct merge *m, struct node *dest, struct node *src, struct schema s, struct node **out)
{
	enum directive d = MERGE;

	*out = NULL;
	if (missing(dest)) {
		if (!src && dest && !(dest->flags & NODE_BLANK)) {
			*out = dest;            /* a null that was written as one stays */
			return 0;
		}
		if (missing(src))
			return 0;
		TRY(map_directive(m, src, &d));
		if (d == DELETE)
			return 0;
		dest = src;
	} else if (src && src->type == NODE_NULL) {
		return 0;
	} else if (src) {
		TRY(map_directive(m, src, &d));
		if (d == DELETE)
			return 0;
		if (d == REPLACE)
			dest = src;
	}
	*out = dest;
	return walk_members(m, dest, src, s);
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

static int walk_slot(struct merge *m, struct slot *slot, struct sv key, struct sv value, struct schema s)
{
	size_t mark = m->path.n;

	str_addf(&m->path, "[%.*s]", SV_ARG(value));
	TRY(walk(m, slot->dest, slot->src, s, &slot->val));
	str_cut(&m->path, mark);
	if (missing(slot->val) || (node_is(slot->val, NODE_MAP) && !slot->val->n))
		slot->val = NULL;
	else if (key.n && !node_getn(slot->val, key))
		node_setn(m->d, slot->val, key, node_strn(m->d, value));
	return 0;
}

static int merge_slots(struct merge *m, struct slots *all, struct node *dest, struct sv key, struct schema s, struct node **out)
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

static int walk_keyed(struct merge *m, struct node *dest, struct node *src, struct sv key, struct schema s, struct node **out)
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

static int walk_tuple(struct merge *m, struct tuples *t, const struct tuple *one, struct node *dest, struct node *src, struct schema s,
		      struct node *added)
{
	struct node *val;

	TRY(walk(m, tuple_find(t, one, dest), tuple_find(t, one, src), s, &val));
	if (missing(val) || (node_is(val, NODE_MAP) && !val->n)) {
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

static int walk_tuples(struct merge *m, struct tuples *t, struct node *dest, struct node *src, struct schema s, struct node **out)
{
	struct node *added = node_seq(m->d), *item;

	if (node_n(dest) + node_n(src) > MULTI_KEY_MAX)
		return err_set(m->err, ERR_TOO_LARGE, "%s: a list that is matched by several keys has more than %d items", str_c(&m->path),
			       MULTI_KEY_MAX);
	tuples_collect(t, src);
	tuples_collect(t, dest);
	tuples_settle(t);
	for (size_t i = 0; i < t->n; i++)
		TRY(walk_tuple(m, t, &t->v[i], dest, src, s, added));
	node_each(item, dest) {
		struct tuple one = tuple_of(t, item);

		remove_named(t, &one, added);
		node_add(m->d, added, item);
	}
	*out = added;
	return 0;
}

/* ---- lists ---- */

static int walk_list_items(struct merge *m, struct node *dest, struct node *src, struct schema s, struct node **out)
{
	struct tuples t = { 0 };
	struct schema item = { .field = s.field, .inside = true };
	int r;

	t.n_keys = list_keys(s.field, t.keys);
	if (t.n_keys < 2)
		return walk_keyed(m, dest, src, t.n_keys ? t.keys[0] : (struct sv){ "", 0 }, item, out);
	r = walk_tuples(m, &t, dest, src, item, out);
	vec_free(&t);
	return r;
}

static int walk_list(struct merge *m, struct node *dest, struct node *src, struct schema s, struct node **out)
{
	enum directive d = MERGE;

	if (!is_associative(s)) {
		*out = src ? src : dest;
		return 0;
	}
	*out = NULL;
	if (src && src->type == NODE_NULL)
		return 0;
	TRY(list_directive(m, src, &d));
	if (d == DELETE)
		return 0;
	if (d == REPLACE || missing(dest))
		dest = src;
	return walk_list_items(m, dest, src, s, out);
}

/* ---- any node ---- */

static const char *shape_name(const struct node *n)
{
	return n->type == NODE_MAP ? "a mapping" : n->type == NODE_SEQ ? "a list" : "a single value";
}

static int shape_of(const struct node *n) { return n->type < NODE_SEQ ? 0 : n->type; }

static int walk(struct merge *m, struct node *dest, struct node *src, struct schema s, struct node **out)
{
	const struct node *first = missing(dest) ? src : dest;

	if (!missing(dest) && !missing(src) && shape_of(dest) != shape_of(src))
		return err_set(m->err, ERR_INVALID, "%s: the patch has %s, the object has %s", str_c(&m->path), shape_name(src),
			       shape_name(dest));
	s = schema_of(m, s, dest, src);
	if (missing(first) || first->type == NODE_MAP)
		return walk_map(m, dest, src, s, out);
	if (first->type == NODE_SEQ)
		return walk_list(m, dest, src, s, out);
	*out = src ? src : dest;
	return 0;
}

int merge_strategic(struct doc *d, struct node *target, struct node *patch, const struct openapi *schemas, struct node **out,
		    struct err *err)
{
	struct merge m = { d, schemas, { 0 }, err };
	int r = walk(&m, target, patch, (struct schema){ 0 }, out);

	str_free(&m.path);
	return r;
}
