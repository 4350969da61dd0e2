/* base/semver.c - versions and ranges of versions. */
#include "base/semver.h"

#include <ctype.h>

enum op { OP_EQ, OP_NE, OP_GT, OP_LT, OP_GE, OP_LE, OP_TILDE, OP_CARET };

/* One comparison. A dirty part was left out or a wildcard: it is 0 in ver. */
struct term { enum op op; struct semver ver; bool dirty, minor_dirty, patch_dirty; };

static const struct { const char *text; enum op op; } ops[] = {         /* longer spellings first */
	{ "!=", OP_NE }, { ">=", OP_GE }, { "=>", OP_GE }, { "<=", OP_LE }, { "=<", OP_LE }, { "~>", OP_TILDE },
	{ "=", OP_EQ }, { ">", OP_GT }, { "<", OP_LT }, { "~", OP_TILDE }, { "^", OP_CARET },
};

static bool take_number(struct sv *s, uint64_t *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->n && isdigit((unsigned char)s->p[n])) {
		if (n == 18)
			return false;
		*out = *out * 10 + (uint64_t)(s->p[n++] - '0');
	}
	*s = sv_drop(*s, n);
	return n > 0;
}

static bool take_char(struct sv *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = sv_drop(*s, 1);
	return true;
}

/* Identifiers separated by dots, none of them empty. */
static bool identifiers_ok(struct sv s)
{
	size_t run = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '.' && s.p[i] != '-' && !isalnum((unsigned char)s.p[i]))
			return false;
		if (s.p[i] == '.' && !run)
			return false;
		run = s.p[i] == '.' ? 0 : run + 1;
	}
	return run > 0;
}

static bool take_suffix(struct sv s, struct semver *out)
{
	struct sv rest;

	if (take_char(&s, '-')) {
		if (!sv_cut(s, '+', &out->pre, &rest))
			return identifiers_ok(out->pre);
		out->build = rest;
		return identifiers_ok(out->pre) && identifiers_ok(rest);
	}
	if (take_char(&s, '+')) {
		out->build = s;
		return identifiers_ok(s);
	}
	return s.n == 0;
}

bool semver_parse(struct sv text, struct semver *out)
{
	uint64_t *parts[] = { &out->major, &out->minor, &out->patch };

	*out = (struct semver){ 0 };
	(void)take_char(&text, 'v');
	for (size_t i = 0; i < 3; i++) {
		if (!take_number(&text, parts[i]))
			return false;
		if (i == 2 || !take_char(&text, '.'))
			break;
	}
	return take_suffix(text, out);
}

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Numbers are lower than words and compare as numbers; words compare byte by byte. */
static int cmp_identifier(struct sv a, struct sv b)
{
	uint64_t x, y;
	struct sv ra = a, rb = b;
	bool na = take_number(&ra, &x) && !ra.n, nb = take_number(&rb, &y) && !rb.n;

	if (na && nb)
		return cmp_u64(x, y);
	if (na != nb)
		return na ? -1 : 1;
	return sv_cmp(a, b);
}

static int cmp_pre(struct sv a, struct sv b)
{
	if (!a.n || !b.n)
		return !a.n - !b.n;     /* without a pre-release part is higher */
	while (a.n && b.n) {
		struct sv x, y, rest_a = { 0 }, rest_b = { 0 };
		int r;

		(void)sv_cut(a, '.', &x, &rest_a);
		(void)sv_cut(b, '.', &y, &rest_b);
		if ((r = cmp_identifier(x, y)))
			return r;
		a = rest_a;
		b = rest_b;
	}
	return (a.n > 0) - (b.n > 0);
}

int semver_cmp(const struct semver *a, const struct semver *b)
{
	int r;

	if ((r = cmp_u64(a->major, b->major)) || (r = cmp_u64(a->minor, b->minor)) || (r = cmp_u64(a->patch, b->patch)))
		return r;
	return cmp_pre(a->pre, b->pre);
}

/* ---- ranges ---- */

static bool take_wildcard(struct sv *s)
{
	return take_char(s, 'x') || take_char(s, 'X') || take_char(s, '*');
}

static bool take_version(struct sv s, struct term *t)
{
	(void)take_char(&s, 'v');
	if (take_wildcard(&s)) {                /* all versions: only dirty, so that the caret and tilde take any */
		t->dirty = true;
		while (take_char(&s, '.'))
			if (!take_wildcard(&s))
				return false;
		return s.n == 0;
	}
	if (!take_number(&s, &t->ver.major))
		return false;
	if (!take_char(&s, '.') || take_wildcard(&s))
		t->minor_dirty = t->patch_dirty = t->dirty = true;
	else if (!take_number(&s, &t->ver.minor))
		return false;
	if (t->minor_dirty) {
		if (take_char(&s, '.') && !take_wildcard(&s))
			return false;
	} else if (!take_char(&s, '.') || take_wildcard(&s)) {
		t->patch_dirty = t->dirty = true;
	} else if (!take_number(&s, &t->ver.patch)) {
		return false;
	}
	return take_suffix(s, &t->ver);
}

static bool match_caret(const struct term *t, const struct semver *v)
{
	const struct semver *c = &t->ver;

	if (semver_cmp(v, c) < 0)
		return false;
	if (t->dirty && !t->minor_dirty && !t->patch_dirty)
		return true;
	if (c->major > 0 || t->minor_dirty)
		return v->major == c->major;
	if (v->major > 0)
		return false;
	if (c->minor > 0 || t->patch_dirty)
		return v->minor == c->minor;
	return v->minor == 0 && v->patch == c->patch;
}

static bool match_tilde(const struct term *t, const struct semver *v)
{
	const struct semver *c = &t->ver;

	if (semver_cmp(v, c) < 0)
		return false;
	if (t->dirty && !t->minor_dirty && !t->patch_dirty)
		return true;
	return v->major == c->major && (t->minor_dirty || v->minor == c->minor);
}

static bool match_not(const struct term *t, const struct semver *v)
{
	if (!t->dirty)
		return semver_cmp(v, &t->ver) != 0;
	if (!t->minor_dirty && !t->patch_dirty)
		return false;
	return v->major != t->ver.major || (!t->minor_dirty && v->minor != t->ver.minor);
}

/* Above every version that the written part stands for: >1 is 2.0.0 and later. */
static bool match_above(const struct term *t, const struct semver *v)
{
	if (!t->dirty)
		return semver_cmp(v, &t->ver) > 0;
	if (v->major != t->ver.major)
		return v->major > t->ver.major;
	return !t->minor_dirty && v->minor > t->ver.minor;
}

static bool match_term(const struct term *t, const struct semver *v)
{
	if (v->pre.n && !t->ver.pre.n)
		return t->op == OP_NE && match_not(t, v);
	switch (t->op) {
	case OP_EQ: return t->dirty ? match_tilde(t, v) : semver_cmp(v, &t->ver) == 0;
	case OP_NE: return match_not(t, v);
	case OP_GT: return match_above(t, v);
	case OP_LT: return semver_cmp(v, &t->ver) < 0;
	case OP_GE: return semver_cmp(v, &t->ver) >= 0;
	case OP_LE: return t->dirty ? !match_above(t, v) : semver_cmp(v, &t->ver) <= 0;
	case OP_TILDE: return match_tilde(t, v);
	case OP_CARET: return match_caret(t, v);
	}
	return false;
}

static void skip_space(struct sv *s)
{
	while (s->n && (isspace((unsigned char)s->p[0]) || s->p[0] == ','))
		*s = sv_drop(*s, 1);
}

static enum op take_op(struct sv *s)
{
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (sv_starts(*s, sv_c(ops[i].text))) {
			*s = sv_drop(*s, strlen(ops[i].text));
			return ops[i].op;
		}
	return OP_EQ;
}

static struct sv take_word(struct sv *s)
{
	size_t n = 0;

	while (n < s->n && !isspace((unsigned char)s->p[n]) && s->p[n] != ',')
		n++;
	struct sv word = { s->p, n };
	*s = sv_drop(*s, n);
	return word;
}

static bool take_term(struct sv *s, struct term *t)
{
	*t = (struct term){ .op = take_op(s) };
	while (s->n && isspace((unsigned char)s->p[0]))
		*s = sv_drop(*s, 1);
	return take_version(take_word(s), t);
}

/* "1.2 - 2.3": the dash stands alone, after a term without an operator. */
static bool take_hyphen(struct sv *s)
{
	struct sv at = *s;

	skip_space(&at);
	if (at.n < 2 || at.p[0] != '-' || !isspace((unsigned char)at.p[1]))
		return false;
	*s = sv_drop(at, 1);
	skip_space(s);
	return true;
}

/* All terms of one alternative. *matched is only changed to false. */
static bool match_all(struct sv s, const struct semver *v, bool *matched)
{
	struct term t;

	skip_space(&s);
	do {
		if (!take_term(&s, &t))
			return false;
		if (take_hyphen(&s)) {
			t.op = OP_GE;
			*matched &= match_term(&t, v);
			t = (struct term){ .op = OP_LE };
			if (!take_version(take_word(&s), &t))
				return false;
			t.op = OP_LE;
		}
		*matched &= match_term(&t, v);
		skip_space(&s);
	} while (s.n);
	return true;
}

static size_t alternative_end(struct sv s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '|' && s.p[i + 1] == '|')
			return i;
	return s.n;
}

int semver_match(struct sv range, const struct semver *v, struct err *err)
{
	bool any = false;

	for (struct sv rest = range;;) {
		size_t end = alternative_end(rest);
		bool matched = true;

		if (!match_all((struct sv){ rest.p, end }, v, &matched))
			return err_set(err, ERR_BAD_REQUEST, "'" SV_FMT "' is not a version or a range of versions such as "
				       "1.2.3, ~1.2, ^1.0, '>=1.2 <2' or 1.x", SV_ARG(range));
		any |= matched;
		if (end == rest.n)
			return any;
		rest = sv_drop(rest, end + 2);
	}
}
