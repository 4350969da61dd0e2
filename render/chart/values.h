/* render/chart/values.h - which values a chart's templates see. Helm's rules: later wins, mappings are merged, lists are
 * replaced, null removes, a parent's values for a chart below it win, `global` is the same everywhere. */
#pragma once

#include "render/chart/load.h"
#include "render/render.h"

/* over laid on base, as files of values are: a new tree in d. Mappings are merged; everything else of `over` replaces what is
 * there, null too, which stays: it may remove a chart's default. */
struct node *values_override(struct doc *d, const struct node *base, const struct node *over);

/* Adds what `from` has and `into` has not, in place; both are in d, and afterwards share what was added. keep_nulls: a null of
 * `into` stays; otherwise it removes the member that `from` has. */
void values_fill(struct doc *d, struct node *into, struct node *from, bool keep_nulls);

/* What the options say, as one tree in d: in their order; nulls stay, as they remove defaults below. v: where the files of
 * SET_VALUES_FILE are, by paths from its root. */
MUST_CHECK int values_said(struct doc *d, struct vfs *v, const struct render_opts *o, struct node **out, struct err *err);
/* said (may be NULL) over the chart's own values, with those of the charts below it under their names. *out is in d. */
MUST_CHECK int values_coalesce(struct doc *d, const struct chart *c, const struct node *said, struct node **out, struct err *err);
/* The same with nothing said, and with all nulls: what import-values works on. */
MUST_CHECK int values_defaults(struct doc *d, const struct chart *c, struct node **out, struct err *err);
