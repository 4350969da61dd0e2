#include "kube/cel/cel-internal.h"

#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static const char *const reserved[] = {
	"as",	   "break",	"const",  "continue", "else", "for",   "function", "if",    "import", "let", "loop",
	"package", "namespace", "return", "var",      "void", "while", "true",	   "false", "null",   "in",
};

bool cel_is_reserved(struct sv word)
{
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (sv_eq_c(word, reserved[i]))
			return true;
	return false;
}

void cel_mark(struct str *out, const char *text, uint32_t at, const char *fmt, ...)
{
	size_t line = 1, start = 0, end, column = 0;
	va_list ap;

	for (size_t i = 0; i < at; i++)
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	for (end = start; text[end] && text[end] != '\n'; end++)
		;
	for (size_t i = start; i < at; i++)
		column += ((unsigned char)text[i] & 0xc0) != 0x80;
	str_addf(out, "%sERROR: <input>:%zu:%zu: ", out->n ? "\n" : "", line, column + 1);
	va_start(ap, fmt);
	str_addv(out, fmt, ap);
	va_end(ap);
	str_addf(out, "\n | %.*s\n | ", (int)(end - start), text + start);
	while (column--)
		str_add1(out, '.');
	str_add1(out, '^');
}

/* ---- texts ---- */

static void bad(struct cel_lexer *l, const char *mistake)
{
	l->token = CEL_BAD;
	l->mistake = mistake;
}

static bool digits_of(const char **p, int n, int base, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, ++*p) {
		int c = tolower((unsigned char)**p), digit = isdigit(c)		    ? c - '0'
							     : c >= 'a' && c <= 'f' ? c - 'a' + 10
										    : 99;

		if (digit >= base)
			return false;
		*out = *out * (uint32_t)base + (uint32_t)digit;
	}
	return true;
}

static bool escape(const char **p, bool bytes, struct str *out)
{
	static const char from[] = "abfnrtv\\?\"'`", to[] = "\a\b\f\n\r\t\v\\?\"'`";
	char c = *(*p)++;
	const char *simple = c ? strchr(from, c) : NULL;
	uint32_t code;

	if (simple) {
		str_add1(out, to[simple - from]);
		return true;
	}
	if (c >= '0' && c <= '3') {
		--*p;
		if (!digits_of(p, 3, 8, &code))
			return false;
	} else if (c == 'x' || c == 'X') {
		if (!digits_of(p, 2, 16, &code))
			return false;
	} else if (!bytes && (c == 'u' || c == 'U')) {
		if (!digits_of(p, c == 'u' ? 4 : 8, 16, &code) || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
	} else {
		return false;
	}
	if (bytes)
		str_add1(out, (char)code);
	else
		utf8_add(out, code);
	return true;
}

/* l->p stands on the quote. */
static void lex_text(struct cel_lexer *l, bool raw, bool bytes)
{
	char quote = *l->p, close[4] = { quote, quote, quote, 0 };
	bool tall = !strncmp(l->p, close, 3);
	AUTO(str) text = { 0 };

	close[tall ? 3 : 1] = '\0';
	for (l->p += tall ? 3 : 1; strncmp(l->p, close, tall ? 3 : 1) != 0;) {
		if (!*l->p || (!tall && (*l->p == '\n' || *l->p == '\r')))
			return bad(l, "text without end");
		if (*l->p == '\\' && !raw) {
			l->p++;
			if (!escape(&l->p, bytes, &text))
				return bad(l, "not an escape sequence");
		} else {
			str_add1(&text, *l->p++);
		}
	}
	l->p += tall ? 3 : 1;
	l->token = CEL_TEXT;
	l->literal = (struct cel_value){ .kind = bytes ? CEL_BYTES : CEL_STRING,
					 .s = { doc_text(l->d, str_sv(&text)), text.n } };
}

/* True: a text with these letters before its quote. */
static bool lex_prefixed(struct cel_lexer *l)
{
	bool raw = false, bytes = false;
	const char *p = l->p;

	for (; *p && strchr("rRbB", *p) && p - l->p < 2; p++) {
		if (tolower((unsigned char)*p) == 'r' ? raw : bytes)
			return false;
		*(tolower((unsigned char)*p) == 'r' ? &raw : &bytes) = true;
	}
	if (*p != '"' && *p != '\'')
		return false;
	l->p = p;
	lex_text(l, raw, bytes);
	return true;
}

/* ---- numbers ---- */

static void lex_number(struct cel_lexer *l)
{
	const char *start = l->p, *p = start;
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X'), real = false;
	char *end;

	if (hex)
		for (p += 2; isxdigit((unsigned char)*p); p++)
			;
	while (!hex && isdigit((unsigned char)*p))
		p++;
	if (!hex && *p == '.' && isdigit((unsigned char)p[1])) {
		real = true;
		for (p++; isdigit((unsigned char)*p); p++)
			;
	}
	if (!hex && (*p == 'e' || *p == 'E')) {
		const char *digits = p + 1 + (p[1] == '+' || p[1] == '-');

		if (isdigit((unsigned char)*digits)) {
			real = true;
			for (p = digits; isdigit((unsigned char)*p); p++)
				;
		}
	}
	l->token = CEL_NUMBER;
	l->p = p;
	errno = 0;
	if (real) {
		l->literal = (struct cel_value){ .kind = CEL_DOUBLE, .d = strtod(start, NULL) };
		return;
	}
	uint64_t whole = strtoull(start, &end, hex ? 16 : 10);
	if (errno || end != p || (hex && p == start + 2))
		return bad(l, *p == 'u' || *p == 'U' ? "invalid uint literal" : "invalid int literal");
	if (*p == 'u' || *p == 'U') {
		l->p++;
		l->literal = (struct cel_value){ .kind = CEL_UINT, .u = whole };
		return;
	}
	l->literal = (struct cel_value){ .kind = CEL_INT, .u = whole }; /* the parser looks whether it fits */
}

/* ---- the rest ---- */

static void skip(struct cel_lexer *l)
{
	for (;;) {
		while (*l->p && strchr(" \t\r\n\f", *l->p))
			l->p++;
		if (l->p[0] != '/' || l->p[1] != '/')
			return;
		while (*l->p && *l->p != '\n')
			l->p++;
	}
}

static void lex_sign(struct cel_lexer *l)
{
	static const char *const two[] = { "&&", "||", "==", "!=", "<=", ">=" };
	size_t n = 1;

	for (size_t i = 0; i < sizeof two / sizeof *two; i++)
		if (!strncmp(l->p, two[i], 2))
			n = 2;
	if (n == 1 && !strchr("+-*/%!<>()[]{}.,:?", *l->p))
		return bad(l, "token recognition error");
	l->token = CEL_SIGN;
	l->word = (struct sv){ l->p, n };
	l->p += n;
}

static void lex_quoted_word(struct cel_lexer *l)
{
	const char *start = ++l->p;

	while (*l->p && (isalnum((unsigned char)*l->p) || strchr("_.-/ ", *l->p)))
		l->p++;
	if (*l->p != '`' || l->p == start)
		return bad(l, "token recognition error");
	l->token = CEL_QUOTED_WORD;
	l->word = (struct sv){ start, (size_t)(l->p++ - start) };
}

void cel_lex(struct cel_lexer *l)
{
	const char *start;

	skip(l);
	start = l->p;
	l->at = (uint32_t)(start - l->text);
	l->word = (struct sv){ start, 0 };
	if (!*start) {
		l->token = CEL_END;
	} else if (*start == '"' || *start == '\'') {
		lex_text(l, false, false);
	} else if (*start == '`') {
		lex_quoted_word(l);
	} else if (isdigit((unsigned char)*start) || (*start == '.' && isdigit((unsigned char)start[1]))) {
		lex_number(l);
	} else if (isalpha((unsigned char)*start) || *start == '_') {
		if (strchr("rRbB", *start) && lex_prefixed(l))
			return;
		while (isalnum((unsigned char)*l->p) || *l->p == '_')
			l->p++;
		l->token = CEL_WORD;
		l->word.n = (size_t)(l->p - start);
	} else {
		lex_sign(l);
	}
}
