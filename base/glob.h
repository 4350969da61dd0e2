/* base/glob.h - patterns of paths. Pure. */
#pragma once

#include "base/str.h"

/* * and ? do not match /, [a-z] and [^a-z] one character, \x is x, ** any number of directories. Never more than
 * GLOB_STEPS comparisons: a pattern that needs more does not match. */
#define GLOB_STEPS 100000
bool glob_match(struct sv pattern, struct sv path);
bool glob_is_pattern(struct sv s);
