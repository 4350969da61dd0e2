/* render/chart/gotmpl/engine.h - runs Go templates in a sandbox: named templates, include, tpl, output. */
#pragma once

#include "base/doc.h"
#include "render/chart/lua/sandbox.h"

struct gotmpl;

struct gotmpl *gotmpl_new(struct sandbox *borrowed);
/* What the random functions depend on; without it they give the same for all charts. */
void gotmpl_seed(struct gotmpl *g, struct sv seed);
/* A key that a mapping does not have is an error (missingkey=error), and not nil. */
void gotmpl_require_keys(struct gotmpl *g);
void gotmpl_free(struct gotmpl **g);

/* Parses a file's text as the template `name` ("web/templates/deployment.yaml"), with all that it defines. */
MUST_CHECK int gotmpl_add(struct gotmpl *g, const char *name, struct sv text, struct err *err);
/* Runs a template with the value on top of the sandbox's stack as dot, and pops it. Appends to out, without the text that stands for nil. Errors say
 * "NAME:LINE:COLUMN: executing "NAME" at <ACTION>: what", and the includes that led there. */
MUST_CHECK int gotmpl_run(struct gotmpl *g, const char *name, struct str *out, struct err *err);
