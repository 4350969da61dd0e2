/* render/chart/lua/sandbox-internal.h - where the metatables of mappings and lists are kept in the registry. */
#pragma once

extern const char sandbox_map_key[], sandbox_list_key[];        /* lua_rawgetp(lua, LUA_REGISTRYINDEX, sandbox_map_key) */
