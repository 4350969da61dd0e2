#include "base/map.h"

#include "base/fnv.h"

#include <stdlib.h>

static uint64_t hash_of(struct sv key)
{
	uint64_t h = fnv64(FNV64_START, key);

	return h ^ (h >> 29);   /* mixed: the table is a power of two */
}

static uint32_t *find(const struct map *m, struct sv key, uint64_t hash)
{
	for (size_t i = hash & (m->index_cap - 1);; i = (i + 1) & (m->index_cap - 1)) {
		uint32_t at = m->index[i];

		if (!at)
			return &m->index[i];
		const struct map_slot *s = &m->slots[at - 1];
		if (s->key && s->hash == hash && s->key_n == key.n && (!key.n || !memcmp(s->key, key.p, key.n)))
			return &m->index[i];
	}
}

/* Drops deleted slots, and makes room for one more. */
static void rebuild(struct map *m)
{
	size_t live = 0, index_cap = 16;

	for (size_t i = 0; i < m->used; i++)
		if (m->slots[i].key)
			m->slots[live++] = m->slots[i];
	m->used = live;
	if (live + 1 > m->cap / 2 || !m->cap) {
		m->cap = m->cap ? m->cap * 2 : 8;
		m->slots = realloc(m->slots, m->cap * sizeof *m->slots);
	}
	while (index_cap < m->cap * 2)
		index_cap *= 2;
	free(m->index);
	m->index = calloc(index_cap, sizeof *m->index);
	if (!m->slots || !m->index)
		abort();
	m->index_cap = index_cap;
	for (size_t i = 0; i < live; i++)
		*find(m, (struct sv){ m->slots[i].key, m->slots[i].key_n }, m->slots[i].hash) = (uint32_t)i + 1;
}

void *map_get(const struct map *m, struct sv key)
{
	uint32_t at = m->index_cap ? *find(m, key, hash_of(key)) : 0;

	return at ? m->slots[at - 1].value : NULL;
}

void *map_put(struct map *m, struct sv key, void *value)
{
	uint64_t hash = hash_of(key);
	uint32_t *at = m->index_cap ? find(m, key, hash) : NULL;

	if (at && *at) {
		void *old = m->slots[*at - 1].value;
		m->slots[*at - 1].value = value;
		return old;
	}
	if (m->used == m->cap)
		rebuild(m);
	m->slots[m->used++] = (struct map_slot){ sv_dup(key), key.n, hash, value };
	m->n++;
	*find(m, key, hash) = (uint32_t)m->used;
	return NULL;
}

void *map_del(struct map *m, struct sv key)
{
	uint32_t at = m->index_cap ? *find(m, key, hash_of(key)) : 0;

	if (!at)
		return NULL;
	struct map_slot *s = &m->slots[at - 1];         /* its index entry stays, so that probing goes past it */
	void *old = s->value;
	free(s->key);
	*s = (struct map_slot){ .hash = s->hash };
	m->n--;
	return old;
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->used; i++)
		free(m->slots[i].key);
	free(m->slots);
	free(m->index);
	*m = (struct map){ 0 };
}
