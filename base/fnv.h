/* base/fnv.h - the FNV-1a hash: for names and tables, never where somebody could gain by a collision. */
#pragma once

#include <stdint.h>
#include "base/str.h"

#define FNV32_START 0x811c9dc5u
#define FNV64_START 0xcbf29ce484222325u

/* Goes on from a hash, so that several pieces can be hashed as one text. */
static inline uint32_t fnv32(uint32_t h, struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x01000193u;
	return h;
}

static inline uint64_t fnv64(uint64_t h, struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h;
}
