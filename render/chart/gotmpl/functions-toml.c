/* render/chart/gotmpl/functions-toml.c - values to and from TOML 1.0; written laid out as BurntSushi/toml does, which Helm uses. */
#include "render/chart/gotmpl/functions.h"

#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"
#include "render/chart/toml.h"

#include <ctype.h>

#define DEPTH_MAX 64

struct toml { lua_State *lua; struct str out; const char *problem; };

static void value(struct toml *t, int index, int depth);

static void text(struct str *out, struct sv s)
{
	static const char escapes[] = "\"\"\\\\\bb\tt\nn\ff\rr";

	str_add1(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		const char *e = escapes;

		while (*e && *e != s.p[i])
			e += 2;
		if (*e)
			str_addf(out, "\\%c", e[1]);
		else if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			str_addf(out, "\\u%04x", (unsigned char)s.p[i]);
		else
			str_add1(out, s.p[i]);
	}
	str_add1(out, '"');
}

static void key_text(struct str *out, struct sv key)
{
	bool bare = key.n > 0;

	for (size_t i = 0; i < key.n; i++)
		bare = bare && (isalnum((unsigned char)key.p[i]) || key.p[i] == '_' || key.p[i] == '-');
	if (bare)
		str_add(out, key);
	else
		text(out, key);
}

static bool is_map(lua_State *lua, int index) { return lua_istable(lua, index) && !sandbox_is_list(lua, index); }

/* A list of tables only, which has a header for each. */
static bool is_tables(lua_State *lua, int index)
{
	lua_Integer n = lua_istable(lua, index) && sandbox_is_list(lua, index) ? (lua_Integer)lua_rawlen(lua, index) : 0;
	bool all = n > 0;

	for (lua_Integer i = 1; all && i <= n; i++) {
		lua_rawgeti(lua, index, i);
		all = is_map(lua, lua_gettop(lua));
		lua_pop(lua, 1);
	}
	return all;
}

static void number(struct toml *t, int index)
{
	size_t from = t->out.n;

	go_print(t->lua, index, &t->out);
	for (size_t i = from; i < t->out.n; i++)
		if (strchr(".eNI", t->out.p[i]))
			return;
	if (!sandbox_int_at(t->lua, index, &(int64_t){ 0 }))
		str_addc(&t->out, ".0");
}

static void list(struct toml *t, int index, int depth)
{
	lua_Integer n = (lua_Integer)lua_rawlen(t->lua, index);

	str_add1(&t->out, '[');
	for (lua_Integer i = 1; i <= n; i++) {
		if (i > 1)
			str_addc(&t->out, ", ");
		lua_rawgeti(t->lua, index, i);
		if (sandbox_is_null(t->lua, -1))
			t->problem = "toml: cannot encode array with nil element";
		else
			value(t, lua_gettop(t->lua), depth + 1);
		lua_pop(t->lua, 1);
	}
	str_add1(&t->out, ']');
}

/* What each() hands out: the member's key, its value on top of the stack. */
typedef void each_fn(struct toml *t, struct sv key, struct sv path, int depth);

static void each(struct toml *t, int index, struct sv path, int depth, each_fn *fn)
{
	value_push_keys(t->lua, index);
	int keys = lua_gettop(t->lua);

	for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(t->lua, keys); i <= n; i++) {
		struct sv key;

		lua_rawgeti(t->lua, keys, i);
		key.p = lua_tolstring(t->lua, -1, &key.n);
		lua_pushvalue(t->lua, -1);
		lua_rawget(t->lua, index);
		if (!sandbox_is_null(t->lua, -1))
			fn(t, key, path, depth);
		lua_settop(t->lua, keys);
	}
	lua_settop(t->lua, keys - 1);
}

static void inline_member(struct toml *t, struct sv key, struct sv path, int depth)
{
	(void)path;
	if (t->out.p[t->out.n - 1] != '{')
		str_addc(&t->out, ", ");
	key_text(&t->out, key);
	str_addc(&t->out, " = ");
	value(t, lua_gettop(t->lua), depth + 1);
}

static void value(struct toml *t, int index, int depth)
{
	struct sv s;

	luaL_checkstack(t->lua, 8, "values are nested too deeply");
	if (depth > DEPTH_MAX) {
		t->problem = "toml: values are nested too deeply";
	} else if (is_map(t->lua, index)) {
		str_add1(&t->out, '{');
		each(t, index, SV(""), depth, inline_member);
		str_add1(&t->out, '}');
	} else if (lua_istable(t->lua, index)) {
		list(t, index, depth);
	} else if (lua_type(t->lua, index) == LUA_TNUMBER || lua_type(t->lua, index) == LUA_TUSERDATA) {
		number(t, index);
	} else if (lua_isboolean(t->lua, index)) {
		str_addc(&t->out, lua_toboolean(t->lua, index) ? "true" : "false");
	} else {
		s.p = lua_tolstring(t->lua, index, &s.n);
		text(&t->out, s.p ? s : SV(""));
	}
}

static void indent(struct toml *t, int depth)
{
	for (int i = 0; i < depth; i++)
		str_addc(&t->out, "  ");
}

static void plain_member(struct toml *t, struct sv key, struct sv path, int depth)
{
	int top = lua_gettop(t->lua);

	(void)path;
	if (is_map(t->lua, top) || is_tables(t->lua, top))
		return;
	indent(t, depth);
	key_text(&t->out, key);
	str_addc(&t->out, " = ");
	value(t, top, depth);
	str_add1(&t->out, '\n');
}

static void table(struct toml *t, int index, struct sv path, int depth);

static void header(struct toml *t, const char *open, struct sv path, const char *close, bool blank, int depth)
{
	if (blank && t->out.n)
		str_add1(&t->out, '\n');
	indent(t, depth);
	str_addf(&t->out, "%s" SV_FMT "%s\n", open, SV_ARG(path), close);
}

static void table_member(struct toml *t, struct sv key, struct sv path, int depth)
{
	AUTO(str) own = { 0 };
	int top = lua_gettop(t->lua);

	if (path.n)
		str_addf(&own, SV_FMT ".", SV_ARG(path));
	key_text(&own, key);
	if (is_map(t->lua, top)) {
		header(t, "[", str_sv(&own), "]", !depth, depth);
		table(t, top, str_sv(&own), depth + 1);
	} else if (is_tables(t->lua, top)) {
		for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(t->lua, top); i <= n; i++) {
			header(t, "[[", str_sv(&own), "]]", true, depth);
			lua_rawgeti(t->lua, top, i);
			table(t, lua_gettop(t->lua), str_sv(&own), depth + 1);
			lua_pop(t->lua, 1);
		}
	}
}

/* The plain members first: after a header they would be that table's. */
static void table(struct toml *t, int index, struct sv path, int depth)
{
	if (depth > DEPTH_MAX) {
		t->problem = "toml: values are nested too deeply";
		return;
	}
	each(t, index, path, depth, plain_member);
	each(t, index, path, depth, table_member);
}

static int write_toml(lua_State *lua, const char *name, bool must)
{
	struct toml t = { .lua = lua };

	gotmpl_count(lua, name, 1, 1);
	luaL_checkstack(lua, 16 * DEPTH_MAX, "values are nested too deeply");
	if (is_map(lua, 1))
		table(&t, 1, SV(""), 0);
	else if (!is_tables(lua, 1) && !sandbox_is_null(lua, 1))
		value(&t, 1, 0);
	else
		t.problem = "toml: top-level values must be Go maps or structs";
	gotmpl_push_str(lua, &t.out);
	if (!t.problem)
		return 1;
	if (must)
		return luaL_error(lua, "error calling %s: %s", name, t.problem);
	lua_pushstring(lua, t.problem);
	return 1;
}

static int f_to_toml(lua_State *lua) { return write_toml(lua, "toToml", false); }
static int f_must_to_toml(lua_State *lua) { return write_toml(lua, "mustToToml", true); }

/* What cannot be read is { Error: why }. */
static int f_from_toml(lua_State *lua)
{
	struct err err = { 0 };
	struct doc *d = NULL;

	gotmpl_count(lua, "fromToml", 1, 1);
	if (toml_read(gotmpl_check_string(lua, 1, "fromToml"), &d, &err) >= 0) {
		value_push_node(lua, doc_root(d));
	} else {
		sandbox_new_map(lua);
		lua_pushstring(lua, err_msg(&err));
		lua_setfield(lua, -2, "Error");
	}
	doc_drop(&d);
	err_free(&err);
	return 1;
}

const luaL_Reg gotmpl_toml[] = { { "toToml", f_to_toml }, { "mustToToml", f_must_to_toml }, { "fromToml", f_from_toml },
				 { NULL, NULL } };
