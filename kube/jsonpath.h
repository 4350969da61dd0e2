/* kube/jsonpath.h - the part of JSON path that columns use: .a.b, ['a.b'], [0], [-1], [*], [?(@.type=="Ready")]. Pure. */
#pragma once

#include "base/doc.h"
#include "base/err.h"

MUST_CHECK int jsonpath_check(const char *path, struct err *err);               /* ERR_INVALID: where and why */
/* Calls fn for each node that the path finds, in order. */
void jsonpath_each(const struct node *root, struct sv path, void (*fn)(void *arg, const struct node *n), void *arg);
/* Appends what the path finds: texts as they are, objects and lists as JSON, several with a comma between. Returns how many. */
size_t jsonpath_text(const struct node *root, const char *path, struct str *out);
