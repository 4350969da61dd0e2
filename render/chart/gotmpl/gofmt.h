/* render/chart/gotmpl/gofmt.h - printing values as Go's fmt package does: print, println and printf of templates. */
#pragma once

#include <lua.h>

#include "base/str.h"

/* Go's name of a value's type: "string", "int", "float64", "bool", "<nil>", "[]interface {}", "map[string]interface {}",
 * or what a typed value says: "int64", "[]string". */
const char *go_type_name(lua_State *lua, int index);

/* What %v prints: 1e+06, [1 2], map[a:1 b:2] in the order of keys, <nil>. Values nested deeper than 100 print as "...". */
void go_print(lua_State *lua, int index, struct str *out);
/* fmt.Print: a space between two neighbours that are both no strings. fmt.Println: spaces always, and a newline. */
void go_print_all(lua_State *lua, int first, int last, bool line, struct str *out);
/* fmt.Sprintf: the format at index `first`, its arguments up to `last`. Wrong verbs print as Go prints them: "%!d(string=x)". */
void go_printf(lua_State *lua, int first, int last, struct str *out);
