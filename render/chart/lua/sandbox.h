/* render/chart/lua/sandbox.h - a Lua state that cannot do harm: no io, os, debug or bytecode, bounded memory and
 * instructions, the same output for the same input (pairs() goes in sorted order, no clock, no random numbers).
 *
 * Values of manifests in Lua: a mapping and a list are tables with the metatables of their kind, so that an empty list
 * stays one; integers and floats are Lua's two kinds of numbers; null inside a table is the constant `null`. */
#pragma once

#include <lua.h>

#include "base/doc.h"

struct sandbox_limits {
	size_t memory;                  /* bytes; 0: 256 MB */
	int64_t instructions;           /* of one sandbox_call(); 0: 200 million */
};

struct sandbox;

struct sandbox *sandbox_new(const struct sandbox_limits *limits);      /* limits may be NULL */
void sandbox_free(struct sandbox **s);
lua_State *sandbox_state(struct sandbox *s);

/* Compiles text (never bytecode) and pushes the function. chunk names it in errors: "templates/web.lua". */
MUST_CHECK int sandbox_load(struct sandbox *s, struct sv text, const char *chunk, struct err *err);
/* lua_pcall() with the limits on; the error says "templates/web.lua:12: what" and the calls that led there. */
MUST_CHECK int sandbox_call(struct sandbox *s, int n_args, int n_results, struct err *err);

/* How frames of engines that make Lua of something else are named in errors: fn appends "where" and returns true for
 * frames that are its own. NULL: none. */
void sandbox_describe_frames(struct sandbox *s, bool (*fn)(void *arg, const char *source, int line, struct str *out), void *arg);

void sandbox_push(lua_State *lua, const struct node *n);        /* a document as Lua values; NULL and null are `null` */
/* The same with all numbers as floats but those that --set gave, which are int64, as Helm's values are (YAML to JSON to float64). */
void sandbox_push_floats(lua_State *lua, const struct node *n);
/* The value at an index as nodes of d. Functions, cycles and keys that are no strings are errors that name the path. */
MUST_CHECK int sandbox_to_node(lua_State *lua, int index, struct doc *d, struct node **out, struct err *err);

/* The same with floats as Go prints them: 1e+06. */
MUST_CHECK int sandbox_to_node_go(lua_State *lua, int index, struct doc *d, struct node **out, struct err *err);

void sandbox_new_map(lua_State *lua);                           /* pushes an empty mapping */
void sandbox_new_list(lua_State *lua);                          /* pushes an empty list */
bool sandbox_is_list(lua_State *lua, int index);                /* a list, or a table with items 1..n and nothing else */
bool sandbox_is_null(lua_State *lua, int index);                /* `null` or nil */

/* ---- values of Go types that Lua has no kind for: templates tell them apart, manifests do not ---- */

void sandbox_push_int(lua_State *lua, int64_t v, const char *type);    /* "int64", "uint8": an integer that is no int */
bool sandbox_int_at(lua_State *lua, int index, int64_t *out);          /* an integer of any type */
void sandbox_new_typed(lua_State *lua, const char *type);              /* "[]string", "map[string]string": pushes an empty one */
