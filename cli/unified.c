/* cli/unified.c - the difference of two texts: Myers' shortest edit script. */
#include "cli/unified.h"

#include <stdlib.h>

#include "base/vec.h"

#define CONTEXT 3
#define EDITS_MAX 1000                  /* beyond that the rest is shown as replaced */

struct lines { struct sv *v; size_t n, cap; };
struct edit { char sign; struct sv line; size_t a, b; };        /* ' ', '-' or '+', and the line's numbers from 0 */
struct edits { struct edit *v; size_t n, cap; };

static void split(struct lines *out, struct sv text)
{
	while (text.n) {
		struct sv line, rest = { "", 0 };
		(void)sv_cut(text, '\n', &line, &rest);
		vec_push(out, line);
		text = rest;
	}
}

/* The furthest row reached on each diagonal, a copy for every number of edits: what the way back is read from. */
struct trace { long **v; size_t n, cap; };

static long furthest(const long *v, long k, long d, long mid)
{
	bool down = k == -d || (k != d && v[mid + k - 1] < v[mid + k + 1]);

	return down ? v[mid + k + 1] : v[mid + k - 1] + 1;
}

static long search(const struct lines *a, const struct lines *b, struct trace *t, long max)
{
	long *v = calloc((size_t)(2 * max + 3), sizeof *v), mid = max + 1;

	for (long d = 0; d <= max; d++) {
		for (long k = -d; k <= d; k += 2) {
			long x = furthest(v, k, d, mid), y = x - k;
			while (x < (long)a->n && y < (long)b->n && sv_eq(a->v[x], b->v[y])) {
				x++;
				y++;
			}
			v[mid + k] = x;
			if (x >= (long)a->n && y >= (long)b->n) {
				vec_push(t, v);
				return d;
			}
		}
		long *copy = malloc((size_t)(2 * max + 3) * sizeof *copy);
		memcpy(copy, v, (size_t)(2 * max + 3) * sizeof *copy);
		vec_push(t, copy);
	}
	free(v);
	return -1;
}

static void push(struct edits *out, char sign, const struct lines *from, long i, long a, long b)
{
	struct edit e = { sign, from->v[i], (size_t)a, (size_t)b };

	vec_push(out, e);
}

/* From the end to the start; the caller reverses. */
static void walk_back(const struct lines *a, const struct lines *b, const struct trace *t, long d, long max, struct edits *out)
{
	long x = (long)a->n, y = (long)b->n, mid = max + 1;

	for (; d > 0; d--) {
		const long *v = t->v[d - 1];
		long k = x - y;
		bool down = k == -d || (k != d && v[mid + k - 1] < v[mid + k + 1]);
		long from_k = down ? k + 1 : k - 1, from_x = v[mid + from_k], from_y = from_x - from_k;
		while (x > from_x && y > from_y) {
			x--;
			y--;
			push(out, ' ', a, x, x, y);
		}
		x -= !down;
		y -= down;
		push(out, down ? '+' : '-', down ? b : a, down ? y : x, x, y);
	}
	while (x > 0 && y > 0) {
		x--;
		y--;
		push(out, ' ', a, x, x, y);
	}
}

static void all_replaced(const struct lines *a, const struct lines *b, struct edits *out)
{
	for (size_t i = b->n; i-- > 0;)
		push(out, '+', b, (long)i, (long)a->n, (long)i);
	for (size_t i = a->n; i-- > 0;)
		push(out, '-', a, (long)i, (long)i, 0);
}

static void write_hunk(struct str *out, const struct edits *e, size_t from, size_t to)
{
	size_t in_a = 0, in_b = 0;

	for (size_t i = from; i < to; i++) {
		in_a += e->v[i].sign != '+';
		in_b += e->v[i].sign != '-';
	}
	str_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", e->v[from].a + (in_a > 0), in_a, e->v[from].b + (in_b > 0), in_b);
	for (size_t i = from; i < to; i++)
		str_addf(out, "%c" SV_FMT "\n", e->v[i].sign, SV_ARG(e->v[i].line));
}

static void write_hunks(struct str *out, const struct edits *e)
{
	for (size_t i = 0; i < e->n;) {
		if (e->v[i].sign == ' ') {
			i++;
			continue;
		}
		size_t from = i > CONTEXT ? i - CONTEXT : 0, end = i, quiet = 0;
		for (; end < e->n && quiet <= 2 * CONTEXT; end++)
			quiet = e->v[end].sign == ' ' ? quiet + 1 : 0;
		end -= quiet > CONTEXT ? quiet - CONTEXT : 0;
		write_hunk(out, e, from, end);
		i = end;
	}
}

void unified_diff(struct str *out, const char *name_a, struct sv a, const char *name_b, struct sv b)
{
	struct lines la = { 0 }, lb = { 0 };
	struct trace t = { 0 };
	struct edits e = { 0 };

	if (sv_eq(a, b))
		return;
	split(&la, a);
	split(&lb, b);
	long max = (long)(la.n + lb.n) < EDITS_MAX ? (long)(la.n + lb.n) : EDITS_MAX;
	long d = search(&la, &lb, &t, max);
	if (d >= 0)
		walk_back(&la, &lb, &t, d, max, &e);
	else
		all_replaced(&la, &lb, &e);
	for (size_t i = 0; i < e.n / 2; i++) {
		struct edit swap = e.v[i];
		e.v[i] = e.v[e.n - 1 - i];
		e.v[e.n - 1 - i] = swap;
	}
	str_addf(out, "--- %s\n+++ %s\n", name_a, name_b);
	write_hunks(out, &e);
	for (size_t i = 0; i < t.n; i++)
		free(t.v[i]);
	vec_free(&t);
	vec_free(&la);
	vec_free(&lb);
	vec_free(&e);
}
