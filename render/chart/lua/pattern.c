#include "render/chart/lua/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <lauxlib.h>
#include <pcre2.h>
#include <stdlib.h>

#define MATCH_LIMIT 5000000
#define HEAP_LIMIT_KB (20 << 10)
#define CACHE "patterns"                 /* registry: pattern text -> userdata */
#define COMPILED "compiled pattern"      /* their metatable */

struct compiled {               /* a userdata, freed by its __gc */
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	uint32_t positions;
	int captures;           /* of the pattern: %b's groups come after them */
};

static int collect(lua_State *lua)
{
	struct compiled *c = lua_touserdata(lua, 1);

	pcre2_code_free(c->code);
	pcre2_match_data_free(c->data);
	pcre2_match_context_free(c->limits);
	*c = (struct compiled){ 0 };
	return 0;
}

/* Nothing here may raise a Lua error while out or e hold memory. */
static const char *build(struct compiled *c, struct sv pattern, char *message, size_t room)
{
	AUTO(str) out = { 0 };
	AUTO(err) e = { 0 };
	PCRE2_SIZE at;
	int number;

	if ((c->captures = pattern_translate(pattern, &out, &c->positions, &e)) < 0) {
		snprintf(message, room, "%s", err_msg(&e));
		return message;
	}
	c->code = pcre2_compile((PCRE2_SPTR)str_c(&out), out.n, PCRE2_DOTALL | PCRE2_NEVER_UTF, &number, &at, NULL);
	if (!c->code) {
		snprintf(message, room, "malformed pattern");
		return message;
	}
	c->data = pcre2_match_data_create_from_pattern(c->code, NULL);
	c->limits = pcre2_match_context_create(NULL);
	if (!c->data || !c->limits)
		abort();
	pcre2_set_match_limit(c->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(c->limits, HEAP_LIMIT_KB);
	return NULL;
}

/* The compiled form of a pattern, from the cache or new; its userdata stays in the registry. */
static struct compiled *compile(lua_State *lua, struct sv pattern)
{
	char message[200];
	const char *failed;

	luaL_getsubtable(lua, LUA_REGISTRYINDEX, CACHE);
	lua_pushlstring(lua, pattern.p, pattern.n);
	if (lua_rawget(lua, -2) == LUA_TUSERDATA) {
		struct compiled *c = lua_touserdata(lua, -1);

		lua_pop(lua, 2);
		return c;
	}
	lua_pop(lua, 1);
	struct compiled *c = lua_newuserdatauv(lua, sizeof *c, 0);
	*c = (struct compiled){ 0 };
	luaL_setmetatable(lua, COMPILED);
	if ((failed = build(c, pattern, message, sizeof message)))
		luaL_error(lua, "%s", failed);
	lua_pushlstring(lua, pattern.p, pattern.n);
	lua_pushvalue(lua, -2);
	lua_rawset(lua, -4);
	lua_pop(lua, 2);
	return c;
}

/* True when s matches at or after `from`; the offsets are in c->data. */
static bool run(lua_State *lua, struct compiled *c, struct sv s, size_t from, bool anchored)
{
	int r = pcre2_match(c->code, (PCRE2_SPTR)s.p, s.n, from, anchored ? PCRE2_ANCHORED : 0, c->data, c->limits);

	if (r == PCRE2_ERROR_NOMATCH)
		return false;
	if (r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_HEAPLIMIT)
		luaL_error(lua, "pattern matching takes too long: the pattern backtracks too much");
	if (r < 0)
		luaL_error(lua, "pattern matching failed (%d)", r);
	return true;
}

static size_t match_start(const struct compiled *c) { return pcre2_get_ovector_pointer(c->data)[0]; }
static size_t match_end(const struct compiled *c) { return pcre2_get_ovector_pointer(c->data)[1]; }

/* Capture i from 1; 0 is the whole match. */
static void push_capture(lua_State *lua, const struct compiled *c, struct sv s, int i)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(c->data) + 2 * i;

	if (i && c->positions & 1u << (i - 1))
		lua_pushinteger(lua, (lua_Integer)at[0] + 1);
	else if (at[0] == PCRE2_UNSET)
		lua_pushliteral(lua, "");
	else
		lua_pushlstring(lua, s.p + at[0], at[1] - at[0]);
}

/* All captures, or the whole match when there are none; returns how many. */
static int push_captures(lua_State *lua, const struct compiled *c, struct sv s)
{
	luaL_checkstack(lua, c->captures + 1, "too many captures");
	if (!c->captures)
		return push_capture(lua, c, s, 0), 1;
	for (int i = 1; i <= c->captures; i++)
		push_capture(lua, c, s, i);
	return c->captures;
}

static struct sv check_text(lua_State *lua, int index)
{
	struct sv s;

	s.p = luaL_checklstring(lua, index, &s.n);
	return s;
}

static bool take_anchor(struct sv *pattern)
{
	if (!sv_starts(*pattern, SV("^")))
		return false;
	*pattern = sv_drop(*pattern, 1);
	return true;
}

/* The start position given as argument, from 0; false: after the end. */
static bool start_of(lua_State *lua, int index, size_t n, size_t *from)
{
	lua_Integer i = luaL_optinteger(lua, index, 1);

	if (i < 0)
		i = (lua_Integer)n + i < 0 ? 1 : (lua_Integer)n + i + 1;
	else if (i == 0)
		i = 1;
	*from = (size_t)i - 1;
	return *from <= n;
}

/* Without these characters a pattern is a text to look for, as for Lua. */
static bool is_plain(struct sv pattern)
{
	for (size_t i = 0; i < pattern.n; i++)
		if (pattern.p[i] && strchr("^$*+?.([%-", pattern.p[i]))
			return false;
	return true;
}

static int find(lua_State *lua)
{
	struct sv s = check_text(lua, 1), pattern = check_text(lua, 2);
	size_t from;

	if (!start_of(lua, 3, s.n, &from)) {
		lua_pushnil(lua);
		return 1;
	}
	if (lua_toboolean(lua, 4) || is_plain(pattern)) {
		const char *at = memmem(s.p + from, s.n - from, pattern.p, pattern.n);

		if (!at)
			return lua_pushnil(lua), 1;
		lua_pushinteger(lua, at - s.p + 1);
		lua_pushinteger(lua, at - s.p + (lua_Integer)pattern.n);
		return 2;
	}
	bool anchored = take_anchor(&pattern);
	struct compiled *c = compile(lua, pattern);
	if (!run(lua, c, s, from, anchored))
		return lua_pushnil(lua), 1;
	lua_pushinteger(lua, (lua_Integer)match_start(c) + 1);
	lua_pushinteger(lua, (lua_Integer)match_end(c));
	return 2 + (c->captures ? push_captures(lua, c, s) : 0);
}

static int match(lua_State *lua)
{
	struct sv s = check_text(lua, 1), pattern = check_text(lua, 2);
	size_t from;
	bool anchored = take_anchor(&pattern);
	struct compiled *c = compile(lua, pattern);

	if (!start_of(lua, 3, s.n, &from) || !run(lua, c, s, from, anchored))
		return lua_pushnil(lua), 1;
	return push_captures(lua, c, s);
}

/* Upvalues: text, pattern, where to go on, where the last match ended (an empty match there is skipped). */
static int next_match(lua_State *lua)
{
	struct sv s, pattern;

	s.p = lua_tolstring(lua, lua_upvalueindex(1), &s.n);
	pattern.p = lua_tolstring(lua, lua_upvalueindex(2), &pattern.n);
	struct compiled *c = compile(lua, pattern);
	size_t from = (size_t)lua_tointeger(lua, lua_upvalueindex(3));
	lua_Integer last = lua_tointeger(lua, lua_upvalueindex(4));

	while (from <= s.n && run(lua, c, s, from, false)) {
		if ((lua_Integer)match_end(c) == last && match_start(c) == match_end(c)) {
			from = match_end(c) + 1;
			last = -1;
			continue;
		}
		lua_pushinteger(lua, (lua_Integer)match_end(c));
		lua_replace(lua, lua_upvalueindex(3));
		lua_pushinteger(lua, (lua_Integer)match_end(c));
		lua_replace(lua, lua_upvalueindex(4));
		return push_captures(lua, c, s);
	}
	return 0;
}

static int gmatch(lua_State *lua)
{
	struct sv s = check_text(lua, 1);
	size_t from;

	(void)check_text(lua, 2);
	if (!start_of(lua, 3, s.n, &from))
		from = s.n + 1;
	lua_settop(lua, 2);
	lua_pushinteger(lua, (lua_Integer)from);
	lua_pushinteger(lua, -1);
	lua_pushcclosure(lua, next_match, 4);
	return 1;
}

/* A replacement text with %0 to %9 and %%. */
static void add_template(lua_State *lua, luaL_Buffer *b, const struct compiled *c, struct sv s)
{
	struct sv with;

	with.p = lua_tolstring(lua, 3, &with.n);
	for (size_t i = 0; i < with.n; i++) {
		if (with.p[i] != '%') {
			luaL_addchar(b, with.p[i]);
			continue;
		}
		char d = ++i < with.n ? with.p[i] : '\0';
		if (d == '%') {
			luaL_addchar(b, '%');
			continue;
		}
		if (d < '0' || d > '9')
			luaL_error(lua, "invalid use of '%%' in replacement string");
		if (d - '0' > (c->captures ? c->captures : 1))
			luaL_error(lua, "invalid capture index %%%c in replacement string", d);
		push_capture(lua, c, s, d == '1' && !c->captures ? 0 : d - '0');
		luaL_tolstring(lua, -1, NULL);
		lua_remove(lua, -2);
		luaL_addvalue(b);
	}
}

/* whole: the match; a replacement function may use the same pattern, and then c's offsets are those of its match. */
static void add_value(lua_State *lua, luaL_Buffer *b, const struct compiled *c, struct sv s, struct sv whole)
{
	switch (lua_type(lua, 3)) {
	case LUA_TFUNCTION:
		lua_pushvalue(lua, 3);
		lua_call(lua, push_captures(lua, c, s), 1);
		break;
	case LUA_TTABLE:
		push_capture(lua, c, s, c->captures ? 1 : 0);
		lua_gettable(lua, 3);
		break;
	default:
		add_template(lua, b, c, s);
		return;
	}
	if (!lua_toboolean(lua, -1)) {
		lua_pop(lua, 1);
		lua_pushlstring(lua, whole.p, whole.n);
	} else if (!lua_isstring(lua, -1)) {
		luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
	}
	luaL_addvalue(b);
}

static int gsub(lua_State *lua)
{
	struct sv s = check_text(lua, 1), pattern = check_text(lua, 2);
	int type = lua_type(lua, 3);
	lua_Integer max = luaL_optinteger(lua, 4, (lua_Integer)s.n + 1), n = 0;
	bool anchored = take_anchor(&pattern);
	size_t from = 0, copied = 0;
	luaL_Buffer b;

	luaL_argexpected(lua, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
			 "string/function/table");
	struct compiled *c = compile(lua, pattern);
	luaL_buffinit(lua, &b);
	for (bool matched_before = false; n < max && from <= s.n && run(lua, c, s, from, anchored); n++) {
		size_t start = match_start(c), end = match_end(c);

		if (start == end && matched_before && start == copied) {        /* no empty match right behind another */
			from = start + 1;
			matched_before = false;
			n--;
			if (anchored)
				break;
			continue;
		}
		luaL_addlstring(&b, s.p + copied, start - copied);
		add_value(lua, &b, c, s, (struct sv){ s.p + start, end - start });
		copied = from = end;
		matched_before = true;
		if (anchored) {
			n++;
			break;
		}
	}
	luaL_addlstring(&b, s.p + copied, s.n - copied);
	luaL_pushresult(&b);
	lua_pushinteger(lua, n);
	return 2;
}

void pattern_open(lua_State *lua)
{
	static const luaL_Reg functions[] = {
		{ "find", find }, { "match", match }, { "gmatch", gmatch }, { "gsub", gsub }, { NULL, NULL }
	};

	luaL_newmetatable(lua, COMPILED);
	lua_pushcfunction(lua, collect);
	lua_setfield(lua, -2, "__gc");
	lua_pop(lua, 1);
	lua_getglobal(lua, "string");
	luaL_setfuncs(lua, functions, 0);
	lua_pop(lua, 1);
}
