/* Kubernetes' functions of lists, and sets. */
#include "kube/cel/cel-internal.h"

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)

struct cel_value cel_list_index_of(struct cel_eval *e, const struct cel_value *a, size_t n)
{
	(void)n;
	for (size_t i = 0; i < cel_size(a) && cel_spend(e, 1); i++) {
		struct cel_value item = cel_item(e->d, a, i);

		if (cel_equal(&item, &a[1]))
			return cel_int((int64_t)i);
	}
	return cel_int(-1);
}

struct cel_value cel_list_last_index_of(struct cel_eval *e, const struct cel_value *a, size_t n)
{
	(void)n;
	for (size_t i = cel_size(a); i-- > 0 && cel_spend(e, 1);) {
		struct cel_value item = cel_item(e->d, a, i);

		if (cel_equal(&item, &a[1]))
			return cel_int((int64_t)i);
	}
	return cel_int(-1);
}

FN(is_sorted)
{
	(void)n;
	for (size_t i = 1; i < cel_size(a) && cel_spend(e, 1); i++) {
		struct cel_value x = cel_item(e->d, a, i - 1), y = cel_item(e->d, a, i);
		bool ok;
		int sign = cel_compare(&x, &y, &ok);

		if (!ok)
			return cel_fail(e, "no such overload");
		if (sign > 0)
			return cel_bool(false);
	}
	return cel_bool(true);
}

static struct cel_value extreme(struct cel_eval *e, const struct cel_value *a, int want, const char *name)
{
	struct cel_value best = { .kind = CEL_NULL };

	if (!cel_size(a))
		return cel_fail(e, "%s called on empty list", name);
	for (size_t i = 0; i < cel_size(a) && cel_spend(e, 1); i++) {
		struct cel_value item = cel_item(e->d, a, i);
		bool ok = true;

		if (!i || cel_compare(&item, &best, &ok) == want)
			best = item;
		if (!ok)
			return cel_fail(e, "no such overload");
	}
	return best;
}

FN(min)
{
	(void)n;
	return extreme(e, a, -1, "min");
}

FN(max)
{
	(void)n;
	return extreme(e, a, 1, "max");
}

/* What + gives for all items; 0 of no items. */
FN(sum)
{
	struct cel_value total = cel_int(0);
	uint32_t rows_n;
	const struct cel_overload *plus = cel_overloads(NULL, SV("_+_"), &rows_n);

	(void)n;
	for (size_t i = 0; i < cel_size(a) && cel_spend(e, 1); i++) {
		struct cel_value pair[2] = { total, cel_item(e->d, a, i) };
		uint32_t row = 0;

		if (!i) {
			total = pair[1];
			continue;
		}
		while (row < rows_n && (cel_sig_kind(plus[row].sig[0]) != (enum cel_kind)total.kind ||
					cel_sig_kind(plus[row].sig[1]) != (enum cel_kind)pair[1].kind))
			row++;
		if (row == rows_n || total.kind == CEL_STRING || total.kind == CEL_LIST)
			return cel_fail(e, "no such overload");
		total = plus[row].fn(e, pair, 2);
		if (total.kind == CEL_ERROR)
			return total;
	}
	return total;
}

/* ---- sets ---- */

static bool is_in(struct cel_eval *e, const struct cel_value *item, const struct cel_value *list)
{
	for (size_t i = 0; i < cel_size(list) && cel_spend(e, 1); i++) {
		struct cel_value one = cel_item(e->d, list, i);

		if (cel_equal(item, &one))
			return true;
	}
	return false;
}

static bool holds_all(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	for (size_t i = 0; i < cel_size(b); i++) {
		struct cel_value item = cel_item(e->d, b, i);

		if (!is_in(e, &item, a))
			return false;
	}
	return true;
}

FN(set_contains)
{
	(void)n;
	return cel_bool(holds_all(e, &a[0], &a[1]));
}

FN(set_equivalent)
{
	(void)n;
	return cel_bool(holds_all(e, &a[0], &a[1]) && holds_all(e, &a[1], &a[0]));
}

FN(set_intersects)
{
	(void)n;
	for (size_t i = 0; i < cel_size(&a[0]); i++) {
		struct cel_value item = cel_item(e->d, &a[0], i);

		if (is_in(e, &item, &a[1]))
			return cel_bool(true);
	}
	return cel_bool(false);
}

static const struct cel_overload rows[] = {
	{ "isSorted", "LA.>b", is_sorted },
	{ "min", "LA.>A", min },
	{ "max", "LA.>A", max },
	{ "sum", "LA.>A", sum },
	{ "sets.contains", "LALA>b", set_contains },
	{ "sets.equivalent", "LALA>b", set_equivalent },
	{ "sets.intersects", "LALA>b", set_intersects },
};

const struct cel_library cel_lists = { rows, sizeof rows / sizeof *rows, NULL };
