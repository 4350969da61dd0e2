#include "render/chart/lua/template.h"

#include <lauxlib.h>

#include "render/chart/capabilities.h"

extern const char k8s_lua[], k8s_lua_end[];

#define LOADED "loaded modules"         /* registry: chart path and module name -> what it returned */
#define SCOPE "scope"                   /* registry: the chart whose templates run, for require and files */

/* ---- globals ---- */

static void set_text(lua_State *lua, const char *field, const char *text)
{
	lua_pushstring(lua, text);
	lua_setfield(lua, -2, field);
}

static void push_release(lua_State *lua, const struct render_opts *o)
{
	lua_newtable(lua);
	set_text(lua, "name", o->release ? o->release : "release-name");
	set_text(lua, "namespace", o->ns ? o->ns : "default");
	set_text(lua, "service", "Helm");
	lua_pushinteger(lua, 1);
	lua_setfield(lua, -2, "revision");
	lua_pushboolean(lua, !o->is_upgrade);
	lua_setfield(lua, -2, "isInstall");
	lua_pushboolean(lua, o->is_upgrade);
	lua_setfield(lua, -2, "isUpgrade");
}

/* capabilities.has("apps/v1") */
static int has_api(lua_State *lua)
{
	const struct render_opts *o = lua_touserdata(lua, lua_upvalueindex(1));

	lua_pushboolean(lua, capabilities_has(o, sv_c(luaL_checkstring(lua, 1))));
	return 1;
}

static void push_capabilities(lua_State *lua, const struct render_opts *o)
{
	lua_newtable(lua);
	struct str version = { 0 };
	capabilities_kube_version(o, &version);
	set_text(lua, "kubeVersion", str_c(&version));
	str_free(&version);
	lua_pushlightuserdata(lua, (void *)(uintptr_t)o);
	lua_pushcclosure(lua, has_api, 1);
	lua_setfield(lua, -2, "has");
}

static const struct chart *current_chart(lua_State *lua)
{
	lua_getfield(lua, LUA_REGISTRYINDEX, SCOPE);
	const struct chart *c = lua_touserdata(lua, -1);
	lua_pop(lua, 1);
	return c;
}

static const struct chart_file *find_file(const struct chart_files *files, const char *path)
{
	const struct chart_file *f;

	vec_each(f, files)
		if (str_eq(f->path, path))
			return f;
	return NULL;
}

/* files.get("config/app.conf"): the text, or nil. */
static int get_file(lua_State *lua)
{
	const struct chart_file *f = find_file(&current_chart(lua)->files, luaL_checkstring(lua, 1));

	if (f)
		lua_pushlstring(lua, str_c(&f->text), f->text.n);
	else
		lua_pushnil(lua);
	return 1;
}

/* files.under("config/"): a table of path and text, for pairs(). */
static int files_under(lua_State *lua)
{
	struct sv prefix = sv_c(luaL_optstring(lua, 1, ""));
	const struct chart_file *f;

	lua_newtable(lua);
	vec_each(f, &current_chart(lua)->files) {
		if (!sv_starts(sv_c(f->path), prefix))
			continue;
		lua_pushlstring(lua, str_c(&f->text), f->text.n);
		lua_setfield(lua, -2, f->path);
	}
	return 1;
}

/* ---- require ---- */

/* The text of a module, and how errors name it: a helper of this chart or of one above it, or a builder of ours. */
static bool find_module(const struct chart *c, const char *name, struct sv *text, struct str *as)
{
	AUTO(str) path = { 0 };

	if (str_eq(name, "k8s")) {
		*text = (struct sv){ k8s_lua, (size_t)(k8s_lua_end - k8s_lua) };
		str_addc(as, "k8s.lua");
		return true;
	}
	str_addf(&path, "templates/%s.lua", name);
	for (; c; c = c->parent) {
		const struct chart_file *f = find_file(&c->templates, str_c(&path));

		if (!f)
			continue;
		*text = str_sv(&f->text);
		str_addf(as, "%s/%s", c->path, f->path);
		return true;
	}
	return false;
}

/* Compiles a module and pushes the function, or pushes a message and returns false; owns no memory when it returns. */
static bool load_module(lua_State *lua, const struct chart *c, const char *name)
{
	AUTO(str) as = { 0 };
	AUTO(str) chunk = { 0 };
	struct sv text;

	if (!find_module(c, name, &text, &as)) {
		lua_pushfstring(lua, "there is no module '%s': neither templates/%s.lua nor a builder has this name", name, name);
		return false;
	}
	str_addf(&chunk, "@%s", str_c(&as));
	return luaL_loadbufferx(lua, text.p, text.n, str_c(&chunk), "t") == LUA_OK;
}

static int require(lua_State *lua)
{
	const char *name = luaL_checkstring(lua, 1);
	const struct chart *c = current_chart(lua);

	lua_settop(lua, 1);
	luaL_getsubtable(lua, LUA_REGISTRYINDEX, LOADED);
	lua_pushfstring(lua, "%s %s", c->path, name);
	lua_pushvalue(lua, 3);
	if (lua_rawget(lua, 2) != LUA_TNIL)
		return 1;
	lua_pop(lua, 1);
	if (!load_module(lua, c, name))
		return luaL_error(lua, "%s", lua_tostring(lua, -1));
	lua_call(lua, 0, 1);
	if (lua_isnil(lua, -1)) {
		lua_pop(lua, 1);
		lua_pushboolean(lua, 1);
	}
	lua_pushvalue(lua, 3);
	lua_pushvalue(lua, -2);
	lua_rawset(lua, 2);
	return 1;
}

struct scope { const struct chart *chart; const struct node *values; const struct render_opts *opts; };

static int open_scope(lua_State *lua)
{
	const struct scope *scope = lua_touserdata(lua, 1);
	static const luaL_Reg files[] = { { "get", get_file }, { "under", files_under }, { NULL, NULL } };

	lua_pushlightuserdata(lua, (void *)(uintptr_t)scope->chart);
	lua_setfield(lua, LUA_REGISTRYINDEX, SCOPE);
	sandbox_push(lua, scope->values);
	lua_setglobal(lua, "values");
	sandbox_push(lua, doc_root(scope->chart->meta));
	set_text(lua, "name", scope->chart->name);      /* an alias takes the name's place */
	lua_setglobal(lua, "chart");
	push_release(lua, scope->opts);
	lua_setglobal(lua, "release");
	push_capabilities(lua, scope->opts);
	lua_setglobal(lua, "capabilities");
	luaL_newlib(lua, files);
	lua_setglobal(lua, "files");
	lua_pushcfunction(lua, require);
	lua_setglobal(lua, "require");
	return 0;
}

int lua_scope(struct sandbox *s, const struct chart *c, const struct node *values, const struct render_opts *o, struct err *err)
{
	struct scope scope = { c, values, o };

	lua_pushcfunction(sandbox_state(s), open_scope);
	lua_pushlightuserdata(sandbox_state(s), &scope);
	return sandbox_call(s, 1, 0, err);
}

/* ---- templates ---- */

/* Runs the function at 1 as a coroutine and returns a list of everything that it yields and returns. */
static int collect(lua_State *lua)
{
	lua_State *co = lua_newthread(lua);
	lua_Integer n = 0;
	int status, results;

	lua_newtable(lua);
	lua_pushvalue(lua, 1);
	lua_xmove(lua, co, 1);
	do {
		status = lua_resume(co, lua, 0, &results);
		if (status != LUA_OK && status != LUA_YIELD) {
			lua_xmove(co, lua, 1);
			return lua_error(lua);
		}
		for (int i = -results; i < 0; i++) {
			lua_pushvalue(co, i);
			lua_xmove(co, lua, 1);
			lua_rawseti(lua, -2, ++n);
		}
		lua_pop(co, results);
	} while (status == LUA_YIELD);
	lua_pushinteger(lua, n);
	return 2;
}

/* One value that a template gave: nothing, an object, or a list of such values. */
static int add_objects(struct sandbox *s, int index, const char *where, struct docs *out, struct err *err)
{
	lua_State *lua = sandbox_state(s);

	if (sandbox_is_null(lua, index) || (lua_isboolean(lua, index) && !lua_toboolean(lua, index)))
		return 0;
	if (!lua_istable(lua, index))
		return err_set(err, ERR_INVALID, "%s: gave a %s; want an object, or a list of objects", where, luaL_typename(lua, index));
	if (sandbox_is_list(lua, index)) {
		for (lua_Integer i = 1; lua_rawgeti(lua, index, i) != LUA_TNIL; i++) {
			TRY(add_objects(s, lua_gettop(lua), where, out, err));
			lua_pop(lua, 1);
		}
		lua_pop(lua, 1);
		return 0;
	}
	AUTO_DOC d = doc_new();
	struct node *root;
	TRY(err_wrap(err, sandbox_to_node(lua, index, d, &root, err), "%s", where));
	if (!root->n)
		return 0;
	if (!node_str_at(root, "kind") || !node_str_at(root, "apiVersion"))
		return err_set(err, ERR_INVALID, "%s: gave an object without apiVersion or kind", where);
	doc_set_root(d, root);
	vec_push(out, TAKE(d));
	return 0;
}

int lua_template(struct sandbox *s, const struct chart *c, const struct chart_file *f, struct docs *out, struct err *err)
{
	lua_State *lua = sandbox_state(s);
	AUTO(str) where = { 0 };
	int top = lua_gettop(lua), r;

	str_addf(&where, "%s/%s", c->path, f->path);
	lua_pushcfunction(lua, collect);
	r = sandbox_load(s, str_sv(&f->text), str_c(&where), err);
	if (r >= 0 && (r = sandbox_call(s, 1, 2, err)) >= 0) {
		lua_Integer n = lua_tointeger(lua, -1);

		for (lua_Integer i = 1; r >= 0 && i <= n; i++) {
			lua_rawgeti(lua, top + 1, i);
			r = add_objects(s, lua_gettop(lua), str_c(&where), out, err);
			lua_settop(lua, top + 2);
		}
	}
	lua_settop(lua, top);
	return r;
}
