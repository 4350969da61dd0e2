/* render/chart/expr.h - one template text and one value: what `cd render --expr` and the tests of the language run. */
#pragma once

#include "render/render.h"

struct chart_expr {
	struct sv text;                         /* the template */
	const struct node *data;                /* its dot; NULL: nil */
	const struct render_set *sets;          /* applied to the data, when it is a mapping */
	size_t n_sets;
	struct render_files files;              /* of --set-file */
};

/* As Helm's final step does, "<no value>" is removed from the output. */
MUST_CHECK int chart_expr(const struct chart_expr *e, struct str *out, struct err *err);
