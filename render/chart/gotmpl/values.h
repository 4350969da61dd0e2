/* render/chart/gotmpl/values.h - arguments of template functions as C values, with Go's and Sprig's conversions. */
#pragma once

#include <lua.h>

#include "base/doc.h"

/* spf13/cast, as Sprig uses it: what cannot be converted is 0. "0x1F", "017" and "0b1" are read with their base, bool is 0
 * or 1, floats are cut. */
int64_t value_to_i64(lua_State *lua, int index);
double value_to_double(lua_State *lua, int index);
/* Sprig's strval: strings as they are, everything else as %v prints it. Appends. */
void value_to_text(lua_State *lua, int index, struct str *out);
/* Sprig's strslice: texts of a list's items without nil; of a single value that one. Pushes a list. */
void value_push_texts(lua_State *lua, int index);

/* Raises unless the argument is of the kind that the function's Go type wants. */
void value_check_list(lua_State *lua, int index, const char *name);
void value_check_map(lua_State *lua, int index, const char *name);      /* a nil map becomes an empty one */
int64_t value_check_int(lua_State *lua, int index, const char *name);  /* an int: no float, and no int64 either */

bool value_equal(lua_State *lua, int a, int b);                 /* reflect.DeepEqual */
void value_push_copy(lua_State *lua, int index);                /* deep */
/* A list with the items first..last (from 1) of another. */
void value_push_slice(lua_State *lua, int list, lua_Integer first, lua_Integer last);
/* Keys of a mapping, sorted, as a list. */
void value_push_keys(lua_State *lua, int index);
void value_push_node(lua_State *lua, const struct node *n);     /* with all numbers as floats, as Helm's parsers give them */
