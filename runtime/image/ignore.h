/* runtime/image/ignore.h - which files of a build context are not part of it. Pure. */
#pragma once

#include <stdbool.h>
#include "base/str.h"
#include "runtime/image/image.h"

/* .containerignore, else .dockerignore: lines of patterns; ! takes back; # comments. */
struct ignore { struct strings patterns; };
void ignore_parse(struct ignore *ig, struct sv text);
void ignore_free(struct ignore *ig);
bool ignore_matches(const struct ignore *ig, const char *path);         /* relative to the context */
/* an ignored directory may still hold wanted files */
bool ignore_has_exceptions(const struct ignore *ig);
