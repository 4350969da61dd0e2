/* render/chart/gotmpl/functions-helm.c - the functions that Helm adds (pkg/engine/funcs.go and engine.go there). */
#include "render/chart/gotmpl/functions.h"

static int helm_include(lua_State *lua)
{
	gotmpl_count(lua, "include", 2, 2);
	(void)gotmpl_check_string(lua, 1, "include");
	gotmpl_include(gotmpl_of(lua), lua_tostring(lua, 1), 2);
	return 1;
}

static int helm_tpl(lua_State *lua)
{
	gotmpl_count(lua, "tpl", 2, 2);
	gotmpl_tpl(gotmpl_of(lua), gotmpl_check_string(lua, 1, "tpl"), 2);
	return 1;
}

static int helm_fail(lua_State *lua)
{
	gotmpl_count(lua, "fail", 1, 1);
	return luaL_error(lua, "error calling fail: %s", gotmpl_check_string(lua, 1, "fail").p);
}

const luaL_Reg gotmpl_helm[] = {
	{ "include", helm_include }, { "tpl", helm_tpl }, { "fail", helm_fail },
	{ NULL, NULL }
};
