/* render/chart/gotmpl/functions.h - the functions of templates, a table for each topic. To add one: a row and its C function.
 *
 * Arguments and result are Lua values: `null` is Go's nil, and a function returns exactly one value. */
#pragma once

#include <lauxlib.h>

#include "base/str.h"

struct gotmpl;

extern const luaL_Reg *const gotmpl_tables[];           /* NULL-terminated; later tables win */
extern const luaL_Reg gotmpl_go[];                      /* text/template's own */
extern const luaL_Reg gotmpl_strings[], gotmpl_lists[], gotmpl_dicts[], gotmpl_math[], gotmpl_formats[], gotmpl_regex[],
	gotmpl_encoding[], gotmpl_words[], gotmpl_time[], gotmpl_randoms[], gotmpl_crypto[],
	gotmpl_certs[];                                 /* Sprig's */
extern const luaL_Reg gotmpl_toml[];                    /* Helm's toToml */
extern const luaL_Reg gotmpl_helm[];                    /* Helm's others; include and tpl are the engine's (calls.lua) */

bool gotmpl_has_function(struct sv name);
bool gotmpl_wants_map(struct sv name);                  /* an argument that is a mapping: nil is none */

struct gotmpl *gotmpl_of(lua_State *lua);               /* the engine that runs */
bool gotmpl_keys_required(const struct gotmpl *g);      /* missingkey=error */
struct random_stream *gotmpl_random(struct gotmpl *g);
void gotmpl_spend(lua_State *lua);                      /* before a costly function: raises when there were too many */

/* ---- for functions ---- */
bool gotmpl_truth(lua_State *lua, int index);           /* Go's: not nil, false, 0, "", [] or {} */
void gotmpl_push_str(lua_State *lua, struct str *take); /* pushes the text and frees it */
int gotmpl_give(lua_State *lua, struct sv s);           /* `return gotmpl_give(...)`: the function's one result */
int gotmpl_give_str(lua_State *lua, struct str *take);  /* the same, and frees it */
void gotmpl_push_null(lua_State *lua);
/* Raises "wrong number of args for NAME: want N got M" unless least <= arguments <= most (-1: any number). */
void gotmpl_count(lua_State *lua, const char *name, int least, int most);
struct sv gotmpl_check_string(lua_State *lua, int index, const char *name);    /* raises for another type */
