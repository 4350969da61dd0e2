/* render/chart/gotmpl/functions-helm.c - the functions that Helm adds (pkg/engine/funcs.go and engine.go there). */
#include "render/chart/gotmpl/functions.h"

#include "render/chart/lua/sandbox.h"

static int helm_fail(lua_State *lua)
{
	gotmpl_count(lua, "fail", 1, 1);
	return luaL_error(lua, "error calling fail: %s", gotmpl_check_string(lua, 1, "fail").p);
}

/* required message value: nil and "" are what is missing. */
static int helm_required(lua_State *lua)
{
	gotmpl_count(lua, "required", 2, 2);
	struct sv message = gotmpl_check_string(lua, 1, "required");

	if (sandbox_is_null(lua, 2) || (lua_type(lua, 2) == LUA_TSTRING && !lua_rawlen(lua, 2)))
		return luaL_error(lua, "error calling required: %s", message.p);
	lua_pushvalue(lua, 2);
	return 1;
}

/* Rendering is pure: there is no cluster to look at, as with `helm template`. */
static int helm_lookup(lua_State *lua)
{
	gotmpl_count(lua, "lookup", 4, 4);
	sandbox_new_map(lua);
	return 1;
}

const luaL_Reg gotmpl_helm[] = {
	{ "fail", helm_fail }, { "required", helm_required }, { "lookup", helm_lookup },
	{ NULL, NULL }
};
