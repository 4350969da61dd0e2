#include "render/chart/gotmpl/literal.h"

#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* ---- numbers ---- */

/* Underscores stand between digits, or between a base prefix and digits, and nowhere else. */
static bool drop_underscores(struct sv in, struct str *out)
{
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] != '_') {
			str_add1(out, in.p[i]);
			continue;
		}
		bool before = i > 0 && isalnum((unsigned char)in.p[i - 1]);
		bool after = i + 1 < in.n && isxdigit((unsigned char)in.p[i + 1]);

		if (!before || !after)
			return false;
	}
	return true;
}

static int base_of(const char **p)
{
	static const struct { char letter; int base; } bases[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };

	if ((*p)[0] != '0' || !(*p)[1])
		return 10;
	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
		if (tolower((unsigned char)(*p)[1]) == bases[i].letter) {
			*p += 2;
			return bases[i].base;
		}
	return 8;
}

static bool read_int(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	char *end;

	text += *text == '-' || *text == '+';
	int base = base_of(&text);
	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	unsigned long long v = strtoull(text, &end, base);
	if (errno || *end || v > (negative ? (unsigned long long)INT64_MAX + 1 : (unsigned long long)INT64_MAX))
		return false;
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static bool read_float(const char *text, double *out)
{
	char *end;

	const char *digits = text + (*text == '-' || *text == '+');

	if (digits[0] == '0' && isdigit((unsigned char)digits[1]) && !strpbrk(digits, ".eE"))
		return false;                           /* 08: an octal number that is none */
	if (strpbrk(text, "nNiI") || (strpbrk(text, "xX") && !strpbrk(text, "pP")))
		return false;                           /* nan and inf are no literals; hexadecimal floats need an exponent */
	*out = strtod(text, &end);
	return end != text && !*end && isfinite(*out);
}

bool literal_number(struct sv text, int64_t *i, double *f, bool *is_int)
{
	AUTO(str) plain = { 0 };

	if (!drop_underscores(text, &plain))
		return false;
	if (read_int(str_c(&plain), i)) {
		*f = (double)*i;
		return *is_int = true;
	}
	if (!read_float(str_c(&plain), f))
		return false;
	*is_int = false;
	*i = 0;
	return true;
}

/* ---- characters and strings ---- */

static const struct { char letter, value; } escapes[] = {
	{ 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' }, { 'n', '\n' }, { 'r', '\r' }, { 't', '\t' }, { 'v', '\v' }, { '\\', '\\' },
};

static bool read_digits(struct sv s, size_t n, int base, uint32_t *out)
{
	*out = 0;
	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int c = tolower((unsigned char)s.p[i]), v = isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;

		if (v >= base)
			return false;
		*out = *out * (uint32_t)base + (uint32_t)v;
	}
	return true;
}

/* What stands behind a backslash; *byte: a byte and not a code point (\x, octal). */
static bool read_escape(struct sv *s, char quote, uint32_t *out, bool *byte)
{
	static const struct { char letter; size_t digits; } coded[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };
	char c = s->n ? *s->p : '\0';

	*byte = false;
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
		if (escapes[i].letter == c || (c == quote && i == 0)) {
			*out = c == quote ? (uint32_t)quote : (uint32_t)(unsigned char)escapes[i].value;
			*s = sv_drop(*s, 1);
			return true;
		}
	for (size_t i = 0; i < sizeof coded / sizeof *coded; i++)
		if (coded[i].letter == c) {
			*byte = c == 'x';
			if (!read_digits(sv_drop(*s, 1), coded[i].digits, 16, out))
				return false;
			*s = sv_drop(*s, 1 + coded[i].digits);
			return *byte || (*out <= 0x10ffff && (*out < 0xd800 || *out > 0xdfff));
		}
	*byte = true;
	if (!read_digits(*s, 3, 8, out) || *out > 255)
		return false;
	*s = sv_drop(*s, 3);
	return true;
}

static bool unquote(struct sv s, char quote, struct str *out, uint32_t *last, size_t *count)
{
	for (*count = 0; s.n; ++*count) {
		bool byte = false;

		if (*s.p == quote || *s.p == '\n')
			return false;
		if (*s.p == '\\') {
			s = sv_drop(s, 1);
			if (!read_escape(&s, quote, last, &byte))
				return false;
		} else {
			const char *p = s.p;

			*last = utf8_next(&p, s.p + s.n);
			s = sv_drop(s, (size_t)(p - s.p));
		}
		if (byte)
			str_add1(out, (char)*last);
		else
			utf8_add(out, *last);
	}
	return true;
}

static bool inner(struct sv quoted, char quote, struct sv *out)
{
	if (quoted.n < 2 || quoted.p[0] != quote || quoted.p[quoted.n - 1] != quote)
		return false;
	*out = (struct sv){ quoted.p + 1, quoted.n - 2 };
	return true;
}

bool literal_char(struct sv quoted, int64_t *code_point)
{
	AUTO(str) text = { 0 };
	uint32_t c = 0;
	size_t n;
	struct sv s;

	if (!inner(quoted, '\'', &s) || !unquote(s, '\'', &text, &c, &n) || n != 1)
		return false;
	*code_point = (int64_t)c;
	return true;
}

bool literal_string(struct sv quoted, struct str *out)
{
	uint32_t last;
	size_t n;
	struct sv s;

	if (inner(quoted, '"', &s))
		return unquote(s, '"', out, &last, &n);
	if (!inner(quoted, '`', &s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r')             /* carriage returns are no part of raw strings */
			str_add1(out, s.p[i]);
	return true;
}
