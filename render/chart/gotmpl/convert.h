/* render/chart/gotmpl/convert.h - a Go template as a text template with Lua (luatext.h) that gives the same output. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* name: of the file, for errors. A text without actions stays as it is. ERR_INVALID: not a template of Go's. */
MUST_CHECK int gotmpl_convert(const char *name, struct sv text, struct str *out, struct err *err);
