/* render/chart/gotmpl/literal.h - Go's literals: numbers, characters, strings. Each returns false for bad syntax. */
#pragma once

#include "base/str.h"

/* An integer (then *is_int) or a float: 1_000, 0x1F, 0b1, 0o17, 017, 1.5e3, 0x1p-2. */
bool literal_number(struct sv text, int64_t *i, double *f, bool *is_int);
bool literal_char(struct sv quoted, int64_t *code_point);       /* 'x', '\n', '\x41', '\u00e9' */
bool literal_string(struct sv quoted, struct str *out);         /* "..." with escapes, `...` as it is */
