#include "kube/patch/list.h"

#include <stdlib.h>

/* Both have the key with equal values, or neither has it. */
static bool same_key(const struct node *a, const struct node *b, struct sv key)
{
	const struct node *x = node_getn(a, key), *y = node_getn(b, key);

	return x && y ? node_eq(x, y) : !x && !y;
}

bool list_same(const struct node *a, const struct node *b, const char *keys)
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

ptrdiff_t list_find(const struct node *list, const struct node *item, const char *keys)
{
	for (size_t i = 0; i < node_n(list); i++)
		if (list_same(list->items[i], item, keys))
			return (ptrdiff_t)i;
	return -1;
}

const char *list_merge_key(const struct field *f)
{
	if (!f || f->container != FIELD_LIST || !(f->flags & FIELD_MERGE))
		return NULL;
	if (f->type != FIELD_OBJECT)
		return "";
	return f->merge_key;
}

static int by_patch(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;

	return (x->patch_at > y->patch_at) - (x->patch_at < y->patch_at);
}

static int by_old(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;

	return (x->old_at > y->old_at) - (x->old_at < y->old_at);
}

/* Server-only items to the front, each part in its own order; returns how many are server-only. */
static size_t part(struct list_entries *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		if (e->v[i].patch_at >= 0)
			continue;
		struct list_entry t = e->v[i];

		memmove(e->v + n + 1, e->v + n, (i - n) * sizeof t);
		e->v[n++] = t;
	}
	if (n)
		qsort(e->v, n, sizeof *e->v, by_old);
	if (e->n - n)
		qsort(e->v + n, e->n - n, sizeof *e->v, by_patch);
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

struct node *list_patch_first(struct doc *d, struct list_entries *e)
{
	struct node *out = node_seq(d);
	size_t split = part(e);

	for (size_t i = split; i < e->n; i++)
		node_add(d, out, e->v[i].value);
	for (size_t i = 0; i < split; i++)
		node_add(d, out, e->v[i].value);
	return out;
}
