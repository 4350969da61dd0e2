/* render/chart/gotmpl/luatext.h - text templates with Lua: `{{= expression }}`, `{{% statement %}}`.
 *
 * `{{%-`, `{{=-` and `-%}}`, ` -}}` take the white space before and after away, as in Go's templates. `{{% define "name" %}}`
 * ... `{{% enddefine %}}` makes a named template that Go templates include, too, and the other way round. They are the
 * same engine's: a definition becomes one Lua function(dot), as tmpl_compile() makes it of Go's. */
#pragma once

#include "render/chart/gotmpl/compile.h"

/* Whether a text is such a template: its first `{{` is followed by `=` or `%`, which no Go template may have. */
bool lua_text_is(struct sv text);
/* Adds the template `name` and those that its text defines to the set. Errors are ERR_INVALID "NAME:LINE: what". */
MUST_CHECK int lua_text_add(struct tmpl_set *s, const char *name, struct sv text, struct err *err);
/* The Lua of one definition; every line of it is one of the text. Never fails: what is no Lua is found when it is loaded. */
void lua_text_compile(const struct tmpl_def *def, struct tmpl_code *out);
