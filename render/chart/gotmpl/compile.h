/* render/chart/gotmpl/compile.h - a parsed Go template as the text of a Lua function.
 *
 * The text is a chunk that is called once with the runtime's functions and returns function(dot): its output goes through
 * W and P. What it calls:
 *   W(number)            writes a text of `texts`
 *   B(number)            the function of one of `bodies`, which is compiled when it is first needed
 *   P(value)             writes a value as Go prints it
 *   T(value)             truth as Go's templates have it
 *   G(value, name...)    fields; a function found at the end is called
 *   M(value, n, name..., arg...)  the same with arguments for the function at the end
 *   R(value)             iterator for range: key, element
 *   X(name, value)       {{template}}
 *   C(value)             the error of giving arguments to what is no function; `what` for its text
 *   N()                  the error of nil as a command
 *   U(name)              the error of a variable that is not in scope
 *   D(value)             an argument that must be a mapping and no nil field
 *   F                    functions by name
 * Go's nil is the sandbox's `null` everywhere. Every statement stands on a line of its own, and `lines` tells for each
 * line of Lua where in the template it comes from. */
#pragma once

#include "render/chart/gotmpl/parse.h"

struct tmpl_place { uint32_t line, column; struct sv source; };        /* source: ".Values.x | quote"; borrows from the template */

/* Part of a template that may never run, as a function of its own: of `$`, the dot, and the variables that it reads. */
struct tmpl_body { const struct tmpl *list; struct sv *reads; size_t n_reads; };

struct tmpl_code {
	struct str text;
	struct { struct tmpl_place *v; size_t n, cap; } lines;         /* lines.v[0]: line 1; line 0: nothing to tell */
	struct { struct sv *v; size_t n, cap; } texts;
	struct { struct tmpl_body *v; size_t n, cap; } bodies;
};

/* The code borrows from the tree. */
void tmpl_compile(const struct tmpl *template, struct tmpl_code *out);
void tmpl_compile_body(const struct tmpl_body *body, struct tmpl_code *out);
void tmpl_code_free(struct tmpl_code *c);
