#include "render/chart/gotmpl/functions.h"

#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/lua/sandbox.h"

const luaL_Reg *const gotmpl_tables[] = {
	gotmpl_go, gotmpl_strings, gotmpl_lists, gotmpl_dicts, gotmpl_math, gotmpl_formats, gotmpl_regex, gotmpl_encoding,
	gotmpl_words, gotmpl_time, gotmpl_randoms, gotmpl_crypto, gotmpl_certs, gotmpl_toml, gotmpl_helm, NULL
};

static bool is_among(struct sv name, const char *const *names)
{
	for (; *names; names++)
		if (sv_eq_c(name, *names))
			return true;
	return false;
}

bool gotmpl_wants_map(struct sv name)
{
	static const char *const names[] = { "get", "set", "unset", "hasKey", "pluck", "keys", "values", "pick", "omit", "merge",
					     "mustMerge", "mergeOverwrite", "mustMergeOverwrite", "dig", "urlJoin", NULL };

	return is_among(name, names);
}

bool gotmpl_has_function(struct sv name)
{
	static const char *const engine[] = { "include", "tpl", "and", "or", NULL };

	if (is_among(name, engine))
		return true;
	for (size_t i = 0; gotmpl_tables[i]; i++)
		for (const luaL_Reg *f = gotmpl_tables[i]; f->name; f++)
			if (sv_eq_c(name, f->name))
				return true;
	return false;
}

bool gotmpl_truth(lua_State *lua, int index)
{
	int64_t whole;

	if (sandbox_is_null(lua, index))
		return false;
	switch (lua_type(lua, index)) {
	case LUA_TBOOLEAN: return lua_toboolean(lua, index);
	case LUA_TNUMBER:  return lua_tonumber(lua, index) != 0;
	case LUA_TSTRING:  return lua_rawlen(lua, index) > 0;
	case LUA_TTABLE:
		lua_pushvalue(lua, index);
		lua_pushnil(lua);
		if (!lua_next(lua, -2)) {
			lua_pop(lua, 1);
			return false;
		}
		lua_pop(lua, 3);
		return true;
	default:
		return !sandbox_int_at(lua, index, &whole) || whole;
	}
}

void gotmpl_push_str(lua_State *lua, struct str *take)
{
	lua_pushlstring(lua, str_c(take), take->n);
	str_free(take);
}

int gotmpl_give(lua_State *lua, struct sv s)
{
	lua_pushlstring(lua, s.p, s.n);
	return 1;
}

int gotmpl_give_str(lua_State *lua, struct str *take)
{
	gotmpl_push_str(lua, take);
	return 1;
}

void gotmpl_push_null(lua_State *lua) { lua_pushlightuserdata(lua, NULL); }

void gotmpl_count(lua_State *lua, const char *name, int least, int most)
{
	int n = lua_gettop(lua);

	if (n < least || (most >= 0 && n > most))
		luaL_error(lua, "wrong number of args for %s: want %s%d got %d", name, most < 0 ? "at least " : "", least, n);
}

struct sv gotmpl_check_string(lua_State *lua, int index, const char *name)
{
	struct sv s = { "", 0 };

	if (lua_type(lua, index) == LUA_TSTRING)
		s.p = lua_tolstring(lua, index, &s.n);
	else
		luaL_error(lua, "%s: wrong type for argument %d; expected string; got %s", name, index, go_type_name(lua, index));
	return s;
}
