/* render/chart/lua/sandbox-internal.h - where the metatables of mappings and lists are kept in the registry. */
#pragma once

extern const char sandbox_map_key[], sandbox_list_key[];        /* lua_rawgetp(lua, LUA_REGISTRYINDEX, sandbox_map_key) */

#include <lua.h>
#include <stdbool.h>

bool sandbox_is_typed_list(lua_State *lua, int index);
bool sandbox_is_typed_map(lua_State *lua, int index);
