/* cli/unified.h - the difference of two texts, line by line, with three lines of context. Pure. */
#pragma once

#include "base/str.h"

/* Appends "--- a", "+++ b" and hunks; nothing when the texts are equal. */
void unified_diff(struct str *out, const char *name_a, struct sv a, const char *name_b, struct sv b);
