#include "render/chart/gotmpl/compile.h"

#include "base/vec.h"
#include "render/chart/gotmpl/functions.h"
#include "render/chart/gotmpl/usage.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define LOCALS_MAX 120                  /* Lua has 200 a function: beyond this, variables live in a table */

#define BODY_MIN 10                     /* nodes: smaller parts are cheaper to compile than to put off */
#define BODY_READS_MAX 30

struct variable { struct sv name; unsigned id; bool local; };

struct compiler {
	struct tmpl_code *code;
	struct str *out;
	VEC(struct variable) vars;      /* in scope, innermost last */
	unsigned next_id, dot, loop;    /* dot: d<dot> is the current dot; loop: c<loop> is the label of the range around */
	size_t locals;
};

static void expression(struct compiler *c, const struct tmpl *n);
static void statements(struct compiler *c, const struct tmpl *list);

/* ---- text ---- */

/* Ends a line of Lua that was made of n; NULL: of nothing that can fail. */
static void end_line(struct compiler *c, const struct tmpl *n)
{
	struct tmpl_place place = { 0 };

	if (n)
		place = (struct tmpl_place){ n->line, n->column, n->text };
	vec_push(&c->code->lines, place);
	str_add1(c->out, '\n');
}

/* A string of Lua on one line. */
static void literal(struct str *out, struct sv s)
{
	str_add1(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b == '"' || b == '\\')
			str_add1(out, '\\');
		if (b == '\n')
			str_addc(out, "\\n");
		else if (b < 0x20 || b == 0x7f)
			str_addf(out, "\\%03u", b);
		else
			str_add1(out, (char)b);
	}
	str_add1(out, '"');
}

static void names(struct compiler *c, const struct tmpl *n)
{
	for (size_t i = 0; i < n->n_names; i++) {
		str_addc(c->out, ",");
		literal(c->out, n->names[i]);
	}
}

/* ---- variables ---- */

static void variable_text(struct str *out, const struct variable *v)
{
	str_addf(out, v->local ? "v%u" : "S[%u]", v->id);
}

/* "$" is the dot that the template was called with. */
static void variable(struct compiler *c, struct sv name)
{
	if (sv_eq_c(name, "$")) {
		str_addc(c->out, "d0");
		return;
	}
	for (size_t i = c->vars.n; i-- > 0;)
		if (sv_eq(c->vars.v[i].name, name)) {
			variable_text(c->out, &c->vars.v[i]);
			return;
		}
	str_addc(c->out, "U(");         /* declared in the other branch of an if: the parser lets it pass, as Go's does */
	literal(c->out, name);
	str_addc(c->out, ")");
}

static bool is_declared(const struct compiler *c, struct sv name)
{
	bool found = sv_eq_c(name, "$");

	for (size_t i = 0; i < c->vars.n && !found; i++)
		found = sv_eq(c->vars.v[i].name, name);
	return found;
}

/* Declares a variable and writes the left side of what gives it its value. */
static void declare(struct compiler *c, struct sv name)
{
	struct variable v = { name, ++c->next_id, c->locals < LOCALS_MAX };

	c->locals += v.local;
	vec_push(&c->vars, v);
	if (v.local)
		str_addc(c->out, "local ");
	variable_text(c->out, &v);
}

struct scope { size_t vars, locals; unsigned dot, loop; };

static struct scope scope_open(const struct compiler *c) { return (struct scope){ c->vars.n, c->locals, c->dot, c->loop }; }

static void scope_close(struct compiler *c, struct scope s)
{
	c->vars.n = s.vars;
	c->locals = s.locals;
	c->dot = s.dot;
	c->loop = s.loop;
}

/* ---- expressions ---- */

static void number(struct compiler *c, double f)
{
	size_t before = c->out->n;

	str_addf(c->out, "%.17g", f);
	if (!strpbrk(str_c(c->out) + before, ".eE"))
		str_addc(c->out, ".0");
}

/* The operands of a command after the first, and the value that comes through the pipe, each after a comma or as the first. */
static void arguments(struct compiler *c, const struct tmpl *command, const struct str *piped, const char *before)
{
	bool map = command->kids[0]->type == TMPL_FUNC && gotmpl_wants_map(command->kids[0]->text);

	for (size_t i = 1; i < command->n_kids; i++) {
		bool check = map && command->kids[i]->n_names;

		str_addf(c->out, "%s%s", before, check ? "D(" : "");
		expression(c, command->kids[i]);
		if (check)
			str_addc(c->out, ")");
		before = ",";
	}
	if (piped) {
		str_addc(c->out, before);
		str_add(c->out, str_sv(piped));
	}
}

/* `and` and `or` evaluate no further than they must: their later arguments are functions. */
static bool is_lazy(struct sv name) { return sv_eq_c(name, "and") || sv_eq_c(name, "or"); }

static void lazy_call(struct compiler *c, const struct tmpl *command, const struct str *piped)
{
	const char *between = "";

	str_addc(c->out, "F[");
	literal(c->out, command->kids[0]->text);
	str_addc(c->out, "](");
	for (size_t i = 1; i < command->n_kids; i++, between = ",") {
		str_addf(c->out, "%s%s", between, i > 1 ? "function() return " : "");
		expression(c, command->kids[i]);
		if (i > 1)
			str_addc(c->out, " end");
	}
	if (piped)
		str_addf(c->out, *between ? ",function() return %s end" : "%s", str_c(piped));
	str_addc(c->out, ")");
}

static void call(struct compiler *c, const struct tmpl *command, const struct str *piped)
{
	if (is_lazy(command->kids[0]->text)) {
		lazy_call(c, command, piped);
		return;
	}
	str_addc(c->out, "F[");
	literal(c->out, command->kids[0]->text);
	str_addc(c->out, "](");
	arguments(c, command, piped, "");
	str_addc(c->out, ")");
}

/* A field, a variable or a chain that gets arguments: a method, or an error that says so. */
static void method_call(struct compiler *c, const struct tmpl *command, const struct str *piped)
{
	const struct tmpl *n = command->kids[0];

	str_addc(c->out, "M(");
	if (n->type == TMPL_FIELD)
		str_addf(c->out, "d%u", c->dot);
	else if (n->type == TMPL_VAR)
		variable(c, n->text);
	else
		expression(c, n->kids[0]);
	str_addf(c->out, ",%zu", n->n_names);
	names(c, n);
	arguments(c, command, piped, ",");
	str_addc(c->out, ")");
}

/* One command of a pipeline; piped: the text of the value of the one before it, or NULL. */
static void command(struct compiler *c, const struct tmpl *n, const struct str *piped)
{
	const struct tmpl *first = n->kids[0];
	bool has_arguments = n->n_kids > 1 || piped;

	if (first->type == TMPL_FUNC) {
		call(c, n, piped);
	} else if (first->type == TMPL_NIL) {
		str_addc(c->out, "N()");
	} else if (!has_arguments) {
		expression(c, first);
	} else if (first->n_names) {
		method_call(c, n, piped);
	} else {
		str_addc(c->out, "C(");
		literal(c->out, first->text);
		str_addc(c->out, ")");
	}
}

/* Commands from the outside in: each one holds the text of the one before it. */
static void pipeline(struct compiler *c, const struct tmpl *pipe)
{
	AUTO(str) value = { 0 };
	struct str *out = c->out;

	for (size_t i = 0; i < pipe->n_kids; i++) {
		struct str text = { 0 };

		c->out = &text;
		command(c, pipe->kids[i], i ? &value : NULL);
		str_move(&value, &text);
	}
	c->out = out;
	str_add(out, str_sv(&value));
}

static void expression(struct compiler *c, const struct tmpl *n)
{
	switch (n->type) {
	case TMPL_DOT:    str_addf(c->out, "d%u", c->dot); break;
	case TMPL_NIL:    str_addc(c->out, "null"); break;
	case TMPL_BOOL:   str_addc(c->out, n->b ? "true" : "false"); break;
	case TMPL_INT:    str_addf(c->out, n->i == INT64_MIN ? "math.mininteger" : "%" PRId64, n->i); break;
	case TMPL_FLOAT:  number(c, n->f); break;
	case TMPL_STRING: literal(c->out, n->text); break;
	case TMPL_PIPE:   pipeline(c, n); break;
	case TMPL_FUNC:
		str_addc(c->out, "F[");
		literal(c->out, n->text);
		str_addc(c->out, "]()");
		break;
	case TMPL_FIELD:
		str_addf(c->out, "G(d%u", c->dot);
		names(c, n);
		str_addc(c->out, ")");
		break;
	case TMPL_VAR:
		if (n->n_names)
			str_addc(c->out, "G(");
		variable(c, n->text);
		names(c, n);
		if (n->n_names)
			str_addc(c->out, ")");
		break;
	default:        /* TMPL_CHAIN: the parser puts no statement here */
		str_addc(c->out, "G(");
		expression(c, n->kids[0]);
		names(c, n);
		str_addc(c->out, ")");
	}
}

/* ---- statements ---- */

/* `local v1 = value`, or `v1 = value` for an assignment; nothing is printed. */
static void set_variable(struct compiler *c, const struct tmpl *pipe, const char *value)
{
	if (!pipe->assign)
		declare(c, pipe->names[0]);
	else if (is_declared(c, pipe->names[0]))
		variable(c, pipe->names[0]);
	else
		variable(c, pipe->names[0]), str_addc(c->out, " local _");
	str_addf(c->out, " = %s", value);
}

/* The value of a block's pipeline in a local p<id>, with the variable that the pipeline may declare. Returns the id. */
static unsigned block_value(struct compiler *c, const struct tmpl *n)
{
	AUTO(str) name = { 0 };
	unsigned id = ++c->next_id;

	str_addf(c->out, "local p%u = ", id);
	c->locals++;
	pipeline(c, n->pipe);
	end_line(c, n);
	if (n->pipe->n_names) {
		str_addf(&name, "p%u", id);
		set_variable(c, n->pipe, str_c(&name));
		end_line(c, n);
	}
	return id;
}

/* A part as a function of its own, unless it is small or changes what is around it. What is not declared is none of its
 * parameters: reading it is an error there, too. */
static bool put_off(struct compiler *c, const struct tmpl *list)
{
	struct tmpl_usage u;
	struct tmpl_body body = { .list = list };

	tmpl_usage_of(list, &u);
	bool can = u.size >= BODY_MIN && !u.writes && !u.leaves && u.reads.n <= BODY_READS_MAX;
	if (can) {
		str_addf(c->out, "B(%zu)(d0,d%u", c->code->bodies.n + 1, c->dot);
		for (size_t i = 0; i < u.reads.n; i++) {
			if (!is_declared(c, u.reads.v[i]))
				continue;
			u.reads.v[body.n_reads++] = u.reads.v[i];
			str_add1(c->out, ',');
			variable(c, u.reads.v[i]);
		}
		str_addc(c->out, ")");
		end_line(c, NULL);
		body.reads = u.reads.v;
		vec_push(&c->code->bodies, body);
		u.reads.v = NULL;
	}
	tmpl_usage_free(&u);
	return can;
}

static void branch(struct compiler *c, const struct tmpl *list)
{
	struct scope s = scope_open(c);

	if (!put_off(c, list))
		statements(c, list);
	scope_close(c, s);
}

static void else_branch(struct compiler *c, const struct tmpl *n)
{
	if (!n->other)
		return;
	str_addc(c->out, "else");
	end_line(c, NULL);
	branch(c, n->other);
}

static void if_or_with(struct compiler *c, const struct tmpl *n)
{
	struct scope s = scope_open(c);

	str_addc(c->out, "do ");
	unsigned value = block_value(c, n);
	str_addf(c->out, "if T(p%u) then", value);
	if (n->type == TMPL_WITH) {
		unsigned outer = c->dot;

		c->dot = ++c->next_id;
		str_addf(c->out, " local d%u = p%u", c->dot, value);
		end_line(c, n);
		c->locals++;
		branch(c, n->body);
		c->dot = outer;
	} else {
		end_line(c, n);
		branch(c, n->body);
	}
	else_branch(c, n);
	str_addc(c->out, "end end");
	end_line(c, NULL);
	scope_close(c, s);
}

/* The variables of a range: one gets the element, two get key and element. */
static void range_variables(struct compiler *c, const struct tmpl *n, unsigned id)
{
	for (size_t i = 0; i < n->pipe->n_names; i++) {
		bool key = n->pipe->n_names == 2 && i == 0;

		if (!n->pipe->assign)
			declare(c, n->pipe->names[i]);
		else if (is_declared(c, n->pipe->names[i]))
			variable(c, n->pipe->names[i]);
		else
			variable(c, n->pipe->names[i]), str_addc(c->out, " local _");
		str_addf(c->out, " = %s%u ", key ? "k" : "e", id);
	}
}

static void range(struct compiler *c, const struct tmpl *n)
{
	struct scope s = scope_open(c);
	unsigned id = ++c->next_id;

	str_addf(c->out, "do local n%u = 0 for k%u, e%u in R(", id, id, id);
	pipeline(c, n->pipe);
	str_addf(c->out, ") do n%u = 1 local d%u = e%u ", id, id, id);
	c->locals += 8;                 /* Lua keeps the loop's state in locals, too */
	struct scope inside = scope_open(c);
	c->dot = c->loop = id;
	range_variables(c, n, id);
	str_addc(c->out, "do");
	end_line(c, n);
	branch(c, n->body);
	str_addf(c->out, "end ::c%u:: end", id);
	end_line(c, NULL);
	scope_close(c, inside);
	if (n->other) {
		str_addf(c->out, "if n%u == 0 then", id);
		end_line(c, NULL);
		branch(c, n->other);
		str_addc(c->out, "end");
		end_line(c, NULL);
	}
	str_addc(c->out, "end");
	end_line(c, NULL);
	scope_close(c, s);
}

static void action(struct compiler *c, const struct tmpl *n)
{
	AUTO(str) value = { 0 };
	struct str *out = c->out;

	c->out = &value;
	pipeline(c, n->pipe);
	c->out = out;
	if (n->pipe->n_names)
		set_variable(c, n->pipe, str_c(&value));
	else
		str_addf(c->out, "P(%s)", str_c(&value));
	end_line(c, n);
}

static void template_call(struct compiler *c, const struct tmpl *n)
{
	str_addc(c->out, "X(");
	literal(c->out, n->text);
	str_addc(c->out, ",");
	if (n->pipe)
		pipeline(c, n->pipe);
	else
		str_addc(c->out, "null");
	str_addc(c->out, ")");
	end_line(c, n);
}

static void statement(struct compiler *c, const struct tmpl *n)
{
	switch (n->type) {
	case TMPL_TEXT:
		vec_push(&c->code->texts, n->text);
		str_addf(c->out, "W(%zu)", c->code->texts.n);
		end_line(c, NULL);
		break;
	case TMPL_ACTION:   action(c, n); break;
	case TMPL_IF:
	case TMPL_WITH:     if_or_with(c, n); break;
	case TMPL_RANGE:    range(c, n); break;
	case TMPL_TEMPLATE: template_call(c, n); break;
	case TMPL_BREAK:
		str_addc(c->out, "break");
		end_line(c, NULL);
		break;
	default:        /* TMPL_CONTINUE */
		str_addf(c->out, "goto c%u", c->loop);
		end_line(c, NULL);
	}
}

static void statements(struct compiler *c, const struct tmpl *list)
{
	for (size_t i = 0; i < list->n_kids; i++)
		statement(c, list->kids[i]);
}

#define GIVEN "local W, P, T, G, M, R, C, N, U, D, B, X, F = ... return function(d0"

void tmpl_compile(const struct tmpl *template, struct tmpl_code *out)
{
	struct compiler c = { .code = out, .out = &out->text };

	str_addc(c.out, GIVEN ") local S = {}");
	end_line(&c, NULL);
	statements(&c, template);
	str_addc(c.out, "end");
	end_line(&c, NULL);
	vec_free(&c.vars);
}

void tmpl_compile_body(const struct tmpl_body *body, struct tmpl_code *out)
{
	struct compiler c = { .code = out, .out = &out->text, .dot = 1, .next_id = 1 };

	str_addc(c.out, GIVEN ",d1");
	for (size_t i = 0; i < body->n_reads; i++) {
		struct variable v = { body->reads[i], ++c.next_id, true };

		vec_push(&c.vars, v);
		c.locals++;
		str_addf(c.out, ",v%u", v.id);
	}
	str_addc(c.out, ") local S = {}");
	end_line(&c, NULL);
	statements(&c, body->list);
	str_addc(c.out, "end");
	end_line(&c, NULL);
	vec_free(&c.vars);
}

void tmpl_code_free(struct tmpl_code *c)
{
	struct tmpl_body *b;

	vec_each(b, &c->bodies)
		free(b->reads);
	vec_free(&c->bodies);
	vec_free(&c->texts);
	str_free(&c->text);
	vec_free(&c->lines);
}
