/* kube/patch/fields.h - sets of fields as trees in the form of managedFields (fieldsV1). Inside patch/ only.
 *
 * A tree is a map: "f:NAME" a member, `k:{"name":"web"}` an item of a list by its keys, `v:"x"` a value of a set, "."
 * the thing itself. An empty map is a leaf: that field as a whole. Trees are built in a document and then shared. */
#pragma once

#include "kube/kind.h"

/* Every field of an object; what names it and what is the server's is left out. */
struct node *fields_of(struct doc *d, const struct node *root, const struct type *type);
struct node *fields_union(struct doc *d, const struct node *a, const struct node *b);
struct node *fields_minus(struct doc *d, const struct node *a,
			  const struct node *b); /* leaves of a that are no leaves of b */
struct node *fields_both(struct doc *d, const struct node *a, const struct node *b);       /* leaves of both */
/* Leaves of `fields` whose value in b is another than in a, or is not in a. */
struct node *fields_changed(struct doc *d, const struct node *fields, const struct node *a, const struct node *b,
			    const struct type *type);
/* ".spec.containers[name=\"web\"].image" for each leaf. */
void fields_each_path(const struct node *fields, void (*fn)(void *arg, const char *path), void *arg);
/* Takes out of root what the leaves name; items and maps that nothing is left of go too. */
void fields_remove(struct node *root, const struct node *fields, const struct type *type);
/* config over live, by the kinds of lists and maps that the type says. */
struct node *fields_merge(struct doc *d, const struct node *live, const struct node *config, const struct type *type);
