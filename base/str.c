#include "base/str.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *vec_room(void *v, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return v;
	size_t n = *cap ? *cap * 2 : 8;
	if (n < need)
		n = need;
	if (n > SIZE_MAX / size || !(v = realloc(v, n * size)))
		abort();
	*cap = n;
	return v;
}

int sv_cmp(struct sv a, struct sv b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : a.n < b.n ? -1 : a.n > b.n;
}

bool sv_starts(struct sv s, struct sv prefix)
{
	return s.n >= prefix.n && !memcmp(s.p, prefix.p, prefix.n);
}

bool sv_ends(struct sv s, struct sv suffix)
{
	return s.n >= suffix.n && !memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n);
}

struct sv sv_trim(struct sv s)
{
	while (s.n && isspace((unsigned char)*s.p))
		s.p++, s.n--;
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

struct sv sv_drop(struct sv s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return (struct sv){ s.p ? s.p + n : NULL, s.n - n };
}

static bool cut_at(struct sv in, const char *at, struct sv *head, struct sv *tail)
{
	size_t len = at ? (size_t)(at - in.p) : in.n;

	*head = (struct sv){ in.p, len };
	*tail = at ? (struct sv){ at + 1, in.n - len - 1 } : (struct sv){ in.p ? in.p + in.n : NULL, 0 };
	return at != NULL;
}

bool sv_cut(struct sv in, char sep, struct sv *head, struct sv *tail)
{
	return cut_at(in, in.n ? memchr(in.p, sep, in.n) : NULL, head, tail);
}

bool sv_cut_last(struct sv in, char sep, struct sv *head, struct sv *tail)
{
	return cut_at(in, in.n ? memrchr(in.p, sep, in.n) : NULL, head, tail);
}

size_t sv_distance(struct sv a, struct sv b)
{
	size_t row[65];

	if (a.n > 64 || b.n > 64)
		return a.n + b.n;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			bool same = tolower((unsigned char)a.p[i - 1]) == tolower((unsigned char)b.p[j - 1]);
			size_t best = diagonal + !same;

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.n];
}

bool sv_to_i64(struct sv s, int64_t *out)
{
	bool negative = s.n && *s.p == '-';
	int64_t v = 0;

	if (s.n && (*s.p == '-' || *s.p == '+'))
		s = sv_drop(s, 1);
	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v))
			return false;
		if (negative ? __builtin_sub_overflow(v, s.p[i] - '0', &v) : __builtin_add_overflow(v, s.p[i] - '0', &v))
			return false;
	}
	*out = v;
	return true;
}

char *sv_dup(struct sv s)
{
	char *c = malloc(s.n + 1);

	if (!c)
		abort();
	if (s.n)
		memcpy(c, s.p, s.n);
	c[s.n] = '\0';
	return c;
}

char *str_room(struct str *s, size_t n)
{
	s->p = vec_room(s->p, &s->cap, s->n + n + 1, 1);
	return s->p + s->n;
}

void str_add(struct str *s, struct sv v)
{
	char *at = str_room(s, v.n);

	if (v.n)
		memcpy(at, v.p, v.n);
	s->n += v.n;
	s->p[s->n] = '\0';
}

void str_addc(struct str *s, const char *c) { str_add(s, sv_c(c)); }
void str_add1(struct str *s, char c) { str_add(s, (struct sv){ &c, 1 }); }

void str_addv(struct str *s, const char *fmt, va_list ap)
{
	char *t = NULL;
	int n = vasprintf(&t, fmt, ap);

	if (n < 0)
		abort();
	str_add(s, (struct sv){ t, (size_t)n });
	free(t);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addv(s, fmt, ap);
	va_end(ap);
}

void str_set(struct str *s, const char *c)
{
	s->n = 0;
	str_addc(s, c);
}

void str_cut(struct str *s, size_t n)
{
	if (n >= s->n)
		return;
	s->n = n;
	s->p[n] = '\0';
}

void str_free(struct str *s)
{
	free(s->p);
	*s = (struct str){ 0 };
}

void str_move(struct str *to, struct str *from)
{
	str_free(to);
	*to = *from;
	*from = (struct str){ 0 };
}

char *str_take(struct str *s)
{
	char *p = s->p ? s->p : sv_dup((struct sv){ "", 0 });

	*s = (struct str){ 0 };
	return p;
}

char *str_fmt(const char *fmt, ...)
{
	struct str s = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	return str_take(&s);
}
