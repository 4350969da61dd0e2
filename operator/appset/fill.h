/* operator/appset/fill.h - parameters into templates. Pure.
 *
 * fasttemplate: `{{ key }}` is the value of that flat key, and stays when there is none. Go templates: the engine of charts,
 * with the parameters as dot. */
#pragma once

#include "base/doc.h"
#include "base/err.h"

struct filler;

/* strict: an unknown key is an error (missingkey=error). */
struct filler *filler_new(bool go_template, bool strict);
void filler_free(struct filler **f);

MUST_CHECK int fill_text(struct filler *f, struct sv text, const struct node *params, struct str *out, struct err *err);
/* A copy of a tree in d with all strings, keys too, filled in. */
MUST_CHECK int fill_tree(struct filler *f, struct doc *d, const struct node *n, const struct node *params, struct node **out,
			 struct err *err);
/* For fasttemplate: the values of nested mappings under flat keys, "a.b", as text. */
void params_flatten(struct doc *d, const struct node *from, const char *prefix, struct node *to);
