/* render/chart/values.h - which values a chart's templates see. Helm's rules: later wins, mappings are merged, lists are
 * replaced, null removes, a parent's values for a chart below it win, `global` is the same everywhere. */
#pragma once

#include "render/chart/load.h"
#include "render/render.h"

/* over laid on base: a new tree in d. null in `over` removes what base has; where base has nothing it stays, as there may be
 * a chart below whose default it removes. */
struct node *values_merge(struct doc *d, const struct node *base, const struct node *over);

/* What the options say, as one tree in d: in their order; nulls stay, as they remove defaults below. v: where the files of
 * SET_VALUES_FILE are, by paths from its root. */
MUST_CHECK int values_said(struct doc *d, struct vfs *v, const struct render_opts *o, struct node **out, struct err *err);
/* said (may be NULL) over the chart's own values, with those of the charts below it under their names. *out is in d. */
MUST_CHECK int values_coalesce(struct doc *d, const struct chart *c, const struct node *said, struct node **out, struct err *err);
