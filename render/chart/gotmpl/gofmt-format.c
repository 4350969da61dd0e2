/* render/chart/gotmpl/gofmt-format.c - fmt.Sprintf: reads a format and prints each argument by its verb. What Go says about
 * formats that are wrong comes out in the text, as there. */
#include "render/chart/gotmpl/gofmt-internal.h"

#include "base/utf8.h"
#include "render/chart/lua/sandbox.h"

#include <ctype.h>

#define NUMBER_MAX 1000000              /* as Go's: a larger width or precision is a bad one */

struct format {
	struct printer p;
	struct sv rest;
	int first, last, next;          /* arguments: indexes on the stack */
	bool reordered, good_index;     /* an explicit [n] was used; it was a valid one */
};

enum parsed { ABSENT, PRESENT, TOO_LARGE };

static enum parsed take_number(struct sv *s, int *out)
{
	size_t n = 0;
	int v = 0;

	for (; n < s->n && isdigit((unsigned char)s->p[n]); n++) {
		if (v > NUMBER_MAX)
			return *out = 0, TOO_LARGE;
		v = v * 10 + (s->p[n] - '0');
	}
	*out = v;
	*s = sv_drop(*s, n);
	return n ? PRESENT : ABSENT;
}

/* "[3]": the argument to go on with. What has no closing bracket loses its opening one. */
static bool take_index(struct format *f)
{
	struct sv inside, after;
	int n;

	if (!sv_starts(f->rest, SV("[")))
		return false;
	f->reordered = true;
	if (f->rest.n < 3 || !sv_cut(sv_drop(f->rest, 1), ']', &inside, &after)) {
		f->good_index = false;
		f->rest = sv_drop(f->rest, 1);
		return false;
	}
	f->rest = after;
	bool is_number = take_number(&inside, &n) == PRESENT && !inside.n;
	if (is_number && n >= 1 && n <= f->last - f->first + 1)
		f->next = f->first + n - 1;
	else
		f->good_index = false;
	return is_number;
}

/* "*": a width or a precision from the arguments. */
static bool star(struct format *f, int *out)
{
	int64_t v = 0;

	*out = 0;
	if (f->next > f->last)
		return false;
	bool whole = sandbox_int_at(f->p.lua, f->next++, &v) && v >= -NUMBER_MAX && v <= NUMBER_MAX;
	if (whole)
		*out = (int)v;
	return whole;
}

static void take_flags(struct format *f, struct spec *s)
{
	for (; f->rest.n; f->rest = sv_drop(f->rest, 1))
		switch (*f->rest.p) {
		case '+': s->plus = true; break;
		case '-': s->minus = true; s->zero = false; break;
		case '#': s->sharp = true; break;
		case ' ': s->space = true; break;
		case '0': s->zero = !s->minus; break;
		default: return;
		}
}

/* A number in the format; a crazy one swallows the rest of it. */
static bool take_plain(struct format *f, int *out)
{
	enum parsed got = take_number(&f->rest, out);

	if (got == TOO_LARGE)
		f->rest = sv_drop(f->rest, f->rest.n);
	return got == PRESENT;
}

/* indexed: an index stands right before; returns whether it still does. */
static bool take_width(struct format *f, struct spec *s, bool indexed)
{
	if (!sv_starts(f->rest, SV("*"))) {
		s->has_width = take_plain(f, &s->width);
		if (indexed && s->has_width)
			f->good_index = false;          /* "%[3]2d" */
		return indexed;
	}
	f->rest = sv_drop(f->rest, 1);
	s->has_width = star(f, &s->width);
	if (!s->has_width)
		str_addc(f->p.out, "%!(BADWIDTH)");
	if (s->width < 0) {
		s->width = -s->width;
		s->minus = true;
		s->zero = false;
	}
	return false;
}

static bool take_precision(struct format *f, struct spec *s, bool indexed)
{
	if (f->rest.n < 2 || *f->rest.p != '.')         /* a point at the end is a verb */
		return indexed;
	f->rest = sv_drop(f->rest, 1);
	if (indexed)
		f->good_index = false;                  /* "%[3].2d" */
	indexed = take_index(f);
	if (!sv_starts(f->rest, SV("*"))) {
		if (!take_plain(f, &s->precision))
			s->precision = 0;
		s->has_precision = true;
		return indexed;
	}
	f->rest = sv_drop(f->rest, 1);
	s->has_precision = star(f, &s->precision) && s->precision >= 0;
	if (!s->has_precision)
		str_addc(f->p.out, "%!(BADPREC)");
	return false;
}

static void print_argument(struct format *f, struct spec *s)
{
	if (s->verb == 'v') {
		s->sharp_v = s->sharp;
		s->plus_v = s->plus;
		s->sharp = s->plus = false;
	}
	gofmt_value(&f->p, f->next++, s);
}

/* After `%`: one verb with its argument. */
static void directive(struct format *f)
{
	struct spec s = { 0 };
	struct str *out = f->p.out;

	f->good_index = true;
	take_flags(f, &s);
	bool indexed = take_index(f);
	indexed = take_width(f, &s, indexed);
	if (!take_precision(f, &s, indexed))
		(void)take_index(f);
	if (!f->rest.n) {
		str_addc(out, "%!(NOVERB)");
		return;
	}
	const char *at = f->rest.p;
	s.verb = utf8_next(&at, f->rest.p + f->rest.n);
	f->rest = sv_drop(f->rest, (size_t)(at - f->rest.p));
	if (s.verb == '%') {
		str_add1(out, '%');
	} else if (f->good_index && f->next <= f->last) {
		print_argument(f, &s);
	} else {
		str_addc(out, "%!");
		utf8_add(out, s.verb);
		str_addc(out, f->good_index ? "(MISSING)" : "(BADINDEX)");
	}
}

static void extra_arguments(struct format *f)
{
	if (f->reordered || f->next > f->last)
		return;
	str_addc(f->p.out, "%!(EXTRA ");
	for (int i = f->next; i <= f->last; i++) {
		if (i > f->next)
			str_addc(f->p.out, ", ");
		if (sandbox_is_null(f->p.lua, i)) {
			str_addc(f->p.out, "<nil>");
			continue;
		}
		str_addf(f->p.out, "%s=", go_type_name(f->p.lua, i));
		go_print(f->p.lua, i, f->p.out);
	}
	str_add1(f->p.out, ')');
}

void go_printf(lua_State *lua, int first, int last, struct str *out)
{
	struct format f = { .p = { lua, out, 0 }, .first = first + 1, .last = last, .next = first + 1 };

	f.rest.p = lua_tolstring(lua, first, &f.rest.n);
	while (f.rest.n) {
		struct sv text;
		bool more = sv_cut(f.rest, '%', &text, &f.rest);

		str_add(out, text);
		if (more)
			directive(&f);
	}
	extra_arguments(&f);
}
