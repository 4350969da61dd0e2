/* base/node-index.h - many look-ups in one map. Large maps get a table, so that comparing or merging two of them takes no
 * longer than they are long; small ones are searched. The map must not change meanwhile. AUTO(node_index) frees it. */
#pragma once

#include "base/doc.h"

struct node_index { const struct node *map; struct map *at; };         /* at: NULL for small maps; recursion keeps many of these */

struct node_index node_index_of(const struct node *map);                /* anything but a map: nothing is found */
struct node *node_index_get(const struct node_index *ix, struct sv key);
void node_index_free(struct node_index *ix);
