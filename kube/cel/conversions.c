/* int(), uint(), double(), string(), bytes(), bool(), timestamp(), duration(), dyn(), type(). */
#include "kube/cel/cel-internal.h"

#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)
#define UNUSED ((void)e, (void)n)

static struct cel_value of_uint(uint64_t u) { return (struct cel_value){ .kind = CEL_UINT, .u = u }; }
static struct cel_value of_double(double d) { return (struct cel_value){ .kind = CEL_DOUBLE, .d = d }; }

FN(same)
{
	UNUSED;
	return *a;
}

FN(type_of)
{
	(void)n;
	const struct cel_type *t = &cel_types[a->kind];
	if (a->kind == CEL_HOST) {
		struct cel_type *own = doc_alloc(e->d, sizeof *own);

		own->kind = CEL_HOST;
		own->name = a->host_name;
		t = own;
	}
	return (struct cel_value){ .kind = CEL_TYPE, .type = t };
}

/* ---- numbers ---- */

FN(int_of_uint)
{
	(void)n;
	return a->u > INT64_MAX ? cel_fail(e, "integer overflow") : cel_int((int64_t)a->u);
}

FN(int_of_double)
{
	(void)n;
	return !(a->d > -0x1p63 && a->d < 0x1p63) ? cel_fail(e, "integer overflow") : cel_int((int64_t)a->d);
}

static struct cel_value not_a(struct cel_eval *e, const char *type)
{
	return cel_fail(e, "type conversion error from 'string' to '%s'", type);
}

FN(int_of_text)
{
	int64_t i;

	(void)n;
	return sv_to_i64(a->s, &i) ? cel_int(i) : not_a(e, "int");
}

FN(int_of_time)
{
	UNUSED;
	return cel_int(a->i);
}

FN(int_of_duration)
{
	UNUSED;
	return cel_int(a->i);
}

FN(uint_of_int)
{
	(void)n;
	return a->i < 0 ? cel_fail(e, "unsigned integer overflow") : of_uint((uint64_t)a->i);
}

FN(uint_of_double)
{
	(void)n;
	return !(a->d >= 0 && a->d < 0x1p64) ? cel_fail(e, "unsigned integer overflow") : of_uint((uint64_t)a->d);
}

FN(uint_of_text)
{
	char *text = sv_dup(a->s), *end;
	bool digit = isdigit((unsigned char)*text);

	(void)n;
	errno = 0;
	uint64_t u = strtoull(text, &end, 10);
	bool whole = digit && !errno && end == text + a->s.n;
	free(text);
	return whole ? of_uint(u) : not_a(e, "uint");
}

FN(double_of_int)
{
	UNUSED;
	return of_double((double)a->i);
}

FN(double_of_uint)
{
	UNUSED;
	return of_double((double)a->u);
}

FN(double_of_text)
{
	char *text = sv_dup(a->s), *end;
	double d = strtod(text, &end);
	bool whole = a->s.n && !isspace((unsigned char)*text) && end == text + a->s.n && !strpbrk(text, "xX(");

	(void)n;
	free(text);
	return whole ? of_double(d) : not_a(e, "double");
}

/* ---- bool ---- */

FN(bool_of_text)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" }, *const no[] = { "0",     "f",
												    "F",     "FALSE",
												    "false", "False" };

	(void)n;
	for (size_t i = 0; i < 6; i++)
		if (sv_eq_c(a->s, yes[i]) || sv_eq_c(a->s, no[i]))
			return cel_bool(sv_eq_c(a->s, yes[i]));
	return not_a(e, "bool");
}

/* ---- texts ---- */

void cel_write_double(struct str *out, double d)
{
	char text[40];
	int digits = 1, exponent;

	if (isnan(d) || isinf(d))
		return str_addc(out, isnan(d) ? "NaN" : d < 0 ? "-Inf" : "+Inf");
	do
		snprintf(text, sizeof text, "%.*e", digits - 1, d);
	while (digits++ < 17 && strtod(text, NULL) != d);
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 21)
		return str_addc(out, text); /* 1e+21, as Go's %g */
	digits -= 2 + exponent;
	str_addf(out, "%.*f", digits > 0 ? digits : 0, d);
}

FN(text_of)
{
	AUTO(str) out = { 0 };

	(void)n;
	switch ((enum cel_kind)a->kind) {
	case CEL_INT:
		str_addf(&out, "%" PRId64, a->i);
		break;
	case CEL_UINT:
		str_addf(&out, "%" PRIu64, a->u);
		break;
	case CEL_DOUBLE:
		cel_write_double(&out, a->d);
		break;
	case CEL_BOOL:
		str_addc(&out, a->b ? "true" : "false");
		break;
	case CEL_TIMESTAMP:
		cel_write_time(&out, a->i, a->nanos);
		break;
	case CEL_DURATION:
		cel_write_duration(&out, a->i);
		break;
	default:
		if (a->kind == CEL_BYTES && !utf8_valid(a->s))
			return cel_fail(e, "invalid UTF-8 in bytes, cannot convert to string");
		str_add(&out, a->s);
	}
	(void)cel_spend_text(e, out.n);
	return cel_text(e, &out);
}

FN(bytes_of_text)
{
	UNUSED;
	return (struct cel_value){ .kind = CEL_BYTES, .s = a->s };
}

FN(time_of_text)
{
	struct cel_value v = { .kind = CEL_TIMESTAMP };

	(void)n;
	return cel_parse_time(a->s, &v.i, &v.nanos) ? v
						    : cel_fail(e, "type conversion error from 'string' to 'timestamp'");
}

FN(time_of_int)
{
	(void)n;
	if (a->i < -62135596800 || a->i > 253402300799)
		return cel_fail(e, "timestamp overflow");
	return (struct cel_value){ .kind = CEL_TIMESTAMP, .i = a->i };
}

FN(duration_of_text)
{
	struct cel_value v = { .kind = CEL_DURATION };

	(void)n;
	return cel_parse_duration(a->s, &v.i) ? v : cel_fail(e, "type conversion error from 'string' to 'duration'");
}

FN(duration_of_int)
{
	UNUSED;
	return (struct cel_value){ .kind = CEL_DURATION, .i = a->i };
}

static const struct cel_overload rows[] = {
	{ "dyn", "A>*", same },
	{ "type", "*>T", type_of },
	{ "int", "i>i", same },
	{ "int", "u>i", int_of_uint },
	{ "int", "d>i", int_of_double },
	{ "int", "s>i", int_of_text },
	{ "int", "t>i", int_of_time },
	{ "int", "D>i", int_of_duration },
	{ "uint", "u>u", same },
	{ "uint", "i>u", uint_of_int },
	{ "uint", "d>u", uint_of_double },
	{ "uint", "s>u", uint_of_text },
	{ "double", "d>d", same },
	{ "double", "i>d", double_of_int },
	{ "double", "u>d", double_of_uint },
	{ "double", "s>d", double_of_text },
	{ "bool", "b>b", same },
	{ "bool", "s>b", bool_of_text },
	{ "string", "s>s", same },
	{ "string", "i>s", text_of },
	{ "string", "u>s", text_of },
	{ "string", "d>s", text_of },
	{ "string", "b>s", text_of },
	{ "string", "y>s", text_of },
	{ "string", "t>s", text_of },
	{ "string", "D>s", text_of },
	{ "string", "P>s", text_of },
	{ "string", "C>s", text_of },
	{ "bytes", "y>y", same },
	{ "bytes", "s>y", bytes_of_text },
	{ "timestamp", "t>t", same },
	{ "timestamp", "s>t", time_of_text },
	{ "timestamp", "i>t", time_of_int },
	{ "duration", "D>D", same },
	{ "duration", "s>D", duration_of_text },
	{ "duration", "i>D", duration_of_int },
};

const struct cel_library cel_conversions = { rows, sizeof rows / sizeof *rows, NULL };
