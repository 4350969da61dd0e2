/* render/chart/gotmpl/runtime.h - what compiled templates call that needs no engine: fields, ranges, errors. compile.h says what
 * each takes and gives. */
#pragma once

#include <lua.h>

int runtime_get_fields(lua_State *lua);         /* G */
int runtime_call_method(lua_State *lua);        /* M */
int runtime_range_over(lua_State *lua);         /* R */
int runtime_no_function(lua_State *lua);        /* C */
int runtime_no_command(lua_State *lua);         /* N */
int runtime_no_variable(lua_State *lua);        /* U */
int runtime_map_argument(lua_State *lua);       /* D */
