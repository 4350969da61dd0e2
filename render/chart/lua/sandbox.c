#include "render/chart/lua/sandbox.h"
#include "render/chart/lua/pattern.h"
#include "render/chart/lua/sandbox-internal.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#define MEMORY_DEFAULT ((size_t)256 << 20)
#define INSTRUCTIONS_DEFAULT ((int64_t)200 * 1000 * 1000)
#define HOOK_EVERY 10000
#define MESSAGE_MAX 4000
#define CALLS_SHOWN 5

struct sandbox {
	lua_State *lua;
	size_t memory, memory_max;
	int64_t left, instructions;
	bool (*describe)(void *arg, const char *source, int line, struct str *out);
	void *describe_arg;
};

/* ---- limits ---- */

static void *allocate(void *arg, void *p, size_t old, size_t n)
{
	struct sandbox *s = arg;

	if (!p)
		old = 0;                /* then it tells the kind of object */
	if (!n) {
		s->memory -= old;
		free(p);
		return NULL;
	}
	if (n > old && s->memory + (n - old) > s->memory_max)
		return NULL;
	void *q = realloc(p, n);
	if (q)
		s->memory = s->memory - old + n;
	return q;
}

static struct sandbox *sandbox_of(lua_State *lua)
{
	void *arg;

	lua_getallocf(lua, &arg);
	return arg;
}

static void on_count(lua_State *lua, lua_Debug *ar)
{
	struct sandbox *s = sandbox_of(lua);

	(void)ar;
	s->left -= HOOK_EVERY;
	if (s->left < 0)
		luaL_error(lua, "stopped after %d million instructions: does it loop for ever?", (int)(s->instructions / 1000000));
}

/* ---- what scripts may use ---- */

static int compare_keys(lua_State *lua, int a, int b)
{
	int ta = lua_type(lua, a), tb = lua_type(lua, b);
	struct sv va, vb;

	if (ta != tb)
		return ta < tb ? -1 : 1;
	if (ta == LUA_TNUMBER)
		return lua_compare(lua, a, b, LUA_OPLT) ? -1 : lua_compare(lua, b, a, LUA_OPLT);
	if (ta != LUA_TSTRING)
		return 0;
	va.p = lua_tolstring(lua, a, &va.n);
	vb.p = lua_tolstring(lua, b, &vb.n);
	return sv_cmp(va, vb);
}

static int key_before(lua_State *lua)
{
	lua_pushboolean(lua, compare_keys(lua, 1, 2) < 0);
	return 1;
}

/* Iterator of sorted pairs: upvalues are the keys and the next index. */
static int next_sorted(lua_State *lua)
{
	lua_Integer i = lua_tointeger(lua, lua_upvalueindex(2));

	lua_pushinteger(lua, i + 1);
	lua_replace(lua, lua_upvalueindex(2));
	if (lua_geti(lua, lua_upvalueindex(1), i) == LUA_TNIL)
		return 1;
	lua_pushvalue(lua, -1);
	lua_gettable(lua, 1);
	return 2;
}

/* pairs(t) in the order of keys: numbers, then strings in byte order. What it prints does not depend on hashing. */
static int sorted_pairs(lua_State *lua)
{
	lua_Integer n = 0;

	luaL_checktype(lua, 1, LUA_TTABLE);
	lua_settop(lua, 1);
	lua_newtable(lua);
	for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
		lua_pushvalue(lua, -2);
		lua_seti(lua, 2, ++n);
	}
	lua_getfield(lua, LUA_REGISTRYINDEX, "sort");
	lua_pushvalue(lua, 2);
	lua_pushcfunction(lua, key_before);
	lua_call(lua, 2, 0);
	lua_pushinteger(lua, 1);
	lua_pushcclosure(lua, next_sorted, 2);
	lua_pushvalue(lua, 1);
	return 2;
}

static int make_list(lua_State *lua)
{
	if (lua_isnoneornil(lua, 1)) {
		sandbox_new_list(lua);
		return 1;
	}
	luaL_checktype(lua, 1, LUA_TTABLE);
	lua_settop(lua, 1);
	lua_rawgetp(lua, LUA_REGISTRYINDEX, sandbox_list_key);
	lua_setmetatable(lua, 1);
	return 1;
}

static int is_list(lua_State *lua)
{
	lua_pushboolean(lua, lua_istable(lua, 1) && sandbox_is_list(lua, 1));
	return 1;
}

static const struct { const char *table, *names; } removed[] = {
	{ NULL, "dofile load loadfile loadstring collectgarbage print require" },
	{ "string", "dump" },
	{ "math", "random randomseed" },
};

static void remove_names(lua_State *lua, const char *names)
{
	struct sv rest = sv_c(names), name;

	while (rest.n) {
		sv_cut(rest, ' ', &name, &rest);
		lua_pushlstring(lua, name.p, name.n);
		lua_pushnil(lua);
		lua_settable(lua, -3);
	}
}

static void open_libraries(lua_State *lua)
{
	static const luaL_Reg libraries[] = {
		{ "_G", luaopen_base }, { "table", luaopen_table }, { "string", luaopen_string }, { "math", luaopen_math },
		{ "utf8", luaopen_utf8 }, { "coroutine", luaopen_coroutine }, { NULL, NULL }
	};

	for (const luaL_Reg *l = libraries; l->func; l++) {
		luaL_requiref(lua, l->name, l->func, 1);
		lua_pop(lua, 1);
	}
	for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
		if (removed[i].table)
			lua_getglobal(lua, removed[i].table);
		else
			lua_pushglobaltable(lua);
		remove_names(lua, removed[i].names);
		lua_pop(lua, 1);
	}
	pattern_open(lua);
}

static void new_metatable(lua_State *lua, const char *key, const char *name)
{
	lua_newtable(lua);
	lua_pushstring(lua, name);
	lua_setfield(lua, -2, "__name");
	lua_pushboolean(lua, 0);
	lua_setfield(lua, -2, "__metatable");   /* getmetatable() and setmetatable() of a script see nothing */
	lua_rawsetp(lua, LUA_REGISTRYINDEX, key);
}

static const luaL_Reg globals[] = { { "pairs", sorted_pairs }, { "list", make_list }, { "islist", is_list }, { NULL, NULL } };

/* Under lua_pcall(), as everything here allocates. */
static int open_sandbox(lua_State *lua)
{
	open_libraries(lua);
	lua_getglobal(lua, "table");
	lua_getfield(lua, -1, "sort");
	lua_setfield(lua, LUA_REGISTRYINDEX, "sort");
	new_metatable(lua, sandbox_map_key, "object");
	new_metatable(lua, sandbox_list_key, "array");
	lua_pushglobaltable(lua);
	luaL_setfuncs(lua, globals, 0);
	lua_pushlightuserdata(lua, NULL);
	lua_setfield(lua, -2, "null");
	return 0;
}

struct sandbox *sandbox_new(const struct sandbox_limits *limits)
{
	struct sandbox *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->memory_max = limits && limits->memory ? limits->memory : MEMORY_DEFAULT;
	s->instructions = limits && limits->instructions ? limits->instructions : INSTRUCTIONS_DEFAULT;
	s->lua = lua_newstate(allocate, s);
	if (!s->lua)
		abort();
	lua_gc(s->lua, LUA_GCINC, 400, 0, 0);   /* most scripts end before there is much to collect */
	lua_pushcfunction(s->lua, open_sandbox);
	if (lua_pcall(s->lua, 0, 0, 0) != LUA_OK)
		abort();                /* no script has run yet: a limit too small for the libraries is our mistake */
	return s;
}

void sandbox_free(struct sandbox **s)
{
	if (!*s)
		return;
	lua_close((*s)->lua);
	free(*s);
	*s = NULL;
}

lua_State *sandbox_state(struct sandbox *s) { return s->lua; }

/* ---- running ---- */

int sandbox_load(struct sandbox *s, struct sv text, const char *chunk, struct err *err)
{
	AUTO(str) name = { 0 };

	str_addf(&name, "@%s", chunk);
	if (luaL_loadbufferx(s->lua, text.p, text.n, str_c(&name), "t") == LUA_OK)
		return 0;
	err_set(err, ERR_INVALID, "%s", lua_tostring(s->lua, -1));
	lua_pop(s->lua, 1);
	return -ERR_INVALID;
}

void sandbox_describe_frames(struct sandbox *s, bool (*fn)(void *, const char *, int, struct str *), void *arg)
{
	s->describe = fn;
	s->describe_arg = arg;
}

struct trace { struct str head, calls; bool described; int shown; };

/* Frames of engines are "where: " before the message for the first, and "called from where" for the others, as are
 * scripts' own frames but for the innermost, whose line Lua has put into the message. */
static void add_frame(const struct sandbox *s, const lua_Debug *ar, bool innermost, struct trace *t)
{
	AUTO(str) where = { 0 };
	bool ours = s->describe && s->describe(s->describe_arg, ar->source, ar->currentline, &where);

	if ((!ours && innermost) || (ours && !where.n))
		return;
	t->shown++;
	if (ours && !t->described && !t->calls.n) {
		t->described = true;
		str_addf(&t->head, "%s: ", str_c(&where));
		return;
	}
	if (!ours)
		str_addf(&where, "%s:%d", ar->short_src, ar->currentline);
	str_addf(&t->calls, "\n  called from %s", str_c(&where));
}

/* The message without the line of Lua that luaL_error() puts before it, when that is one of an engine. */
static const char *without_place(const struct sandbox *s, const lua_Debug *ar, const char *msg)
{
	AUTO(str) place = { 0 };
	AUTO(str) where = { 0 };

	if (!s->describe || !s->describe(s->describe_arg, ar->source, ar->currentline, &where))
		return msg;
	str_addf(&place, "%s:%d: ", ar->short_src, ar->currentline);
	return sv_starts(sv_c(msg), str_sv(&place)) ? msg + place.n : msg;
}

/* The message of an error, where it happened, and the calls that led there. */
static int add_calls(lua_State *lua)
{
	const char *msg = luaL_tolstring(lua, 1, NULL);
	struct trace t = { 0 };
	bool innermost = true;
	lua_Debug ar;

	for (int level = 1; t.shown < CALLS_SHOWN && lua_getstack(lua, level, &ar); level++) {
		lua_getinfo(lua, "Sl", &ar);
		if (ar.currentline < 0)
			continue;
		if (innermost)
			msg = without_place(sandbox_of(lua), &ar, msg);
		innermost = false;
		add_frame(sandbox_of(lua), &ar, level == 1, &t);
	}
	str_addc(&t.head, msg);
	str_add(&t.head, str_sv(&t.calls));
	lua_pushlstring(lua, t.head.p, t.head.n);
	str_free(&t.head);
	str_free(&t.calls);
	return 1;
}

int sandbox_call(struct sandbox *s, int n_args, int n_results, struct err *err)
{
	lua_State *lua = s->lua;
	int base = lua_gettop(lua) - n_args;

	lua_pushcfunction(lua, add_calls);
	lua_insert(lua, base);
	s->left = s->instructions;
	lua_sethook(lua, on_count, LUA_MASKCOUNT, HOOK_EVERY);
	int r = lua_pcall(lua, n_args, n_results, base);
	lua_sethook(lua, NULL, 0, 0);
	lua_remove(lua, base);
	if (r == LUA_OK)
		return 0;
	if (r == LUA_ERRMEM)
		r = err_set(err, ERR_TOO_LARGE, "uses more than %zu MB of memory", s->memory_max >> 20);
	else
		r = err_set(err, ERR_INVALID, "%.*s", MESSAGE_MAX, lua_tostring(lua, -1));
	lua_pop(lua, 1);
	return r;
}
