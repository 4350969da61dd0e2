/* render/chart/gotmpl/gofloat.c - floats as text, as Go's strconv.FormatFloat writes them. */
#include "render/chart/gotmpl/goquote.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Go's %x: one digit before the point, which is 1 for all but 0; what the precision leaves out is rounded to even. */
static void format_hex(double v, char verb, int precision, struct str *out)
{
	const char *digits = verb == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
	const uint64_t one = UINT64_C(1) << 60;
	int exponent = 0;
	uint64_t mantissa = v == 0 ? 0 : (uint64_t)ldexp(frexp(v, &exponent), 61);

	if (v != 0)
		exponent--;
	if (precision >= 0 && precision < 15) {
		int shift = precision * 4;
		uint64_t rest = (mantissa << shift) & (one - 1);

		mantissa >>= 60 - shift;
		if ((rest | (mantissa & 1)) > one >> 1)
			mantissa++;
		mantissa <<= 60 - shift;
		if (mantissa & one << 1) {
			mantissa >>= 1;
			exponent++;
		}
	}
	str_addf(out, "0%c%c", verb, mantissa & one ? '1' : '0');
	mantissa <<= 4;
	if (precision > 0 || (precision < 0 && mantissa))
		str_add1(out, '.');
	for (int i = 0; precision < 0 ? mantissa != 0 : i < precision; i++, mantissa <<= 4)
		str_add1(out, digits[mantissa >> 60 & 15]);
	str_addf(out, "%c%+03d", verb == 'x' ? 'p' : 'P', exponent);
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
