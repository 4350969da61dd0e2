/* base/regex.h - regular expressions as Go writes them (RE2), on PCRE2, bounded in time and memory. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct regex { char *literal; void *code; };    /* one of them; { 0 } matches everything */

/* As Go's regexp reads a pattern: back references and look-around are errors. whole: it must match all of a text. */
MUST_CHECK int regex_init(struct regex *r, const char *pattern, bool whole, struct err *err);
/* Where the first match at or after `from` lies: spans[0] the whole, spans[1..] the groups, of which at most n - 1 are
 * given; a group without a match has p NULL. 1, 0, or ERR_TOO_LARGE. Not for `whole` expressions. */
MUST_CHECK int regex_find(const struct regex *r, struct sv text, size_t from, struct sv *spans, size_t n, struct err *err);
size_t regex_groups(const struct regex *r);
int regex_group_named(const struct regex *r, struct sv name);   /* its number, or -1 */
/* 1, 0, or ERR_TOO_LARGE when it takes too many steps. */
MUST_CHECK int regex_matches(const struct regex *r, struct sv text, struct err *err);
void regex_free(struct regex *r);
