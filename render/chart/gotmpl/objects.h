/* render/chart/gotmpl/objects.h - what templates see beside the values: .Release, .Chart, .Capabilities, .Files, .Subcharts. */
#pragma once

#include <lua.h>

#include "render/chart/load.h"
#include "render/render.h"

/* Pushes the dot of a chart's templates, without .Template. values: this chart's, with those of the charts below it. */
void gotmpl_push_scope(lua_State *lua, const struct chart *c, const struct node *values, const struct render_opts *o);
/* Sets .Template of the scope on top of the stack: name "web/templates/x.yaml", base path "web/templates". */
void gotmpl_set_template(lua_State *lua, const char *name, const char *base_path);
