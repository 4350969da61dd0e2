/* base/semver.h - versions and ranges of versions, as Helm and Argo CD read them (Masterminds semver 3). Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct semver { uint64_t major, minor, patch; struct sv pre, build; };  /* pre and build borrow from the text */

bool semver_parse(struct sv text, struct semver *out);          /* "1.2.3-rc.1+b5"; also "v1.2.3", "1.2" and "1" */
int semver_cmp(const struct semver *a, const struct semver *b); /* precedence of semver.org: build does not count */

/* 1: v is in the range, 0: it is not, less than 0: the range cannot be read.
 * Ranges: = != > < >= <= ~ ^, wildcards (1.x, *), "1.2 - 2.3", `,` or white space for and, `||` for or. A version with
 * a pre-release part is only in ranges that name one themselves. */
MUST_CHECK int semver_match(struct sv range, const struct semver *v, struct err *err);
