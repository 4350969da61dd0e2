/* runtime/image/glob.h - path patterns of COPY and of ignore files. Pure. */
#pragma once

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"
#include "runtime/image/image.h"

/* * and ? do not match /, [a-z] and [^a-z] one character, \x is x, ** any number of directories. Never more than
 * GLOB_STEPS comparisons: a pattern that needs more does not match. */
#define GLOB_STEPS 100000
bool glob_match(struct sv pattern, struct sv path);
bool glob_is_pattern(struct sv s);

/* .containerignore, else .dockerignore: lines of patterns; ! takes back; # comments. */
struct ignore { struct strings patterns; };
void ignore_parse(struct ignore *ig, struct sv text);
void ignore_free(struct ignore *ig);
bool ignore_matches(const struct ignore *ig, const char *path);         /* relative to the context */
bool ignore_has_exceptions(const struct ignore *ig);                    /* an ignored directory may still hold wanted files */
