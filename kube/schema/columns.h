/* kube/schema/columns.h - what a column of `get` shows for an object. Pure. */
#pragma once

#include "kube/kind.h"

/* Appends the text; nothing when the column has no value for this object. now_ms (wall clock) is for ages. */
void column_text(const struct column *c, const struct node *root, int64_t now_ms, struct str *out);
/* Can the column's path be shown: a JSON path that is understood, or a function that exists? */
bool column_known(const struct column *c);
/* "3d4h": how kubectl writes a time span. */
void duration_text(int64_t ms, struct str *out);
