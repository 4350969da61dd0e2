/* render/chart/chart.h - charts: a directory of templates and values to objects. */
#pragma once

#include "render/render.h"

MUST_CHECK int chart_render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err);
