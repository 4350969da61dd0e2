/* render/diff.h - what changes between two lists of objects, for people: object by object, field by field. */
#pragma once

#include "base/yaml.h"

/* Appends a paragraph for each object that was added, removed or changed; values of Secrets are masked. An object whose
 * generated name has only another hash counts as changed. Returns how many objects differ. */
size_t objects_diff(const struct docs *from, const struct docs *to, struct str *out);
