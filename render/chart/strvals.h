/* render/chart/strvals.h - the grammar of --set: "a.b=1,c[0].d=x,e={1,2},f\.g=null". Helm's pkg/strvals is the contract. */
#pragma once

#include "base/doc.h"
#include "render/render.h"

/* Sets the values of one --set, --set-string, --set-json, --set-file or --set-literal (by kind) in root, a mapping of d.
 * files (may be NULL): what --set-file reads. Errors quote the text and the place. */
MUST_CHECK int strvals_apply(struct doc *d, struct node *root, enum set_kind kind, const char *text, const struct render_files *files,
			     struct err *err);
