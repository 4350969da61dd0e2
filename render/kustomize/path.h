/* render/kustomize/path.h - paths of replacements and variables: "spec.containers.[name=web].env.*.value". */
#pragma once

#include "base/doc.h"
#include "base/vec.h"

struct parts { const char **v; size_t n, cap; };
struct nodes { struct node **v; size_t n, cap; };

#define PATH_NO_CREATE (-1)

/* Splits at dots; `\.` is a dot inside a part, and so are those between brackets. Texts live in the arena. */
void path_split(struct doc *arena, const char *path, struct parts *out);
/* The one node that a path leads to; *out is NULL when a part is absent. Wildcards are errors. */
MUST_CHECK int path_find(const struct node *root, const struct parts *path, struct node **out, struct err *err);
/* Every node that a path leads to. create: a node type that missing fields are made as at the end of the path, else
 * PATH_NO_CREATE. New nodes are made in d. */
MUST_CHECK int path_match(struct doc *d, struct node *root, const char *const *path, size_t n, int create, struct nodes *out,
			  struct err *err);
