#include "base/node-index.h"
#include "base/map.h"

#include <stdlib.h>

#define FEW 64

struct node_index node_index_of(const struct node *map)
{
	struct node_index ix = { .map = map };
	struct member *m;

	if (!node_is(map, NODE_MAP) || map->n <= FEW)
		return ix;
	if (!(ix.at = calloc(1, sizeof *ix.at)))
		abort();
	node_members(m, map)
		map_put(ix.at, (struct sv){ m->key, m->key_n }, m->value);
	return ix;
}

struct node *node_index_get(const struct node_index *ix, struct sv key)
{
	return ix->at ? map_get(ix->at, key) : node_getn(ix->map, key);
}

void node_index_free(struct node_index *ix)
{
	if (ix->at)
		map_free(ix->at);
	free(ix->at);
}
