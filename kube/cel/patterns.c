/* Regular expressions, as RE2 reads them. */
#include "kube/cel/cel-internal.h"

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)

static bool spend_for(struct cel_eval *e, const struct cel_value *a)
{
	return cel_spend(e, (a[0].s.n / 10 + 1) * (a[1].s.n / 4 + 1));
}

FN(matches)
{
	struct cel_value error;
	const struct regex *re = cel_regex(e, a[1].s, &error);
	AUTO(err) err = { 0 };

	(void)n;
	if (!re)
		return error;
	if (!spend_for(e, a))
		return *a;
	int found = regex_matches(re, a[0].s, &err);
	return found < 0 ? cel_fail(e, "%s", err_msg(&err)) : cel_bool(found);
}

FN(find)
{
	struct cel_value error;
	const struct regex *re = cel_regex(e, a[1].s, &error);
	AUTO(err) err = { 0 };
	struct sv span = SV("");

	(void)n;
	if (!re)
		return error;
	if (!spend_for(e, a))
		return *a;
	int found = regex_find(re, a[0].s, 0, &span, 1, &err);
	return found < 0 ? cel_fail(e, "%s", err_msg(&err)) : cel_string(found ? span : SV(""));
}

static size_t step(struct sv text, size_t from)
{
	for (from++; from < text.n && ((unsigned char)text.p[from] & 0xc0) == 0x80; from++)
		;
	return from;
}

/* Matches one after the other; an empty one right behind another is none, as in Go. */
static int next_match(const struct regex *re, struct sv text, size_t *from, size_t *last, struct sv *span,
		      struct err *err)
{
	while (*from <= text.n) {
		int found = regex_find(re, text, *from, span, 1, err);
		if (found <= 0)
			return found;
		size_t at = (size_t)(span->p - text.p), end = at + span->n;
		bool again = !span->n && at == *last;
		*from = span->n ? end : step(text, end);
		if (again)
			continue;
		*last = end;
		return 1;
	}
	return 0;
}

FN(find_all)
{
	struct cel_value out = cel_make_list(e->d, 0), error;
	const struct regex *re = cel_regex(e, a[1].s, &error);
	int64_t most = n > 2 ? a[2].i : -1;
	struct cel_list *l = (struct cel_list *)out.list;
	size_t from = 0, last = SIZE_MAX, room = 1;
	AUTO(err) err = { 0 };
	struct sv span;
	int found = 0;

	if (!re)
		return error;
	if (!spend_for(e, a))
		return *a;
	while ((most < 0 || (int64_t)l->n < most) && cel_spend(e, 1) &&
	       (found = next_match(re, a[0].s, &from, &last, &span, &err)) > 0) {
		if (l->n == room) {
			struct cel_value *more = doc_alloc(e->d, (room *= 2) * sizeof *more);

			memcpy(more, l->items, l->n * sizeof *more);
			l->items = more;
		}
		l->items[l->n++] = cel_string(span);
	}
	return found < 0 ? cel_fail(e, "%s", err_msg(&err)) : out;
}

static const struct cel_overload rows[] = {
	{ "matches", "s.s>b", matches },   { "matches", "ss>b", matches },     { "find", "s.s>s", find },
	{ "findAll", "s.s>Ls", find_all }, { "findAll", "s.si>Ls", find_all },
};

const struct cel_library cel_patterns = { rows, sizeof rows / sizeof *rows, NULL };
