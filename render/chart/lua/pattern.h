/* render/chart/lua/pattern.h - string.find, match, gmatch and gsub with Lua's patterns on PCRE2, whose match limit stops
 * what Lua's own matcher would go on with for minutes without ever meeting the instruction hook. */
#pragma once

#include <lua.h>

#include "base/err.h"
#include "base/str.h"

void pattern_open(lua_State *lua);      /* replaces the four functions, also as methods of strings */

/* A Lua pattern as a PCRE2 one; position captures `()` are marked in *positions, bit i for capture i + 1. Exported for
 * its test. Returns the number of captures. ERR_INVALID: malformed. */
MUST_CHECK int pattern_translate(struct sv lua_pattern, struct str *out, uint32_t *positions, struct err *err);
