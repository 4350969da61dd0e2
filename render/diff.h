/* render/diff.h - what changes between two lists of objects, for people: object by object, field by field. */
#pragma once

#include "base/yaml.h"

/* Appends a paragraph for each object that was added, removed or changed; values of Secrets are masked. Objects that
 * differ in their hash, their namespace, or, as the only ones of their kind, their name count as changed. Returns how many
 * objects differ. */
size_t objects_diff(const struct docs *from, const struct docs *to, struct str *out);
