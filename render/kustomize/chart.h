/* render/kustomize/chart.h - helmCharts: a chart below the kustomization, rendered by this program's own engine. */
#pragma once

#include "render/kustomize/target.h"

/* Needs --enable-helm, as there. Nothing is pulled: the chart must be in the chart home. */
MUST_CHECK int chart_inflate(struct target *t, const struct chart_spec *c, struct set *out, struct err *err);
