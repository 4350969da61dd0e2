#include "kube/cel/cel-internal.h"

#include <stdlib.h>

struct parser {
	struct cel_lexer l;
	unsigned nesting;
	struct str problem;
};

static int parse(struct parser *s, struct cel_expr **out);

static int problem_at(struct parser *s, uint32_t at, const char *what)
{
	if (!s->problem.n)
		cel_mark(&s->problem, s->l.text, at, "%s", what);
	return -ERR_INVALID;
}

static int unexpected(struct parser *s, const char *expecting)
{
	AUTO(str) what = { 0 };
	size_t n = (size_t)(s->l.p - s->l.text) - s->l.at;

	if (s->l.token == CEL_BAD)
		str_addf(&what, "Syntax error: %s at: '%.*s'", s->l.mistake, (int)n, s->l.text + s->l.at);
	else
		str_addf(&what, "Syntax error: mismatched input '%.*s' expecting %s",
			 s->l.token == CEL_END ? 5 : (int)n, s->l.token == CEL_END ? "<EOF>" : s->l.text + s->l.at,
			 expecting);
	return problem_at(s, s->l.at, str_c(&what));
}

static struct cel_expr *make(struct parser *s, enum cel_op op, uint32_t at)
{
	struct cel_expr *e = doc_alloc(s->l.d, sizeof *e);

	e->op = (uint8_t)op;
	e->at = at;
	return e;
}

static bool is(const struct parser *s, const char *sign) { return s->l.token == CEL_SIGN && sv_eq_c(s->l.word, sign); }

static bool take(struct parser *s, const char *sign)
{
	if (!is(s, sign))
		return false;
	cel_lex(&s->l);
	return true;
}

static int want(struct parser *s, const char *sign)
{
	AUTO(str) quoted = { 0 };

	if (take(s, sign))
		return 0;
	str_addf(&quoted, "'%s'", sign);
	return unexpected(s, str_c(&quoted));
}

static void grow(struct cel_expr *e, const struct cel_expr *part)
{
	if (part && e->depth <= part->depth)
		e->depth = (uint8_t)(part->depth + 1);
}

static void add(struct cel_expr *e, struct cel_expr *arg)
{
	if (e->last)
		e->last->next = arg;
	else
		e->args = arg;
	e->last = arg;
	e->n_args++;
	grow(e, arg);
}

/* Trees are walked by recursion. */
static int check_depth(struct parser *s, const struct cel_expr *e)
{
	return e->depth < CEL_DEPTH ? 0 : problem_at(s, e->at, "expression recursion limit exceeded: 150");
}

static struct cel_expr *call(struct parser *s, const char *function, uint32_t at, struct cel_expr *a,
			     struct cel_expr *b)
{
	struct cel_expr *e = make(s, CEL_CALL, at);

	e->name = sv_c(function);
	add(e, a);
	if (b)
		add(e, b);
	return e;
}

/* ---- lists, maps, arguments ---- */

static int parse_element(struct parser *s, struct cel_expr *in, bool may_be_none)
{
	bool optional = may_be_none && take(s, "?");
	struct cel_expr *e;

	TRY(parse(s, &e));
	e->may_be_none = optional;
	add(in, e);
	return 0;
}

/* Up to `close`; a comma may stand before it where it is no argument. */
static int parse_elements(struct parser *s, struct cel_expr *in, const char *close, bool arguments)
{
	uint32_t room = arguments ? CEL_ARGS - 1 : UINT32_MAX;

	if (take(s, close))
		return 0;
	do {
		if (!arguments && in->n_args && is(s, close))
			break;
		if (in->n_args == room)
			return problem_at(s, s->l.at, "too many arguments");
		TRY(parse_element(s, in, !arguments));
		if (in->op == CEL_MAKE_MAP) {
			TRY(want(s, ":"));
			TRY(parse_element(s, in, false));
		}
	} while (take(s, ","));
	return want(s, close);
}

static int finish_call(struct parser *s, struct cel_expr *e)
{
	const char *why = NULL;

	TRY(parse_elements(s, e, ")", true));
	if (cel_expand(e, &why) < 0)
		return problem_at(s, e->args ? e->args->at : e->at, why);
	return check_depth(s, e);
}

/* ---- operands ---- */

static int parse_name(struct parser *s, bool absolute, struct cel_expr **out)
{
	static const struct {
		const char *name;
		struct cel_value value;
	} constants[] = {
		{ "true", { .kind = CEL_BOOL, .b = true } },
		{ "false", { .kind = CEL_BOOL } },
		{ "null", { .kind = CEL_NULL } },
	};
	struct cel_expr *e = *out = make(s, CEL_VARIABLE, s->l.at);

	e->name = s->l.word;
	e->absolute = absolute;
	for (size_t i = 0; i < 3; i++)
		if (!absolute && sv_eq_c(e->name, constants[i].name)) {
			e->op = CEL_LITERAL;
			e->literal = constants[i].value;
			cel_lex(&s->l);
			return 0;
		}
	if (sv_eq_c(e->name, "in") || sv_eq_c(e->name, "true") || sv_eq_c(e->name, "false") || sv_eq_c(e->name, "null"))
		return unexpected(s, "IDENTIFIER");
	cel_lex(&s->l);
	if (is(s, "(")) {
		e->op = CEL_CALL;
		e->at = s->l.at;
		cel_lex(&s->l);
		return finish_call(s, e);
	}
	if (cel_is_reserved(e->name)) {
		AUTO(str) what = { 0 };

		str_addf(&what, "reserved identifier: " SV_FMT, SV_ARG(e->name));
		return problem_at(s, e->at, str_c(&what));
	}
	return 0;
}

static int parse_number(struct parser *s, bool negative, uint32_t at, struct cel_expr **out)
{
	struct cel_expr *e = *out = make(s, CEL_LITERAL, at);

	e->literal = s->l.literal;
	if (e->literal.kind == CEL_INT && e->literal.u > (uint64_t)INT64_MAX + negative)
		return problem_at(s, at, "invalid int literal");
	if (negative && e->literal.kind == CEL_INT)
		e->literal.u = 0 - e->literal.u;
	else if (negative && e->literal.kind == CEL_DOUBLE)
		e->literal.d = -e->literal.d;
	else if (negative)
		return problem_at(s, at, "a uint has no sign");
	cel_lex(&s->l);
	return 0;
}

static int parse_bracketed(struct parser *s, struct cel_expr **out)
{
	bool list = is(s, "[");

	*out = make(s, list ? CEL_MAKE_LIST : CEL_MAKE_MAP, s->l.at);
	cel_lex(&s->l);
	TRY(parse_elements(s, *out, list ? "]" : "}", false));
	return check_depth(s, *out);
}

static int parse_primary(struct parser *s, struct cel_expr **out)
{
	static const char operands[] = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, "
				       "NUM_UINT, STRING, BYTES, IDENTIFIER}";

	if (s->l.token == CEL_NUMBER)
		return parse_number(s, false, s->l.at, out);
	if (s->l.token == CEL_TEXT) {
		*out = make(s, CEL_LITERAL, s->l.at);
		(*out)->literal = s->l.literal;
		cel_lex(&s->l);
		return 0;
	}
	if (s->l.token == CEL_WORD)
		return parse_name(s, false, out);
	if (take(s, "(")) {
		TRY(parse(s, out));
		return want(s, ")");
	}
	if (is(s, "[") || is(s, "{"))
		return parse_bracketed(s, out);
	if (take(s, "."))
		return s->l.token == CEL_WORD ? parse_name(s, true, out) : unexpected(s, "IDENTIFIER");
	return unexpected(s, operands);
}

/* ---- members ---- */

static int parse_select(struct parser *s, struct cel_expr **e)
{
	struct cel_expr *m = make(s, CEL_SELECT, s->l.at);

	cel_lex(&s->l);
	m->optional = take(s, "?");
	m->target = *e;
	m->name = s->l.word;
	grow(m, *e);
	if (s->l.token == CEL_WORD && (sv_eq_c(m->name, "in") || sv_eq_c(m->name, "true") ||
				       sv_eq_c(m->name, "false") || sv_eq_c(m->name, "null")))
		return unexpected(s, "IDENTIFIER");
	if (s->l.token != CEL_WORD && s->l.token != CEL_QUOTED_WORD)
		return unexpected(s, "IDENTIFIER");
	bool plain = s->l.token == CEL_WORD && !m->optional;
	cel_lex(&s->l);
	*e = m;
	if (!plain || !is(s, "("))
		return 0;
	m->op = CEL_CALL;
	m->member = true;
	m->at = s->l.at;
	cel_lex(&s->l);
	return finish_call(s, m);
}

static int parse_index(struct parser *s, struct cel_expr **e)
{
	struct cel_expr *m = make(s, CEL_INDEX, s->l.at), *key;

	cel_lex(&s->l);
	if (take(s, "?"))
		m->op = CEL_OPT_INDEX;
	TRY(parse(s, &key));
	add(m, *e);
	add(m, key);
	*e = m;
	return want(s, "]");
}

static int parse_member(struct parser *s, struct cel_expr **out)
{
	TRY(parse_primary(s, out));
	while (is(s, ".") || is(s, "[")) {
		TRY(is(s, ".") ? parse_select(s, out) : parse_index(s, out));
		TRY(check_depth(s, *out));
	}
	if (is(s, "{") && ((*out)->op == CEL_VARIABLE || (*out)->op == CEL_SELECT))
		return problem_at(s, s->l.at, "messages are not made in expressions of this API");
	return 0;
}

/* ---- operators ---- */

static int parse_unary(struct parser *s, struct cel_expr **out)
{
	uint32_t at = s->l.at;
	bool not = is(s, "!"), odd = false;

	if (!not &&!is(s, "-"))
		return parse_member(s, out);
	for (; is(s, not ? "!" : "-"); odd = !odd) {
		at = s->l.at;
		cel_lex(&s->l);
		if (!not &&!odd && s->l.token == CEL_NUMBER) {
			struct cel_lexer ahead = s->l;

			cel_lex(&ahead);
			if (ahead.token != CEL_SIGN || (!sv_eq_c(ahead.word, ".") && !sv_eq_c(ahead.word, "[")))
				return parse_number(s, true, at, out);
		}
	}
	TRY(parse_member(s, out));
	if (odd)
		*out = call(s, not ? "!_" : "-_", at, *out, NULL);
	return check_depth(s, *out);
}

static const struct {
	const char *sign, *function;
	unsigned char level;
} operators[] = {
	{ "||", NULL, 0 },   { "&&", NULL, 1 },	  { "<", "_<_", 2 },   { "<=", "_<=_", 2 }, { ">", "_>_", 2 },
	{ ">=", "_>=_", 2 }, { "==", "_==_", 2 }, { "!=", "_!=_", 2 }, { "in", "@in", 2 },  { "+", "_+_", 3 },
	{ "-", "_-_", 3 },   { "*", "_*_", 4 },	  { "/", "_/_", 4 },   { "%", "_%_", 4 },
};

static int operator_here(const struct parser *s, unsigned least)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (operators[i].level >= least && (s->l.token == CEL_SIGN || s->l.token == CEL_WORD) &&
		    sv_eq_c(s->l.word, operators[i].sign))
			return (int)i;
	return -1;
}

/* By precedence: operands with the operators between them that bind at least so tightly. */
static int parse_binary(struct parser *s, unsigned least, struct cel_expr **out)
{
	struct cel_expr *right, *chain = NULL; /* chain: && and || are one node for all operands */
	int i;

	TRY(parse_unary(s, out));
	while ((i = operator_here(s, least)) >= 0) {
		uint32_t at = s->l.at;
		enum cel_op op = operators[i].level ? CEL_AND : CEL_OR;

		cel_lex(&s->l);
		TRY(parse_binary(s, operators[i].level + 1u, &right));
		if (operators[i].function) {
			*out = call(s, operators[i].function, at, *out, right);
		} else {
			if (*out != chain || chain->op != op) {
				chain = make(s, op, at);
				add(chain, *out);
				*out = chain;
			}
			add(chain, right);
		}
		TRY(check_depth(s, *out));
	}
	return 0;
}

static int parse(struct parser *s, struct cel_expr **out)
{
	struct cel_expr *yes, *no;

	if (s->nesting++ >= CEL_NESTING)
		return problem_at(s, s->l.at, "expression recursion limit exceeded: 100");
	TRY(parse_binary(s, 0, out));
	if (is(s, "?")) {
		struct cel_expr *e = make(s, CEL_IF, s->l.at);

		cel_lex(&s->l);
		TRY(parse_binary(s, 0, &yes));
		TRY(want(s, ":"));
		TRY(parse(s, &no));
		add(e, *out);
		add(e, yes);
		add(e, no);
		*out = e;
		TRY(check_depth(s, e));
	}
	s->nesting--;
	return 0;
}

int cel_parse(struct doc *d, const char *text, struct cel_expr **out, struct err *err)
{
	struct parser s = { .l = { .d = d, .text = text, .p = text } };

	if (strlen(text) > CEL_TEXT_MAX)
		return err_set(err, ERR_TOO_LARGE, "an expression has more than %d bytes", CEL_TEXT_MAX);
	cel_lex(&s.l);
	int r = parse(&s, out);
	if (r >= 0 && s.l.token != CEL_END)
		r = unexpected(&s, "<EOF>");
	if (r < 0)
		r = err_set(err, ERR_INVALID, "%s", str_c(&s.problem));
	str_free(&s.problem);
	return r;
}
