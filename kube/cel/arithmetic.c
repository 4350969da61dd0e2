/* + - * / %: whole numbers never wrap around. */
#include "kube/cel/cel-internal.h"

#include <math.h>

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)
#define UNUSED ((void)e, (void)n)

static struct cel_value of_uint(uint64_t u) { return (struct cel_value){ .kind = CEL_UINT, .u = u }; }
static struct cel_value of_double(double d) { return (struct cel_value){ .kind = CEL_DOUBLE, .d = d }; }
static struct cel_value overflow(struct cel_eval *e) { return cel_fail(e, "integer overflow"); }

#define WHOLE(name, builtin)                                                                                           \
	FN(name##_int)                                                                                                 \
	{                                                                                                              \
		int64_t out;                                                                                           \
                                                                                                                       \
		(void)n;                                                                                               \
		return builtin(a[0].i, a[1].i, &out) ? overflow(e) : cel_int(out);                                     \
	}                                                                                                              \
	FN(name##_uint)                                                                                                \
	{                                                                                                              \
		uint64_t out;                                                                                          \
                                                                                                                       \
		(void)n;                                                                                               \
		return builtin(a[0].u, a[1].u, &out) ? cel_fail(e, "unsigned integer overflow") : of_uint(out);        \
	}

WHOLE(add, __builtin_add_overflow)
WHOLE(sub, __builtin_sub_overflow)
WHOLE(mul, __builtin_mul_overflow)

#define REAL(name, op)                                                                                                 \
	FN(name##_double)                                                                                              \
	{                                                                                                              \
		UNUSED;                                                                                                \
		return of_double(a[0].d op a[1].d);                                                                    \
	}

REAL(add, +)
REAL(sub, -)
REAL(mul, *)

FN(div_double)
{
	UNUSED;
	if (a[1].d != 0)
		return of_double(a[0].d / a[1].d);
	return of_double(a[0].d == 0 || isnan(a[0].d)		  ? NAN
			 : (a[0].d < 0) != (signbit(a[1].d) != 0) ? -INFINITY
								  : INFINITY);
}

FN(div_int)
{
	(void)n;
	if (!a[1].i)
		return cel_fail(e, "division by zero");
	return a[0].i == INT64_MIN && a[1].i == -1 ? overflow(e) : cel_int(a[0].i / a[1].i);
}

FN(mod_int)
{
	(void)n;
	if (!a[1].i)
		return cel_fail(e, "modulus by zero");
	return a[0].i == INT64_MIN && a[1].i == -1 ? overflow(e) : cel_int(a[0].i % a[1].i);
}

FN(div_uint)
{
	(void)n;
	return a[1].u ? of_uint(a[0].u / a[1].u) : cel_fail(e, "division by zero");
}

FN(mod_uint)
{
	(void)n;
	return a[1].u ? of_uint(a[0].u % a[1].u) : cel_fail(e, "modulus by zero");
}

FN(negate_int)
{
	(void)n;
	return a->i == INT64_MIN ? overflow(e) : cel_int(-a->i);
}

FN(negate_double)
{
	UNUSED;
	return of_double(-a->d);
}

/* ---- texts and lists ---- */

FN(concat)
{
	AUTO(str) out = { 0 };
	struct cel_value v;

	(void)n;
	if (!cel_spend_text(e, a[0].s.n + a[1].s.n))
		return *a;
	str_add(&out, a[0].s);
	str_add(&out, a[1].s);
	v = cel_text(e, &out);
	v.kind = a->kind;
	return v;
}

static bool same_keys(const struct node *a, const struct node *b, const struct node *keys)
{
	const struct node *it;

	node_each(it, keys)
		if (!node_eq(node_getn(a, node_sv(it)), node_getn(b, node_sv(it))))
			return false;
	return true;
}

/* Sets have each element once; in keyed lists the right one replaces what has its keys. Both give plain lists. */
static struct cel_value merged(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	const struct cel_type *t = a->shape;
	struct cel_value out = cel_make_list(e->d, a->node->n + b->node->n);
	struct cel_list *l = (struct cel_list *)out.list;

	for (l->n = 0; l->n < a->node->n; l->n++)
		l->items[l->n] = cel_item(e->d, a, l->n);
	for (size_t i = 0; i < b->node->n; i++) {
		const struct node *one = b->node->items[i];
		size_t at = l->n;

		for (size_t k = 0; k < a->node->n && at == l->n; k++)
			if (t->list_type == CEL_SET ? node_eq(a->node->items[k], one)
						    : same_keys(a->node->items[k], one, t->keys))
				at = k;
		if (at == l->n)
			l->n++;
		l->items[at] = cel_of_node(e->d, one, t->of);
	}
	return out;
}

FN(concat_lists)
{
	size_t left = cel_size(&a[0]), right = cel_size(&a[1]);

	(void)n;
	if (!cel_spend(e, left + right))
		return *a;
	if (a[0].form == CEL_TREE && a[1].form == CEL_TREE && a[0].shape && a[0].shape->list_type != CEL_ATOMIC)
		return cel_spend(e, left * right / 10) ? merged(e, &a[0], &a[1]) : *a;
	struct cel_value out = cel_make_list(e->d, left + right);
	for (size_t i = 0; i < left + right; i++)
		out.list->items[i] = i < left ? cel_item(e->d, &a[0], i) : cel_item(e->d, &a[1], i - left);
	return out;
}

/* ---- times ---- */

static struct cel_value time_of(struct cel_eval *e, __int128 nanos)
{
	struct cel_value v = { .kind = CEL_TIMESTAMP };
	__int128 s = nanos / 1000000000, rest = nanos % 1000000000;

	if (rest < 0) {
		rest += 1000000000;
		s--;
	}
	if (s < -62135596800 || s > 253402300799)
		return cel_fail(e, "timestamp overflow");
	v.i = (int64_t)s;
	v.nanos = (int32_t)rest;
	return v;
}

static __int128 nanos_of(const struct cel_value *t) { return (__int128)t->i * 1000000000 + t->nanos; }

static struct cel_value duration_of(struct cel_eval *e, __int128 nanos)
{
	if (nanos > INT64_MAX || nanos < INT64_MIN)
		return cel_fail(e, "duration overflow");
	return (struct cel_value){ .kind = CEL_DURATION, .i = (int64_t)nanos };
}

FN(add_times)
{
	(void)n;
	return a->kind == CEL_TIMESTAMP ? time_of(e, nanos_of(&a[0]) + a[1].i) : time_of(e, nanos_of(&a[1]) + a[0].i);
}

FN(add_durations)
{
	(void)n;
	return duration_of(e, (__int128)a[0].i + a[1].i);
}

FN(sub_durations)
{
	(void)n;
	return duration_of(e, (__int128)a[0].i - a[1].i);
}

FN(sub_duration)
{
	(void)n;
	return time_of(e, nanos_of(&a[0]) - a[1].i);
}

FN(sub_times)
{
	(void)n;
	return duration_of(e, nanos_of(&a[0]) - nanos_of(&a[1]));
}

static const struct cel_overload rows[] = {
	{ "_+_", "ii>i", add_int },	 { "_+_", "uu>u", add_uint },  { "_+_", "dd>d", add_double },
	{ "_+_", "ss>s", concat },	 { "_+_", "yy>y", concat },    { "_+_", "LALA>LA", concat_lists },
	{ "_+_", "tD>t", add_times },	 { "_+_", "Dt>t", add_times }, { "_+_", "DD>D", add_durations },
	{ "_-_", "ii>i", sub_int },	 { "_-_", "uu>u", sub_uint },  { "_-_", "dd>d", sub_double },
	{ "_-_", "tD>t", sub_duration }, { "_-_", "tt>D", sub_times }, { "_-_", "DD>D", sub_durations },
	{ "_*_", "ii>i", mul_int },	 { "_*_", "uu>u", mul_uint },  { "_*_", "dd>d", mul_double },
	{ "_/_", "ii>i", div_int },	 { "_/_", "uu>u", div_uint },  { "_/_", "dd>d", div_double },
	{ "_%_", "ii>i", mod_int },	 { "_%_", "uu>u", mod_uint },  { "-_", "i>i", negate_int },
	{ "-_", "d>d", negate_double },
};

const struct cel_library cel_arithmetic = { rows, sizeof rows / sizeof *rows, NULL };
