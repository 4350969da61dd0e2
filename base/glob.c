#include "base/glob.h"

#include <string.h>

bool glob_is_pattern(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("*?[\\", s.p[i]))
			return true;
	return false;
}

/* A class at the start of p; *n: its length in the pattern. A class without an end matches itself. */
static bool in_class(struct sv p, char c, size_t *n)
{
	bool negative = p.n > 1 && (p.p[1] == '^' || p.p[1] == '!'), found = false;
	size_t i = negative ? 2 : 1;

	for (bool first = true; i < p.n && (first || p.p[i] != ']'); first = false) {
		char low = p.p[i], high = low;

		if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
			high = p.p[i + 2];
			i += 2;
		}
		found |= c >= low && c <= high;
		i++;
	}
	if (i >= p.n) {
		*n = 1;
		return c == '[';
	}
	*n = i + 1;
	return found != negative && c != '/';
}

static bool match(struct sv p, struct sv s, unsigned *steps);

static bool match_star(struct sv p, struct sv s, unsigned *steps)
{
	bool deep = sv_starts(p, SV("**"));

	p = sv_drop(p, deep ? 2 : 1);
	if (deep && p.n && p.p[0] == '/' && match(sv_drop(p, 1), s, steps))
		return true;    /* no directory at all */
	for (size_t i = 0;; i++) {
		if (match(p, sv_drop(s, i), steps))
			return true;
		if (i >= s.n || (!deep && s.p[i] == '/'))
			return false;
	}
}

static bool match(struct sv p, struct sv s, unsigned *steps)
{
	for (; p.n; s = sv_drop(s, 1)) {
		size_t n = 1;
		bool same;

		if (++*steps > GLOB_STEPS)
			return false;
		if (p.p[0] == '*')
			return match_star(p, s, steps);
		if (!s.n)
			return false;
		if (p.p[0] == '[') {
			same = in_class(p, s.p[0], &n);
		} else if (p.p[0] == '\\' && p.n > 1) {
			same = p.p[1] == s.p[0];
			n = 2;
		} else {
			same = p.p[0] == '?' ? s.p[0] != '/' : p.p[0] == s.p[0];
		}
		if (!same)
			return false;
		p = sv_drop(p, n);
	}
	return !s.n;
}

bool glob_match(struct sv pattern, struct sv path)
{
	unsigned steps = 0;

	return match(pattern, path, &steps);
}
