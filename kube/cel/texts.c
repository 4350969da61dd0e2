/* Functions of strings. Positions count characters, not bytes. */
#include "kube/cel/cel-internal.h"

#include "base/utf8.h"

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)
#define UNUSED ((void)e, (void)n)

size_t cel_characters(struct sv s)
{
	size_t n = 0;

	for (const char *p = s.p, *end = p + s.n; p < end; n++)
		(void)utf8_next(&p, end);
	return n;
}

/* The byte that a character begins at; the end for what lies behind it. */
static size_t byte_at(struct sv s, size_t character)
{
	const char *p = s.p, *end = p + s.n;

	while (character-- && p < end)
		(void)utf8_next(&p, end);
	return (size_t)(p - s.p);
}

static struct cel_value out_of_range(struct cel_eval *e, int64_t i)
{
	return cel_fail(e, "index out of range: %lld", (long long)i);
}

FN(contains)
{
	(void)n;
	(void)cel_spend_text(e, a[0].s.n);
	return cel_bool(!a[1].s.n || memmem(a[0].s.p, a[0].s.n, a[1].s.p, a[1].s.n));
}

FN(starts_with)
{
	(void)n;
	(void)cel_spend_text(e, a[1].s.n);
	return cel_bool(sv_starts(a[0].s, a[1].s));
}

FN(ends_with)
{
	(void)n;
	(void)cel_spend_text(e, a[1].s.n);
	return cel_bool(sv_ends(a[0].s, a[1].s));
}

FN(char_at)
{
	size_t characters = cel_characters(a[0].s);

	(void)n;
	(void)cel_spend_text(e, a[0].s.n);
	if (a[1].i < 0 || (uint64_t)a[1].i > characters)
		return out_of_range(e, a[1].i);
	size_t from = byte_at(a[0].s, (size_t)a[1].i), to = byte_at(a[0].s, (size_t)a[1].i + 1);
	return cel_string((struct sv){ a[0].s.p + from, to - from });
}

FN(substring)
{
	size_t characters = cel_characters(a[0].s);
	int64_t from = a[1].i, to = n > 2 ? a[2].i : (int64_t)characters;

	(void)cel_spend_text(e, a[0].s.n);
	if (from < 0 || (uint64_t)from > characters)
		return out_of_range(e, from);
	if (to < 0 || (uint64_t)to > characters)
		return out_of_range(e, to);
	if (from > to)
		return cel_fail(e, "invalid substring range. start: %lld, end: %lld", (long long)from, (long long)to);
	size_t start = byte_at(a[0].s, (size_t)from), end = byte_at(a[0].s, (size_t)to);
	return cel_string((struct sv){ a[0].s.p + start, end - start });
}

FN(index_of)
{
	size_t characters = cel_characters(a[0].s);
	int64_t from = n > 2 ? a[2].i : 0;

	(void)cel_spend_text(e, a[0].s.n + a[1].s.n);
	if (from < 0 || (uint64_t)from > characters)
		return out_of_range(e, from);
	if (!a[1].s.n)
		return cel_int(from);
	struct sv rest = sv_drop(a[0].s, byte_at(a[0].s, (size_t)from));
	const char *at = memmem(rest.p, rest.n, a[1].s.p, a[1].s.n);
	return cel_int(at ? from + (int64_t)cel_characters((struct sv){ rest.p, (size_t)(at - rest.p) }) : -1);
}

FN(last_index_of)
{
	struct sv s = a[0].s, what = a[1].s;
	size_t characters = cel_characters(s), last = s.n;

	(void)cel_spend_text(e, s.n + what.n);
	if (n > 2 && (a[2].i < 0 || (uint64_t)a[2].i > characters))
		return out_of_range(e, a[2].i);
	if (!what.n)
		return cel_int(n > 2 ? a[2].i : (int64_t)characters);
	if (what.n > s.n)
		return cel_int(-1);
	if (n > 2)
		last = byte_at(s, (size_t)a[2].i);
	if (last > s.n - what.n)
		last = s.n - what.n;
	for (size_t i = last + 1; i-- > 0;)
		if (!memcmp(s.p + i, what.p, what.n) && ((unsigned char)s.p[i] & 0xc0) != 0x80)
			return cel_int((int64_t)cel_characters((struct sv){ s.p, i }));
	return cel_int(-1);
}

/* ---- changed texts ---- */

static struct cel_value ascii_case(struct cel_eval *e, struct sv s, char first, char last)
{
	AUTO(str) out = { 0 };

	if (!cel_spend_text(e, s.n))
		return cel_null();
	str_add(&out, s);
	for (size_t i = 0; i < out.n; i++)
		if (out.p[i] >= first && out.p[i] <= last)
			out.p[i] ^= 0x20;
	return cel_text(e, &out);
}

FN(lower)
{
	(void)n;
	return ascii_case(e, a->s, 'A', 'Z');
}

FN(upper)
{
	(void)n;
	return ascii_case(e, a->s, 'a', 'z');
}

FN(replace)
{
	struct sv s = a[0].s, from = a[1].s, to = a[2].s;
	int64_t left = n > 3 ? a[3].i : -1;
	AUTO(str) out = { 0 };

	if (!cel_spend_text(e, s.n))
		return *a;
	while (left) {
		const char *at = from.n ? memmem(s.p, s.n, from.p, from.n) : s.p;

		if (!at || !cel_spend_text(e, to.n))
			break;
		str_add(&out, (struct sv){ s.p, (size_t)(at - s.p) });
		str_add(&out, to);
		s = sv_drop(s, (size_t)(at - s.p) + from.n);
		left -= left > 0;
		if (from.n)
			continue;
		if (!s.n) /* an empty text is between all characters */
			break;
		size_t one = byte_at(s, 1);
		str_add(&out, (struct sv){ s.p, one });
		s = sv_drop(s, one);
	}
	str_add(&out, s);
	return cel_text(e, &out);
}

static void push(struct cel_eval *e, struct cel_list *l, struct sv s)
{
	if (l->n && !(l->n & (l->n - 1))) {
		struct cel_value *more = doc_alloc(e->d, l->n * 2 * sizeof *more);

		memcpy(more, l->items, l->n * sizeof *more);
		l->items = more;
	}
	l->items[l->n++] = cel_string(s);
}

FN(split)
{
	struct cel_value out = cel_make_list(e->d, 1);
	struct cel_list *l = (struct cel_list *)out.list;
	struct sv s = a[0].s, by = a[1].s;
	int64_t parts = n > 2 ? a[2].i : -1;

	l->n = 0;
	if (!parts || !cel_spend_text(e, s.n))
		return out;
	while (parts < 0 || (int64_t)l->n + 1 < parts) {
		const char *at = by.n ? memmem(s.p, s.n, by.p, by.n) : NULL;
		size_t len = by.n ? (size_t)(at - s.p) : byte_at(s, 1);

		if ((by.n && !at) || (!by.n && len >= s.n) || !cel_spend(e, 1))
			break;
		push(e, l, (struct sv){ s.p, len });
		s = sv_drop(s, len + by.n);
	}
	if (by.n || s.n)
		push(e, l, s);
	return out;
}

FN(join)
{
	AUTO(str) out = { 0 };

	for (size_t i = 0; i < cel_size(a); i++) {
		struct cel_value item = cel_item(e->d, a, i);

		if (item.kind != CEL_STRING)
			return cel_fail(e, "no such overload");
		if (!cel_spend_text(e, item.s.n + (n > 1 ? a[1].s.n : 0)))
			return *a;
		if (i && n > 1)
			str_add(&out, a[1].s);
		str_add(&out, item.s);
	}
	return cel_text(e, &out);
}

static bool is_space(uint32_t c)
{
	return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

FN(trim)
{
	const char *p = a->s.p, *end = p + a->s.n, *first = end, *last = end;

	(void)n;
	(void)cel_spend_text(e, a->s.n);
	while (p < end) {
		const char *at = p;

		if (is_space(utf8_next(&p, end)))
			continue;
		if (first == end)
			first = at;
		last = p;
	}
	return cel_string(first == end ? SV("") : (struct sv){ first, (size_t)(last - first) });
}

FN(reverse)
{
	const char *p = a->s.p, *end = p + a->s.n;
	AUTO(str) out = { 0 };
	char *to = str_room(&out, a->s.n) + a->s.n;

	(void)n;
	(void)cel_spend_text(e, a->s.n);
	while (p < end) {
		const char *at = p;

		(void)utf8_next(&p, end);
		to -= p - at;
		memcpy(to, at, (size_t)(p - at));
	}
	out.n = a->s.n;
	return cel_text(e, &out);
}

FN(quote)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
	const char *p = a->s.p, *end = p + a->s.n;
	AUTO(str) out = { 0 };

	(void)n;
	(void)cel_spend_text(e, a->s.n);
	str_add1(&out, '"');
	while (p < end) {
		uint32_t c = utf8_next(&p, end);
		const char *at = c && c < 0x80 ? strchr(from, (int)c) : NULL;

		if (at)
			str_addf(&out, "\\%c", to[at - from]);
		else
			utf8_add(&out, c);
	}
	str_add1(&out, '"');
	return cel_text(e, &out);
}

static const struct cel_overload rows[] = {
	{ "contains", "s.s>b", contains },
	{ "startsWith", "s.s>b", starts_with },
	{ "endsWith", "s.s>b", ends_with },
	{ "charAt", "s.i>s", char_at },
	{ "substring", "s.i>s", substring },
	{ "substring", "s.ii>s", substring },
	{ "indexOf", "s.s>i", index_of },
	{ "indexOf", "s.si>i", index_of },
	{ "indexOf", "LA.A>i", cel_list_index_of },
	{ "lastIndexOf", "s.s>i", last_index_of },
	{ "lastIndexOf", "s.si>i", last_index_of },
	{ "lastIndexOf", "LA.A>i", cel_list_last_index_of },
	{ "lowerAscii", "s.>s", lower },
	{ "upperAscii", "s.>s", upper },
	{ "replace", "s.ss>s", replace },
	{ "replace", "s.ssi>s", replace },
	{ "split", "s.s>Ls", split },
	{ "split", "s.si>Ls", split },
	{ "join", "Ls.>s", join },
	{ "join", "Ls.s>s", join },
	{ "trim", "s.>s", trim },
	{ "reverse", "s.>s", reverse },
	{ "format", "s.L*>s", cel_text_format },
	{ "strings.quote", "s>s", quote },
};

const struct cel_library cel_texts = { rows, sizeof rows / sizeof *rows, NULL };
