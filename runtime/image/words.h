/* runtime/image/words.h - words and variables of a Containerfile's arguments. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "runtime/image/image.h"

/* $NAME, ${NAME}, ${NAME:-default}, ${NAME:+other}; \$ is a dollar sign. Single quotes keep it all.
 * Quotes and other backslashes stay, for words_split() afterwards. ERR_INVALID without a position. */
struct scope { const struct strings *env, *args; bool plain; };     /* "K=V"; the environment comes first; plain: quotes are text */
MUST_CHECK int words_expand(const struct scope *s, struct sv text, char escape, struct str *out, struct err *err);
/* At white space; '...' and "..." keep it, and go away. */
MUST_CHECK int words_split(struct sv text, char escape, struct strings *out, struct err *err);
const char *env_find(const struct strings *env, struct sv name);        /* its value; NULL: not set */
void words_set(struct strings *env, struct sv name, const char *value);   /* replaces in place, or appends */
