/* render/chart/missing.h - dependencies that Chart.yaml names and charts/ does not hold. */
#pragma once

#include "render/chart/load.h"
#include "render/render.h"

/* Adds them to the chart, and to the charts below it: from file:// directories of the same view, else by o->chart. What
 * Chart.lock says is preferred to the range in Chart.yaml. Without o->chart nothing is done: deps_process() complains. */
MUST_CHECK int missing_fetch(struct chart *c, const struct render_opts *o, struct err *err);
