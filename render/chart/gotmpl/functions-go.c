/* render/chart/gotmpl/functions-go.c - the functions of Go's text/template (funcs.go there). */
#include "render/chart/gotmpl/functions.h"

#include "base/utf8.h"
#include "render/chart/gotmpl/engine.h"
#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/gotmpl/goquote.h"
#include "render/chart/lua/sandbox.h"

#include <ctype.h>

static int go_not(lua_State *lua)
{
	gotmpl_count(lua, "not", 1, 1);
	lua_pushboolean(lua, !gotmpl_truth(lua, 1));
	return 1;
}

/* ---- comparison ---- */

enum basic { BASIC_NONE, BASIC_BOOL, BASIC_INT, BASIC_FLOAT, BASIC_STRING };

static enum basic basic_of(lua_State *lua, int index)
{
	switch (lua_type(lua, index)) {
	case LUA_TBOOLEAN: return BASIC_BOOL;
	case LUA_TNUMBER:  return lua_isinteger(lua, index) ? BASIC_INT : BASIC_FLOAT;
	case LUA_TSTRING:  return BASIC_STRING;
	default:           return sandbox_int_at(lua, index, &(int64_t){ 0 }) ? BASIC_INT : BASIC_NONE;
	}
}

/* Replaces an int64 and its like by the int of the same value: for comparisons. */
static void to_int(lua_State *lua, int index)
{
	int64_t v;

	if (lua_type(lua, index) == LUA_TUSERDATA && sandbox_int_at(lua, index, &v)) {
		lua_pushinteger(lua, v);
		lua_replace(lua, index);
	}
}

static void compare_ints(lua_State *lua)
{
	for (int i = 1; i <= lua_gettop(lua); i++)
		to_int(lua, i);
}

static int fail(lua_State *lua, const char *name, const char *what) { return luaL_error(lua, "error calling %s: %s", name, what); }

/* nil equals nil only; values of different basic kinds cannot be compared, and tables cannot at all. */
static bool equal(lua_State *lua, const char *name, int a, int b)
{
	enum basic ka = basic_of(lua, a), kb = basic_of(lua, b);
	bool nil_a = sandbox_is_null(lua, a), nil_b = sandbox_is_null(lua, b);

	if (nil_a || nil_b)
		return nil_a && nil_b;
	if (ka == BASIC_NONE || kb == BASIC_NONE)
		fail(lua, name, ka == kb ? "non-comparable type" : "incompatible types for comparison");
	if (ka != kb)
		fail(lua, name, "incompatible types for comparison");
	return lua_rawequal(lua, a, b);
}

static int go_eq(lua_State *lua)
{
	bool found = false;

	gotmpl_count(lua, "eq", 1, -1);
	if (lua_gettop(lua) < 2)
		return fail(lua, "eq", "missing argument for comparison");
	compare_ints(lua);
	for (int i = 2; i <= lua_gettop(lua) && !found; i++)
		found = equal(lua, "eq", 1, i);
	lua_pushboolean(lua, found);
	return 1;
}

static int go_ne(lua_State *lua)
{
	gotmpl_count(lua, "ne", 2, 2);
	compare_ints(lua);
	lua_pushboolean(lua, !equal(lua, "ne", 1, 2));
	return 1;
}

static bool less(lua_State *lua, const char *name, int a, int b)
{
	enum basic ka = basic_of(lua, a), kb = basic_of(lua, b);

	if (ka == BASIC_NONE || kb == BASIC_NONE || ka == BASIC_BOOL)
		fail(lua, name, "invalid type for comparison");
	if (ka != kb)
		fail(lua, name, "incompatible types for comparison");
	if (ka == BASIC_STRING) {
		struct sv sa, sb;

		sa.p = lua_tolstring(lua, a, &sa.n);
		sb.p = lua_tolstring(lua, b, &sb.n);
		return sv_cmp(sa, sb) < 0;
	}
	return lua_compare(lua, a, b, LUA_OPLT);
}

static int compared(lua_State *lua, const char *name, int a, int b, bool negate)
{
	gotmpl_count(lua, name, 2, 2);
	compare_ints(lua);
	lua_pushboolean(lua, less(lua, name, a, b) != negate);
	return 1;
}

static int go_lt(lua_State *lua) { return compared(lua, "lt", 1, 2, false); }
static int go_gt(lua_State *lua) { return compared(lua, "gt", 2, 1, false); }
static int go_le(lua_State *lua) { return compared(lua, "le", 2, 1, true); }
static int go_ge(lua_State *lua) { return compared(lua, "ge", 1, 2, true); }

/* ---- lengths and items ---- */

static lua_Integer count_members(lua_State *lua, int index)
{
	lua_Integer n = 0;

	for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1))
		n++;
	return n;
}

static int go_len(lua_State *lua)
{
	gotmpl_count(lua, "len", 1, 1);
	if (sandbox_is_null(lua, 1))
		return fail(lua, "len", "len of nil pointer");
	if (lua_istable(lua, 1))
		lua_pushinteger(lua, sandbox_is_list(lua, 1) ? (lua_Integer)lua_rawlen(lua, 1) : count_members(lua, 1));
	else if (lua_type(lua, 1) == LUA_TSTRING)
		lua_pushinteger(lua, (lua_Integer)lua_rawlen(lua, 1));
	else
		return luaL_error(lua, "error calling len: len of type %s", go_type_name(lua, 1));
	return 1;
}

/* Replaces the value on top by its item at the index given at `at`. */
static int item(lua_State *lua, int at)
{
	if (sandbox_is_null(lua, -1))
		return fail(lua, "index", "index of nil pointer");
	bool text = lua_type(lua, -1) == LUA_TSTRING;
	if (!text && !lua_istable(lua, -1))
		return luaL_error(lua, "error calling index: can't index item of type %s", go_type_name(lua, -1));
	if (text || sandbox_is_list(lua, -1)) {
		lua_Integer n = (lua_Integer)lua_rawlen(lua, -1);
		int64_t i;

		if (!sandbox_int_at(lua, at, &i))
			return luaL_error(lua, "error calling index: cannot index slice/array with %s",
					  sandbox_is_null(lua, at) ? "nil" : lua_pushfstring(lua, "type %s", go_type_name(lua, at)));
		if (i < 0 || i >= n)
			return luaL_error(lua, "error calling index: index out of range: %I", (LUAI_UACINT)i);
		if (text)
			sandbox_push_int(lua, (unsigned char)lua_tostring(lua, -1)[i], "uint8");
		else
			lua_rawgeti(lua, -1, i + 1);
	} else {
		if (lua_type(lua, at) != LUA_TSTRING)
			return luaL_error(lua, "error calling index: value has type %s; should be string", go_type_name(lua, at));
		lua_pushvalue(lua, at);
		lua_rawget(lua, -2);
		if (lua_isnil(lua, -1)) {
			lua_pop(lua, 1);
			gotmpl_push_null(lua);
		}
	}
	lua_remove(lua, -2);
	return 0;
}

static int go_index(lua_State *lua)
{
	gotmpl_count(lua, "index", 1, -1);
	int n = lua_gettop(lua);

	if (sandbox_is_null(lua, 1))
		return fail(lua, "index", "index of untyped nil");
	lua_pushvalue(lua, 1);
	for (int i = 2; i <= n; i++)
		item(lua, i);
	return 1;
}

static int go_call(lua_State *lua)
{
	gotmpl_count(lua, "call", 1, -1);
	if (sandbox_is_null(lua, 1))
		return fail(lua, "call", "call of nil");
	if (!lua_isfunction(lua, 1))
		return luaL_error(lua, "error calling call: non-function of type %s", go_type_name(lua, 1));
	lua_call(lua, lua_gettop(lua) - 1, 1);
	return 1;
}

/* ---- printing ---- */

static int go_print_function(lua_State *lua)
{
	struct str out = { 0 };

	go_print_all(lua, 1, lua_gettop(lua), false, &out);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int go_println(lua_State *lua)
{
	struct str out = { 0 };

	go_print_all(lua, 1, lua_gettop(lua), true, &out);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int go_printf_function(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "printf", 1, -1);
	(void)gotmpl_check_string(lua, 1, "printf");
	luaL_checkstack(lua, 16, "too many arguments");
	go_printf(lua, 1, lua_gettop(lua), &out);
	gotmpl_push_str(lua, &out);
	return 1;
}

/* ---- escaping ---- */

/* All arguments as print gives them, but for nil. */
static struct str printed(lua_State *lua)
{
	struct str out = { 0 };

	for (int i = 1; i <= lua_gettop(lua); i++)
		if (sandbox_is_null(lua, i)) {
			lua_pushliteral(lua, "<no value>");
			lua_replace(lua, i);
		}

	go_print_all(lua, 1, lua_gettop(lua), false, &out);
	return out;
}

static int go_html(lua_State *lua)
{
	static const struct { char c; const char *text; } escapes[] = { { '\'', "&#39;" }, { '"', "&#34;" }, { '&', "&amp;" },
									 { '<', "&lt;" }, { '>', "&gt;" }, { '\0', "\xef\xbf\xbd" } };
	struct str in = printed(lua), out = { 0 };

	for (size_t i = 0; i < in.n; i++) {
		const char *text = NULL;

		for (size_t k = 0; k < sizeof escapes / sizeof *escapes; k++)
			if (escapes[k].c == in.p[i])
				text = escapes[k].text;
		if (text)
			str_addc(&out, text);
		else
			str_add1(&out, in.p[i]);
	}
	str_free(&in);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int go_js(lua_State *lua)
{
	struct str in = printed(lua), out = { 0 };

	for (const char *p = str_c(&in), *end = p + in.n; p < end;) {
		const char *from = p;
		uint32_t c = utf8_next(&p, end);

		if (c == '\\' || c == '\'' || c == '"')
			str_addf(&out, "\\%c", (char)c);
		else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '=' || (c >= 0x80 && !go_is_print(c)))
			str_addf(&out, "\\u%04X", c);
		else
			str_add(&out, (struct sv){ from, (size_t)(p - from) });
	}
	str_free(&in);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int go_urlquery(lua_State *lua)
{
	struct str in = printed(lua), out = { 0 };

	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (isalnum(c) || strchr("-_.~", c))
			str_add1(&out, (char)c);
		else if (c == ' ')
			str_add1(&out, '+');
		else
			str_addf(&out, "%%%02X", c);
	}
	str_free(&in);
	gotmpl_push_str(lua, &out);
	return 1;
}

const luaL_Reg gotmpl_go[] = {
	{ "not", go_not },
	{ "eq", go_eq }, { "ne", go_ne }, { "lt", go_lt }, { "le", go_le }, { "gt", go_gt }, { "ge", go_ge },
	{ "len", go_len }, { "index", go_index }, { "call", go_call },
	{ "print", go_print_function }, { "println", go_println }, { "printf", go_printf_function },
	{ "html", go_html }, { "js", go_js }, { "urlquery", go_urlquery },
	{ NULL, NULL }
};
