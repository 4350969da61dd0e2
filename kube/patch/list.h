/* kube/patch/list.h - lists whose items are matched by key, and the order that a merge gives them. Inside patch/ only. */
#pragma once

#include "kube/patch/patch.h"
#include "base/vec.h"

/* The keys that tell items apart: "name", or "containerPort,protocol"; "" compares whole values (primitives). */
bool list_same(const struct node *a, const struct node *b, const char *keys);
/* The first item of list with the same keys as item, or -1. */
ptrdiff_t list_find(const struct node *list, const struct node *item, const char *keys);
/* Of a field, for its values: "" for a list of primitives, NULL: the list is replaced as a whole. */
const char *list_merge_key(const struct field *f);

struct list_entry { struct node *value; ptrdiff_t old_at, patch_at; };  /* positions in the old list and in the patch; -1 */
struct list_entries { struct list_entry *v; size_t n, cap; };

/* Kubernetes' order: items of the patch in its order, the others in the old one, each before what followed it there;
 * what is new comes first. */
struct node *list_in_order(struct doc *d, struct list_entries *e);
/* kustomize's: the patch's items first. */
struct node *list_patch_first(struct doc *d, struct list_entries *e);
