/* Numbers: kept as JSON text, made from C's types in the form that Go prints. */
#include "base/doc-internal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct node *number(struct doc *d, enum node_type type, struct sv text)
{
	struct node *n = node_strn(d, text);

	n->type = (uint8_t)type;
	return n;
}

struct node *node_int(struct doc *d, int64_t v)
{
	char buf[24];
	int n = snprintf(buf, sizeof buf, "%" PRId64, v);

	return number(d, NODE_INT, (struct sv){ buf, (size_t)n });
}

struct node *node_number(struct doc *d, struct sv text)
{
	bool whole = true;

	for (size_t i = 0; i < text.n; i++)
		whole &= (text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == '-';
	return number(d, whole ? NODE_INT : NODE_FLOAT, text);
}

/* The fewest digits that read back as v: "-1.2345e+05" always in this form. */
static void shortest(double v, char buf[static 40])
{
	/* Up to 15 digits always survive, so trying fewer cannot give a shorter form; but for subnormals, which have less. */
	for (int digits = fabs(v) < DBL_MIN ? 0 : 14; digits <= 16; digits++) {
		snprintf(buf, 40, "%.*e", digits, v);
		if (strtod(buf, NULL) == v)
			return;
	}
}

/* Splits "-1.234500e+05" into its digits without trailing zeros and the position of the point (0.DIGITS x 10^point). */
static int split(const char *sci, char digits[static 24], int *point)
{
	int n = 0;
	const char *p = sci + (*sci == '-');

	for (; *p && *p != 'e'; p++)
		if (*p != '.')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	*point = (int)strtol(p + 1, NULL, 10) + 1;
	return n;
}

/* Decimal notation of 0.DIGITS x 10^point. */
static char *plain(char *o, const char *digits, int n, int point)
{
	if (point <= 0) {
		*o++ = '0';
		*o++ = '.';
	}
	for (int i = point; i < 0; i++)
		*o++ = '0';
	for (int i = 0; i < n || i < point; i++) {
		if (i == point && i)
			*o++ = '.';
		*o++ = i < n ? digits[i] : '0';
	}
	return o;
}

/* Decimal notation for 10^least up to 10^most, else an exponent of at least `width` digits. */
static size_t format(double v, int least, int most, int width, char out[static 40])
{
	char sci[40], digits[24], *o = out;
	int point, n;

	shortest(v, sci);
	n = split(sci, digits, &point);
	if (*sci == '-')
		*o++ = '-';
	if (v == 0 || (point > least && point <= most))
		return (size_t)(plain(o, digits, n, v == 0 ? 1 : point) - out);
	*o++ = digits[0];
	if (n > 1)
		*o++ = '.';
	memcpy(o, digits + 1, (size_t)n - 1);
	o += n - 1;
	return (size_t)(o + snprintf(o, 8, "e%+0*d", width + 1, point - 1) - out);
}

size_t float_go_g(double v, char out[static 40]) { return format(v, -4, 6, 2, out); }

struct node *node_float(struct doc *d, double v)
{
	char buf[40];

	if (!isfinite(v))
		return node_null(d);
	return node_number(d, (struct sv){ buf, format(v, -6, 21, 1, buf) });
}

bool node_to_double(const struct node *n, double *out)
{
	if (!node_is(n, NODE_INT) && !node_is(n, NODE_FLOAT))
		return false;
	*out = strtod(n->text, NULL);
	return isfinite(*out);
}

bool node_to_i64(const struct node *n, int64_t *out)
{
	double v;

	if (node_is(n, NODE_INT))
		return sv_to_i64((struct sv){ n->text, n->n }, out);
	if (!node_is(n, NODE_FLOAT) || !node_to_double(n, &v) || v != trunc(v) || fabs(v) > 9007199254740992.0)
		return false;
	*out = (int64_t)v;
	return true;
}
