#include "base/doc-internal.h"

#define FEW 24          /* so many keys are compared one by one; above, they go into a table */

struct member *stack_find(const struct doc_stack *s, size_t from, struct sv key, struct map *seen)
{
	size_t n = s->members.n - from;

	if (!n)
		return NULL;
	struct member *v = s->members.v + from;
	if (n < FEW) {
		for (size_t i = 0; i < n; i++)
			if (v[i].key_n == key.n && !memcmp(v[i].key, key.p, key.n))
				return &v[i];
		return NULL;
	}
	for (size_t i = seen->n; i < n; i++)    /* the table holds positions + 1 */
		map_put(seen, (struct sv){ v[i].key, v[i].key_n }, (void *)(i + 1));
	uintptr_t at = (uintptr_t)map_get(seen, key);
	return at ? &v[at - 1] : NULL;
}

void stack_close_map(struct doc_stack *s, struct doc *d, struct node *map, size_t from)
{
	map->n = map->cap = (uint32_t)(s->members.n - from);
	map->members = doc_raw(d, map->n * sizeof *map->members);
	if (map->n)
		memcpy(map->members, s->members.v + from, map->n * sizeof *map->members);
	s->members.n = from;
}

void stack_close_seq(struct doc_stack *s, struct doc *d, struct node *seq, size_t from)
{
	seq->n = seq->cap = (uint32_t)(s->items.n - from);
	seq->items = doc_raw(d, seq->n * sizeof *seq->items);
	if (seq->n)
		memcpy(seq->items, s->items.v + from, seq->n * sizeof *seq->items);
	s->items.n = from;
}

void stack_free(struct doc_stack *s)
{
	vec_free(&s->items);
	vec_free(&s->members);
}
