#include "render/chart/gotmpl/parse.h"

#include "base/vec.h"
#include "render/chart/gotmpl/literal.h"
#include "render/chart/gotmpl/lex.h"

#define DEPTH_MAX 50                    /* of blocks and parentheses: bounds the recursion here and the nesting of the Lua made of it */

struct parser {
	struct tmpl_set *set;
	struct doc *arena;
	const char *name;
	struct lexer lexer;
	struct token next;              /* looked at, not yet taken */
	bool has_next;
	int depth, ranges;
	VEC(struct sv) vars;            /* in scope, innermost last */
	struct tmpl_text *parsed;       /* the text, to which its definitions are added */
	bool (*has_function)(struct sv name);
	struct err *err;
};

typedef VEC(struct tmpl *) kids;

/* ---- tokens and nodes ---- */

static int failed_at(struct parser *p, const struct token *t, const char *fmt, ...) PRINTF(3, 4);
static int failed_at(struct parser *p, const struct token *t, const char *fmt, ...)
{
	AUTO(str) what = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&what, fmt, ap);
	va_end(ap);
	return err_set(p->err, ERR_INVALID, "%s:%u:%u: %s", p->name, t->line, t->column, str_c(&what));
}

static int unexpected(struct parser *p, const struct token *t, const char *context)
{
	if (t->type == TOKEN_EOF)
		return failed_at(p, t, "unexpected EOF");
	return failed_at(p, t, "unexpected \"%.*s\" in %s", (int)(t->text.n < 40 ? t->text.n : 40), t->text.p, context);
}

static int peek(struct parser *p, struct token *out)
{
	if (!p->has_next)
		TRY(lex_next(&p->lexer, &p->next, p->err));
	p->has_next = true;
	*out = p->next;
	return 0;
}

static int take(struct parser *p, struct token *out)
{
	TRY(peek(p, out));
	p->has_next = false;
	return 0;
}

static int skip_space(struct parser *p, struct token *next)
{
	TRY(peek(p, next));
	while (next->type == TOKEN_SPACE) {
		p->has_next = false;
		TRY(peek(p, next));
	}
	return 0;
}

static int take_after_space(struct parser *p, struct token *out)
{
	TRY(skip_space(p, out));
	return take(p, out);
}

static struct tmpl *node_new(struct parser *p, enum tmpl_type type, const struct token *at)
{
	struct tmpl *n = doc_alloc(p->arena, sizeof *n);

	n->type = type;
	n->line = at->line;
	n->column = at->column;
	n->text = at->text;
	return n;
}

/* The children that were collected, moved into the arena. */
static void set_kids(struct parser *p, struct tmpl *n, kids *k)
{
	n->n_kids = k->n;
	n->kids = doc_alloc(p->arena, (k->n + 1) * sizeof *n->kids);
	if (k->n)
		memcpy(n->kids, k->v, k->n * sizeof *n->kids);
	vec_free(k);
}

static void add_name(struct parser *p, struct tmpl *n, struct sv name)
{
	struct sv *names = doc_alloc(p->arena, (n->n_names + 1) * sizeof *names);

	if (n->n_names)
		memcpy(names, n->names, n->n_names * sizeof *names);
	names[n->n_names++] = name;
	n->names = names;
}

/* ---- operands ---- */

static int parse_pipe(struct parser *p, enum token_type end, const char *context, struct tmpl **out);

static bool var_known(const struct parser *p, struct sv name)
{
	for (size_t i = 0; i < p->vars.n; i++)
		if (sv_eq(p->vars.v[i], name))
			return true;
	return false;
}

static int parse_literal(struct parser *p, const struct token *t, struct tmpl *n)
{
	AUTO(str) text = { 0 };

	switch (t->type) {
	case TOKEN_NUMBER:
		if (!literal_number(t->text, &n->i, &n->f, &n->b))
			return failed_at(p, t, "bad number syntax: \"" SV_FMT "\"", SV_ARG(t->text));
		n->type = n->b ? TMPL_INT : TMPL_FLOAT;
		return 0;
	case TOKEN_CHAR:
		if (!literal_char(t->text, &n->i))
			return failed_at(p, t, "malformed character constant: " SV_FMT, SV_ARG(t->text));
		n->type = TMPL_INT;
		return 0;
	default:
		if (!literal_string(t->text, &text))
			return failed_at(p, t, "invalid syntax: " SV_FMT, SV_ARG(t->text));
		n->text = (struct sv){ doc_text(p->arena, str_sv(&text)), text.n };
		n->type = TMPL_STRING;
		return 0;
	}
}

/* A term without the fields behind it; *out is NULL when the next token starts none. */
static int parse_term(struct parser *p, struct tmpl **out)
{
	struct token t;

	*out = NULL;
	TRY(peek(p, &t));
	switch (t.type) {
	case TOKEN_IDENT:
		if (!p->has_function(t.text))
			return failed_at(p, &t, "function \"" SV_FMT "\" not defined", SV_ARG(t.text));
		*out = node_new(p, TMPL_FUNC, &t);
		break;
	case TOKEN_DOT:  *out = node_new(p, TMPL_DOT, &t); break;
	case TOKEN_NIL:  *out = node_new(p, TMPL_NIL, &t); break;
	case TOKEN_BOOL:
		*out = node_new(p, TMPL_BOOL, &t);
		(*out)->b = *t.text.p == 't';
		break;
	case TOKEN_VAR:
		if (!var_known(p, t.text))
			return failed_at(p, &t, "undefined variable \"" SV_FMT "\"", SV_ARG(t.text));
		*out = node_new(p, TMPL_VAR, &t);
		break;
	case TOKEN_FIELD:
		*out = node_new(p, TMPL_FIELD, &t);
		add_name(p, *out, sv_drop(t.text, 1));
		break;
	case TOKEN_NUMBER: case TOKEN_CHAR: case TOKEN_STRING: case TOKEN_RAW:
		*out = node_new(p, TMPL_STRING, &t);
		TRY(parse_literal(p, &t, *out));
		break;
	case TOKEN_OPEN:
		p->has_next = false;
		return parse_pipe(p, TOKEN_CLOSE, "parenthesized pipeline", out);
	default:
		return 0;
	}
	p->has_next = false;
	return 0;
}

/* A term and the fields right behind it: .a.b, $x.a, (...).a, and fn.a for a function without arguments. */
static int parse_operand(struct parser *p, struct tmpl **out)
{
	struct token t;

	TRY(parse_term(p, out));
	if (!*out)
		return 0;
	TRY(peek(p, &t));
	if (t.type != TOKEN_FIELD)
		return 0;
	switch ((*out)->type) {
	case TMPL_FIELD: case TMPL_VAR:
		break;
	case TMPL_BOOL: case TMPL_STRING: case TMPL_INT: case TMPL_FLOAT: case TMPL_NIL: case TMPL_DOT:
		return failed_at(p, &t, "unexpected . after term");
	default: {
		struct tmpl *chain = node_new(p, TMPL_CHAIN, &t);
		kids k = { 0 };

		vec_push(&k, *out);
		set_kids(p, chain, &k);
		*out = chain;
	}
	}
	while (t.type == TOKEN_FIELD) {
		add_name(p, *out, sv_drop(t.text, 1));
		p->has_next = false;
		TRY(peek(p, &t));
	}
	return 0;
}

/* ---- pipelines ---- */

/* Operands separated by spaces, up to a pipe or the end of the action or the parenthesis, which is left. */
static int collect_operands(struct parser *p, kids *k)
{
	for (;;) {
		struct tmpl *operand;
		struct token t;

		TRY(skip_space(p, &t));
		TRY(parse_operand(p, &operand));
		if (operand)
			vec_push(k, operand);
		TRY(peek(p, &t));
		switch (t.type) {
		case TOKEN_SPACE:
			continue;
		case TOKEN_RIGHT: case TOKEN_CLOSE: case TOKEN_PIPE:
			return 0;
		default:
			return unexpected(p, &t, "operand");
		}
	}
}

static int parse_command(struct parser *p, struct tmpl **out)
{
	kids k = { 0 };
	struct token at;
	int r;

	TRY(skip_space(p, &at));
	*out = node_new(p, TMPL_COMMAND, &at);
	r = collect_operands(p, &k);
	if (r >= 0 && !k.n)
		r = failed_at(p, &at, "empty command");
	set_kids(p, *out, &k);
	return r;
}

/* Constants cannot take a value from the pipe. */
static int check_stages(struct parser *p, const struct tmpl *pipe, const struct token *at, const char *context)
{
	if (!pipe->n_kids)
		return failed_at(p, at, "missing value for %s", context);
	for (size_t i = 1; i < pipe->n_kids; i++)
		switch (pipe->kids[i]->kids[0]->type) {
		case TMPL_BOOL: case TMPL_DOT: case TMPL_NIL: case TMPL_INT: case TMPL_FLOAT: case TMPL_STRING:
			return failed_at(p, at, "non executable command in pipeline stage %zu", i + 1);
		default:
			break;
		}
	return 0;
}

/* `$x :=`, `$x =`, and in range `$k, $v :=`. What turns out to be an expression is left for the commands. */
static int parse_declaration(struct parser *p, struct tmpl *pipe, bool in_range)
{
	for (;;) {
		struct token t, after;
		struct lexer before;

		TRY(skip_space(p, &t));
		if (t.type != TOKEN_VAR)
			return 0;
		before = p->lexer;
		p->has_next = false;
		TRY(skip_space(p, &after));
		if (after.type == TOKEN_DECLARE || after.type == TOKEN_ASSIGN) {
			p->has_next = false;
			pipe->assign = after.type == TOKEN_ASSIGN;
			if (pipe->assign && !var_known(p, t.text))
				return failed_at(p, &t, "undefined variable \"" SV_FMT "\"", SV_ARG(t.text));
			add_name(p, pipe, t.text);
			for (size_t i = 0; !pipe->assign && i < pipe->n_names; i++)
				vec_push(&p->vars, pipe->names[i]);
			return 0;
		}
		if (after.type == TOKEN_COMMA && in_range && pipe->n_names == 0) {
			p->has_next = false;
			add_name(p, pipe, t.text);
			TRY(skip_space(p, &after));
			if (after.type != TOKEN_VAR)
				return failed_at(p, &after, "range can only initialize variables");
			continue;
		}
		if (after.type == TOKEN_COMMA)
			return failed_at(p, &after, "too many declarations in command");
		p->lexer = before;              /* an operand after all: read it again */
		p->next = t;
		p->has_next = true;
		return 0;
	}
}

/* Commands up to `end`, which is taken. */
static int parse_pipe(struct parser *p, enum token_type end, const char *context, struct tmpl **out)
{
	kids k = { 0 };
	struct token t, at;
	int r = 0;

	if (++p->depth > DEPTH_MAX)
		return failed_at(p, &p->next, "nested too deeply");
	TRY(skip_space(p, &at));
	*out = node_new(p, TMPL_PIPE, &at);
	TRY(parse_declaration(p, *out, str_eq(context, "range")));
	while (r >= 0) {
		struct tmpl *command;

		if ((r = skip_space(p, &t)) < 0)
			break;
		if (t.type == end)
			break;
		if ((r = parse_command(p, &command)) < 0)
			break;
		vec_push(&k, command);
		if ((r = skip_space(p, &t)) < 0)
			break;
		if (t.type == TOKEN_PIPE)
			p->has_next = false;    /* one at the end is let pass, as Go does */
		else if (t.type != end)
			r = unexpected(p, &t, context);
	}
	set_kids(p, *out, &k);
	TRY(r);
	TRY(check_stages(p, *out, &at, context));
	p->depth--;
	return take(p, &t);
}

/* ---- statements ---- */

static int parse_list(struct parser *p, bool top, struct tmpl **out, struct token *ended_by);

/* The source of an action, as error messages quote it. */
static void note_source(struct parser *p, struct tmpl *n, const struct token *from)
{
	const char *end = p->lexer.all.p + p->lexer.at;

	n->text = (struct sv){ from->text.p, (size_t)(end - from->text.p) };
	while (n->text.n && strchr("}- \t\r\n", n->text.p[n->text.n - 1]))
		n->text.n--;
}

static int end_action(struct parser *p, const char *context)
{
	struct token t;

	TRY(take_after_space(p, &t));
	return t.type == TOKEN_RIGHT ? 0 : unexpected(p, &t, context);
}

/* After `else` of an if or a with: plain, or another one of its kind in it, whose `end` serves both. */
static int parse_control(struct parser *p, enum tmpl_type type, const char *context, const struct token *at, struct tmpl **out);

static int parse_else(struct parser *p, struct tmpl *n, const char *context, bool *ended)
{
	struct token t, ended_by;

	TRY(skip_space(p, &t));
	if ((n->type == TMPL_IF && t.type == TOKEN_IF) || (n->type == TMPL_WITH && t.type == TOKEN_WITH)) {
		struct tmpl *inner;
		kids k = { 0 };

		p->has_next = false;
		TRY(parse_control(p, n->type, context, &t, &inner));
		n->other = node_new(p, TMPL_LIST, &t);
		vec_push(&k, inner);
		set_kids(p, n->other, &k);
		*ended = true;
		return 0;
	}
	TRY(end_action(p, "else"));
	TRY(parse_list(p, false, &n->other, &ended_by));
	if (ended_by.type == TOKEN_ELSE)
		return failed_at(p, &ended_by, "expected end; found {{else}}");
	return end_action(p, "end");
}

static int parse_control(struct parser *p, enum tmpl_type type, const char *context, const struct token *at, struct tmpl **out)
{
	size_t vars = p->vars.n;
	struct token ended_by;
	bool ended = false;

	if (++p->depth > DEPTH_MAX)
		return failed_at(p, at, "nested too deeply");
	*out = node_new(p, type, at);
	TRY(parse_pipe(p, TOKEN_RIGHT, context, &(*out)->pipe));
	note_source(p, *out, at);
	p->ranges += type == TMPL_RANGE;
	TRY(parse_list(p, false, &(*out)->body, &ended_by));
	p->ranges -= type == TMPL_RANGE;
	if (ended_by.type == TOKEN_ELSE)
		TRY(parse_else(p, *out, context, &ended));
	else
		TRY(end_action(p, "end"));
	p->vars.n = vars;
	p->depth--;
	return 0;
}

static int take_name(struct parser *p, const char *context, struct sv *out)
{
	AUTO(str) text = { 0 };
	struct token t;

	TRY(take_after_space(p, &t));
	if (t.type != TOKEN_STRING && t.type != TOKEN_RAW)
		return unexpected(p, &t, context);
	if (!literal_string(t.text, &text))
		return failed_at(p, &t, "invalid syntax: " SV_FMT, SV_ARG(t.text));
	*out = (struct sv){ doc_text(p->arena, str_sv(&text)), text.n };
	return 0;
}

static bool is_empty(const struct tmpl *list)
{
	if (!list)
		return false;           /* Lua */
	for (size_t i = 0; i < list->n_kids; i++)
		if (list->kids[i]->type != TMPL_TEXT || sv_trim(list->kids[i]->text).n)
			return false;
	return true;
}

/* What a text defines, in its order; the last one is the text itself. */
struct definition { struct sv name; struct tmpl *body; struct definition *next; };
struct tmpl_text { struct sv text; struct definition *first, *last; struct tmpl_text *next; };

static void remember(struct parser *p, struct sv name, struct tmpl *body)
{
	struct definition *d = doc_alloc(p->arena, sizeof *d);

	*d = (struct definition){ .name = { doc_text(p->arena, name), name.n }, .body = body };
	if (p->parsed->last)
		p->parsed->last->next = d;
	else
		p->parsed->first = d;
	p->parsed->last = d;
}

/* Within one text a name is defined once; over an older text the new definition wins, unless it is empty. */
static int define(struct parser *p, struct sv name, struct tmpl *body)
{
	struct tmpl_def *old = map_get(&p->set->defs, name);
	struct tmpl_def *def = doc_alloc(p->arena, sizeof *def);

	if (p->parsed)
		remember(p, name, body);
	if (old && is_empty(body) && !is_empty(old->body))
		return 0;
	if (old && old->text == p->lexer.all.p && !is_empty(old->body))
		return err_set(p->err, ERR_INVALID, "%s:%u:%u: multiple definition of template \"" SV_FMT "\"", p->name, body->line,
			       body->column, SV_ARG(name));
	*def = (struct tmpl_def){ doc_text(p->arena, name), doc_text(p->arena, sv_c(p->name)), p->lexer.all.p, body };
	(void)map_put(&p->set->defs, name, def);
	return 0;
}

/* The body of a define or a block, to its end, as a template of its own: only `$` is in scope. */
static int parse_body(struct parser *p, struct sv name)
{
	__typeof__(p->vars) outer = p->vars;
	struct tmpl *body;
	struct token ended_by;
	int ranges = p->ranges, r;

	p->vars.v = NULL;
	p->vars.n = p->vars.cap = 0;
	p->ranges = 0;
	vec_push(&p->vars, SV("$"));
	r = parse_list(p, false, &body, &ended_by);
	vec_free(&p->vars);
	p->vars = outer;
	p->ranges = ranges;
	TRY(r);
	if (ended_by.type == TOKEN_ELSE)
		return failed_at(p, &ended_by, "unexpected {{else}} in define clause");
	TRY(end_action(p, "define clause"));
	return define(p, name, body);
}

static int parse_define(struct parser *p)
{
	struct sv name;

	TRY(take_name(p, "define clause", &name));
	TRY(end_action(p, "define clause"));
	return parse_body(p, name);
}

/* {{template "name" pipe}}, and {{block "name" pipe}} which defines what it calls. */
static int parse_template(struct parser *p, const struct token *at, bool block, struct tmpl **out)
{
	const char *context = block ? "block clause" : "template clause";
	struct token t;
	struct sv name;

	*out = node_new(p, TMPL_TEMPLATE, at);
	TRY(take_name(p, context, &name));
	TRY(skip_space(p, &t));
	if (t.type != TOKEN_RIGHT || block)
		TRY(parse_pipe(p, TOKEN_RIGHT, context, &(*out)->pipe));
	else
		TRY(take(p, &t));
	(*out)->text = name;
	return block ? parse_body(p, name) : 0;
}

static int parse_jump(struct parser *p, const struct token *t, struct tmpl **out)
{
	bool is_break = t->type == TOKEN_BREAK;

	if (!p->ranges)
		return failed_at(p, t, "{{%s}} outside {{range}}", is_break ? "break" : "continue");
	*out = node_new(p, is_break ? TMPL_BREAK : TMPL_CONTINUE, t);
	return end_action(p, is_break ? "{{break}}" : "{{continue}}");
}

static int parse_plain_action(struct parser *p, const struct token *t, struct tmpl **out)
{
	*out = node_new(p, TMPL_ACTION, t);
	TRY(parse_pipe(p, TOKEN_RIGHT, "command", &(*out)->pipe));
	note_source(p, *out, t);
	return 0;
}

static int parse_action(struct parser *p, bool top, const struct token *left, struct tmpl **out, struct token *ended_by)
{
	struct token t;

	*out = NULL;
	TRY(skip_space(p, &t));
	if (t.type < TOKEN_KEYWORDS) {
		t.line = t.type == TOKEN_RIGHT ? left->line : t.line;
		return parse_plain_action(p, &t, out);
	}
	p->has_next = false;
	switch (t.type) {
	case TOKEN_IF:    return parse_control(p, TMPL_IF, "if", &t, out);
	case TOKEN_RANGE: return parse_control(p, TMPL_RANGE, "range", &t, out);
	case TOKEN_WITH:  return parse_control(p, TMPL_WITH, "with", &t, out);
	case TOKEN_TEMPLATE: return parse_template(p, &t, false, out);
	case TOKEN_BLOCK: return parse_template(p, &t, true, out);
	case TOKEN_BREAK: case TOKEN_CONTINUE: return parse_jump(p, &t, out);
	case TOKEN_DEFINE:
		return top ? parse_define(p) : unexpected(p, &t, "command");
	default:
		if (top)
			return failed_at(p, &t, "unexpected {{" SV_FMT "}}", SV_ARG(t.text));
		*ended_by = t;
		return 0;
	}
}

/* Statements up to {{else}} or {{end}} (whose keyword is taken and given in *ended_by), or at the top to the end. */
static int collect_list(struct parser *p, bool top, kids *k, struct token *ended_by)
{
	for (;;) {
		struct tmpl *n;
		struct token t;

		TRY(take(p, &t));
		if (t.type == TOKEN_EOF)
			return top ? 0 : failed_at(p, &t, "unexpected EOF");
		if (t.type == TOKEN_TEXT) {
			vec_push(k, node_new(p, TMPL_TEXT, &t));
			continue;
		}
		ended_by->type = TOKEN_EOF;
		TRY(parse_action(p, top, &t, &n, ended_by));
		if (n)
			vec_push(k, n);
		if (ended_by->type != TOKEN_EOF)
			return 0;
	}
}

static int parse_list(struct parser *p, bool top, struct tmpl **out, struct token *ended_by)
{
	struct token at = { .line = p->lexer.line };
	kids k = { 0 };
	int r;

	*out = node_new(p, TMPL_LIST, &at);
	r = collect_list(p, top, &k, ended_by);
	set_kids(p, *out, &k);
	return r;                       /* the variables stay known in the else part, as in Go */
}

/* ---- sets ---- */

void tmpl_set_init(struct tmpl_set *s) { *s = (struct tmpl_set){ .arena = doc_new() }; }

void tmpl_set_free(struct tmpl_set *s)
{
	map_free(&s->defs);
	doc_drop(&s->arena);
}

/* What a text defined, once more: for the file that holds the same. */
static int define_again(struct parser *p, const struct tmpl_text *t)
{
	p->lexer.all.p = doc_alloc(p->arena, 1);        /* tells this text from the other */
	for (const struct definition *d = t->first; d; d = d->next)
		TRY(define(p, d->next ? d->name : sv_c(p->name), d->body));
	return 0;
}

int tmpl_parse(struct tmpl_set *s, const char *name, struct sv text, bool (*has_function)(struct sv), struct err *err)
{
	struct parser p = { .set = s, .arena = s->arena, .name = name, .has_function = has_function, .err = err };
	struct token ended_by = { 0 };
	struct tmpl *body;
	int r;

	for (struct tmpl_text *t = s->texts; t; t = t->next)
		if (sv_eq(t->text, text))
			return define_again(&p, t);
	text = (struct sv){ doc_text(s->arena, text), text.n };
	p.parsed = doc_alloc(s->arena, sizeof *p.parsed);
	p.parsed->text = text;
	lex_init(&p.lexer, name, text);
	vec_push(&p.vars, SV("$"));
	r = parse_list(&p, true, &body, &ended_by);
	vec_free(&p.vars);
	TRY(r);
	TRY(define(&p, sv_c(name), body));
	p.parsed->next = s->texts;
	s->texts = p.parsed;
	return 0;
}
