#include "render/chart/gotmpl/convert.h"

#include "base/vec.h"
#include "render/chart/gotmpl/functions.h"
#include "render/chart/gotmpl/parse.h"

#include <ctype.h>
#include <inttypes.h>

struct converter {
	struct str *out;                /* the template, or the expression that is being made */
	int depth;                      /* of blocks */
	unsigned next_id, loop;         /* loop: number of the range around, for continue */
	bool after_mark;                /* out ends in a mark, and not in text */
};

static void expression(struct converter *c, const struct tmpl *n);
static void pipeline(struct converter *c, const struct tmpl *pipe);
static void statements(struct converter *c, const struct tmpl *list);

/* ---- names ---- */

/* What means something to Lua, or to templates: variables of these names get another one. */
static const char *const taken[] = {
	"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or", "repeat",
	"return", "then", "true", "until", "while", "dot", "root", "helm", "include", "truth", "get", "method", "range", "null", "values",
	"release", "chart", "files", "capabilities", "require", "W", "P", "C", "N", "U", "D", "X", NULL,
};

static bool is_taken(struct sv name)
{
	for (size_t i = 0; taken[i]; i++)
		if (sv_eq_c(name, taken[i]))
			return true;
	return false;
}

static bool is_name(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_')
			return false;
	return s.n && !isdigit((unsigned char)s.p[0]);
}

/* "$name" as a variable of Lua; "$" is the root. */
static void variable(struct converter *c, struct sv name)
{
	struct sv bare = sv_drop(name, 1);

	if (!bare.n) {
		str_addc(c->out, "root");
		return;
	}
	if (is_name(bare) && !is_taken(bare)) {
		str_add(c->out, bare);
		return;
	}
	str_addc(c->out, "v_");
	for (size_t i = 0; i < bare.n; i++) {
		unsigned char b = (unsigned char)bare.p[i];

		str_addf(c->out, isalnum(b) && b < 0x80 ? "%c" : "_%02x", b);
	}
}

static void literal(struct str *out, struct sv s)
{
	str_add1(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b == '"' || b == '\\')
			str_addf(out, "\\%c", b);
		else if (b == '\n')
			str_addc(out, "\\n");
		else if (b < 0x20 || b == 0x7f || (b == '%' && i + 2 < s.n && !memcmp(s.p + i, "%}}", 3)))
			str_addf(out, "\\%03u", b);     /* the end of a statement, not of this string */
		else
			str_add1(out, (char)b);
	}
	str_add1(out, '"');
}

static void names(struct converter *c, const struct tmpl *n)
{
	for (size_t i = 0; i < n->n_names; i++) {
		str_addc(c->out, ", ");
		literal(c->out, n->names[i]);
	}
}

static void function_name(struct converter *c, struct sv name)
{
	if (sv_eq_c(name, "include"))
		str_addc(c->out, "include");
	else if (is_name(name) && !is_taken(name))
		str_addf(c->out, "helm." SV_FMT, SV_ARG(name));
	else
		str_addf(c->out, "helm[\"" SV_FMT "\"]", SV_ARG(name));
}

/* ---- expressions: as compile.c makes them, under names for people ---- */

static void arguments(struct converter *c, const struct tmpl *command, const struct str *piped, const char *before)
{
	struct sv name = command->kids[0]->text;
	bool function = command->kids[0]->type == TMPL_FUNC, lazy = function && (sv_eq_c(name, "and") || sv_eq_c(name, "or"));
	bool map = function && gotmpl_wants_map(name);

	for (size_t i = 1; i < command->n_kids; i++, before = ", ") {
		const char *open = lazy && i > 1 ? "function() return " : map && command->kids[i]->n_names ? "D(" : "";

		str_addf(c->out, "%s%s", before, open);
		expression(c, command->kids[i]);
		str_addc(c->out, *open == 'f' ? " end" : *open ? ")" : "");
	}
	if (piped)
		str_addf(c->out, lazy && command->n_kids > 1 ? "%sfunction() return %s end" : "%s%s", before, str_c(piped));
}

static void operand(struct converter *c, const struct tmpl *n)
{
	if (n->type == TMPL_FIELD)
		str_addc(c->out, "dot");
	else if (n->type == TMPL_VAR)
		variable(c, n->text);
	else
		expression(c, n->kids[0]);
}

static void command(struct converter *c, const struct tmpl *n, const struct str *piped)
{
	const struct tmpl *first = n->kids[0];

	if (first->type == TMPL_FUNC) {
		function_name(c, first->text);
		str_addc(c->out, "(");
		arguments(c, n, piped, "");
		str_addc(c->out, ")");
	} else if (first->type == TMPL_NIL) {
		str_addc(c->out, "N()");
	} else if (n->n_kids == 1 && !piped) {
		expression(c, first);
	} else if (first->n_names) {
		str_addc(c->out, "method(");
		operand(c, first);
		str_addf(c->out, ", %zu", first->n_names);
		names(c, first);
		arguments(c, n, piped, ", ");
		str_addc(c->out, ")");
	} else {
		str_addc(c->out, "C(");
		literal(c->out, first->text);
		str_addc(c->out, ")");
	}
}

static void pipeline(struct converter *c, const struct tmpl *pipe)
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

static void number(struct str *out, double f)
{
	size_t before = out->n;

	str_addf(out, "%.17g", f);
	if (!strpbrk(str_c(out) + before, ".eE"))
		str_addc(out, ".0");
}

static void expression(struct converter *c, const struct tmpl *n)
{
	switch (n->type) {
	case TMPL_DOT:    str_addc(c->out, "dot"); break;
	case TMPL_NIL:    str_addc(c->out, "null"); break;
	case TMPL_BOOL:   str_addc(c->out, n->b ? "true" : "false"); break;
	case TMPL_INT:    str_addf(c->out, n->i == INT64_MIN ? "math.mininteger" : "%" PRId64, n->i); break;
	case TMPL_FLOAT:  number(c->out, n->f); break;
	case TMPL_STRING: literal(c->out, n->text); break;
	case TMPL_PIPE:   pipeline(c, n); break;
	case TMPL_FUNC:
		function_name(c, n->text);
		str_addc(c->out, "()");
		break;
	case TMPL_VAR:
		if (!n->n_names) {
			variable(c, n->text);
			break;
		}
		/* fall through */
	default:        /* fields of the dot, of a variable, of an expression */
		str_addc(c->out, "get(");
		operand(c, n);
		names(c, n);
		str_addc(c->out, ")");
	}
}

/* ---- conditions ---- */

static const char *const boolean_functions[] = {
	"eq", "ne", "lt", "le", "gt", "ge", "empty", "hasKey", "contains", "hasPrefix", "hasSuffix", "kindIs", "typeIs", "regexMatch",
	"semverCompare", "has", NULL,
};

static bool gives_boolean(const struct tmpl *command)
{
	for (size_t i = 0; command->kids[0]->type == TMPL_FUNC && boolean_functions[i]; i++)
		if (sv_eq_c(command->kids[0]->text, boolean_functions[i]))
			return true;
	return false;
}

static void condition(struct converter *c, const struct tmpl *n);

/* `and`, `or` and `not` of the template are Lua's where only truth counts. */
static bool logical(struct converter *c, const struct tmpl *command)
{
	struct sv name = command->kids[0]->text;

	if (command->kids[0]->type != TMPL_FUNC || command->n_kids < 2)
		return false;
	if (sv_eq_c(name, "not") && command->n_kids == 2) {
		str_addc(c->out, "not ");
		condition(c, command->kids[1]);
		return true;
	}
	if (!sv_eq_c(name, "and") && !sv_eq_c(name, "or"))
		return false;
	str_addc(c->out, "(");
	for (size_t i = 1; i < command->n_kids; i++) {
		if (i > 1)
			str_addf(c->out, " " SV_FMT " ", SV_ARG(name));
		condition(c, command->kids[i]);
	}
	str_addc(c->out, ")");
	return true;
}

static void condition(struct converter *c, const struct tmpl *n)
{
	const struct tmpl *last = n->type == TMPL_PIPE && n->n_kids ? n->kids[n->n_kids - 1] : NULL;

	if (last && n->n_kids == 1 && logical(c, last))
		return;
	if (last && gives_boolean(last)) {
		pipeline(c, n);
		return;
	}
	str_addc(c->out, "truth(");
	expression(c, n);
	str_addc(c->out, ")");
}

/* ---- marks and text ---- */

static bool ends_in_space(const struct str *s) { return s->n && strchr(" \t\n\r", s->p[s->n - 1]); }

static void indent(struct converter *c)
{
	for (int i = 0; i < c->depth; i++)
		str_addc(c->out, "  ");
}

/* A mark goes on a line of its own where the white space before it can be taken away again without taking more. */
static void open_mark(struct converter *c, const char *mark, bool own_line)
{
	bool alone = own_line && c->out->n && (c->after_mark || !ends_in_space(c->out));

	if (alone) {
		str_add1(c->out, '\n');
		indent(c);
	}
	str_addf(c->out, "{{%s%s ", mark, alone ? "-" : "");
}

static void put_statement(struct converter *c, struct str *take_code)
{
	open_mark(c, "%", true);
	str_addf(c->out, "%s %%}}", str_c(take_code));
	c->after_mark = true;
	str_free(take_code);
}

static void put_expression(struct converter *c, struct str *take_code, bool own_line)
{
	open_mark(c, "=", own_line);
	str_addf(c->out, "%s }}", str_c(take_code));
	c->after_mark = true;
	str_free(take_code);
}

/* `{{` in a text would begin a mark. */
static void put_text(struct converter *c, struct sv text)
{
	const char *at;

	while (text.n && (at = memmem(text.p, text.n, "{{", 2))) {
		struct str braces = { 0 };

		str_add(c->out, (struct sv){ text.p, (size_t)(at - text.p) });
		str_addc(&braces, "\"{{\"");
		put_expression(c, &braces, false);
		text = sv_drop(text, (size_t)(at + 2 - text.p));
	}
	str_add(c->out, text);
	if (text.n)
		c->after_mark = false;
}

/* Lua that one of the functions above makes of a node. */
static struct str lua_of(struct converter *c, void (*fn)(struct converter *, const struct tmpl *), const struct tmpl *n)
{
	struct str text = { 0 }, *out = c->out;

	c->out = &text;
	fn(c, n);
	c->out = out;
	return text;
}

static struct str lua_name(struct converter *c, struct sv name)
{
	struct str text = { 0 }, *out = c->out;

	c->out = &text;
	variable(c, name);
	c->out = out;
	return text;
}

static void say(struct converter *c, const char *fmt, ...) PRINTF(2, 3);
static void say(struct converter *c, const char *fmt, ...)
{
	struct str code = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&code, fmt, ap);
	va_end(ap);
	put_statement(c, &code);
}

/* ---- statements ---- */

static void body(struct converter *c, const struct tmpl *list)
{
	c->depth++;
	statements(c, list);
	c->depth--;
}

/* The one `if` of an else part: `else if`. */
static const struct tmpl *else_if(const struct tmpl *other)
{
	const struct tmpl *only = other && other->n_kids == 1 ? other->kids[0] : NULL;

	return only && only->type == TMPL_IF && !only->pipe->n_names ? only : NULL;
}

static void convert_if(struct converter *c, const struct tmpl *n)
{
	AUTO(str) value = { 0 };
	const struct tmpl *next;

	if (n->pipe->n_names) {
		AUTO(str) name = lua_name(c, n->pipe->names[0]);

		value = lua_of(c, pipeline, n->pipe);
		say(c, "do %s%s = %s if truth(%s) then", n->pipe->assign ? "" : "local ", str_c(&name), str_c(&value), str_c(&name));
	} else {
		value = lua_of(c, condition, n->pipe);
		say(c, "if %s then", str_c(&value));
	}
	bool declared = n->pipe->n_names > 0;
	body(c, n->body);
	for (; (next = else_if(n->other)); n = next) {
		AUTO(str) test = lua_of(c, condition, next->pipe);

		say(c, "elseif %s then", str_c(&test));
		body(c, next->body);
	}
	if (n->other) {
		say(c, "else");
		body(c, n->other);
	}
	say(c, declared ? "end end" : "end");
}

static void convert_with(struct converter *c, const struct tmpl *n)
{
	AUTO(str) value = lua_of(c, pipeline, n->pipe);
	AUTO(str) name = { 0 };

	if (n->pipe->n_names)
		name = lua_name(c, n->pipe->names[0]);
	else
		str_addf(&name, "with%u", ++c->next_id);
	say(c, "do %s%s = %s if truth(%s) then local dot = %s", n->pipe->assign ? "" : "local ", str_c(&name), str_c(&value), str_c(&name),
	    str_c(&name));
	body(c, n->body);
	if (n->other) {
		say(c, "else");
		body(c, n->other);
	}
	say(c, "end end");
}

static bool has_continue(const struct tmpl *n)
{
	if (!n)
		return false;
	if (n->type == TMPL_CONTINUE)
		return true;
	for (size_t i = 0; i < n->n_kids; i++)
		if (n->kids[i]->type != TMPL_RANGE && has_continue(n->kids[i]))
			return true;
	return has_continue(n->body) || has_continue(n->other);
}

/* `for key, item in range(...) do`, with the variables that the template names. */
static void open_range(struct converter *c, const struct tmpl *n, unsigned id)
{
	AUTO(str) value = lua_of(c, pipeline, n->pipe);
	AUTO(str) key = { 0 };
	AUTO(str) item = { 0 };
	size_t named = n->pipe->n_names;

	if (named == 2)
		key = lua_name(c, n->pipe->names[0]);
	if (named)
		item = lua_name(c, n->pipe->names[named - 1]);
	if (n->pipe->assign && named == 2)
		say(c, "for key%u, dot in range(%s) do %s, %s = key%u, dot", id, str_c(&value), str_c(&key), str_c(&item), id);
	else if (n->pipe->assign)
		say(c, "for _, dot in range(%s) do %s = dot", str_c(&value), str_c(&item));
	else if (named)
		say(c, "for %s, %s in range(%s) do local dot = %s", named == 2 ? str_c(&key) : "_", str_c(&item), str_c(&value), str_c(&item));
	else
		say(c, "for _, dot in range(%s) do", str_c(&value));
}

static void convert_range(struct converter *c, const struct tmpl *n)
{
	unsigned id = ++c->next_id, outer = c->loop;

	c->loop = id;
	if (n->other)
		say(c, "do local empty%u = true", id);
	open_range(c, n, id);
	if (n->other)
		say(c, "empty%u = false", id);
	if (has_continue(n->body)) {
		say(c, "do");
		body(c, n->body);
		say(c, "end ::continue%u:: end", id);
	} else {
		body(c, n->body);
		say(c, "end");
	}
	c->loop = outer;
	if (!n->other)
		return;
	say(c, "if empty%u then", id);
	body(c, n->other);
	say(c, "end end");
}

/* `{{ ... | nindent 4 }}` begins with a new line: it stands on one of its own. */
static bool begins_line(const struct tmpl *pipe)
{
	const struct tmpl *last = pipe->kids[pipe->n_kids - 1];

	return last->kids[0]->type == TMPL_FUNC && sv_eq_c(last->kids[0]->text, "nindent");
}

static void convert_action(struct converter *c, const struct tmpl *n)
{
	struct str value = lua_of(c, pipeline, n->pipe);

	if (n->pipe->n_names) {
		AUTO(str) name = lua_name(c, n->pipe->names[0]);

		say(c, "%s%s = %s", n->pipe->assign ? "" : "local ", str_c(&name), str_c(&value));
		str_free(&value);
	} else {
		put_expression(c, &value, begins_line(n->pipe));
	}
}

static void convert_call(struct converter *c, const struct tmpl *n)
{
	AUTO(str) value = { 0 };
	AUTO(str) name = { 0 };

	literal(&name, n->text);
	if (n->pipe)
		value = lua_of(c, pipeline, n->pipe);
	say(c, "X(%s, %s)", str_c(&name), n->pipe ? str_c(&value) : "null");
}

static void statements(struct converter *c, const struct tmpl *list)
{
	for (size_t i = 0; i < list->n_kids; i++) {
		const struct tmpl *n = list->kids[i];

		switch (n->type) {
		case TMPL_TEXT:     put_text(c, n->text); break;
		case TMPL_ACTION:   convert_action(c, n); break;
		case TMPL_IF:       convert_if(c, n); break;
		case TMPL_WITH:     convert_with(c, n); break;
		case TMPL_RANGE:    convert_range(c, n); break;
		case TMPL_TEMPLATE: convert_call(c, n); break;
		case TMPL_BREAK:    say(c, "break"); break;
		default:            say(c, "goto continue%u", c->loop);
		}
	}
}

/* ---- a file ---- */

static bool has_output(const struct tmpl *list)
{
	for (size_t i = 0; i < list->n_kids; i++)
		if (list->kids[i]->type != TMPL_TEXT || sv_trim(list->kids[i]->text).n)
			return true;
	return false;
}

static bool begins_in_space(const struct tmpl *list)
{
	const struct tmpl *first = list->kids[0];

	return first->type == TMPL_TEXT && first->text.n && strchr(" \t\r\n", first->text.p[0]);
}

static void convert_set(struct converter *c, const struct tmpl_set *s, const char *name)
{
	const struct tmpl_def *own = map_get(&s->defs, sv_c(name));
	struct map_slot *slot;

	map_each(slot, &s->defs) {
		const struct tmpl_def *def = slot->value;
		AUTO(str) quoted = { 0 };

		if (def == own)
			continue;
		literal(&quoted, sv_c(def->name));
		str_addf(c->out, "%s{{%% define %s %%}}", c->out->n ? "\n" : "", str_c(&quoted));
		c->loop = 0;
		c->after_mark = true;
		body(c, def->body);
		str_addc(c->out, ends_in_space(c->out) && !c->after_mark ? "{{% enddefine -%}}\n" : "\n{{%- enddefine -%}}\n");
	}
	c->after_mark = c->out->n > 0;
	if (own && has_output(own->body)) {
		if (c->out->n && begins_in_space(own->body))    /* which the mark before must not take away */
			str_addc(c->out, "{{= \"\" }}");
		statements(c, own->body);
	}
}

int gotmpl_convert(const char *name, struct sv text, struct str *out, struct err *err)
{
	struct converter c = { .out = out };
	struct tmpl_set s;

	tmpl_set_init(&s);
	int r = tmpl_parse(&s, name, text, gotmpl_has_function, err);
	if (r >= 0)
		convert_set(&c, &s, name);
	tmpl_set_free(&s);
	return r;
}
