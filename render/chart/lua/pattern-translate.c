/* render/chart/lua/pattern-translate.c - Lua's patterns (Lua 5.4 manual, 6.4.1) as PCRE2 ones, byte for byte. */
#include "render/chart/lua/pattern.h"

#include <ctype.h>

struct translation {
	struct sv in;
	size_t at;
	struct str *out;
	struct str defines;             /* groups for %b, after all others so that captures keep their numbers */
	uint32_t *positions;
	int captures, open, balanced;
	struct err *err;
};

static const struct { char letter; const char *posix; } classes[] = {
	{ 'a', "alpha" }, { 'c', "cntrl" }, { 'd', "digit" }, { 'g', "graph" }, { 'l', "lower" }, { 'p', "punct" },
	{ 's', "space" }, { 'u', "upper" }, { 'w', "alnum" }, { 'x', "xdigit" },
};

static const char *class_of(char letter)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (classes[i].letter == tolower((unsigned char)letter))
			return classes[i].posix;
	return NULL;
}

static int malformed(struct translation *t, const char *why)
{
	return err_set(t->err, ERR_INVALID, "malformed pattern (%s)", why);
}

static bool more(const struct translation *t) { return t->at < t->in.n; }
static char peek(const struct translation *t) { return t->in.p[t->at]; }
static void add_byte(struct str *out, char c) { str_addf(out, "\\x%02x", (unsigned char)c); }

/* One item after `%` inside a set or outside; has_nul is set when '\0' is in it. */
static void add_escape(struct str *out, char c, bool in_set, bool *has_nul)
{
	const char *posix = class_of(c);

	if (c == 'z' || c == 'Z') {             /* an old name of '\0' that Lua still knows */
		*has_nul |= c == 'z';
		str_addf(out, in_set ? "%s" : "[%s]", c == 'z' ? "\\x00" : "\\x01-\\xff");
		return;
	}
	if (!posix) {
		add_byte(out, c);
		*has_nul |= c == '\0';
		return;
	}
	bool negated = isupper((unsigned char)c);
	*has_nul |= negated != str_eq(posix, "cntrl");
	str_addf(out, in_set ? "[:%s%s:]" : "[[:%s%s:]]", negated ? "^" : "", posix);
}

static int add_set_item(struct translation *t, struct str *out, bool *has_nul)
{
	char c = t->in.p[t->at++];

	if (c == '%') {
		if (!more(t))
			return malformed(t, "missing ']'");
		add_escape(out, t->in.p[t->at++], true, has_nul);
		return 0;
	}
	add_byte(out, c);
	*has_nul |= c == '\0';
	if (t->at + 1 < t->in.n && peek(t) == '-' && t->in.p[t->at + 1] != ']') {
		unsigned char last = (unsigned char)t->in.p[t->at + 1];

		if (last < (unsigned char)c)            /* an empty range is nothing in Lua, and an error in PCRE2 */
			str_cut(out, out->n - 4);
		else
			str_addf(out, "-\\x%02x", last);
		t->at += 2;
	}
	return 0;
}

/* At '['. A set may be empty after its ranges: then nothing is in it. */
static int add_set(struct translation *t, struct str *out, bool *has_nul)
{
	AUTO(str) items = { 0 };
	bool negated = false, nul = false, first = true;

	t->at++;
	if (more(t) && peek(t) == '^') {
		negated = true;
		t->at++;
	}
	for (; more(t) && (first || peek(t) != ']'); first = false)
		TRY(add_set_item(t, &items, &nul));
	if (!more(t))
		return malformed(t, "missing ']'");
	t->at++;
	if (has_nul)
		*has_nul = nul != negated;
	if (!items.n)
		str_addc(out, negated ? "(?s:.)" : "(?!)");
	else
		str_addf(out, "[%s%s]", negated ? "^" : "", str_c(&items));
	return 0;
}

static int add_balanced(struct translation *t)
{
	if (t->at + 2 > t->in.n)
		return malformed(t, "missing arguments to '%b'");
	unsigned char a = (unsigned char)t->in.p[t->at], b = (unsigned char)t->in.p[t->at + 1];
	t->at += 2;
	if (a == b) {
		str_addf(t->out, "\\x%02x[^\\x%02x]*+\\x%02x", a, a, a);
		return 0;
	}
	str_addf(t->out, "(?&b%d)", t->balanced);
	str_addf(&t->defines, "(?<b%d>\\x%02x(?:[^\\x%02x\\x%02x]++|(?&b%d))*+\\x%02x)", t->balanced, a, a, b, t->balanced, b);
	t->balanced++;
	return 0;
}

/* %f[set]: from outside of the set into it, with '\0' before the start and after the end. */
static int add_frontier(struct translation *t)
{
	AUTO(str) set = { 0 };
	bool has_nul;

	if (!more(t) || peek(t) != '[')
		return malformed(t, "missing '[' after '%f' in pattern");
	TRY(add_set(t, &set, &has_nul));
	str_addf(t->out, has_nul ? "(?<!%s)(?!\\A)(?:(?=%s)|\\z)" : "(?<!%s)(?=%s)", str_c(&set), str_c(&set));
	return 0;
}

static int add_backreference(struct translation *t, char digit)
{
	if (digit == '0' || digit - '0' > t->captures)
		return err_set(t->err, ERR_INVALID, "invalid capture index %%%c in pattern", digit);
	str_addf(t->out, "\\g{%c}", digit);
	return 0;
}

/* *, +, ? and - follow a single character class. */
static void add_quantifier(struct translation *t)
{
	if (!more(t))
		return;
	switch (peek(t)) {
	case '*': case '+': case '?':
		str_add1(t->out, peek(t));
		break;
	case '-':
		str_addc(t->out, "*?");
		break;
	default:
		return;
	}
	t->at++;
}

static int add_escaped(struct translation *t)
{
	bool nul = false;

	if (++t->at >= t->in.n)
		return malformed(t, "ends with '%'");
	char c = t->in.p[t->at++];
	if (c == 'b')
		return add_balanced(t);
	if (c == 'f')
		return add_frontier(t);
	if (isdigit((unsigned char)c))
		return add_backreference(t, c);
	add_escape(t->out, c, false, &nul);
	add_quantifier(t);
	return 0;
}

static int open_capture(struct translation *t)
{
	if (++t->captures > 32)
		return err_set(t->err, ERR_INVALID, "too many captures");
	str_add1(t->out, '(');
	t->open++;
	if (++t->at < t->in.n && peek(t) == ')')
		*t->positions |= 1u << (t->captures - 1);
	return 0;
}

static int close_capture(struct translation *t)
{
	if (!t->open--)
		return err_set(t->err, ERR_INVALID, "invalid pattern capture");
	str_add1(t->out, ')');
	t->at++;
	return 0;
}

static int add_item(struct translation *t)
{
	switch (peek(t)) {
	case '(':
		return open_capture(t);
	case ')':
		return close_capture(t);
	case '%':
		return add_escaped(t);
	case '[':
		TRY(add_set(t, t->out, NULL));
		break;
	case '.':
		str_add1(t->out, '.');
		t->at++;
		break;
	default:
		if (peek(t) == '$' && t->at + 1 == t->in.n) {
			str_addc(t->out, "\\z");
			t->at++;
			return 0;
		}
		add_byte(t->out, t->in.p[t->at++]);
	}
	add_quantifier(t);
	return 0;
}

int pattern_translate(struct sv pattern, struct str *out, uint32_t *positions, struct err *err)
{
	struct translation t = { .in = pattern, .out = out, .positions = positions, .err = err };
	int r = 0;

	*positions = 0;
	while (more(&t) && r >= 0)
		r = add_item(&t);
	if (r >= 0 && t.open)
		r = err_set(err, ERR_INVALID, "unfinished capture");
	if (t.defines.n)
		str_addf(out, "(?(DEFINE)%s)", str_c(&t.defines));
	str_free(&t.defines);
	return r < 0 ? r : t.captures;
}
