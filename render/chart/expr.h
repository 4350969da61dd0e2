/* render/chart/expr.h - one template text and one value: what `cd render --expr` and the tests of the language run. */
#pragma once

#include "render/render.h"

/* Renders text with data as dot, after the sets were applied to it (when it is a mapping). As Helm's final step does,
 * "<no value>" is removed from the output. */
MUST_CHECK int chart_expr(struct sv text, const struct node *data, const struct render_set *sets, size_t n_sets, struct str *out,
			  struct err *err);
