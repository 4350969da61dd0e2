/* render/chart/lua/typed.c - values of Go types that Lua has no kind for: integers that are no int, lists and mappings whose
 * items have a type. Each type is a metatable in the registry, by Go's name of it. */
#include "render/chart/lua/sandbox-internal.h"
#include "render/chart/lua/sandbox.h"

#include <lauxlib.h>
#include <string.h>

/* Pushes the metatable of a type. */
static void push_type(lua_State *lua, const char *type)
{
	if (!luaL_newmetatable(lua, type))
		return;
	lua_pushstring(lua, type);
	lua_setfield(lua, -2, "__type");
	lua_pushboolean(lua, 0);
	lua_setfield(lua, -2, "__metatable");
	lua_pushboolean(lua, 1);
	lua_setfield(lua, -2, *type == '[' ? "__list" : *type == 'm' ? "__map" : "__int");
}

void sandbox_push_int(lua_State *lua, int64_t v, const char *type)
{
	int64_t *at = lua_newuserdatauv(lua, sizeof v, 0);

	*at = v;
	push_type(lua, type);
	lua_setmetatable(lua, -2);
}

static bool has_mark(lua_State *lua, int index, const char *mark)
{
	if (luaL_getmetafield(lua, index, mark) == LUA_TNIL)
		return false;
	lua_pop(lua, 1);
	return true;
}

bool sandbox_int_at(lua_State *lua, int index, int64_t *out)
{
	if (lua_isinteger(lua, index)) {
		*out = lua_tointeger(lua, index);
		return true;
	}
	if (lua_type(lua, index) != LUA_TUSERDATA || !has_mark(lua, index, "__int"))
		return false;
	memcpy(out, lua_touserdata(lua, index), sizeof *out);
	return true;
}

void sandbox_new_typed(lua_State *lua, const char *type)
{
	lua_newtable(lua);
	push_type(lua, type);
	lua_setmetatable(lua, -2);
}

bool sandbox_is_typed_list(lua_State *lua, int index) { return has_mark(lua, index, "__list"); }
bool sandbox_is_typed_map(lua_State *lua, int index) { return has_mark(lua, index, "__map"); }
