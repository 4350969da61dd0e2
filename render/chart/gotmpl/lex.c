#include "render/chart/gotmpl/lex.h"

#include "base/utf8.h"

#include <ctype.h>

static const struct { const char *name; enum token_type type; } keywords[] = {
	{ "block", TOKEN_BLOCK }, { "break", TOKEN_BREAK }, { "continue", TOKEN_CONTINUE }, { "define", TOKEN_DEFINE },
	{ "else", TOKEN_ELSE }, { "end", TOKEN_END }, { "if", TOKEN_IF }, { "nil", TOKEN_NIL }, { "range", TOKEN_RANGE },
	{ "template", TOKEN_TEMPLATE }, { "with", TOKEN_WITH }, { "true", TOKEN_BOOL }, { "false", TOKEN_BOOL },
};

void lex_init(struct lexer *l, const char *name, struct sv text)
{
	*l = (struct lexer){ .name = name, .all = text, .line = 1 };
}

static struct sv rest(const struct lexer *l) { return sv_drop(l->all, l->at); }
static char peek(const struct lexer *l, size_t ahead) { return l->at + ahead < l->all.n ? l->all.p[l->at + ahead] : '\0'; }
static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static int failed(const struct lexer *l, struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "%s:%u:%zu: %s", l->name, l->line, l->at - l->line_start + 1, what);
}

/* Takes n bytes as a token and counts the lines in them. */
static int emit(struct lexer *l, enum token_type type, size_t n, struct token *out)
{
	*out = (struct token){ type, { l->all.p + l->at, n }, l->line, (uint32_t)(l->at - l->line_start + 1) };
	for (size_t i = 0; i < n; i++)
		if (out->text.p[i] == '\n') {
			l->line++;
			l->line_start = l->at + i + 1;
		}
	l->at += n;
	return 0;
}

static void skip(struct lexer *l, size_t n)
{
	struct token unused;

	(void)emit(l, TOKEN_TEXT, n, &unused);
}

/* "{{- " and " -}}": a minus and a white space character on its inner side. */
static bool left_trims(const struct lexer *l, size_t at)
{
	return at + 3 < l->all.n && l->all.p[at + 2] == '-' && is_space(l->all.p[at + 3]);
}

static bool right_trims(struct sv s) { return s.n >= 4 && is_space(s.p[0]) && sv_starts(sv_drop(s, 1), SV("-}}")); }

/* After "{{" and its marker: a comment to its end, with the delimiter. */
static int skip_comment(struct lexer *l, struct err *err)
{
	const char *end = memmem(l->all.p + l->at + 2, l->all.n - l->at - 2, "*/", 2);

	if (!end)
		return failed(l, err, "unclosed comment");
	skip(l, (size_t)(end - l->all.p) + 2 - l->at);
	l->trim_next = right_trims(rest(l));
	if (!l->trim_next && !sv_starts(rest(l), SV("}}")))
		return failed(l, err, "comment ends before closing delimiter");
	skip(l, l->trim_next ? 4 : 2);
	return 0;
}

/* Text up to the next "{{" (at open, or the end), without what the markers on both sides trim; false: there is none. */
static bool take_text(struct lexer *l, size_t open, bool open_trims, struct token *out)
{
	size_t kept = open;

	while (l->trim_next && l->at < open && is_space(peek(l, 0)))
		skip(l, 1);
	l->trim_next = false;
	while (open_trims && kept > l->at && is_space(l->all.p[kept - 1]))
		kept--;
	if (kept > l->at) {
		(void)emit(l, TOKEN_TEXT, kept - l->at, out);
		return true;
	}
	skip(l, open - l->at);
	return false;
}

/* Outside of actions. */
static int next_text(struct lexer *l, struct token *out, struct err *err)
{
	for (;;) {
		const char *found = l->at < l->all.n ? memmem(l->all.p + l->at, l->all.n - l->at, "{{", 2) : NULL;
		size_t open = found ? (size_t)(found - l->all.p) : l->all.n;
		bool trims = found && left_trims(l, open);
		size_t marker = trims ? 4 : 2;

		if (take_text(l, open, trims, out))
			return 0;
		if (!found)
			return emit(l, TOKEN_EOF, 0, out);
		if (!sv_starts(sv_drop(rest(l), marker), SV("/*"))) {
			l->in_action = true;
			l->parens = 0;
			return emit(l, TOKEN_LEFT, marker, out);
		}
		skip(l, marker);
		TRY(skip_comment(l, err));
	}
}

static int next_right(struct lexer *l, bool trims, struct token *out, struct err *err)
{
	if (l->parens)
		return failed(l, err, "unclosed left paren");
	l->in_action = false;
	l->trim_next = trims;
	return emit(l, TOKEN_RIGHT, trims ? 4 : 2, out);
}

/* Letters, digits and `_` of any script: bytes above ASCII are taken as letters, as identifiers have nothing else there. */
static size_t name_length(struct sv s)
{
	size_t n = 0;

	while (n < s.n && (isalnum((unsigned char)s.p[n]) || s.p[n] == '_' || (unsigned char)s.p[n] >= 0x80))
		n++;
	return n;
}

/* What may follow a name, a field or a number. */
static bool at_terminator(const struct lexer *l, size_t ahead)
{
	struct sv s = sv_drop(rest(l), ahead);

	return !s.n || is_space(*s.p) || strchr(".,|:)(=", *s.p) || sv_starts(s, SV("}}"));
}

static int bad_character(const struct lexer *l, size_t ahead, struct err *err)
{
	struct sv s = sv_drop(rest(l), ahead);
	const char *p = s.p;
	AUTO(str) c = { 0 };

	utf8_add(&c, utf8_next(&p, s.p + s.n));
	AUTO(str) what = { 0 };
	str_addf(&what, "bad character '%s'", str_c(&c));
	return failed(l, err, str_c(&what));
}

static int next_name(struct lexer *l, struct token *out, struct err *err)
{
	size_t n = name_length(rest(l));
	struct sv text = { l->all.p + l->at, n };

	if (!at_terminator(l, n))
		return bad_character(l, n, err);
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (sv_eq_c(text, keywords[i].name))
			return emit(l, keywords[i].type, n, out);
	return emit(l, TOKEN_IDENT, n, out);
}

/* A dot or a dollar, and the name behind it. */
static int next_prefixed(struct lexer *l, enum token_type type, struct token *out, struct err *err)
{
	size_t n = 1 + name_length(sv_drop(rest(l), 1));

	if (!at_terminator(l, n))
		return bad_character(l, n, err);
	return emit(l, n == 1 && type == TOKEN_FIELD ? TOKEN_DOT : type, n, out);
}

static int next_quoted(struct lexer *l, enum token_type type, char quote, const char *unclosed, struct token *out, struct err *err)
{
	for (size_t n = 1; l->at + n < l->all.n; n++) {
		char c = peek(l, n);

		if (c == quote)
			return emit(l, type, n + 1, out);
		if (quote != '`' && c == '\n')
			break;
		if (quote != '`' && c == '\\')
			n++;
	}
	return failed(l, err, unclosed);
}

/* Signs, digits of any base, underscores, a fraction, an exponent: the parser reads the value. */
static int next_number(struct lexer *l, struct token *out, struct err *err)
{
	size_t n = peek(l, 0) == '+' || peek(l, 0) == '-';
	bool hex = peek(l, n) == '0' && tolower((unsigned char)peek(l, n + 1)) == 'x';

	for (; isalnum((unsigned char)peek(l, n)) || peek(l, n) == '_' || peek(l, n) == '.'; n++) {
		char c = (char)tolower((unsigned char)peek(l, n));

		if ((c == (hex ? 'p' : 'e')) && (peek(l, n + 1) == '+' || peek(l, n + 1) == '-'))
			n++;
	}
	if (!at_terminator(l, n))
		return failed(l, err, "bad number syntax");
	return emit(l, TOKEN_NUMBER, n, out);
}

static const struct { char c; enum token_type type; } marks[] = {
	{ '|', TOKEN_PIPE }, { ',', TOKEN_COMMA }, { '=', TOKEN_ASSIGN },
};

static int next_in_action(struct lexer *l, struct token *out, struct err *err)
{
	char c = peek(l, 0), after = peek(l, 1);
	size_t n = 0;

	if (l->at >= l->all.n)
		return failed(l, err, "unclosed action");
	if (sv_starts(rest(l), SV("}}")))
		return next_right(l, false, out, err);
	if (right_trims(rest(l)))
		return next_right(l, true, out, err);
	if (is_space(c)) {
		while (is_space(peek(l, n)) && !right_trims(sv_drop(rest(l), n)))
			n++;
		return emit(l, TOKEN_SPACE, n, out);
	}
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (marks[i].c == c)
			return emit(l, marks[i].type, 1, out);
	if (c == ':' && after == '=')
		return emit(l, TOKEN_DECLARE, 2, out);
	if (c == '"')
		return next_quoted(l, TOKEN_STRING, '"', "unterminated quoted string", out, err);
	if (c == '`')
		return next_quoted(l, TOKEN_RAW, '`', "unterminated raw quoted string", out, err);
	if (c == '\'')
		return next_quoted(l, TOKEN_CHAR, '\'', "unterminated character constant", out, err);
	if (c == '$')
		return next_prefixed(l, TOKEN_VAR, out, err);
	if (isdigit((unsigned char)c) || ((c == '+' || c == '-') && (isdigit((unsigned char)after) || after == '.')) ||
	    (c == '.' && isdigit((unsigned char)after)))
		return next_number(l, out, err);
	if (c == '.')
		return next_prefixed(l, TOKEN_FIELD, out, err);
	if (c == '(') {
		l->parens++;
		return emit(l, TOKEN_OPEN, 1, out);
	}
	if (c == ')') {
		if (!l->parens--)
			return failed(l, err, "unexpected right paren");
		return emit(l, TOKEN_CLOSE, 1, out);
	}
	if (isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80)
		return next_name(l, out, err);
	return bad_character(l, 0, err);
}

int lex_next(struct lexer *l, struct token *out, struct err *err)
{
	return l->in_action ? next_in_action(l, out, err) : next_text(l, out, err);
}
