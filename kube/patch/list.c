#include "kube/patch/list.h"
#include "base/json.h"
#include "base/map.h"

#include <stdlib.h>

/* Both have the key with equal values, or neither has it. */
static bool same_key(const struct node *a, const struct node *b, struct sv key)
{
	const struct node *x = node_getn(a, key), *y = node_getn(b, key);

	return x && y ? node_eq(x, y) : !x && !y;
}

static bool same(const struct node *a, const struct node *b, const char *keys)
{
	struct sv rest = sv_c(keys), key;

	if (!rest.n)
		return node_eq(a, b);
	while (rest.n) {
		sv_cut(rest, ',', &key, &rest);
		if (!same_key(a, b, key))
			return false;
	}
	return true;
}

#define FEW 16          /* so many items are compared one by one */

static void add_value(struct str *out, const struct node *v)
{
	int64_t i;

	if (node_to_i64(v, &i))                 /* 80 and 80.0 are the same */
		str_addf(out, "%lld", (long long)i);
	else if (v)
		json_write(out, v, JSON_SORTED);
	str_add1(out, '\n');
}

/* Text that is the same for items with the same keys. */
static void key_text(struct str *out, const struct node *item, const char *keys)
{
	struct sv rest = sv_c(keys), key;

	str_cut(out, 0);
	if (!rest.n)
		add_value(out, item);
	while (rest.n) {
		sv_cut(rest, ',', &key, &rest);
		add_value(out, node_getn(item, key));
	}
}

struct list_index list_index_of(const struct node *list, const char *keys)
{
	struct list_index ix = { .list = list, .keys = keys };
	AUTO(str) text = { 0 };

	if (node_n(list) <= FEW)
		return ix;
	if (!(ix.at = calloc(1, sizeof *ix.at)))
		abort();
	for (size_t i = 0; i < list->n; i++) {
		key_text(&text, list->items[i], keys);
		if (!map_get(ix.at, str_sv(&text)))
			map_put(ix.at, str_sv(&text), (void *)(i + 1)); /* positions + 1 */
	}
	return ix;
}

void list_index_free(struct list_index *ix)
{
	if (ix->at)
		map_free(ix->at);
	free(ix->at);
}

ptrdiff_t list_index_find(const struct list_index *ix, const struct node *item)
{
	AUTO(str) text = { 0 };

	if (ix->at) {
		key_text(&text, item, ix->keys);
		return (ptrdiff_t)(uintptr_t)map_get(ix->at, str_sv(&text)) - 1;
	}
	for (size_t i = 0; i < node_n(ix->list); i++)
		if (same(ix->list->items[i], item, ix->keys))
			return (ptrdiff_t)i;
	return -1;
}

const struct node *list_index_get(const struct list_index *ix, const struct node *item)
{
	ptrdiff_t at = list_index_find(ix, item);

	return at >= 0 ? ix->list->items[at] : NULL;
}

const char *list_merge_key(const struct field *f)
{
	if (!f || f->container != FIELD_LIST || !(f->flags & FIELD_MERGE))
		return NULL;
	if (f->type != FIELD_OBJECT)
		return "";
	return f->merge_key;
}

void list_fill_places(struct list_entries *e, size_t n_old, size_t n_deleted)
{
	size_t taken = 0;

	for (size_t i = 0; i < e->n && taken < n_deleted; i++)
		if (e->v[i].old_at < 0)
			e->v[i].old_at = (ptrdiff_t)(n_old + taken++);
}

/* Server-only items first, in the old order; then those of the patch, in its order. */
static int by_part(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;
	bool px = x->patch_at >= 0, py = y->patch_at >= 0;

	if (px != py)
		return px - py;
	ptrdiff_t i = px ? x->patch_at : x->old_at, j = px ? y->patch_at : y->old_at;
	return (i > j) - (i < j);
}

/* Returns how many are server-only. */
static size_t part(struct list_entries *e)
{
	size_t n = 0;

	if (e->n)
		qsort(e->v, e->n, sizeof *e->v, by_part);
	while (n < e->n && e->v[n].patch_at < 0)
		n++;
	return n;
}

struct node *list_in_order(struct doc *d, struct list_entries *e)
{
	struct node *out = node_seq(d);
	size_t split = part(e), i = 0, j = split;

	while (i < split || j < e->n) {
		bool left = j >= e->n;

		if (i < split && j < e->n)
			left = e->v[j].old_at >= 0 && e->v[i].old_at < e->v[j].old_at;
		node_add(d, out, e->v[left ? i++ : j++].value);
	}
	return out;
}
