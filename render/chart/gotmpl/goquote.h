/* render/chart/gotmpl/goquote.h - Go's strconv: quoted strings and floats as text. */
#pragma once

#include "base/str.h"

/* A literal in Go's syntax with this quote (" or '); ascii: everything above is escaped, too. */
void go_quote(struct sv s, char quote, bool ascii, struct str *out);
bool go_is_print(uint32_t code_point);           /* unicode.IsPrint */
bool go_can_backquote(struct sv s);             /* one line without control characters and backquotes */
/* strconv.FormatFloat of a value that is not negative: verbs e E f g G b x X; precision -1: as few digits as read back. */
void go_format_float(double v, char verb, int precision, struct str *out);
