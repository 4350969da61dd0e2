#include "kube/quantity.h"

#include <ctype.h>

typedef __int128 wide;

#define TOO_LARGE ((wide)INT64_MAX * 2)         /* from here on only "too large" is known */

static const struct { const char *suffix; int base, power; } suffixes[] = {
	{ "", 10, 0 }, { "n", 10, -9 }, { "u", 10, -6 }, { "m", 10, -3 }, { "k", 10, 3 }, { "M", 10, 6 }, { "G", 10,
	9 },
	{ "T", 10, 12 }, { "P", 10, 15 }, { "E", 10, 18 }, { "Ki", 2, 10 }, { "Mi", 2, 20 }, { "Gi", 2, 30 }, { "Ti",
	2, 40 },
	{ "Pi", 2, 50 }, { "Ei", 2, 60 },
};

static bool scale_of(struct sv text, int *base, int *power)
{
	int64_t exponent;

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (sv_eq_c(text, suffixes[i].suffix)) {
			*base = suffixes[i].base;
			*power = suffixes[i].power;
			return true;
		}
	if (text.n < 2 || (*text.p != 'e' && *text.p != 'E') || !sv_to_i64(sv_drop(text, 1), &exponent) ||
	    exponent < -100 || exponent > 100)
		return false;
	*base = 10;
	*power = (int)exponent;
	return true;
}

/* Digits without their point; *power loses one for each digit behind it. Digits that cannot matter only round up. */
static bool digits(struct sv *text, wide *v, int *behind, bool *rest)
{
	bool point = false;
	size_t n = 0;

	for (; text->n; text->p++, text->n--) {
		if (*text->p == '.' && !point) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*text->p))
			break;
		n++;
		if (*v < TOO_LARGE && *behind < 18) {
			*v = *v * 10 + (*text->p - '0');
			*behind += point;
		} else if (point) {
			*rest |= *text->p != '0';
		} else {
			*v = TOO_LARGE;
		}
	}
	return n > 0;
}

/* v * base^power, rounded up, for v of 0 or more; *v ends at TOO_LARGE or below. */
static void scale(wide *v, int base, int power, bool *rest)
{
	for (; power > 0 && *v < TOO_LARGE; power--)
		*v *= base;
	if (*v > TOO_LARGE)
		*v = TOO_LARGE;
	for (; power < 0; power++) {
		*rest |= *v % base != 0;
		*v /= base;
	}
}

static bool parse(struct sv text, int power_of_unit, int64_t *out)
{
	bool negative = text.n && *text.p == '-', rest = false;
	int behind = 0, base, power;
	wide v = 0;

	if (text.n && (*text.p == '-' || *text.p == '+'))
		text = sv_drop(text, 1);
	if (!digits(&text, &v, &behind, &rest) || !scale_of(text, &base, &power))
		return false;
	if (base == 2) {                /* the two scales one after the other; 2^60 leaves no room for both at once */
		scale(&v, 2, power, &rest);
		power = 0;
	}
	scale(&v, 10, power + power_of_unit - behind, &rest);
	if (rest && !negative)          /* up: towards zero for what is negative */
		v++;
	*out = v > INT64_MAX ? INT64_MAX : (int64_t)v;
	if (negative)
		*out = -*out;
	return true;
}

bool quantity_milli(struct sv text, int64_t *milli) { return parse(text, 3, milli); }
bool quantity_value(struct sv text, int64_t *value) { return parse(text, 0, value); }
