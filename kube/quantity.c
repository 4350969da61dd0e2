#include "kube/quantity.h"

#include <ctype.h>

typedef __int128 wide;

#define TOO_LARGE ((wide)INT64_MAX * 2)         /* from here on only "too large" is known */
#define NANO_TOO_LARGE ((wide)INT64_MAX * 1000000000)

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
static bool digits(struct sv *text, wide *v, int *behind, bool *rest, wide most)
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
		if (*v < most && *behind < 18) {
			*v = *v * 10 + (*text->p - '0');
			*behind += point;
		} else if (point) {
			*rest |= *text->p != '0';
		} else {
			*v = most;
		}
	}
	return n > 0;
}

/* v * base^power, rounded up, for v of 0 or more; *v ends at most or below. */
static void scale(wide *v, int base, int power, bool *rest, wide most)
{
	for (; power > 0 && *v < most; power--)
		*v *= base;
	if (*v > most)
		*v = most;
	for (; power < 0; power++) {
		*rest |= *v % base != 0;
		*v /= base;
	}
}

static bool parse(struct sv text, int power_of_unit, wide most, wide *out)
{
	bool negative = text.n && *text.p == '-', rest = false;
	int behind = 0, base, power;
	wide v = 0;

	if (text.n && (*text.p == '-' || *text.p == '+'))
		text = sv_drop(text, 1);
	if (!digits(&text, &v, &behind, &rest, most) || !scale_of(text, &base, &power))
		return false;
	if (base == 2) {                /* the two scales one after the other; 2^60 leaves no room for both at once */
		scale(&v, 2, power, &rest, most);
		power = 0;
	}
	scale(&v, 10, power + power_of_unit - behind, &rest, most);
	if (rest && !negative)          /* up: towards zero for what is negative */
		v++;
	*out = negative ? -v : v;
	return true;
}

static bool parse_64(struct sv text, int power_of_unit, int64_t *out)
{
	wide v;

	if (!parse(text, power_of_unit, TOO_LARGE, &v))
		return false;
	*out = v > INT64_MAX ? INT64_MAX : v < -INT64_MAX ? -INT64_MAX : (int64_t)v;
	return true;
}

bool quantity_milli(struct sv text, int64_t *milli) { return parse_64(text, 3, milli); }
bool quantity_value(struct sv text, int64_t *value) { return parse_64(text, 0, value); }
bool quantity_nano(struct sv text, __int128 *billionths) { return parse(text, 9, NANO_TOO_LARGE, billionths); }
