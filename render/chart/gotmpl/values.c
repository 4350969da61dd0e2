#include "render/chart/gotmpl/values.h"

#include "render/chart/gotmpl/functions.h"
#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/lua/sandbox.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* ---- numbers ---- */

/* strconv.ParseInt(s, 0, 64) after cast has cut ".00" off; anything else is 0. */
static int64_t text_to_i64(const char *s)
{
	char *end;
	int base = 0;
	const char *digits = s + (*s == '-' || *s == '+');

	if (digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'B'))
		base = 2;
	if (digits[0] == '0' && (digits[1] == 'o' || digits[1] == 'O'))
		base = 8;
	errno = 0;
	long long v = strtoll(base ? digits + 2 : s, &end, base);
	if (end == s || errno || (*digits < '0' || *digits > '9'))
		return 0;
	if (*end == '.' && !end[1 + strspn(end + 1, "0")])
		end += strlen(end);
	if (*end)
		return 0;
	return base && *s == '-' ? -v : v;
}

int64_t value_to_i64(lua_State *lua, int index)
{
	int64_t whole = 0;
	double f;

	switch (lua_type(lua, index)) {
	case LUA_TNUMBER:
		if (lua_isinteger(lua, index))
			return lua_tointeger(lua, index);
		f = lua_tonumber(lua, index);
		return f >= -9.3e18 && f <= 9.2e18 ? (int64_t)f : INT64_MIN;
	case LUA_TBOOLEAN: return lua_toboolean(lua, index);
	case LUA_TSTRING:  return text_to_i64(lua_tostring(lua, index));
	default:
		(void)sandbox_int_at(lua, index, &whole);
		return whole;
	}
}

double value_to_double(lua_State *lua, int index)
{
	int64_t whole = 0;
	const char *s;
	char *end;
	double v;

	switch (lua_type(lua, index)) {
	case LUA_TNUMBER:  return lua_tonumber(lua, index);
	case LUA_TBOOLEAN: return lua_toboolean(lua, index);
	case LUA_TSTRING:
		s = lua_tostring(lua, index);
		v = strtod(s, &end);
		return end == s || *end ? 0 : v;
	default:
		(void)sandbox_int_at(lua, index, &whole);
		return (double)whole;
	}
}

/* ---- texts ---- */

void value_to_text(lua_State *lua, int index, struct str *out)
{
	struct sv s;

	if (lua_type(lua, index) == LUA_TSTRING) {
		s.p = lua_tolstring(lua, index, &s.n);
		str_add(out, s);
	} else {
		go_print(lua, index, out);
	}
}

static void push_text(lua_State *lua, int index)
{
	struct str text = { 0 };

	value_to_text(lua, index, &text);
	gotmpl_push_str(lua, &text);
}

void value_push_texts(lua_State *lua, int index)
{
	lua_Integer n = 0;

	index = lua_absindex(lua, index);
	sandbox_new_typed(lua, "[]string");
	if (sandbox_is_null(lua, index))
		return;
	if (!lua_istable(lua, index) || !sandbox_is_list(lua, index)) {
		push_text(lua, index);
		lua_rawseti(lua, -2, 1);
		return;
	}
	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, index); i++) {
		lua_rawgeti(lua, index, i);
		if (!sandbox_is_null(lua, -1)) {
			push_text(lua, lua_gettop(lua));
			lua_rawseti(lua, -3, ++n);
		}
		lua_pop(lua, 1);
	}
}

/* ---- tables ---- */

static void wrong_type(lua_State *lua, int index, const char *name, const char *want)
{
	luaL_error(lua, "%s: wrong type for argument %d; expected %s; got %s", name, index, want, go_type_name(lua, index));
}

int64_t value_check_int(lua_State *lua, int index, const char *name)
{
	if (!lua_isinteger(lua, index))
		wrong_type(lua, index, name, "int");
	return lua_tointeger(lua, index);
}

void value_check_list(lua_State *lua, int index, const char *name)
{
	if (!lua_istable(lua, index) || !sandbox_is_list(lua, index))
		wrong_type(lua, index, name, "a list");
}

void value_check_map(lua_State *lua, int index, const char *name)
{
	if (lua_isnil(lua, index) || sandbox_is_null(lua, index)) {     /* a nil map has no members */
		sandbox_new_map(lua);
		lua_replace(lua, index);
	}
	if (!lua_istable(lua, index) || !str_eq(go_type_name(lua, index), "map[string]interface {}"))
		wrong_type(lua, index, name, "map[string]interface {}");
}

static lua_Integer count(lua_State *lua, int index)
{
	lua_Integer n = 0;

	for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1))
		n++;
	return n;
}

static bool tables_equal(lua_State *lua, int a, int b)
{
	if (sandbox_is_list(lua, a) != sandbox_is_list(lua, b) || count(lua, a) != count(lua, b))
		return false;
	for (lua_pushnil(lua); lua_next(lua, a); lua_pop(lua, 2)) {
		lua_pushvalue(lua, -2);
		lua_rawget(lua, b);
		if (lua_isnil(lua, -1) || !value_equal(lua, lua_gettop(lua) - 1, lua_gettop(lua))) {
			lua_pop(lua, 3);
			return false;
		}
	}
	return true;
}

bool value_equal(lua_State *lua, int a, int b)
{
	a = lua_absindex(lua, a);
	b = lua_absindex(lua, b);
	luaL_checkstack(lua, 8, "nested too deeply");
	if (lua_istable(lua, a) && lua_istable(lua, b))
		return lua_rawequal(lua, a, b) ||
		       (str_eq(go_type_name(lua, a), go_type_name(lua, b)) && tables_equal(lua, a, b));
	int64_t ia, ib;
	if (sandbox_int_at(lua, a, &ia) && sandbox_int_at(lua, b, &ib))
		return ia == ib && str_eq(go_type_name(lua, a), go_type_name(lua, b));
	if (lua_type(lua, a) == LUA_TNUMBER && lua_type(lua, b) == LUA_TNUMBER && lua_isinteger(lua, a) != lua_isinteger(lua, b))
		return false;           /* an int and a float64 are different types */
	return lua_rawequal(lua, a, b);
}

void value_push_copy(lua_State *lua, int index)
{
	index = lua_absindex(lua, index);
	luaL_checkstack(lua, 8, "nested too deeply");
	if (!lua_istable(lua, index)) {
		lua_pushvalue(lua, index);
		return;
	}
	if (sandbox_is_list(lua, index))
		sandbox_new_list(lua);
	else
		sandbox_new_map(lua);
	for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
		lua_pushvalue(lua, -2);
		value_push_copy(lua, lua_gettop(lua) - 1);
		lua_rawset(lua, -5);
	}
}

void value_push_slice(lua_State *lua, int list, lua_Integer first, lua_Integer last)
{
	list = lua_absindex(lua, list);
	sandbox_new_list(lua);
	for (lua_Integer i = first; i <= last; i++) {
		lua_rawgeti(lua, list, i);
		lua_rawseti(lua, -2, i - first + 1);
	}
}

void value_push_keys(lua_State *lua, int index)
{
	lua_Integer n = 0;

	index = lua_absindex(lua, index);
	lua_getfield(lua, LUA_REGISTRYINDEX, "sort");
	sandbox_new_list(lua);
	for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
		lua_pushvalue(lua, -2);
		lua_rawseti(lua, -4, ++n);
	}
	lua_pushvalue(lua, -1);
	lua_insert(lua, -3);
	lua_call(lua, 1, 0);
}

/* ---- documents ---- */

void value_push_node(lua_State *lua, const struct node *n) { sandbox_push_floats(lua, n); }
