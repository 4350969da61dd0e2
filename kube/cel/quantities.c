/* quantity("1.5Gi"): exact to a billionth, as Kubernetes keeps them. */
#include "kube/cel/cel-internal.h"

#include "kube/quantity.h"

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)
#define UNUSED ((void)e, (void)n)

enum { BILLION = 1000000000 };

struct cel_value cel_quantity(struct cel_eval *e, cel_wide billionths)
{
	cel_wide *q = doc_alloc(e->d, sizeof *q);

	*q = billionths;
	return (struct cel_value){ .kind = CEL_QUANTITY, .opaque = q };
}

static cel_wide of(const struct cel_value *v)
{
	return v->kind == CEL_INT ? (cel_wide)v->i * BILLION : *(const cel_wide *)v->opaque;
}

FN(quantity)
{
	__int128 billionths;

	(void)n;
	if (!quantity_nano(a->s, &billionths))
		return cel_fail(e, "quantities must match the regular expression "
				   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	return cel_quantity(e, billionths);
}

FN(is_quantity)
{
	__int128 billionths;

	UNUSED;
	return cel_bool(quantity_nano(a->s, &billionths));
}

static int sign(cel_wide q) { return q < 0 ? -1 : q > 0; }

FN(sign_of)
{
	UNUSED;
	return cel_int(sign(of(a)));
}

FN(greater)
{
	UNUSED;
	return cel_bool(of(&a[0]) > of(&a[1]));
}

FN(less)
{
	UNUSED;
	return cel_bool(of(&a[0]) < of(&a[1]));
}

FN(compare)
{
	UNUSED;
	return cel_int(of(&a[0]) < of(&a[1]) ? -1 : of(&a[0]) > of(&a[1]));
}

FN(as_float)
{
	UNUSED;
	return (struct cel_value){ .kind = CEL_DOUBLE, .d = (double)of(a) / BILLION };
}

static bool whole(const struct cel_value *a, int64_t *out)
{
	cel_wide q = of(a);

	*out = (int64_t)(q / BILLION);
	return q % BILLION == 0 && q / BILLION <= INT64_MAX && q / BILLION >= INT64_MIN;
}

FN(as_integer)
{
	int64_t i;

	(void)n;
	return whole(a, &i) ? cel_int(i) : cel_fail(e, "cannot convert value to integer");
}

FN(is_integer)
{
	int64_t i;

	UNUSED;
	return cel_bool(whole(a, &i));
}

FN(add)
{
	(void)n;
	return cel_quantity(e, of(&a[0]) + of(&a[1]));
}

FN(sub)
{
	(void)n;
	return cel_quantity(e, of(&a[0]) - of(&a[1]));
}

static const struct cel_overload rows[] = {
	{ "quantity", "s>Q", quantity },
	{ "isQuantity", "s>b", is_quantity },
	{ "sign", "Q.>i", sign_of },
	{ "sign", "Q>i", sign_of },
	{ "isGreaterThan", "Q.Q>b", greater },
	{ "isLessThan", "Q.Q>b", less },
	{ "compareTo", "Q.Q>i", compare },
	{ "asApproximateFloat", "Q.>d", as_float },
	{ "asInteger", "Q.>i", as_integer },
	{ "isInteger", "Q.>b", is_integer },
	{ "add", "Q.Q>Q", add },
	{ "add", "Q.i>Q", add },
	{ "sub", "Q.Q>Q", sub },
	{ "sub", "Q.i>Q", sub },
};

const struct cel_library cel_quantities = { rows, sizeof rows / sizeof *rows, NULL };
