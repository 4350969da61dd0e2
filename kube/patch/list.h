/* kube/patch/list.h - lists whose items are matched by key, and the order that a merge gives them. Inside patch/ only. */
#pragma once

#include "kube/patch/patch.h"
#include "base/vec.h"

/* Finds items by the keys that tell them apart: "name", or "containerPort,protocol"; "" compares whole values (primitives).
 * Long lists get a table, so that a patch takes no longer than the lists are long. AUTO(list_index) frees it. */
struct list_index { const struct node *list; const char *keys; struct map *at; };       /* at: NULL for short lists */

struct list_index list_index_of(const struct node *list, const char *keys);             /* list may be NULL: nothing is found */
ptrdiff_t list_index_find(const struct list_index *ix, const struct node *item);        /* the first with the same keys, or -1 */
const struct node *list_index_get(const struct list_index *ix, const struct node *item);        /* the same; NULL: none */
void list_index_free(struct list_index *ix);

/* Of a field, for its values: "" for a list of primitives, NULL: the list is replaced as a whole. */
const char *list_merge_key(const struct field *f);

struct list_entry { struct node *value; ptrdiff_t old_at, patch_at; };  /* positions in the old list and in the patch; -1 */
struct list_entries { struct list_entry *v; size_t n, cap; };

/* Of items that are new, as many as old ones were deleted count as the last of the old list: Kubernetes puts them into the
 * places that became free, and what it orders by is that list. To be called before list_in_order(). */
void list_fill_places(struct list_entries *e, size_t n_old, size_t n_deleted);
/* Kubernetes' order: items of the patch in its order, the others in the old one, each before what followed it there;
 * what is new comes first. */
struct node *list_in_order(struct doc *d, struct list_entries *e);
