/* render/chart/lua/convert.c - documents to Lua values and back. */
#include "render/chart/lua/sandbox-internal.h"
#include "render/chart/lua/sandbox.h"

#include <lauxlib.h>
#include <math.h>

#define DEPTH_MAX 200

const char sandbox_map_key[] = "map", sandbox_list_key[] = "list";

static void set_kind(lua_State *lua, const char *key)
{
	lua_rawgetp(lua, LUA_REGISTRYINDEX, key);
	lua_setmetatable(lua, -2);
}

void sandbox_new_map(lua_State *lua)
{
	lua_newtable(lua);
	set_kind(lua, sandbox_map_key);
}

void sandbox_new_list(lua_State *lua)
{
	lua_newtable(lua);
	set_kind(lua, sandbox_list_key);
}

bool sandbox_is_null(lua_State *lua, int index)
{
	return lua_isnoneornil(lua, index) || (lua_islightuserdata(lua, index) && !lua_touserdata(lua, index));
}

static bool is_kind(lua_State *lua, int index, const char *key)
{
	if (!lua_getmetatable(lua, index))
		return false;
	lua_rawgetp(lua, LUA_REGISTRYINDEX, key);
	bool same = lua_rawequal(lua, -1, -2);
	lua_pop(lua, 2);
	return same;
}

bool sandbox_is_list(lua_State *lua, int index)
{
	index = lua_absindex(lua, index);
	if (is_kind(lua, index, sandbox_list_key))
		return true;
	if (is_kind(lua, index, sandbox_map_key))
		return false;
	if (sandbox_is_typed_list(lua, index))
		return true;
	if (sandbox_is_typed_map(lua, index))
		return false;
	lua_Integer n = (lua_Integer)lua_rawlen(lua, index), seen = 0;
	for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1))
		seen++;
	return n > 0 && seen == n;
}

static void push(lua_State *lua, const struct node *n, bool floats);

static void push_number(lua_State *lua, const struct node *n, bool floats)
{
	int64_t whole;
	double number = 0;

	if (n->type == NODE_INT && !floats && node_to_i64(n, &whole))
		lua_pushinteger(lua, whole);
	else if (n->type == NODE_INT && n->flags & NODE_TYPED && node_to_i64(n, &whole))
		sandbox_push_int(lua, whole, "int64");
	else
		lua_pushnumber(lua, node_to_double(n, &number) ? number : 0);
}

static void push_list(lua_State *lua, const struct node *n, bool floats)
{
	struct node *item;
	lua_Integer i = 0;

	sandbox_new_list(lua);
	node_each(item, n) {
		push(lua, item, floats);
		lua_rawseti(lua, -2, ++i);
	}
}

static void push_map(lua_State *lua, const struct node *n, bool floats)
{
	struct member *m;

	sandbox_new_map(lua);
	node_members(m, n) {
		lua_pushlstring(lua, m->key, m->key_n);
		push(lua, m->value, floats);
		lua_rawset(lua, -3);
	}
}

static void push(lua_State *lua, const struct node *n, bool floats)
{
	luaL_checkstack(lua, 4, "nested too deeply");
	switch (n ? (enum node_type)n->type : NODE_NULL) {
	case NODE_NULL:  lua_pushlightuserdata(lua, NULL); break;
	case NODE_BOOL:  lua_pushboolean(lua, n->b); break;
	case NODE_INT:
	case NODE_FLOAT: push_number(lua, n, floats); break;
	case NODE_STR:   lua_pushlstring(lua, n->text, n->n); break;
	case NODE_SEQ:   push_list(lua, n, floats); break;
	case NODE_MAP:   push_map(lua, n, floats); break;
	}
}

void sandbox_push(lua_State *lua, const struct node *n) { push(lua, n, false); }
void sandbox_push_floats(lua_State *lua, const struct node *n) { push(lua, n, true); }

/* ---- back ---- */

struct conversion { lua_State *lua; struct doc *d; struct str path; int depth; bool go_floats; struct err *err; };

static int convert(struct conversion *c, int index, struct node **out);

static int convert_list(struct conversion *c, int index, struct node **out)
{
	lua_Integer n = (lua_Integer)lua_rawlen(c->lua, index);

	*out = node_seq(c->d);
	for (lua_Integer i = 1; i <= n; i++) {
		size_t before = c->path.n;
		struct node *item;

		str_addf(&c->path, "[%lld]", (long long)i - 1);
		lua_rawgeti(c->lua, index, i);
		TRY(convert(c, lua_gettop(c->lua), &item));
		lua_pop(c->lua, 1);
		node_add(c->d, *out, item);
		str_cut(&c->path, before);
	}
	return 0;
}

static int convert_map(struct conversion *c, int index, struct node **out)
{
	*out = node_map(c->d);
	for (lua_pushnil(c->lua); lua_next(c->lua, index); lua_pop(c->lua, 1)) {
		size_t before = c->path.n;
		struct node *value;
		struct sv key;

		if (lua_type(c->lua, -2) != LUA_TSTRING)
			return err_set(c->err, ERR_INVALID, "%s has a key that is a %s; keys of objects are strings", str_c(&c->path),
				       luaL_typename(c->lua, -2));
		key.p = lua_tolstring(c->lua, -2, &key.n);
		str_addf(&c->path, ".%s", key.p);
		TRY(convert(c, lua_gettop(c->lua), &value));
		node_setn(c->d, *out, key, value);
		str_cut(&c->path, before);
	}
	node_sort_keys(*out);           /* a table has no order of its own */
	return 0;
}

static int convert_table(struct conversion *c, int index, struct node **out)
{
	if (++c->depth > DEPTH_MAX)
		return err_set(c->err, ERR_INVALID, "%.80s... is nested too deeply, or contains itself", str_c(&c->path));
	luaL_checkstack(c->lua, 6, "nested too deeply");
	TRY(sandbox_is_list(c->lua, index) ? convert_list(c, index, out) : convert_map(c, index, out));
	c->depth--;
	return 0;
}

static int convert_number(struct conversion *c, int index, struct node **out)
{
	double number = lua_tonumber(c->lua, index);

	if (!isfinite(number))
		return err_set(c->err, ERR_INVALID, "%s is not a finite number", str_c(&c->path));
	*out = lua_isinteger(c->lua, index) ? node_int(c->d, lua_tointeger(c->lua, index)) : node_float(c->d, number);
	if (c->go_floats && !lua_isinteger(c->lua, index)) {
		char text[40];

		*out = node_strn(c->d, (struct sv){ text, float_go_g(number, text) });
		(*out)->type = NODE_FLOAT;
	}
	return 0;
}

static int convert(struct conversion *c, int index, struct node **out)
{
	struct sv text;
	int64_t whole;

	if (sandbox_is_null(c->lua, index)) {
		*out = node_null(c->d);
		return 0;
	}
	if (luaL_getmetafield(c->lua, index, "__doc") != LUA_TNIL) {     /* what is written instead of this value */
		int r = convert(c, lua_gettop(c->lua), out);

		lua_pop(c->lua, 1);
		return r;
	}
	switch (lua_type(c->lua, index)) {
	case LUA_TBOOLEAN:
		*out = node_bool(c->d, lua_toboolean(c->lua, index));
		return 0;
	case LUA_TNUMBER:
		return convert_number(c, index, out);
	case LUA_TSTRING:
		text.p = lua_tolstring(c->lua, index, &text.n);
		*out = node_strn(c->d, text);
		return 0;
	case LUA_TTABLE:
		return convert_table(c, index, out);
	default:
		if (sandbox_int_at(c->lua, index, &whole)) {
			*out = node_int(c->d, whole);
			return 0;
		}
		return err_set(c->err, ERR_INVALID, "%s is a %s, which no manifest can hold", str_c(&c->path),
			       luaL_typename(c->lua, index));
	}
}

static int to_node(lua_State *lua, int index, struct doc *d, bool go_floats, struct node **out, struct err *err)
{
	struct conversion c = { .lua = lua, .d = d, .go_floats = go_floats, .err = err };
	int top = lua_gettop(lua);

	str_addc(&c.path, "the value");
	int r = convert(&c, lua_absindex(lua, index), out);
	lua_settop(lua, top);
	str_free(&c.path);
	return r;
}

int sandbox_to_node(lua_State *lua, int index, struct doc *d, struct node **out, struct err *err)
{
	return to_node(lua, index, d, false, out, err);
}

int sandbox_to_node_go(lua_State *lua, int index, struct doc *d, struct node **out, struct err *err)
{
	return to_node(lua, index, d, true, out, err);
}
