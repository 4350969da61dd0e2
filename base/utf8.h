/* base/utf8.h - decoding and encoding UTF-8, with Go's answer to bad bytes: one U+FFFD for each. */
#pragma once

#include "base/str.h"

#define UTF8_REPLACEMENT 0xfffdu

/* The code point at *p (*p < end), which moves behind it; a bad byte is UTF8_REPLACEMENT and one step. */
uint32_t utf8_next(const char **p, const char *end);
/* As utf8_next, telling a bad byte from a U+FFFD that is really there. */
uint32_t utf8_decode(const char **p, const char *end, bool *valid);
void utf8_add(struct str *s, uint32_t code_point);
bool utf8_valid(struct sv s);
