/* Plain scalars, as sigs.k8s.io/yaml (go-yaml v2) takes them. */
#include "base/yaml-internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Each word also counts with its first letter, or all of it, in upper case. */
static const struct { const char *word; bool strict, value; } bools[] = {
	{ "true", true, true }, { "false", true, false },
	{ "y", false, true }, { "yes", false, true }, { "on", false, true },
	{ "n", false, false }, { "no", false, false }, { "off", false, false },
};

/* word itself, Word or WORD. */
static bool is_word(struct sv s, const char *word)
{
	size_t n = strlen(word);

	if (s.n != n || tolower((unsigned char)s.p[0]) != word[0])
		return false;
	bool upper = isupper((unsigned char)s.p[0]), all = true, tail = true;
	for (size_t i = 1; i < n; i++) {
		all &= s.p[i] == toupper((unsigned char)word[i]);
		tail &= s.p[i] == word[i];
	}
	return tail || (upper && all);
}

static bool resolve_word(struct sv s, bool strict_bool, struct scalar *out)
{
	if (!s.n || (s.n == 1 && *s.p == '~') || is_word(s, "null")) {
		out->tag = TAG_NULL;
		return true;
	}
	if (s.n == 2 && !memcmp(s.p, "<<", 2)) {
		out->tag = TAG_MERGE;
		return true;
	}
	for (size_t i = 0; i < sizeof bools / sizeof *bools; i++) {
		if (is_word(s, bools[i].word) && (bools[i].strict || !strict_bool)) {
			out->tag = TAG_BOOL;
			out->b = bools[i].value;
			return true;
		}
	}
	return false;
}

/* .inf, -.Inf, .NaN ... */
static bool resolve_special(struct sv s, struct scalar *out)
{
	bool sign = s.n && (*s.p == '-' || *s.p == '+'), minus = s.n && *s.p == '-';
	struct sv rest = sv_drop(s, sign);

	if (rest.n != 4 || *rest.p != '.')
		return false;
	rest = sv_drop(rest, 1);
	bool nan = !sign && (sv_eq_c(rest, "nan") || sv_eq_c(rest, "NaN") || sv_eq_c(rest, "NAN"));
	if (!nan && !is_word(rest, "inf"))
		return false;
	out->tag = TAG_FLOAT;
	out->f = nan ? (double)NAN : minus ? (double)-INFINITY : (double)INFINITY;
	return true;
}

/* Go's ParseInt with base 0: 0x, 0o, 0b, and a leading 0 for octal. */
static bool resolve_int(struct sv s, struct scalar *out)
{
	static const struct { char letter; uint8_t base; } prefixes[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
	bool sign = s.n && (*s.p == '-' || *s.p == '+');
	uint64_t v = 0, base = 10;

	out->negative = s.n && *s.p == '-';
	s = sv_drop(s, sign);
	if (s.n > 1 && *s.p == '0') {
		base = 8;
		for (size_t i = 0; i < 3; i++)
			if ((s.p[1] | 0x20) == prefixes[i].letter)
				base = prefixes[i].base;
		s = sv_drop(s, isalpha((unsigned char)s.p[1]) ? 2 : 1);
	}
	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int c = tolower((unsigned char)s.p[i]);
		unsigned digit = isdigit(c) ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;

		if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (out->negative ? v > (uint64_t)INT64_MAX + 1 : sign && v > INT64_MAX)
		return false;
	out->tag = TAG_INT;
	out->magnitude = v;
	return true;
}

static const char *skip_digits(const char *p)
{
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and within the range of a double. */
static bool resolve_float(const char *s, struct scalar *out)
{
	const char *p = s + (*s == '-' || *s == '+'), *from = p;

	p = skip_digits(p);
	bool before = p > from;
	if (*p == '.') {
		from = ++p;
		p = skip_digits(p);
	}
	if (!before && p == from)
		return false;
	if ((*p | 0x20) == 'e') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		if (!isdigit((unsigned char)*p))
			return false;
		p = skip_digits(p);
	}
	if (*p)
		return false;
	out->f = strtod(s, NULL);
	out->tag = TAG_FLOAT;
	return isfinite(out->f);
}

struct scalar scalar_resolve(struct sv s, bool strict_bool)
{
	struct scalar out = { .tag = TAG_STR };
	int c = s.n ? (unsigned char)*s.p : 0;
	char buf[256];
	size_t n = 0;

	if (resolve_word(s, strict_bool, &out) || resolve_special(s, &out))
		return out;
	if (!(isdigit(c) || c == '-' || c == '+' || c == '.') || s.n >= sizeof buf)
		return out;
	if (c != '.' && scalar_timestamp(s, NULL)) {
		out.tag = TAG_TIMESTAMP;
		return out;
	}
	for (size_t i = 0; i < s.n; i++)        /* underscores count nowhere */
		if (s.p[i] != '_')
			buf[n++] = s.p[i];
	buf[n] = '\0';
	if (strlen(buf) == n && ((c != '.' && resolve_int((struct sv){ buf, n }, &out)) || resolve_float(buf, &out)))
		return out;
	return (struct scalar){ .tag = TAG_STR };
}

bool scalar_is_base60(struct sv s)
{
	const char *p = s.p, *end = s.p + s.n;
	bool groups = false;

	p += p < end && (*p == '-' || *p == '+');
	if (p >= end || !isdigit((unsigned char)*p))
		return false;
	while (p < end && (isdigit((unsigned char)*p) || *p == '_'))
		p++;
	while (p < end && *p == ':') {
		int two = end - p > 2 && p[1] >= '0' && p[1] <= '5' && isdigit((unsigned char)p[2]);

		if (end - p < 2 || !isdigit((unsigned char)p[1]))
			return false;
		p += two ? 3 : 2;
		groups = true;
	}
	if (p < end && *p == '.')
		for (p++; p < end && (isdigit((unsigned char)*p) || *p == '_'); p++)
			;
	return groups && p == end;
}

/* ---- timestamps: 2001-1-1, 2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43.10 ---- */

/* A number of least to most digits at *s. */
static bool take(struct sv *s, size_t least, size_t most, int *out)
{
	size_t n = 0;

	for (*out = 0; n < most && n < s->n && isdigit((unsigned char)s->p[n]); n++)
		*out = *out * 10 + s->p[n] - '0';
	*s = sv_drop(*s, n);
	return n >= least;
}

static bool take_char(struct sv *s, char c)
{
	if (!s->n || *s->p != c)
		return false;
	*s = sv_drop(*s, 1);
	return true;
}

struct when { int year, month, day, hour, minute, second; struct sv fraction; bool has_zone; int zone; };

static bool take_zone(struct sv *s, struct when *w)
{
	int hours, minutes;

	if (take_char(s, 'Z'))
		return w->has_zone = true;
	int sign = take_char(s, '+') ? 1 : take_char(s, '-') ? -1 : 0;
	if (!sign || !take(s, 2, 2, &hours) || !take_char(s, ':') || !take(s, 2, 2, &minutes) || hours > 24 || minutes > 59)
		return false;
	w->zone = sign * (hours * 60 + minutes);
	return w->has_zone = true;
}

static bool take_clock(struct sv *s, struct when *w)
{
	if (!take(s, 1, 2, &w->hour) || !take_char(s, ':') || !take(s, 1, 2, &w->minute) || !take_char(s, ':') ||
	    !take(s, 1, 2, &w->second) || w->hour > 23 || w->minute > 59 || w->second > 59)
		return false;
	if (s->n > 1 && *s->p == '.' && isdigit((unsigned char)s->p[1])) {
		w->fraction = sv_drop(*s, 1);
		*s = w->fraction;
		while (s->n && isdigit((unsigned char)*s->p))
			*s = sv_drop(*s, 1);
		w->fraction.n -= s->n;
	}
	return true;
}

static bool date_exists(const struct when *w)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (w->year % 4 == 0 && w->year % 100) || w->year % 400 == 0;

	if (w->month < 1 || w->month > 12 || w->day < 1)
		return false;
	return w->day <= days[w->month - 1] + (leap && w->month == 2);
}

static bool parse_when(struct sv s, struct when *w)
{
	if (!take(&s, 4, 4, &w->year) || !take_char(&s, '-') || !take(&s, 1, 2, &w->month) || !take_char(&s, '-') ||
	    !take(&s, 1, 2, &w->day) || !date_exists(w))
		return false;
	if (!s.n)
		return true;
	if (take_char(&s, ' '))
		return take_clock(&s, w) && !s.n;
	return (take_char(&s, 'T') || take_char(&s, 't')) && take_clock(&s, w) && take_zone(&s, w) && !s.n;
}

bool scalar_timestamp(struct sv s, struct str *out)
{
	struct when w = { 0 };

	if (s.n < 8 || s.p[4] != '-' || !parse_when(s, &w))
		return false;
	if (!out)
		return true;
	str_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", w.year, w.month, w.day, w.hour, w.minute, w.second);
	if (w.fraction.n > 9)
		w.fraction.n = 9;
	while (w.fraction.n && w.fraction.p[w.fraction.n - 1] == '0')
		w.fraction.n--;
	if (w.fraction.n)
		str_addf(out, "." SV_FMT, SV_ARG(w.fraction));
	if (w.zone)
		str_addf(out, "%c%02d:%02d", w.zone < 0 ? '-' : '+', abs(w.zone) / 60, abs(w.zone) % 60);
	else
		str_add1(out, 'Z');
	return true;
}
