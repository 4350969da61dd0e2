#include "render/chart/gotmpl/engine.h"

#include "base/vec.h"
#include "render/chart/gotmpl/compile.h"
#include "render/chart/gotmpl/functions.h"
#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/gotmpl/luatext.h"
#include "render/chart/gotmpl/random.h"
#include "render/chart/gotmpl/runtime.h"

#include <stdlib.h>

extern const char calls_lua[], calls_lua_end[];

#define INCLUDES_MAX 1000               /* Helm's bound on how often a template may be in itself */
#define COSTLY_MAX 500                  /* keys and hashed passwords of one chart: up to 0.1 s each */
#define OUTPUT_MAX ((size_t)64 << 20)
#define ENGINE "gotmpl engine"
#define FUNCTIONS "gotmpl functions"    /* registry: name -> function */
#define NESTED "gotmpl nested"          /* registry: name -> includes of it that run */
#define CALL "gotmpl call"              /* registry: X */
#define CALLS "=gotmpl calls"

/* Templates that see one another. tpl makes a set of its own above the one that calls it. */
struct scope {
	struct tmpl_set set;
	struct scope *parent;
	int compiled;                   /* registry reference: name -> function */
};

struct chunk { char *file, *name; struct tmpl_code code; };     /* source of the Lua chunk "tmpl#<index>" */

struct gotmpl {
	struct sandbox *sandbox;
	struct scope base, *current;
	VEC(struct chunk) chunks;
	VEC(struct str) outputs;        /* innermost include last */
	size_t written;
	int costly;
	bool keys_required;
	struct random_stream random;
};

/* ---- output ---- */

static struct str *output(struct gotmpl *g) { return &g->outputs.v[g->outputs.n - 1]; }

static void open_output(struct gotmpl *g) { vec_push(&g->outputs, (struct str){ 0 }); }

static struct str close_output(struct gotmpl *g) { return g->outputs.v[--g->outputs.n]; }

static void check_output(struct gotmpl *g, lua_State *lua, size_t n)
{
	g->written += n;
	if (g->written > OUTPUT_MAX)
		luaL_error(lua, "writes more than %d MB", (int)(OUTPUT_MAX >> 20));
}

static struct gotmpl *self(lua_State *lua) { return lua_touserdata(lua, lua_upvalueindex(1)); }

static void write_bytes(lua_State *lua, struct sv text)
{
	struct gotmpl *g = self(lua);

	check_output(g, lua, text.n);
	str_add(output(g), text);
}

/* W(number): a text of the chunk that is the second upvalue. */
static int write_text(lua_State *lua)
{
	const struct chunk *c = &self(lua)->chunks.v[lua_tointeger(lua, lua_upvalueindex(2))];

	write_bytes(lua, c->code.texts.v[lua_tointeger(lua, 1) - 1]);
	return 0;
}

static int print_value(lua_State *lua)
{
	struct gotmpl *g = self(lua);
	size_t before = output(g)->n;

	if (lua_type(lua, 1) == LUA_TSTRING) {
		struct sv text;

		text.p = lua_tolstring(lua, 1, &text.n);
		write_bytes(lua, text);
		return 0;
	}
	if (sandbox_is_null(lua, 1))
		str_addc(output(g), "<no value>");
	else if (luaL_getmetafield(lua, 1, "__shown") != LUA_TNIL)      /* a pointer's String(), which print does not see */
		str_addc(output(g), lua_tostring(lua, -1));
	else
		go_print(lua, 1, output(g));
	check_output(g, lua, output(g)->n - before);
	return 0;
}

static int truth(lua_State *lua)
{
	lua_pushboolean(lua, gotmpl_truth(lua, 1));
	return 1;
}

/* ---- named templates ---- */

static int body_function(lua_State *lua);

static void push_own(struct gotmpl *g, lua_CFunction fn)
{
	lua_State *lua = sandbox_state(g->sandbox);

	lua_pushlightuserdata(lua, g);
	lua_pushcclosure(lua, fn, 1);
}

/* What a compiled template is given, in the order of its parameters; returns how much. */
static int push_runtime(struct gotmpl *g, size_t chunk)
{
	static const lua_CFunction own[] = { print_value, truth, runtime_get_fields, runtime_call_method, runtime_range_over };
	static const lua_CFunction plain[] = { runtime_no_function, runtime_no_command, runtime_no_variable, runtime_map_argument };
	lua_State *lua = sandbox_state(g->sandbox);
	int before = lua_gettop(lua);

	lua_pushlightuserdata(lua, g);
	lua_pushinteger(lua, (lua_Integer)chunk);
	lua_pushcclosure(lua, write_text, 2);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		push_own(g, own[i]);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		lua_pushcfunction(lua, plain[i]);
	lua_pushlightuserdata(lua, g);
	lua_pushinteger(lua, (lua_Integer)chunk);
	lua_newtable(lua);
	lua_pushcclosure(lua, body_function, 3);
	lua_getfield(lua, LUA_REGISTRYINDEX, CALL);
	lua_getfield(lua, LUA_REGISTRYINDEX, FUNCTIONS);
	return lua_gettop(lua) - before;
}

static size_t new_chunk(struct gotmpl *g, const char *file, const char *name)
{
	vec_push(&g->chunks, ((struct chunk){ .file = sv_dup(sv_c(file)), .name = sv_dup(sv_c(name)) }));
	return g->chunks.n - 1;
}

/* Of text with Lua in it, "tmpl#3:12: unexpected symbol" as "web/templates/x.yaml:12: unexpected symbol". */
static void raise_syntax_error(lua_State *lua, const struct chunk *c, bool is_lua)
{
	const char *message = lua_tostring(lua, -1), *colon = strchr(message, ':');

	if (!is_lua)
		luaL_error(lua, "template %s is too complex: %s", c->name, message);
	luaL_error(lua, "%s%s", c->file, colon ? colon : message);
}

/* Loads the code of a chunk, and pushes its function. */
static void load_chunk(struct gotmpl *g, size_t chunk, bool is_lua)
{
	lua_State *lua = sandbox_state(g->sandbox);
	struct chunk *c = &g->chunks.v[chunk];
	char source[32];

	snprintf(source, sizeof source, "=tmpl#%zu", chunk);
	if (luaL_loadbufferx(lua, c->code.text.p, c->code.text.n, source, "t") != LUA_OK)
		raise_syntax_error(lua, c, is_lua);
	str_free(&c->code.text);
	lua_call(lua, push_runtime(g, chunk), 1);
}

static void compile(struct gotmpl *g, const struct tmpl_def *def)
{
	size_t chunk = new_chunk(g, def->file, def->name);

	if (def->body)
		tmpl_compile(def->body, &g->chunks.v[chunk].code);
	else
		lua_text_compile(def, &g->chunks.v[chunk].code);
	load_chunk(g, chunk, !def->body);
}

/* B(number): upvalues are the chunk that it is of, and those functions of it that were needed already. */
static int body_function(lua_State *lua)
{
	struct gotmpl *g = self(lua);
	size_t outer = (size_t)lua_tointeger(lua, lua_upvalueindex(2));
	lua_Integer i = lua_tointeger(lua, 1);

	if (lua_rawgeti(lua, lua_upvalueindex(3), i) != LUA_TNIL)
		return 1;
	size_t chunk = new_chunk(g, g->chunks.v[outer].file, g->chunks.v[outer].name);
	tmpl_compile_body(&g->chunks.v[outer].code.bodies.v[i - 1], &g->chunks.v[chunk].code);
	load_chunk(g, chunk, false);
	lua_pushvalue(lua, -1);
	lua_rawseti(lua, lua_upvalueindex(3), i);
	return 1;
}

/* Pushes the function of a named template; raises when there is none. */
static void push_template(struct gotmpl *g, const char *name)
{
	lua_State *lua = sandbox_state(g->sandbox);

	for (struct scope *s = g->current; s; s = s->parent) {
		const struct tmpl_def *def = map_get(&s->set.defs, sv_c(name));

		if (!def)
			continue;
		lua_rawgeti(lua, LUA_REGISTRYINDEX, s->compiled);
		if (lua_getfield(lua, -1, name) != LUA_TFUNCTION) {
			lua_pop(lua, 1);
			compile(g, def);
			lua_pushvalue(lua, -1);
			lua_setfield(lua, -3, name);
		}
		lua_remove(lua, -2);
		return;
	}
	luaL_error(lua, "template \"%s\" not defined", name);
}

/* Counts the includes of a template that run, by one up or down. */
static lua_Integer count_nested(lua_State *lua, const char *name, lua_Integer by)
{
	lua_getfield(lua, LUA_REGISTRYINDEX, NESTED);
	lua_getfield(lua, -1, name);
	lua_Integer n = lua_tointeger(lua, -1) + by;
	lua_pushinteger(lua, n);
	lua_setfield(lua, -3, name);
	lua_pop(lua, 2);
	return n;
}

static int start_template(lua_State *lua)
{
	push_template(self(lua), luaL_checkstring(lua, 1));
	return 1;
}

/* include's arguments: gives its name, the template, its dot. */
static int start_include(lua_State *lua)
{
	gotmpl_count(lua, "include", 2, 2);
	const char *name = gotmpl_check_string(lua, 1, "include").p;

	if (count_nested(lua, name, 1) > INCLUDES_MAX)
		return luaL_error(lua, "error calling include: template %s includes itself more than %d times", name, INCLUDES_MAX);
	push_template(self(lua), name);
	lua_insert(lua, 2);
	open_output(self(lua));
	return 3;
}

static int end_include(lua_State *lua)
{
	struct str text = close_output(self(lua));

	(void)count_nested(lua, lua_tostring(lua, 1), -1);
	return gotmpl_give_str(lua, &text);
}

/* ---- tpl ---- */

static int free_scope(lua_State *lua)
{
	struct scope *s = lua_touserdata(lua, 1);

	tmpl_set_free(&s->set);
	luaL_unref(lua, LUA_REGISTRYINDEX, s->compiled);
	return 0;
}

static void init_scope(lua_State *lua, struct scope *s, struct scope *parent)
{
	tmpl_set_init(&s->set);
	s->parent = parent;
	lua_newtable(lua);
	s->compiled = luaL_ref(lua, LUA_REGISTRYINDEX);
}

/* A scope that Lua collects, also after an error. */
static struct scope *push_scope(lua_State *lua, struct scope *parent)
{
	struct scope *s = lua_newuserdatauv(lua, sizeof *s, 0);

	*s = (struct scope){ .compiled = LUA_NOREF };
	if (luaL_newmetatable(lua, "gotmpl scope")) {
		lua_pushcfunction(lua, free_scope);
		lua_setfield(lua, -2, "__gc");
	}
	lua_setmetatable(lua, -2);
	init_scope(lua, s, parent);
	return s;
}

static void parse_or_raise(lua_State *lua, struct scope *s, const char *name, struct sv text)
{
	struct err err = { 0 };

	if (tmpl_parse(&s->set, name, text, gotmpl_has_function, &err) >= 0)
		return;
	lua_pushstring(lua, err_msg(&err));
	err_free(&err);
	lua_error(lua);
}

/* tpl's arguments: gives its scope, the text as a template, its dot. */
static int start_tpl(lua_State *lua)
{
	struct gotmpl *g = self(lua);

	gotmpl_count(lua, "tpl", 2, 2);
	struct sv text = gotmpl_check_string(lua, 1, "tpl");
	struct scope *s = push_scope(lua, g->current);

	parse_or_raise(lua, s, "tpl", text);
	g->current = s;
	push_template(g, "tpl");
	lua_pushvalue(lua, 2);
	open_output(g);
	return 3;
}

/* What Go prints for nil; Helm removes it, wherever it came from. */
static void remove_no_value(struct str *text)
{
	static const char mark[] = "<no value>";
	const size_t n = sizeof mark - 1;
	char *to = text->p, *from = text->p, *end, *at;

	if (!text->n)
		return;
	end = text->p + text->n;
	while ((at = memmem(from, (size_t)(end - from), mark, n))) {
		memmove(to, from, (size_t)(at - from));
		to += at - from;
		from = at + n;
	}
	if (from == text->p)
		return;
	memmove(to, from, (size_t)(end - from));
	str_cut(text, (size_t)(to - text->p) + (size_t)(end - from));
}

static int end_tpl(lua_State *lua)
{
	struct gotmpl *g = self(lua);
	struct str text = close_output(g);

	g->current = ((struct scope *)lua_touserdata(lua, 1))->parent;
	remove_no_value(&text);
	return gotmpl_give_str(lua, &text);
}

/* count("or", n) */
static int check_count(lua_State *lua)
{
	if (!lua_tointeger(lua, 2))
		return luaL_error(lua, "wrong number of args for %s: want at least 1 got 0", lua_tostring(lua, 1));
	return 0;
}

/* Runs calls.lua, which gives X, and functions to add to those at `functions`. */
static void open_calls(lua_State *lua, struct gotmpl *g, int functions)
{
	static const lua_CFunction given[] = { start_include, end_include, start_template, start_tpl, end_tpl, truth, check_count };
	const int n = sizeof given / sizeof *given;

	if (luaL_loadbufferx(lua, calls_lua, (size_t)(calls_lua_end - calls_lua), CALLS, "t") != LUA_OK)
		lua_error(lua);
	for (int i = 0; i < n; i++) {
		lua_pushlightuserdata(lua, g);
		lua_pushcclosure(lua, given[i], 1);
	}
	lua_call(lua, n, 2);
	for (lua_pushnil(lua); lua_next(lua, -2);) {
		lua_pushvalue(lua, -2);
		lua_insert(lua, -2);
		lua_settable(lua, functions);
	}
	lua_pop(lua, 1);
	lua_setfield(lua, LUA_REGISTRYINDEX, CALL);
}

/* ---- engine ---- */

/* What a frame of the Lua stack is in the templates. */
static bool describe_frame(void *arg, const char *source, int line, struct str *out)
{
	struct gotmpl *g = arg;
	struct sv number, head;
	int64_t i;

	if (str_eq(source, CALLS))
		return true;            /* ours, and nothing to tell */
	if (!sv_cut(sv_c(source), '#', &head, &number) || !sv_eq_c(head, "=tmpl") || !sv_to_i64(number, &i) ||
	    (size_t)i >= g->chunks.n || line < 1 || (size_t)line > g->chunks.v[i].code.lines.n)
		return false;
	const struct chunk *c = &g->chunks.v[i];
	const struct tmpl_place *p = &c->code.lines.v[line - 1];
	if (!p->line)
		return true;            /* calls a part of the same template */
	str_addf(out, "%s:%u:%u", c->file, p->line, p->column);
	if (p->source.n)
		str_addf(out, ": executing \"%s\" at <" SV_FMT ">", c->name, SV_ARG(p->source));
	return true;
}

static int open_engine(lua_State *lua)
{
	struct gotmpl *g = lua_touserdata(lua, 1);

	init_scope(lua, &g->base, NULL);
	g->current = &g->base;
	lua_pushlightuserdata(lua, g);
	lua_setfield(lua, LUA_REGISTRYINDEX, ENGINE);
	lua_newtable(lua);
	lua_setfield(lua, LUA_REGISTRYINDEX, NESTED);
	lua_newtable(lua);
	for (size_t i = 0; gotmpl_tables[i]; i++)
		luaL_setfuncs(lua, gotmpl_tables[i], 0);
	open_calls(lua, g, lua_gettop(lua));
	lua_setfield(lua, LUA_REGISTRYINDEX, FUNCTIONS);
	return 0;
}

struct gotmpl *gotmpl_new(struct sandbox *s)
{
	struct gotmpl *g = calloc(1, sizeof *g);
	lua_State *lua = sandbox_state(s);

	if (!g)
		abort();
	g->sandbox = s;
	lua_pushcfunction(lua, open_engine);
	lua_pushlightuserdata(lua, g);
	if (sandbox_call(s, 1, 0, NULL) < 0)
		abort();                /* no template has run yet */
	sandbox_describe_frames(s, describe_frame, g);
	return g;
}

static void drop_outputs(struct gotmpl *g)
{
	while (g->outputs.n) {
		struct str unfinished = close_output(g);

		str_free(&unfinished);
	}
	g->written = 0;
	g->current = &g->base;
}

void gotmpl_free(struct gotmpl **gp)
{
	struct gotmpl *g = TAKE(*gp);
	struct chunk *c;

	if (!g)
		return;
	sandbox_describe_frames(g->sandbox, NULL, NULL);
	drop_outputs(g);
	vec_free(&g->outputs);
	vec_each(c, &g->chunks) {
		free(c->file);
		free(c->name);
		tmpl_code_free(&c->code);
	}
	vec_free(&g->chunks);
	luaL_unref(sandbox_state(g->sandbox), LUA_REGISTRYINDEX, g->base.compiled);
	tmpl_set_free(&g->base.set);
	free(g);
}

struct gotmpl *gotmpl_of(lua_State *lua)
{
	lua_getfield(lua, LUA_REGISTRYINDEX, ENGINE);
	struct gotmpl *g = lua_touserdata(lua, -1);
	lua_pop(lua, 1);
	return g;
}

void gotmpl_seed(struct gotmpl *g, struct sv seed) { random_stream_init(&g->random, seed); }

void gotmpl_require_keys(struct gotmpl *g) { g->keys_required = true; }

bool gotmpl_keys_required(const struct gotmpl *g) { return g->keys_required; }

struct random_stream *gotmpl_random(struct gotmpl *g) { return &g->random; }

void gotmpl_spend(lua_State *lua)
{
	if (++gotmpl_of(lua)->costly > COSTLY_MAX)
		luaL_error(lua, "makes more than %d keys and hashed passwords", COSTLY_MAX);
}

int gotmpl_add(struct gotmpl *g, const char *name, struct sv text, struct err *err)
{
	return lua_text_is(text) ? lua_text_add(&g->base.set, name, text, err) :
				   tmpl_parse(&g->base.set, name, text, gotmpl_has_function, err);
}

static int run_top(lua_State *lua)
{
	lua_newtable(lua);              /* what an error left */
	lua_setfield(lua, LUA_REGISTRYINDEX, NESTED);
	push_template(gotmpl_of(lua), lua_tostring(lua, 1));
	lua_pushvalue(lua, 2);
	lua_call(lua, 1, 0);
	return 0;
}

int gotmpl_run(struct gotmpl *g, const char *name, struct str *out, struct err *err)
{
	lua_State *lua = sandbox_state(g->sandbox);

	lua_pushcfunction(lua, run_top);
	lua_pushstring(lua, name);
	lua_rotate(lua, -3, -1);
	open_output(g);
	int r = sandbox_call(g->sandbox, 2, 0, err);
	if (r >= 0) {
		remove_no_value(output(g));
		if (out->n)
			str_add(out, str_sv(output(g)));
		else
			str_move(out, output(g));
	}
	drop_outputs(g);
	return r;
}
