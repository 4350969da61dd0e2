/* Values that may be there or not. */
#include "kube/cel/cel-internal.h"

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)
#define UNUSED ((void)e, (void)n)

FN(of)
{
	(void)n;
	return cel_some(e->d, *a);
}

static bool is_zero(const struct cel_value *v)
{
	switch ((enum cel_kind)v->kind) {
	case CEL_NULL:
		return true;
	case CEL_BOOL:
		return !v->b;
	case CEL_INT:
	case CEL_UINT:
	case CEL_DURATION:
		return !v->i;
	case CEL_DOUBLE:
		return v->d == 0;
	case CEL_STRING:
	case CEL_BYTES:
		return !v->s.n;
	case CEL_LIST:
	case CEL_MAP:
		return v->form != CEL_LAZY && !cel_size(v);
	case CEL_OPTIONAL:
		return !v->some;
	default:
		return false;
	}
}

FN(of_non_zero)
{
	(void)n;
	return is_zero(a) ? cel_none() : cel_some(e->d, *a);
}

FN(none)
{
	UNUSED;
	(void)a;
	return cel_none();
}

FN(has_value)
{
	UNUSED;
	return cel_bool(a->some != NULL);
}

FN(value)
{
	(void)n;
	return a->some ? *a->some : cel_fail(e, "optional.none() dereference");
}

FN(or)
{
	UNUSED;
	return a[0].some ? a[0] : a[1];
}

FN(or_value)
{
	UNUSED;
	return a[0].some ? *a[0].some : a[1];
}

static const struct cel_overload rows[] = {
	{ "optional.of", "A>OA", of },	   { "optional.ofNonZeroValue", "A>OA", of_non_zero },
	{ "optional.none", ">O*", none },  { "hasValue", "O*.>b", has_value },
	{ "value", "OA.>A", value },	   { "or", "OA.OA>OA", or },
	{ "orValue", "OA.A>A", or_value },
};

const struct cel_library cel_optionals = { rows, sizeof rows / sizeof *rows, NULL };
