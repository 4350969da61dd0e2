#include "render/chart/gotmpl/goquote.h"

#include "base/utf8.h"

#include <stdio.h>
#include <utf8proc.h>

/* ---- strings ---- */

/* Letters, marks, numbers, punctuation, symbols, and the ASCII space. */
bool go_is_print(uint32_t c)
{
	if (c == ' ')
		return true;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_CN: case UTF8PROC_CATEGORY_CC: case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO: case UTF8PROC_CATEGORY_ZS: case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP:
		return false;
	default:
		return true;
	}
}

static bool add_short_escape(uint32_t c, struct str *out)
{
	static const char letters[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	const char *at = c && c < 0x80 ? strchr(values, (int)c) : NULL;

	if (at)
		str_addf(out, "\\%c", letters[at - values]);
	return at;
}

void go_quote(struct sv s, char quote, bool ascii, struct str *out)
{
	str_add1(out, quote);
	for (const char *p = s.p, *end = s.p + s.n; p < end;) {
		const char *from = p;
		bool valid;
		uint32_t c = utf8_decode(&p, end, &valid);

		if (!valid)
			str_addf(out, "\\x%02x", (unsigned char)*from);
		else if (c == (uint32_t)quote || c == '\\')
			str_addf(out, "\\%c", (char)c);
		else if (c < 0x80 ? c >= ' ' && c != 0x7f : !ascii && go_is_print(c))
			str_add(out, (struct sv){ from, (size_t)(p - from) });
		else if (add_short_escape(c, out))
			continue;
		else if (c < ' ' || c == 0x7f)
			str_addf(out, "\\x%02x", c);
		else
			str_addf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
	}
	str_add1(out, quote);
}

bool go_can_backquote(struct sv s)
{
	for (const char *p = s.p, *end = s.p + s.n; p < end;) {
		bool valid;
		uint32_t c = utf8_decode(&p, end, &valid);

		if (!valid || c == 0xfeff || c == '`' || c == 0x7f || (c < ' ' && c != '\t'))
			return false;
	}
	return true;
}
