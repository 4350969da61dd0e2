/* render/chart/lua/template.h - templates/NAME.lua: programs that return or yield objects.
 *
 * A template sees values, release, chart, capabilities and files, loads templates/_NAME.lua with require "_NAME" and this
 * program's builders with require "k8s". docs/guide/charts.md is the manual. */
#pragma once

#include "base/yaml.h"
#include "render/chart/load.h"
#include "render/chart/lua/sandbox.h"
#include "render/render.h"

/* Makes the chart's scope current: the globals that its templates see. values: this chart's. */
MUST_CHECK int lua_scope(struct sandbox *s, const struct chart *c, const struct node *values, const struct render_opts *o,
			 struct err *err);
/* Runs one template and appends the objects that it makes. Errors begin with "CHART/templates/x.lua:LINE:". */
MUST_CHECK int lua_template(struct sandbox *s, const struct chart *c, const struct chart_file *f, struct docs *out, struct err *err);
