#include "render/chart/gotmpl/runtime.h"

#include <lauxlib.h>

#include "render/chart/gotmpl/functions.h"
#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/lua/sandbox.h"

/* ---- fields ---- */

/* One field of the value on top, which it replaces. start: the value begins the chain, where nil has nil fields. */
static void field(lua_State *lua, const char *name, bool start)
{
	if (sandbox_is_null(lua, -1)) {
		if (!start)
			luaL_error(lua, "nil pointer evaluating interface {}.%s", name);
		return;
	}
	if (lua_istable(lua, -1) && luaL_getmetafield(lua, -1, "__methods") != LUA_TNIL) {
		if (lua_getfield(lua, -1, name) != LUA_TNIL) {
			lua_replace(lua, -3);
			lua_pop(lua, 1);
			return;
		}
		lua_pop(lua, 2);
	}
	if (!lua_istable(lua, -1) || sandbox_is_list(lua, -1)) {
		luaL_error(lua, "can't evaluate field %s in type %s", name, start ? go_type_name(lua, -1) : "interface {}");
		return;
	}
	if (lua_getfield(lua, -1, name) == LUA_TNIL) {
		if (luaL_getmetafield(lua, -2, "__struct") != LUA_TNIL)
			luaL_error(lua, "can't evaluate field %s in type %s", name, go_type_name(lua, -3));
		if (gotmpl_keys_required(gotmpl_of(lua)))
			luaL_error(lua, "map has no entry for key \"%s\"", name);
		lua_pop(lua, 1);
		gotmpl_push_null(lua);
	}
	lua_remove(lua, -2);
}

/* The fields named at first..last, of the value at 1; on top of the stack. */
static void fields(lua_State *lua, int first, int last)
{
	bool nil_start = sandbox_is_null(lua, 1);

	lua_pushvalue(lua, 1);
	for (int i = first; i <= last; i++)
		field(lua, lua_tostring(lua, i), i == first || nil_start);
}

/* G(value, name...) */
int runtime_get_fields(lua_State *lua)
{
	fields(lua, 2, lua_gettop(lua));
	if (lua_isfunction(lua, -1))
		lua_call(lua, 0, 1);
	return 1;
}

/* M(value, n, name..., argument...) */
int runtime_call_method(lua_State *lua)
{
	int n = (int)lua_tointeger(lua, 2), top = lua_gettop(lua);

	fields(lua, 3, 2 + n);
	if (!lua_isfunction(lua, -1))
		return luaL_error(lua, "%s is not a method but has arguments", lua_tostring(lua, 2 + n));
	for (int i = 3 + n; i <= top; i++)
		lua_pushvalue(lua, i);
	lua_call(lua, top - 2 - n, 1);
	return 1;
}

/* ---- range ---- */

static int next_item(lua_State *lua)
{
	lua_Integer i = lua_isnil(lua, 2) ? 0 : lua_tointeger(lua, 2) + 1;

	if (i >= (lua_Integer)lua_rawlen(lua, 1))
		return lua_pushnil(lua), 1;
	lua_pushinteger(lua, i);
	lua_rawgeti(lua, 1, i + 1);
	return 2;
}

static int next_number(lua_State *lua)
{
	lua_Integer i = lua_isnil(lua, 2) ? 0 : lua_tointeger(lua, 2) + 1;

	if (i >= lua_tointeger(lua, 1))
		return lua_pushnil(lua), 1;
	lua_pushinteger(lua, i);
	lua_pushinteger(lua, i);
	return 2;
}

static int next_nothing(lua_State *lua) { return lua_pushnil(lua), 1; }

/* R(value): the three values of Lua's generic for. Mappings go in the order of their keys, by the sandbox's pairs(). */
int runtime_range_over(lua_State *lua)
{
	lua_CFunction next = next_nothing;
	int64_t whole;

	lua_settop(lua, 1);
	if (sandbox_int_at(lua, 1, &whole)) {
		lua_pushinteger(lua, whole);
		lua_replace(lua, 1);
		next = next_number;
	} else if (lua_istable(lua, 1) && !sandbox_is_list(lua, 1)) {
		lua_getglobal(lua, "pairs");
		lua_insert(lua, 1);
		lua_call(lua, 1, 2);
		return 2;
	} else if (lua_istable(lua, 1)) {
		next = next_item;
	} else if (!sandbox_is_null(lua, 1)) {
		struct str text = { 0 };

		go_print(lua, 1, &text);
		gotmpl_push_str(lua, &text);
		return luaL_error(lua, "range can't iterate over %s", lua_tostring(lua, -1));
	}
	lua_pushcfunction(lua, next);
	lua_insert(lua, 1);
	return 2;
}

/* ---- errors ---- */

int runtime_no_function(lua_State *lua) { return luaL_error(lua, "can't give argument to non-function %s", lua_tostring(lua, 1)); }
int runtime_no_variable(lua_State *lua) { return luaL_error(lua, "undefined variable: %s", lua_tostring(lua, 1)); }

/* D(value, name): an argument that is a field. Of a function of a mapping it must not be nil, which a variable may be. */
int runtime_map_argument(lua_State *lua)
{
	if (sandbox_is_null(lua, 1))
		return luaL_error(lua, "wrong type for value; expected map[string]interface {}; got interface {}");
	lua_settop(lua, 1);
	return 1;
}

int runtime_no_command(lua_State *lua) { return luaL_error(lua, "nil is not a command"); }
