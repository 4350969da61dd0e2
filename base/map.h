/* base/map.h - hash map from byte strings to pointers, iterated in insertion order. */
#pragma once

#include "base/str.h"

struct map_slot { char *key; size_t key_n; uint64_t hash; void *value; };  /* key NULL: deleted */

struct map {                            /* { 0 } is the empty map */
	struct map_slot *slots;         /* in insertion order */
	size_t n, used, cap;            /* live entries; slots in use, deleted ones too; room */
	uint32_t *index;                /* open addressing: slot number + 1 */
	size_t index_cap;
};

void *map_get(const struct map *m, struct sv key);              /* NULL: absent */
void *map_put(struct map *m, struct sv key, void *value);       /* copies the key; returns the value replaced, or NULL */
void *map_del(struct map *m, struct sv key);                    /* returns the value removed, or NULL */
void map_free(struct map *m);                                   /* keys and table; values are the caller's */

/* struct map_slot *s; map_each(s, &m) use(s->key, s->value); deleting the current entry inside is allowed. */
#define map_each(s, m) for ((s) = (m)->slots; (s) && (s) < (m)->slots + (m)->used; (s)++) if ((s)->key)
