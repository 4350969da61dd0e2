/* render/chart/gotmpl/functions-lists.c - Sprig's functions of lists (list.go there). None of them changes its argument. */
#include "render/chart/gotmpl/functions.h"

#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

#define SEQ_MAX 1000000                 /* numbers that until and seq may make */

static lua_Integer length(lua_State *lua, int index) { return (lua_Integer)lua_rawlen(lua, index); }

/* Checks the count of arguments and that the one at `list` is a list; returns its length. */
static lua_Integer open_list(lua_State *lua, const char *name, int args, int list)
{
	gotmpl_count(lua, name, args, args);
	value_check_list(lua, list, name);
	return length(lua, list);
}

/* Appends the value on top, which it pops, to the list at `list`. */
static void append(lua_State *lua, int list)
{
	list = lua_absindex(lua, list);
	lua_rawseti(lua, list, length(lua, list) + 1);
}

static int f_list(lua_State *lua)
{
	int n = lua_gettop(lua);

	sandbox_new_list(lua);
	lua_insert(lua, 1);
	for (int i = n; i >= 1; i--)
		lua_rawseti(lua, 1, i);
	return 1;
}

static int f_append(lua_State *lua)
{
	lua_Integer n = open_list(lua, "append", 2, 1);

	value_push_slice(lua, 1, 1, n);
	lua_pushvalue(lua, 2);
	append(lua, 3);
	return 1;
}

static int f_prepend(lua_State *lua)
{
	lua_Integer n = open_list(lua, "prepend", 2, 1);

	sandbox_new_list(lua);
	lua_pushvalue(lua, 2);
	append(lua, 3);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(lua, 1, i);
		append(lua, 3);
	}
	return 1;
}

static int f_concat(lua_State *lua)
{
	int n = lua_gettop(lua);

	sandbox_new_list(lua);
	for (int k = 1; k <= n; k++) {
		value_check_list(lua, k, "concat");
		for (lua_Integer i = 1; i <= length(lua, k); i++) {
			lua_rawgeti(lua, k, i);
			append(lua, n + 1);
		}
	}
	return 1;
}

/* first and last take lists, and give nil for an empty one. */
static int end_item(lua_State *lua, const char *name, bool last)
{
	lua_Integer n = open_list(lua, name, 1, 1);

	if (n)
		lua_rawgeti(lua, 1, last ? n : 1);
	else
		gotmpl_push_null(lua);
	return 1;
}

static int f_first(lua_State *lua) { return end_item(lua, "first", false); }
static int f_last(lua_State *lua) { return end_item(lua, "last", true); }

static int f_rest(lua_State *lua)
{
	lua_Integer n = open_list(lua, "rest", 1, 1);

	value_push_slice(lua, 1, 2, n);
	return 1;
}

static int f_initial(lua_State *lua)
{
	lua_Integer n = open_list(lua, "initial", 1, 1);

	value_push_slice(lua, 1, 1, n - 1);
	return 1;
}

static int f_reverse(lua_State *lua)
{
	lua_Integer n = open_list(lua, "reverse", 1, 1);

	sandbox_new_list(lua);
	for (lua_Integer i = n; i >= 1; i--) {
		lua_rawgeti(lua, 1, i);
		append(lua, 2);
	}
	return 1;
}

static int f_compact(lua_State *lua)
{
	lua_Integer n = open_list(lua, "compact", 1, 1);

	sandbox_new_list(lua);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(lua, 1, i);
		if (gotmpl_truth(lua, -1))
			append(lua, 2);
		else
			lua_pop(lua, 1);
	}
	return 1;
}

/* The value at `value` equals an item of the list. */
static bool contains(lua_State *lua, int list, int value)
{
	bool found = false;

	value = lua_absindex(lua, value);
	for (lua_Integer i = 1; i <= length(lua, list) && !found; i++) {
		lua_rawgeti(lua, list, i);
		found = value_equal(lua, -1, value);
		lua_pop(lua, 1);
	}
	return found;
}

static int f_uniq(lua_State *lua)
{
	lua_Integer n = open_list(lua, "uniq", 1, 1);

	sandbox_new_list(lua);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(lua, 1, i);
		if (contains(lua, 2, -1))
			lua_pop(lua, 1);
		else
			append(lua, 2);
	}
	return 1;
}

static int f_without(lua_State *lua)
{
	gotmpl_count(lua, "without", 1, -1);
	value_check_list(lua, 1, "without");
	int n = lua_gettop(lua);

	sandbox_new_list(lua);
	for (lua_Integer i = 1; i <= length(lua, 1); i++) {
		bool omitted = false;

		lua_rawgeti(lua, 1, i);
		for (int k = 2; k <= n && !omitted; k++)
			omitted = value_equal(lua, -1, k);
		if (omitted)
			lua_pop(lua, 1);
		else
			append(lua, n + 1);
	}
	return 1;
}

static int f_has(lua_State *lua)
{
	gotmpl_count(lua, "has", 2, 2);
	if (!sandbox_is_null(lua, 2))
		value_check_list(lua, 2, "has");
	lua_pushboolean(lua, !sandbox_is_null(lua, 2) && contains(lua, 2, 1));
	return 1;
}

/* slice list [start [end]]: bounds from 0, as Go's. */
static int f_slice(lua_State *lua)
{
	gotmpl_count(lua, "slice", 1, -1);
	value_check_list(lua, 1, "slice");
	lua_Integer n = length(lua, 1);
	int64_t start = lua_gettop(lua) > 1 ? value_to_i64(lua, 2) : 0, end = lua_gettop(lua) > 2 ? value_to_i64(lua, 3) : n;

	if (!n) {
		gotmpl_push_null(lua);
		return 1;
	}
	if (start < 0 || end > n || start > end)
		return luaL_error(lua, "error calling slice: slice bounds out of range [%I:%I]", (LUAI_UACINT)start, (LUAI_UACINT)end);
	value_push_slice(lua, 1, start + 1, end);
	lua_getmetatable(lua, 1);                       /* the slice is of the list's type */
	lua_setmetatable(lua, -2);
	return 1;
}

static int f_chunk(lua_State *lua)
{
	gotmpl_count(lua, "chunk", 2, 2);
	value_check_list(lua, 2, "chunk");
	int64_t size = value_check_int(lua, 1, "chunk");
	lua_Integer n = length(lua, 2);

	if (size < 1)
		return luaL_error(lua, "error calling chunk: the size must be at least 1");
	sandbox_new_typed(lua, "[][]interface {}");
	for (lua_Integer i = 1; i <= n; i += size) {
		value_push_slice(lua, 2, i, i + size - 1 < n ? i + size - 1 : n);
		append(lua, 3);
	}
	return 1;
}

/* Texts of the items, sorted by bytes. */
static int f_sort_alpha(lua_State *lua)
{
	gotmpl_count(lua, "sortAlpha", 1, 1);
	if (sandbox_is_null(lua, 1)) {                  /* is sorted as the one text that nil prints as */
		lua_pushliteral(lua, "<nil>");
		lua_replace(lua, 1);
	}
	value_push_texts(lua, 1);
	lua_getfield(lua, LUA_REGISTRYINDEX, "sort");
	lua_pushvalue(lua, 2);
	lua_call(lua, 1, 0);
	return 1;
}

/* ---- numbers in a row ---- */

static int numbers(lua_State *lua, int64_t start, int64_t stop, int64_t step)
{
	lua_Integer n = 0;

	sandbox_new_typed(lua, "[]int");
	if (!step || (stop < start) != (step < 0))
		return 1;
	if ((stop - start) / step > SEQ_MAX)
		return luaL_error(lua, "a list of more than %d numbers", SEQ_MAX);
	for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
		lua_pushinteger(lua, i);
		lua_rawseti(lua, -2, ++n);
	}
	return 1;
}

static int f_until(lua_State *lua)
{
	gotmpl_count(lua, "until", 1, 1);
	int64_t n = value_check_int(lua, 1, "until");

	return numbers(lua, 0, n, n < 0 ? -1 : 1);
}

static int f_until_step(lua_State *lua)
{
	gotmpl_count(lua, "untilStep", 3, 3);
	return numbers(lua, value_check_int(lua, 1, "untilStep"), value_check_int(lua, 2, "untilStep"), value_check_int(lua, 3, "untilStep"));
}

/* seq [first [step]] last: a text of numbers, as the Unix command. */
static int f_seq(lua_State *lua)
{
	struct str out = { 0 };
	int n = lua_gettop(lua);

	if (n < 1 || n > 3)
		return lua_pushliteral(lua, ""), 1;
	int64_t start = n > 1 ? value_check_int(lua, 1, "seq") : 1, end = value_check_int(lua, n, "seq");
	int64_t step = n == 3 ? value_check_int(lua, 2, "seq") : end < start ? -1 : 1;
	if (step && (end - start) / step > SEQ_MAX)
		return luaL_error(lua, "error calling seq: more than %d numbers", SEQ_MAX);
	for (int64_t i = start; step && (step > 0 ? i <= end : i >= end); i += step)
		str_addf(&out, "%s%lld", out.n ? " " : "", (long long)i);
	gotmpl_push_str(lua, &out);
	return 1;
}

#define WITH_MUST(name, fn, must) { name, fn }, { must, fn }

const luaL_Reg gotmpl_lists[] = {
	{ "list", f_list }, { "tuple", f_list }, { "concat", f_concat }, { "sortAlpha", f_sort_alpha },
	{ "until", f_until }, { "untilStep", f_until_step }, { "seq", f_seq },
	WITH_MUST("append", f_append, "mustAppend"), WITH_MUST("push", f_append, "mustPush"),
	WITH_MUST("prepend", f_prepend, "mustPrepend"), WITH_MUST("first", f_first, "mustFirst"),
	WITH_MUST("last", f_last, "mustLast"), WITH_MUST("rest", f_rest, "mustRest"),
	WITH_MUST("initial", f_initial, "mustInitial"), WITH_MUST("reverse", f_reverse, "mustReverse"),
	WITH_MUST("compact", f_compact, "mustCompact"), WITH_MUST("uniq", f_uniq, "mustUniq"),
	WITH_MUST("without", f_without, "mustWithout"), WITH_MUST("has", f_has, "mustHas"),
	WITH_MUST("slice", f_slice, "mustSlice"), WITH_MUST("chunk", f_chunk, "mustChunk"),
	{ NULL, NULL }
};
