/* What can be said of an expression without its values: names are resolved, functions chosen, types compared. A type
 * that is not known is dyn, and everything goes with it. */
#include "kube/cel/cel-internal.h"

struct scope {
	struct sv name;
	const struct cel_type *type;
	const struct scope *up;
};
struct checker {
	struct doc *d;
	const struct cel_env *env;
	const char *text;
	struct str problems;
	unsigned n;
};

enum { PROBLEMS_MAX = 10 };

static const struct cel_type *check(struct checker *c, struct cel_expr *e, const struct scope *scope);

static const struct cel_type *plain(enum cel_kind kind) { return &cel_types[kind]; }
static enum cel_kind kind_of(const struct cel_type *t) { return t ? t->kind : CEL_DYN; }

static const struct cel_type *with(struct checker *c, enum cel_kind kind, const struct cel_type *key,
				   const struct cel_type *of)
{
	struct cel_type *t = doc_alloc(c->d, sizeof *t);

	t->kind = (uint8_t)kind;
	t->key = key;
	t->of = of;
	return t;
}

static const struct cel_type *problem(struct checker *c, uint32_t at, const char *what)
{
	if (c->n++ < PROBLEMS_MAX)
		cel_mark(&c->problems, c->text, at, "%s", what);
	return NULL;
}

/* ---- comparing types ---- */

static bool compatible(const struct cel_type *a, const struct cel_type *b)
{
	enum cel_kind x = kind_of(a), y = kind_of(b);

	if (x == CEL_DYN || y == CEL_DYN || a == b)
		return true;
	if (x == CEL_NULL || y == CEL_NULL) {
		enum cel_kind other = x == CEL_NULL ? y : x;

		return other == CEL_NULL || other == CEL_TIMESTAMP || other == CEL_DURATION || other > CEL_OPTIONAL;
	}
	if (x == CEL_OBJECT || y == CEL_OBJECT)
		return (x == CEL_OBJECT || x == CEL_MAP) && (y == CEL_OBJECT || y == CEL_MAP);
	if (x != y)
		return false;
	if (x == CEL_HOST)
		return str_eq(a->name, b->name);
	if (x == CEL_MAP && !compatible(a->key, b->key))
		return false;
	return x < CEL_LIST || x == CEL_TYPE || compatible(a->of, b->of);
}

/* ---- signatures ---- */

struct matching {
	const struct cel_type *params[2];
	bool bound[2];
	const char *const *hosts;
};

static bool fits(const char **sig, const struct cel_type *t, struct matching *m)
{
	char letter = *(*sig)++;
	enum cel_kind want = cel_sig_kind(letter), have = kind_of(t);

	if (letter == 'A' || letter == 'B') {
		int i = letter - 'A';

		if (m->bound[i] && kind_of(m->params[i]) != CEL_DYN)
			return compatible(m->params[i], t);
		m->params[i] = t;
		m->bound[i] = true;
		return true;
	}
	if (want == CEL_HOST) {
		const char *name = m->hosts[*(*sig)++ - '0'];

		return have == CEL_DYN || (have == CEL_HOST && str_eq(t->name, name));
	}
	if (want == CEL_LIST || want == CEL_OPTIONAL)
		return have == CEL_DYN ? fits(sig, NULL, m) : have == want && fits(sig, t->of, m);
	if (want == CEL_MAP) {
		bool whole = have == CEL_MAP;

		if (have != CEL_DYN && have != CEL_MAP && have != CEL_OBJECT)
			return false;
		return fits(sig,
			    whole		 ? t->key
			    : have == CEL_OBJECT ? plain(CEL_STRING)
						 : NULL,
			    m) &&
		       fits(sig, whole ? t->of : NULL, m);
	}
	return want == CEL_DYN || have == CEL_DYN || have == want ||
	       (have == CEL_NULL && (want == CEL_TIMESTAMP || want == CEL_DURATION));
}

static const struct cel_type *result_of(struct checker *c, const char **sig, const struct matching *m)
{
	char letter = *(*sig)++;
	enum cel_kind kind = cel_sig_kind(letter);

	if (letter == 'A' || letter == 'B')
		return m->params[letter - 'A'];
	if (kind == CEL_LIST || kind == CEL_OPTIONAL)
		return with(c, kind, NULL, result_of(c, sig, m));
	if (kind == CEL_MAP) {
		const struct cel_type *key = result_of(c, sig, m);

		return with(c, kind, key, result_of(c, sig, m));
	}
	if (kind == CEL_HOST) {
		struct cel_type *t = doc_alloc(c->d, sizeof *t);

		t->kind = CEL_HOST;
		t->name = m->hosts[*(*sig)++ - '0'];
		return t;
	}
	return kind == CEL_DYN ? NULL : plain(kind);
}

/* types: of all arguments, the receiver first. */
static bool overload_fits(struct checker *c, const struct cel_overload *o, bool member,
			  const struct cel_type *const *types, uint32_t n, const struct cel_type **result)
{
	struct matching m = { .hosts = c->env->library ? c->env->library->hosts : NULL };
	const char *sig = o->sig;

	if (member != (strchr(sig, '.') != NULL))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (*sig == '>' || !fits(&sig, types[i], &m))
			return false;
		sig += *sig == '.';
	}
	if (*sig++ != '>')
		return false;
	*result = result_of(c, &sig, &m);
	return true;
}

static const struct cel_type *no_overload(struct checker *c, const struct cel_expr *e, bool member,
					  const struct cel_type *const *types, uint32_t n)
{
	AUTO(str) what = { 0 };

	str_addf(&what, "found no matching overload for '" SV_FMT "' applied to '", SV_ARG(e->name));
	for (uint32_t i = 0; i < n; i++) {
		str_addc(&what, !i && !member ? "(" : i == member ? (member ? ".(" : "") : i ? ", " : "");
		cel_type_write(&what, types[i]);
	}
	if (n == member)
		str_addc(&what, member ? ".(" : "(");
	str_addc(&what, ")'");
	return problem(c, e->at, str_c(&what));
}

/* All overloads that may be meant; their common type. */
static const struct cel_type *choose(struct checker *c, const struct cel_expr *e, bool member,
				     const struct cel_type *const *types, uint32_t n)
{
	const struct cel_type *result = NULL, *one;
	unsigned found = 0;

	for (uint32_t i = 0; i < e->n_rows; i++) {
		if (!overload_fits(c, &e->rows[i], member, types, n, &one))
			continue;
		result = !found++ || (compatible(result, one) && kind_of(result) == kind_of(one)) ? one : NULL;
	}
	return found ? result : no_overload(c, e, member, types, n);
}

/* ---- names ---- */

/* "a.b.c" of selects on a name that no scope binds; false: something else. */
static bool dotted(const struct cel_expr *e, const struct scope *scope, struct str *out)
{
	if (e->op == CEL_SELECT && !e->optional) {
		if (!dotted(e->target, scope, out))
			return false;
		str_addf(out, "." SV_FMT, SV_ARG(e->name));
		return true;
	}
	if (e->op != CEL_VARIABLE)
		return false;
	for (; scope && !e->absolute; scope = scope->up)
		if (sv_eq(scope->name, e->name))
			return false;
	str_add(out, e->name);
	return true;
}

static bool is_variable(struct checker *c, struct sv name, struct cel_expr *e, const struct cel_type **type)
{
	for (size_t i = 0; i < c->env->n; i++)
		if (sv_eq_c(name, c->env->variables[i].name)) {
			e->op = CEL_VARIABLE;
			e->slot = (uint32_t)i;
			*type = c->env->variables[i].type;
			return true;
		}
	return false;
}

static bool is_type_name(struct checker *c, struct sv name, struct cel_expr *e, const struct cel_type **type)
{
	for (int kind = CEL_NULL; kind < CEL_OBJECT; kind++)
		if (sv_eq_c(name, cel_types[kind].name)) {
			e->op = CEL_LITERAL;
			e->literal = (struct cel_value){ .kind = CEL_TYPE, .type = &cel_types[kind] };
			*type = with(c, CEL_TYPE, NULL, &cel_types[kind]);
			return true;
		}
	return false;
}

static const struct cel_type *check_name(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *type = NULL;
	AUTO(str) what = { 0 };
	uint32_t up = 0;

	for (; scope && !e->absolute; scope = scope->up, up++)
		if (sv_eq(scope->name, e->name)) {
			e->op = CEL_BOUND;
			e->slot = up;
			return scope->type;
		}
	if (is_variable(c, e->name, e, &type) || is_type_name(c, e->name, e, &type))
		return type;
	str_addf(&what, "undeclared reference to '" SV_FMT "' (in container '')", SV_ARG(e->name));
	return problem(c, e->at, str_c(&what));
}

/* A variable or a type whose name has points in it. */
static bool check_dotted(struct checker *c, struct cel_expr *e, const struct scope *scope, const struct cel_type **type)
{
	AUTO(str) name = { 0 };

	return dotted(e, scope, &name) &&
	       (is_variable(c, str_sv(&name), e, type) || is_type_name(c, str_sv(&name), e, type));
}

/* ---- members ---- */

static const struct cel_type *member_type(struct checker *c, const struct cel_expr *e, const struct cel_type *t)
{
	AUTO(str) what = { 0 };

	switch (kind_of(t)) {
	case CEL_DYN:
		return NULL;
	case CEL_MAP:
		return t->of;
	case CEL_OBJECT:
		for (size_t i = 0; i < t->n_fields; i++)
			if (sv_eq(t->fields[i].name, e->name))
				return t->fields[i].type;
		str_addf(&what, "undefined field '" SV_FMT "'", SV_ARG(e->name));
		return problem(c, e->at, str_c(&what));
	case CEL_OPTIONAL:
		return with(c, CEL_OPTIONAL, NULL, member_type(c, e, t->of));
	default:
		str_addc(&what, "type '");
		cel_type_write(&what, t);
		str_addc(&what, "' does not support field selection");
		return problem(c, e->at, str_c(&what));
	}
}

static const struct cel_type *optional(struct checker *c, const struct cel_type *t)
{
	return kind_of(t) == CEL_OPTIONAL ? t : with(c, CEL_OPTIONAL, NULL, t);
}

static const struct cel_type *check_select(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *t = NULL;

	if (e->op == CEL_SELECT && check_dotted(c, e, scope, &t))
		return t;
	t = member_type(c, e, check(c, e->target, scope));
	return e->op == CEL_HAS ? plain(CEL_BOOL) : e->optional ? optional(c, t) : t;
}

static const struct cel_type *check_index(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *types[2] = { check(c, e->args, scope), check(c, e->args->next, scope) };
	const struct cel_type *of = kind_of(types[0]) == CEL_OPTIONAL ? types[0]->of : types[0], *result = NULL;
	bool wraps = e->op == CEL_OPT_INDEX || of != types[0], fine;

	switch (kind_of(of)) {
	case CEL_LIST:
		fine = compatible(types[1], plain(CEL_INT));
		result = of->of;
		break;
	case CEL_MAP:
		fine = compatible(types[1], of->key);
		result = of->of;
		break;
	default:
		fine = kind_of(of) == CEL_DYN;
	}
	if (!fine) {
		e->name = wraps ? SV("_[?_]") : SV("_[_]");
		return no_overload(c, e, false, types, 2);
	}
	return wraps ? optional(c, result) : result;
}

/* ---- calls ---- */

static const struct cel_type *check_call(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_library *own = c->env->library;
	const struct cel_type *types[CEL_ARGS];
	AUTO(str) name = { 0 };
	uint32_t n = 0;

	if (e->member && dotted(e->target, scope, &name)) { /* a function with points in its name */
		str_addf(&name, "." SV_FMT, SV_ARG(e->name));
		if ((e->rows = cel_overloads(own, str_sv(&name), &e->n_rows))) {
			e->member = false;
			e->target = NULL;
			e->name = (struct sv){ doc_text(c->d, str_sv(&name)), name.n };
		}
	}
	if (e->member)
		types[n++] = check(c, e->target, scope);
	for (struct cel_expr *a = e->args; a; a = a->next)
		types[n++] = check(c, a, scope);
	if (!e->rows && !(e->rows = cel_overloads(own, e->name, &e->n_rows))) {
		AUTO(str) what = { 0 };

		str_addf(&what, "undeclared reference to '" SV_FMT "' (in container '')", SV_ARG(e->name));
		return problem(c, e->at, str_c(&what));
	}
	return choose(c, e, e->member, types, n);
}

static void want_bool(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *t = check(c, e, scope);
	AUTO(str) what = { 0 };

	if (kind_of(t) == CEL_BOOL || kind_of(t) == CEL_DYN)
		return;
	str_addc(&what, "expected type 'bool' but found '");
	cel_type_write(&what, t);
	str_addc(&what, "'");
	problem(c, e->at, str_c(&what));
}

static const struct cel_type *check_logic(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	for (struct cel_expr *a = e->args; a; a = a->next)
		want_bool(c, a, scope);
	return plain(CEL_BOOL);
}

static const struct cel_type *check_if(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *types[3] = { plain(CEL_BOOL) };

	want_bool(c, e->args, scope);
	types[1] = check(c, e->args->next, scope);
	types[2] = check(c, e->args->next->next, scope);
	if (!compatible(types[1], types[2])) {
		e->name = SV("_?_:_");
		return no_overload(c, e, false, types, 3);
	}
	return kind_of(types[1]) == CEL_NULL ? types[2] : types[1];
}

/* ---- lists and maps ---- */

static const struct cel_type *joined(const struct cel_type *a, const struct cel_type *b, bool first)
{
	return first ? b : kind_of(a) == kind_of(b) && compatible(a, b) ? a : NULL;
}

static const struct cel_type *check_element(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *t = check(c, e, scope);
	AUTO(str) what = { 0 };

	if (!e->may_be_none)
		return t;
	if (kind_of(t) == CEL_OPTIONAL || kind_of(t) == CEL_DYN)
		return t ? t->of : NULL;
	str_addc(&what, "expected type 'optional_type(dyn)' but found '");
	cel_type_write(&what, t);
	str_addc(&what, "'");
	return problem(c, e->at, str_c(&what));
}

static const struct cel_type *check_list(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *of = NULL;

	for (struct cel_expr *a = e->args; a; a = a->next)
		of = joined(of, check_element(c, a, scope), a == e->args);
	return with(c, CEL_LIST, NULL, of);
}

static const struct cel_type *check_map(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *key = NULL, *of = NULL;

	for (struct cel_expr *a = e->args; a; a = a->next->next) {
		bool maybe = a->may_be_none;

		a->may_be_none = false;
		key = joined(key, check(c, a, scope), a == e->args);
		a->next->may_be_none = maybe;
		of = joined(of, check_element(c, a->next, scope), a == e->args);
	}
	return with(c, CEL_MAP, key, of);
}

/* ---- what binds variables ---- */

static const struct cel_type *check_fold_body(struct checker *c, struct cel_expr *e, const struct cel_type *range,
					      const struct scope *in)
{
	struct cel_expr *last = e->condition ? e->args->next : e->args;
	const struct cel_type *t;

	if (e->condition)
		want_bool(c, e->args, in);
	switch (e->fold) {
	case CEL_FILTER:
		want_bool(c, last, in);
		return kind_of(range) == CEL_LIST ? range : with(c, CEL_LIST, NULL, in->type);
	case CEL_MAP_EACH:
	case CEL_TRANSFORM_LIST:
		return with(c, CEL_LIST, NULL, check(c, last, in));
	case CEL_TRANSFORM_MAP:
		t = check(c, last, in);
		return with(c, CEL_MAP, in->up ? in->up->type : NULL, t);
	case CEL_TRANSFORM_ENTRY:
		return check(c, last, in);
	default:
		want_bool(c, last, in);
		return plain(CEL_BOOL);
	}
}

static const struct cel_type *check_fold(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *range = check(c, e->target, scope), *key = NULL, *of = NULL;
	bool pair = e->second.n > 0;
	AUTO(str) what = { 0 };

	switch (kind_of(range)) {
	case CEL_LIST:
		key = plain(CEL_INT);
		of = range->of;
		break;
	case CEL_MAP:
		key = range->key;
		of = range->of;
		break;
	case CEL_OBJECT:
		key = plain(CEL_STRING);
		break;
	case CEL_DYN:
		break;
	default:
		str_addc(&what, "expression of type '");
		cel_type_write(&what, range);
		str_addc(&what, "' cannot be range of a comprehension (must be list, map, or dynamic)");
		problem(c, e->target->at, str_c(&what));
	}
	struct scope first = { e->name, pair || kind_of(range) != CEL_LIST ? key : of, scope };
	struct scope second = { e->second, of, &first };
	return check_fold_body(c, e, range, pair ? &second : &first);
}

static const struct cel_type *check_bind(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	struct scope in = { e->name, check(c, e->args, scope), scope };

	return check(c, e->args->next, &in);
}

static const struct cel_type *check_opt_map(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	const struct cel_type *from = check(c, e->target, scope), *to;
	AUTO(str) what = { 0 };

	if (kind_of(from) != CEL_OPTIONAL && kind_of(from) != CEL_DYN) {
		str_addc(&what, "found no matching overload for 'hasValue' applied to '");
		cel_type_write(&what, from);
		str_addc(&what, ".()'");
		return problem(c, e->target->at, str_c(&what));
	}
	struct scope in = { e->name, from ? from->of : NULL, scope };
	to = check(c, e->args, &in);
	return e->op == CEL_OPT_FLAT_MAP ? to : with(c, CEL_OPTIONAL, NULL, to);
}

static const struct cel_type *check_literal(struct checker *c, const struct cel_expr *e)
{
	return e->literal.kind == CEL_TYPE ? with(c, CEL_TYPE, NULL, e->literal.type) : plain(e->literal.kind);
}

static const struct cel_type *check(struct checker *c, struct cel_expr *e, const struct scope *scope)
{
	switch ((enum cel_op)e->op) {
	case CEL_LITERAL:
		return check_literal(c, e);
	case CEL_VARIABLE:
	case CEL_BOUND:
		return check_name(c, e, scope);
	case CEL_SELECT:
	case CEL_HAS:
		return check_select(c, e, scope);
	case CEL_INDEX:
	case CEL_OPT_INDEX:
		return check_index(c, e, scope);
	case CEL_CALL:
		return check_call(c, e, scope);
	case CEL_AND:
	case CEL_OR:
		return check_logic(c, e, scope);
	case CEL_IF:
		return check_if(c, e, scope);
	case CEL_MAKE_LIST:
		return check_list(c, e, scope);
	case CEL_MAKE_MAP:
		return check_map(c, e, scope);
	case CEL_FOLD:
		return check_fold(c, e, scope);
	case CEL_BIND:
		return check_bind(c, e, scope);
	case CEL_OPT_MAP:
	case CEL_OPT_FLAT_MAP:
		return check_opt_map(c, e, scope);
	}
	return NULL;
}

int cel_check(struct doc *d, const struct cel_env *env, const char *text, struct cel_expr *root,
	      const struct cel_type **type, struct err *err)
{
	struct checker c = { .d = d, .env = env, .text = text };
	int r = 0;

	*type = check(&c, root, NULL);
	if (c.n)
		r = err_set(err, ERR_INVALID, "%s", str_c(&c.problems));
	str_free(&c.problems);
	return r;
}
