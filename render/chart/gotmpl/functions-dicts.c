/* render/chart/gotmpl/functions-dicts.c - Sprig's functions of mappings, defaults and types (dict.go, defaults.go, reflect.go). */
#include "render/chart/gotmpl/functions.h"

#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

/* ---- mappings ---- */

/* dict key value...: keys are taken as texts; a key without a value gets "". */
static int f_dict(lua_State *lua)
{
	int n = lua_gettop(lua);

	sandbox_new_map(lua);
	for (int i = 1; i <= n; i += 2) {
		struct str key = { 0 };

		value_to_text(lua, i, &key);
		gotmpl_push_str(lua, &key);
		if (i < n)
			lua_pushvalue(lua, i + 1);
		else
			lua_pushliteral(lua, "");
		lua_rawset(lua, n + 1);
	}
	return 1;
}

static void open_map(lua_State *lua, const char *name, int args)
{
	gotmpl_count(lua, name, args, args);
	value_check_map(lua, 1, name);
}

static int f_get(lua_State *lua)
{
	open_map(lua, "get", 2);
	(void)gotmpl_check_string(lua, 2, "get");
	lua_pushvalue(lua, 2);
	if (lua_rawget(lua, 1) == LUA_TNIL)
		lua_pushliteral(lua, "");
	return 1;
}

static int f_set(lua_State *lua)
{
	if (sandbox_is_null(lua, 1))
		return luaL_error(lua, "error calling set: assignment to entry in nil map");
	open_map(lua, "set", 3);
	(void)gotmpl_check_string(lua, 2, "set");
	lua_rawset(lua, 1);
	return 1;
}

static int f_unset(lua_State *lua)
{
	open_map(lua, "unset", 2);
	(void)gotmpl_check_string(lua, 2, "unset");
	lua_pushnil(lua);
	lua_rawset(lua, 1);
	return 1;
}

static int f_has_key(lua_State *lua)
{
	open_map(lua, "hasKey", 2);
	(void)gotmpl_check_string(lua, 2, "hasKey");
	lua_pushboolean(lua, lua_rawget(lua, 1) != LUA_TNIL);
	return 1;
}

/* pluck key map...: the values that there are. */
static int f_pluck(lua_State *lua)
{
	gotmpl_count(lua, "pluck", 1, -1);
	(void)gotmpl_check_string(lua, 1, "pluck");
	int n = lua_gettop(lua);
	lua_Integer found = 0;

	sandbox_new_list(lua);
	for (int i = 2; i <= n; i++) {
		value_check_map(lua, i, "pluck");
		lua_pushvalue(lua, 1);
		if (lua_rawget(lua, i) == LUA_TNIL)
			lua_pop(lua, 1);
		else
			lua_rawseti(lua, n + 1, ++found);
	}
	return 1;
}

static int f_keys(lua_State *lua)
{
	int n = lua_gettop(lua);
	lua_Integer k = 0;

	sandbox_new_typed(lua, "[]string");
	for (int i = 1; i <= n; i++) {
		value_check_map(lua, i, "keys");
		value_push_keys(lua, i);
		for (lua_Integer j = 1; lua_rawgeti(lua, -1, j) != LUA_TNIL; j++)
			lua_rawseti(lua, n + 1, ++k);
		lua_pop(lua, 2);
	}
	return 1;
}

static int f_values(lua_State *lua)
{
	open_map(lua, "values", 1);
	sandbox_new_list(lua);
	value_push_keys(lua, 1);
	for (lua_Integer i = 1; lua_rawgeti(lua, 3, i) != LUA_TNIL; i++) {
		lua_rawget(lua, 1);
		lua_rawseti(lua, 2, i);
	}
	lua_settop(lua, 2);
	return 1;
}

/* A new mapping with the keys named (pick), or all but those (omit). */
static int selected(lua_State *lua, const char *name, bool pick)
{
	gotmpl_count(lua, name, 1, -1);
	value_check_map(lua, 1, name);
	int n = lua_gettop(lua);

	sandbox_new_map(lua);
	if (!pick)
		for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
			lua_pushvalue(lua, -2);
			lua_pushvalue(lua, -2);
			lua_rawset(lua, n + 1);
		}
	for (int i = 2; i <= n; i++) {
		(void)gotmpl_check_string(lua, i, name);
		lua_pushvalue(lua, i);
		lua_pushvalue(lua, i);
		if (pick)
			lua_rawget(lua, 1);
		else
			lua_pushnil(lua), lua_replace(lua, -2);
		lua_rawset(lua, n + 1);
	}
	return 1;
}

static int f_pick(lua_State *lua) { return selected(lua, "pick", true); }
static int f_omit(lua_State *lua) { return selected(lua, "omit", false); }

static bool is_map(lua_State *lua, int index) { return lua_istable(lua, index) && !sandbox_is_list(lua, index); }

/* mergo's rules: values of from go into `into` where it has none or an empty one; with overwrite wherever from has the
 * key. Mappings are merged, and shared where `into` had none. */
static void merge(lua_State *lua, int into, int from, bool overwrite)
{
	luaL_checkstack(lua, 8, "nested too deeply");
	for (lua_pushnil(lua); lua_next(lua, from); lua_pop(lua, 1)) {
		int value = lua_gettop(lua);

		lua_pushvalue(lua, value - 1);
		bool absent = lua_rawget(lua, into) == LUA_TNIL;
		if (!absent && is_map(lua, -1) && is_map(lua, value)) {
			merge(lua, lua_gettop(lua), value, overwrite);
		} else if (absent || overwrite || !gotmpl_truth(lua, -1)) {
			lua_pushvalue(lua, value - 1);
			lua_pushvalue(lua, value);
			lua_rawset(lua, into);
		}
		lua_settop(lua, value);
	}
}

static int merge_all(lua_State *lua, const char *name, bool overwrite)
{
	gotmpl_count(lua, name, 1, -1);
	int n = lua_gettop(lua);

	for (int i = 1; i <= n; i++)
		value_check_map(lua, i, name);
	for (int i = 2; i <= n; i++)
		merge(lua, 1, i, overwrite);
	lua_settop(lua, 1);
	return 1;
}

static int f_merge(lua_State *lua) { return merge_all(lua, "merge", false); }
static int f_merge_overwrite(lua_State *lua) { return merge_all(lua, "mergeOverwrite", true); }

/* dig key... default map */
static int f_dig(lua_State *lua)
{
	int n = lua_gettop(lua);

	if (n < 3)
		return luaL_error(lua, "error calling dig: dig needs at least three arguments");
	value_check_map(lua, n, "dig");
	lua_pushvalue(lua, n);
	for (int i = 1; i <= n - 2; i++) {
		(void)gotmpl_check_string(lua, i, "dig");
		if (!is_map(lua, -1))
			return luaL_error(lua, "error calling dig: %s is no mapping but %s", lua_tostring(lua, i - 1), go_type_name(lua, -1));
		lua_pushvalue(lua, i);
		if (lua_rawget(lua, -2) == LUA_TNIL) {
			lua_pushvalue(lua, n - 1);
			return 1;
		}
		lua_remove(lua, -2);
	}
	return 1;
}

static int f_deep_copy(lua_State *lua)
{
	gotmpl_count(lua, "deepCopy", 1, 1);
	if (sandbox_is_null(lua, 1))
		return luaL_error(lua, "error calling deepCopy: of nil");
	value_push_copy(lua, 1);
	return 1;
}

static int f_deep_equal(lua_State *lua)
{
	gotmpl_count(lua, "deepEqual", 2, 2);
	lua_pushboolean(lua, value_equal(lua, 1, 2));
	return 1;
}

/* ---- defaults ---- */

static int f_default(lua_State *lua)
{
	gotmpl_count(lua, "default", 1, -1);
	lua_pushvalue(lua, lua_gettop(lua) > 1 && gotmpl_truth(lua, 2) ? 2 : 1);       /* what follows is not looked at, as in Sprig */
	return 1;
}

static int f_empty(lua_State *lua)
{
	gotmpl_count(lua, "empty", 1, 1);
	lua_pushboolean(lua, !gotmpl_truth(lua, 1));
	return 1;
}

static int f_coalesce(lua_State *lua)
{
	for (int i = 1; i <= lua_gettop(lua); i++)
		if (gotmpl_truth(lua, i)) {
			lua_pushvalue(lua, i);
			return 1;
		}
	gotmpl_push_null(lua);
	return 1;
}

static int f_all(lua_State *lua)
{
	bool all = true;

	for (int i = 1; i <= lua_gettop(lua); i++)
		all = all && gotmpl_truth(lua, i);
	lua_pushboolean(lua, all);
	return 1;
}

static int f_any(lua_State *lua)
{
	bool any = false;

	for (int i = 1; i <= lua_gettop(lua); i++)
		any = any || gotmpl_truth(lua, i);
	lua_pushboolean(lua, any);
	return 1;
}

static int f_ternary(lua_State *lua)
{
	gotmpl_count(lua, "ternary", 3, 3);
	if (!lua_isboolean(lua, 3))
		return luaL_error(lua, "error calling ternary: wrong type for argument 3; expected bool; got %s", go_type_name(lua, 3));
	lua_pushvalue(lua, lua_toboolean(lua, 3) ? 1 : 2);
	return 1;
}

/* ---- types ---- */

/* reflect's kind of a type: the types that have a name of their own are structs, or what the table says. */
static const char *kind_name(lua_State *lua, int index)
{
	static const struct { const char *start, *kind; } kinds[] = {
		{ "[]", "slice" }, { "map[", "map" }, { "<nil>", "invalid" }, { "func()", "func" }, { "*", "ptr" },
		{ "chartutil.VersionSet", "slice" }, { "chartutil.Values", "map" }, { "engine.files", "map" },
		{ "time.Time", "struct" }, { "chart.", "struct" }, { "chartutil.", "struct" },
	};
	const char *type = go_type_name(lua, index);

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (sv_starts(sv_c(type), sv_c(kinds[i].start)))
			return kinds[i].kind;
	return type;
}

static int f_kind_of(lua_State *lua)
{
	gotmpl_count(lua, "kindOf", 1, 1);
	lua_pushstring(lua, kind_name(lua, 1));
	return 1;
}

static int f_kind_is(lua_State *lua)
{
	gotmpl_count(lua, "kindIs", 2, 2);
	lua_pushboolean(lua, sv_eq_c(gotmpl_check_string(lua, 1, "kindIs"), kind_name(lua, 2)));
	return 1;
}

static int f_type_of(lua_State *lua)
{
	gotmpl_count(lua, "typeOf", 1, 1);
	lua_pushstring(lua, go_type_name(lua, 1));
	return 1;
}

static int f_type_is(lua_State *lua)
{
	gotmpl_count(lua, "typeIs", 2, 2);
	lua_pushboolean(lua, sv_eq_c(gotmpl_check_string(lua, 1, "typeIs"), go_type_name(lua, 2)));
	return 1;
}

static int f_type_is_like(lua_State *lua)
{
	gotmpl_count(lua, "typeIsLike", 2, 2);
	struct sv want = gotmpl_check_string(lua, 1, "typeIsLike"), got = sv_c(go_type_name(lua, 2));

	/* A pointer's type matches with and without its star. */
	lua_pushboolean(lua, sv_eq(want, got) || (sv_starts(got, SV("*")) && sv_eq(want, sv_drop(got, 1))) ||
				     (sv_starts(want, SV("*")) && sv_eq(sv_drop(want, 1), got)));
	return 1;
}

const luaL_Reg gotmpl_dicts[] = {
	{ "dict", f_dict }, { "get", f_get }, { "set", f_set }, { "unset", f_unset }, { "hasKey", f_has_key }, { "pluck", f_pluck },
	{ "keys", f_keys }, { "values", f_values }, { "pick", f_pick }, { "omit", f_omit }, { "dig", f_dig },
	{ "merge", f_merge }, { "mustMerge", f_merge }, { "mergeOverwrite", f_merge_overwrite },
	{ "mustMergeOverwrite", f_merge_overwrite }, { "deepCopy", f_deep_copy }, { "mustDeepCopy", f_deep_copy },
	{ "deepEqual", f_deep_equal }, { "default", f_default }, { "empty", f_empty }, { "coalesce", f_coalesce },
	{ "all", f_all }, { "any", f_any }, { "ternary", f_ternary },
	{ "kindOf", f_kind_of }, { "kindIs", f_kind_is }, { "typeOf", f_type_of }, { "typeIs", f_type_is },
	{ "typeIsLike", f_type_is_like },
	{ NULL, NULL }
};
