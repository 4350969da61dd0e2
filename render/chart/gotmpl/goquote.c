#include "render/chart/gotmpl/goquote.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- floats ---- */

#define SHORTEST_PLAIN 6                /* the first power of ten that the shortest %g writes with an exponent */

/* Exponents have at least two digits in C and in Go alike. */
static void shortest(double v, struct str *out)
{
	char sci[40];

	for (int digits = 0; digits <= 16; digits++) {
		snprintf(sci, sizeof sci, "%.*e", digits, v);
		if (strtod(sci, NULL) == v)
			break;
	}
	str_addc(out, sci);
}

/* The fewest digits in the wanted form. */
static void format_shortest(double v, char verb, struct str *out)
{
	AUTO(str) sci = { 0 };

	shortest(v, &sci);
	const char *e = strchr(str_c(&sci), 'e');
	int exponent = (int)strtol(e + 1, NULL, 10), digits = (int)(e - str_c(&sci)) - (memchr(sci.p, '.', sci.n) ? 1 : 0);

	if (verb == 'e' || (verb == 'g' && (exponent < -4 || exponent >= SHORTEST_PLAIN))) {
		str_add(out, str_sv(&sci));
		return;
	}
	int decimals = digits - 1 - exponent;
	str_addf(out, "%.*f", decimals > 0 ? decimals : 0, v);
}

/* Go's %b: the mantissa as an integer and the power of two. */
static void format_binary(double v, struct str *out)
{
	int exponent;
	double mantissa = frexp(v, &exponent);

	if (v == 0)
		str_addc(out, "0p-1074");
	else
		str_addf(out, "%lldp%+d", (long long)ldexp(mantissa, 53), exponent - 53);
}

/* Go's exponents of hexadecimal floats have two digits, C's as many as they need. */
static void format_hex(double v, char verb, int precision, struct str *out)
{
	char text[64], *p;

	if (precision < 0)
		snprintf(text, sizeof text, verb == 'x' ? "%a" : "%A", v);
	else
		snprintf(text, sizeof text, verb == 'x' ? "%.*a" : "%.*A", precision, v);
	p = strpbrk(text, "pP");
	str_add(out, (struct sv){ text, (size_t)(p - text) });
	str_addf(out, "%c%+03d", *p, (int)strtol(p + 1, NULL, 10));
}

static void upper(char *p)
{
	for (; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 32);
}

void go_format_float(double v, char verb, int precision, struct str *out)
{
	size_t before = out->n;

	if (verb == 'b')
		format_binary(v, out);
	else if (verb == 'x' || verb == 'X')
		format_hex(v, verb, precision, out);
	else if (precision < 0)
		format_shortest(v, verb == 'E' ? 'e' : verb == 'G' ? 'g' : verb, out);
	else if (verb == 'e' || verb == 'E')
		str_addf(out, "%.*e", precision, v);
	else if (verb == 'f')
		str_addf(out, "%.*f", precision, v);
	else
		str_addf(out, "%.*g", precision ? precision : 1, v);
	if (verb == 'E' || verb == 'G')
		upper(out->p + before);
}
