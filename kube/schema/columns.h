/* kube/schema/columns.h - what `get` shows of an object: the cells of its kind's columns. Pure. */
#pragma once

#include "kube/kind.h"

/* One cell, appended as text; an integer's too (c->type says which those are). Empty where kubectl shows nothing. */
void column_text(const struct column *c, const struct node *object, int64_t now_ms, struct str *out);
void duration_short(int64_t ms, struct str *out);       /* as kubectl prints an age: "45s", "3m2s", "5h", "3d4h", "2y10d" */
