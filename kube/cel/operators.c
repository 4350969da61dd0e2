/* Comparisons, membership, sizes. */
#include "kube/cel/cel-internal.h"

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)
#define UNUSED ((void)e, (void)n)

/* What comparing costs: the length of the shorter one. */
static bool spend_for(struct cel_eval *e, const struct cel_value *v)
{
	if (v->kind == CEL_STRING || v->kind == CEL_BYTES)
		return cel_spend_text(e, v->s.n);
	return cel_spend(e, v->kind == CEL_LIST || v->kind == CEL_MAP ? cel_size(v) : 1);
}

FN(equal)
{
	(void)n;
	(void)spend_for(e, &a[0]);
	return cel_bool(cel_equal(&a[0], &a[1]));
}

FN(unequal)
{
	(void)n;
	(void)spend_for(e, &a[0]);
	return cel_bool(!cel_equal(&a[0], &a[1]));
}

/* -1, 0, 1; 2: nothing compares with it (NaN); 3: *error */
static int order(struct cel_eval *e, const struct cel_value *a, struct cel_value *error)
{
	bool ok;
	int sign = cel_compare(&a[0], &a[1], &ok);

	(void)spend_for(e, &a[0]);
	if (ok)
		return sign < -1 ? 2 : sign;
	*error = cel_fail(e, "no such overload");
	return 3;
}

#define COMPARISON(name, test)                                                                                         \
	FN(name)                                                                                                       \
	{                                                                                                              \
		struct cel_value error = { 0 };                                                                        \
		int sign = order(e, a, &error);                                                                        \
                                                                                                                       \
		(void)n;                                                                                               \
		return sign == 3 ? error : cel_bool(test);                                                             \
	}

COMPARISON(less, sign == -1)
COMPARISON(less_equal, sign == -1 || sign == 0)
COMPARISON(greater, sign == 1)
COMPARISON(greater_equal, sign == 1 || sign == 0)

FN(in_list)
{
	(void)n;
	for (size_t i = 0; i < cel_size(&a[1]); i++) {
		struct cel_value item = cel_item(e->d, &a[1], i);

		if (!cel_spend(e, 1) || cel_equal(&a[0], &item))
			return cel_bool(true);
	}
	return cel_bool(false);
}

FN(in_map)
{
	struct cel_value found;

	(void)n;
	if (a[1].form == CEL_NATIVE)
		(void)cel_spend(e, a[1].map->n);
	return cel_bool(cel_find(e->d, &a[1], &a[0], &found));
}

FN(not )
{
	UNUSED;
	return cel_bool(!a->b);
}

FN(size_text)
{
	(void)n;
	(void)cel_spend_text(e, a->s.n);
	return cel_int((int64_t)cel_characters(a->s));
}

FN(size_bytes)
{
	UNUSED;
	return cel_int((int64_t)a->s.n);
}

FN(size_many)
{
	UNUSED;
	return cel_int((int64_t)cel_size(a));
}

#define ORDERED(name, fn)                                                                                              \
	{ name, "bb>b", fn }, { name, "ii>b", fn }, { name, "uu>b", fn }, { name, "dd>b", fn }, { name, "id>b", fn },  \
		{ name, "di>b", fn }, { name, "iu>b", fn }, { name, "ui>b", fn }, { name, "ud>b", fn },                \
		{ name, "du>b", fn }, { name, "ss>b", fn }, { name, "yy>b", fn }, { name, "tt>b", fn },                \
	{                                                                                                              \
		name, "DD>b", fn                                                                                       \
	}

static const struct cel_overload rows[] = {
	{ "_==_", "AA>b", equal },	{ "_!=_", "AA>b", unequal },	 ORDERED("_<_", less),
	ORDERED("_<=_", less_equal),	ORDERED("_>_", greater),	 ORDERED("_>=_", greater_equal),
	{ "@in", "ALA>b", in_list },	{ "@in", "AMA*>b", in_map },	 { "!_", "b>b", not },
	{ "size", "s>i", size_text },	{ "size", "s.>i", size_text },	 { "size", "y>i", size_bytes },
	{ "size", "y.>i", size_bytes }, { "size", "L*>i", size_many },	 { "size", "L*.>i", size_many },
	{ "size", "M**>i", size_many }, { "size", "M**.>i", size_many },
};

const struct cel_library cel_operators = { rows, sizeof rows / sizeof *rows, NULL };
