#include "orchestrator/analysis/expr-internal.h"

#include <ctype.h>
#include <stdlib.h>

struct parser { const char *text, *p; struct doc *d; int depth; struct err *err; };

static int fail(const struct parser *s, const char *what)
{
	return err_set(s->err, ERR_BAD_REQUEST, "condition '%s': %s at character %zu", s->text, what,
		       (size_t)(s->p - s->text) + 1);
}

static void skip(struct parser *s)
{
	while (isspace((unsigned char)*s->p))
		s->p++;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Takes the token when it comes next; a word only as a whole. */
static bool take(struct parser *s, const char *token)
{
	size_t n = strlen(token);

	skip(s);
	if (strncmp(s->p, token, n) != 0 || (is_word(*token) && is_word(s->p[n])))
		return false;
	s->p += n;
	return true;
}

static struct expr *make(struct parser *s, enum expr_op op)
{
	struct expr *e = doc_alloc(s->d, sizeof *e);

	e->op = op;
	e->at = (size_t)(s->p - s->text);
	return e;
}

static int parse_expr(struct parser *s, struct expr **out);

/* ---- literals ---- */

static int parse_number(struct parser *s, struct expr **out)
{
	char *end;
	double n = strtod(s->p, &end);

	if (end == s->p || is_word(*end))
		return fail(s, "not a number");
	*out = make(s, EXPR_LITERAL);
	(*out)->literal = value_number(n);
	s->p = end;
	return 0;
}

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

static int parse_text(struct parser *s, struct expr **out)
{
	AUTO(str) text = { 0 };
	char quote = *s->p++;

	while (*s->p && *s->p != quote) {
		if (*s->p == '\\' && s->p[1])
			str_add1(&text, unescape(*++s->p));
		else
			str_add1(&text, *s->p);
		s->p++;
	}
	if (!*s->p)
		return fail(s, "text without end");
	s->p++;
	*out = make(s, EXPR_LITERAL);
	(*out)->literal = value_text((struct sv){ doc_text(s->d, str_sv(&text)), text.n });
	return 0;
}

/* Expressions between commas, up to the closing bracket. */
static int parse_list(struct parser *s, const char *close, struct expr **first)
{
	struct expr **last = first;

	if (take(s, close))
		return 0;
	do {
		bool braces = take(s, "{");     /* a condition on items may stand in braces */

		TRY(parse_expr(s, last));
		if (braces && !take(s, "}"))
			return fail(s, "expected '}'");
		last = &(*last)->next;
	} while (take(s, ","));
	return take(s, close) ? 0 : fail(s, "expected ',' or a closing bracket");
}

/* ---- operands ---- */

static int parse_name(struct parser *s, struct expr **out)
{
	static const struct { const char *name; struct value value; } constants[] = {
		{ "true", { .type = VALUE_BOOL, .b = true } }, { "false", { .type = VALUE_BOOL } }, { "nil", { 0 } }, { "null", { 0 } },
	};
	const char *start = s->p, *fault;
	size_t n = 0;

	while (is_word(*s->p))
		s->p++;
	struct sv name = { start, (size_t)(s->p - start) };

	for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
		if (sv_eq_c(name, constants[i].name)) {
			*out = make(s, EXPR_LITERAL);
			(*out)->literal = constants[i].value;
			return 0;
		}
	if (sv_eq_c(name, "result")) {
		*out = make(s, EXPR_RESULT);
		return 0;
	}
	if (!take(s, "("))
		return fail(s, "unknown name");
	*out = make(s, EXPR_CALL);
	(*out)->name = name;
	TRY(parse_list(s, ")", &(*out)->args));
	for (const struct expr *arg = (*out)->args; arg; arg = arg->next)
		n++;
	fault = expr_call_fault(name, n);
	s->p = fault ? start : s->p;
	return fault ? fail(s, fault) : 0;
}

static int parse_member(struct parser *s, struct expr **e)
{
	struct expr *m = make(s, EXPR_MEMBER);
	const char *start;

	skip(s);
	for (start = s->p; is_word(*s->p); s->p++)
		;
	if (s->p == start)
		return fail(s, "expected a name after '.'");
	m->name = (struct sv){ start, (size_t)(s->p - start) };
	m->a = *e;
	*e = m;
	return 0;
}

static int parse_index(struct parser *s, struct expr **e)
{
	struct expr *i = make(s, EXPR_INDEX);

	i->a = *e;
	TRY(parse_expr(s, &i->b));
	*e = i;
	return take(s, "]") ? 0 : fail(s, "expected ']'");
}

static int parse_primary(struct parser *s, struct expr **out)
{
	skip(s);
	if (take(s, "(")) {
		TRY(parse_expr(s, out));
		return take(s, ")") ? 0 : fail(s, "expected ')'");
	}
	if (take(s, "[")) {
		*out = make(s, EXPR_LIST);
		return parse_list(s, "]", &(*out)->args);
	}
	if (take(s, "#")) {
		*out = make(s, EXPR_ITEM);
		return 0;
	}
	if (*s->p == '"' || *s->p == '\'')
		return parse_text(s, out);
	if (isdigit((unsigned char)*s->p) || (*s->p == '.' && isdigit((unsigned char)s->p[1])))
		return parse_number(s, out);
	if (isalpha((unsigned char)*s->p) || *s->p == '_')
		return parse_name(s, out);
	return fail(s, *s->p ? "unexpected character" : "something is missing");
}

static int parse_operand(struct parser *s, struct expr **out)
{
	int steps = 0;

	TRY(parse_primary(s, out));
	for (;; steps++) {
		if (steps > EXPR_DEPTH)
			return fail(s, "too many parts");
		if (take(s, "["))
			TRY(parse_index(s, out));
		else if (take(s, "."))
			TRY(parse_member(s, out));
		else
			return 0;
	}
}

static int parse_unary(struct parser *s, struct expr **out)
{
	enum expr_op op = EXPR_NOT;

	skip(s);
	if (s->p[0] == '!' && s->p[1] == '=')
		return fail(s, "unexpected '!='");
	if (take(s, "-"))
		op = EXPR_NEGATE;
	else if (!take(s, "!") && !take(s, "not"))
		return parse_operand(s, out);
	*out = make(s, op);
	if (++s->depth > EXPR_DEPTH)
		return fail(s, "nested too deep");
	TRY(parse_unary(s, &(*out)->a));
	s->depth--;
	return 0;
}

/* ---- binary operators ---- */

static const struct { const char *token; int level; enum expr_op op; } operators[] = {
	{ "||", 1, EXPR_OR }, { "or", 1, EXPR_OR }, { "&&", 2, EXPR_AND }, { "and", 2, EXPR_AND },
	{ "==", 3, EXPR_EQ }, { "!=", 3, EXPR_NE }, { "<=", 3, EXPR_LE }, { ">=", 3, EXPR_GE }, { "<", 3, EXPR_LT }, { ">", 3, EXPR_GT },
	{ "in", 3, EXPR_IN }, { "not in", 3, EXPR_NOT_IN }, { "contains", 3, EXPR_CONTAINS }, { "startsWith", 3, EXPR_STARTS },
	{ "endsWith", 3, EXPR_ENDS }, { "matches", 3, EXPR_MATCHES },
	{ "+", 4, EXPR_ADD }, { "-", 4, EXPR_SUB }, { "*", 5, EXPR_MUL }, { "/", 5, EXPR_DIV }, { "%", 5, EXPR_MOD },
	{ "??", 6, EXPR_ELSE_NIL },
};

static int parse_binary(struct parser *s, int level, struct expr **out)
{
	int steps = 0;

	TRY(parse_unary(s, out));
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		struct expr *e;

		if (operators[i].level < level || !take(s, operators[i].token))
			continue;
		if (++steps > EXPR_DEPTH || ++s->depth > EXPR_DEPTH)
			return fail(s, "too many parts");
		e = make(s, operators[i].op);
		e->a = *out;
		TRY(parse_binary(s, operators[i].level + 1, &e->b));
		s->depth--;
		*out = e;
		i = (size_t)-1;         /* what follows may be any operator of this level and above again */
	}
	return 0;
}

static int parse_expr(struct parser *s, struct expr **out)
{
	struct expr *e;

	if (++s->depth > EXPR_DEPTH)
		return fail(s, "nested too deep");
	TRY(parse_binary(s, 1, out));
	skip(s);
	if (s->p[0] == '?' && s->p[1] != '?') {
		s->p++;
		e = make(s, EXPR_IF);
		e->a = *out;
		TRY(parse_expr(s, &e->b));
		if (!take(s, ":"))
			return fail(s, "expected ':'");
		TRY(parse_expr(s, &e->c));
		*out = e;
	}
	s->depth--;
	return 0;
}

int expr_parse(const char *text, struct doc *d, struct expr **out, struct err *err)
{
	struct parser s = { text, text, d, 0, err };

	TRY(parse_expr(&s, out));
	skip(&s);
	return *s.p ? fail(&s, "unexpected text") : 0;
}
