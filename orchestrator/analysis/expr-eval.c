#include "orchestrator/analysis/expr-internal.h"

#include "base/regex.h"

#include <math.h>
#include <stdlib.h>

#define WORK_LIMIT 1000000      /* operations of one evaluation */

struct eval { const char *text; const struct value *result, *item; struct doc *d; size_t work; struct err *err; };

static int fail(const struct eval *v, const struct expr *e, const char *what)
{
	return err_set(v->err, ERR_BAD_REQUEST, "condition '%s': %s at character %zu", v->text, what, e->at + 1);
}

static int eval(struct eval *v, const struct expr *e, struct value *out);

static struct value boolean(bool b) { return (struct value){ .type = VALUE_BOOL, .b = b }; }

static int eval_bool(struct eval *v, const struct expr *e, bool *out)
{
	struct value x = { 0 };

	TRY(eval(v, e, &x));
	if (x.type != VALUE_BOOL)
		return fail(v, e, "is neither true nor false");
	*out = x.b;
	return 0;
}

/* ---- comparing ---- */

static struct value member(struct eval *v, const struct value *map, struct sv name)
{
	return value_of_node(v->d, node_getn(map->map, name));
}

static bool equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NIL:
		return true;
	case VALUE_BOOL:
		return a->b == b->b;
	case VALUE_NUMBER:
		return a->number == b->number;
	case VALUE_TEXT:
		return sv_eq(a->text, b->text);
	case VALUE_MAP:
		return node_eq(a->map, b->map);
	case VALUE_LIST:
		for (size_t i = 0; i < a->n; i++)
			if (a->n != b->n || !equal(&a->items[i], &b->items[i]))
				return false;
		return a->n == b->n;
	}
	return false;
}

static int compare(struct eval *v, const struct expr *e, const struct value *a, const struct value *b, bool *out)
{
	int sign;

	if (a->type == VALUE_TEXT && b->type == VALUE_TEXT) {
		sign = sv_cmp(a->text, b->text);
	} else if (a->type == VALUE_NUMBER && b->type == VALUE_NUMBER) {
		if (isnan(a->number) || isnan(b->number)) {
			*out = false;
			return 0;
		}
		sign = a->number < b->number ? -1 : a->number > b->number;
	} else {
		return fail(v, e, "only two numbers or two texts have an order");
	}
	*out = e->op == EXPR_LT ? sign < 0 : e->op == EXPR_LE ? sign <= 0 : e->op == EXPR_GT ? sign > 0 : sign >= 0;
	return 0;
}

static int is_in(struct eval *v, const struct expr *e, const struct value *a, const struct value *b, bool *out)
{
	*out = false;
	if (b->type == VALUE_MAP && a->type == VALUE_TEXT) {
		*out = node_getn(b->map, a->text) != NULL;
		return 0;
	}
	if (b->type != VALUE_LIST)
		return fail(v, e, "'in' needs a list or a map on its right");
	for (size_t i = 0; i < b->n && !*out; i++)
		*out = equal(a, &b->items[i]);
	return 0;
}

/* ---- text ---- */

static int matches(struct eval *v, const struct expr *e, struct sv text, struct sv pattern, bool *out)
{
	char *copy = sv_dup(pattern);
	AUTO(regex) re = { 0 };
	int r = regex_init(&re, copy, false, NULL);

	free(copy);
	if (r < 0)
		return fail(v, e, "not a regular expression");
	if ((r = regex_matches(&re, text, NULL)) < 0)
		return fail(v, e, "the regular expression takes too long");
	*out = r == 1;
	return 0;
}

static bool has(struct sv text, struct sv part) { return !part.n || memmem(text.p, text.n, part.p, part.n) != NULL; }

static int test_text(struct eval *v, const struct expr *e, const struct value *a, const struct value *b, bool *out)
{
	if (a->type != VALUE_TEXT || b->type != VALUE_TEXT)
		return fail(v, e, "needs two texts");
	if (e->op == EXPR_MATCHES)
		return matches(v, e, a->text, b->text, out);
	*out = e->op == EXPR_CONTAINS ? has(a->text, b->text) : e->op == EXPR_STARTS ? sv_starts(a->text, b->text) : sv_ends(a->text, b->text);
	return 0;
}

/* ---- numbers ---- */

static int calculate(struct eval *v, const struct expr *e, const struct value *a, const struct value *b,
		     struct value *out)
{
	double x = a->number, y = b->number;

	if (a->type != VALUE_NUMBER || b->type != VALUE_NUMBER)
		return fail(v, e, "needs two numbers");
	switch (e->op) {
	case EXPR_ADD: *out = value_number(x + y); return 0;
	case EXPR_SUB: *out = value_number(x - y); return 0;
	case EXPR_MUL: *out = value_number(x * y); return 0;
	case EXPR_DIV: *out = value_number(x / y); return 0;
	default:       *out = value_number(fmod(x, y)); return 0;
	}
}

static int to_number(struct eval *v, const struct expr *e, const struct value *a, struct value *out)
{
	char *text, *end;

	if (a->type == VALUE_NUMBER) {
		*out = *a;
		return 0;
	}
	if (a->type != VALUE_TEXT)
		return fail(v, e, "cannot be made a number");
	text = sv_dup(a->text);
	*out = value_number(strtod(text, &end));
	bool good = end != text && !*end && strlen(text) == a->text.n;
	free(text);
	return good ? 0 : fail(v, e, "is a text that is not a number");
}

/* ---- functions ---- */

struct args { struct value v[3]; size_t n; };

static int fn_float(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	return to_number(v, e, &a->v[0], out);
}

static int fn_int(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	TRY(to_number(v, e, &a->v[0], out));
	if (isnan(out->number) || isinf(out->number))
		return fail(v, e, "is not a whole number");
	out->number = trunc(out->number);
	return 0;
}

static int fn_is_nan(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	struct value n;

	TRY(to_number(v, e, &a->v[0], &n));
	*out = boolean(isnan(n.number));
	return 0;
}

static int fn_is_inf(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	struct value n;

	TRY(to_number(v, e, &a->v[0], &n));
	*out = boolean(isinf(n.number));
	return 0;
}

static int fn_is_nil(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	(void)v;
	(void)e;
	*out = boolean(a->v[0].type == VALUE_NIL);
	return 0;
}

static int fn_default(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	(void)v;
	(void)e;
	*out = a->v[0].type == VALUE_NIL ? a->v[1] : a->v[0];
	return 0;
}

static int fn_len(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	if (a->v[0].type == VALUE_TEXT)
		*out = value_number((double)a->v[0].text.n);
	else if (a->v[0].type == VALUE_LIST)
		*out = value_number((double)a->v[0].n);
	else if (a->v[0].type == VALUE_MAP)
		*out = value_number((double)node_n(a->v[0].map));
	else
		return fail(v, e, "has no length");
	return 0;
}

static int fn_abs(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	TRY(to_number(v, e, &a->v[0], out));
	out->number = fabs(out->number);
	return 0;
}

static int fn_min_max(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	struct value x, y;

	TRY(to_number(v, e, &a->v[0], &x));
	TRY(to_number(v, e, &a->v[1], &y));
	*out = (x.number < y.number) == sv_eq_c(e->name, "min") ? x : y;
	return 0;
}

static int fn_string(struct eval *v, const struct expr *e, const struct args *a, struct value *out)
{
	AUTO(str) text = { 0 };

	(void)e;
	*out = a->v[0];
	if (out->type == VALUE_TEXT)
		return 0;
	value_write(&a->v[0], &text);
	*out = value_text((struct sv){ doc_text(v->d, str_sv(&text)), text.n });
	return 0;
}

static const struct { const char *name; size_t args; int (*fn)(struct eval *, const struct expr *, const struct args *, struct value *); }
functions[] = {
	{ "asFloat", 1, fn_float }, { "float", 1, fn_float }, { "asInt", 1, fn_int }, { "int", 1, fn_int },
	{ "isNaN", 1, fn_is_nan }, { "isInf", 1, fn_is_inf }, { "isNil", 1, fn_is_nil }, { "default", 2, fn_default },
	{ "len", 1, fn_len }, { "abs", 1, fn_abs }, { "min", 2, fn_min_max }, { "max", 2, fn_min_max }, { "string", 1, fn_string },
};

/* Those with a condition on each item: how the count of true ones is the answer. */
static int over_items(struct eval *v, const struct expr *e, const struct value *list, struct value *out)
{
	const struct value *outer = v->item;
	struct value *kept = doc_alloc(v->d, (list->n + 1) * sizeof *kept), mapped;
	bool mapping = sv_eq_c(e->name, "map");
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		bool yes = true;

		v->item = &list->items[i];
		if (mapping)
			TRY(eval(v, e->args->next, &mapped));
		else
			TRY(eval_bool(v, e->args->next, &yes));
		if (yes)
			kept[n++] = mapping ? mapped : list->items[i];
	}
	v->item = outer;
	if (mapping || sv_eq_c(e->name, "filter"))
		*out = value_list(kept, n);
	else if (sv_eq_c(e->name, "count"))
		*out = value_number((double)n);
	else
		*out = boolean(sv_eq_c(e->name, "all") ? n == list->n : sv_eq_c(e->name, "any") ? n > 0 : sv_eq_c(e->name, "one") ? n == 1 : !n);
	return 0;
}

static bool takes_items(struct sv name)
{
	static const char *const names[] = { "all", "any", "none", "one", "filter", "map", "count" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (sv_eq_c(name, names[i]))
			return true;
	return false;
}

const char *expr_call_fault(struct sv name, size_t n)
{
	bool known = takes_items(name);

	if (known && n == 2)
		return NULL;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (sv_eq_c(name, functions[i].name)) {
			if (n == functions[i].args)
				return NULL;
			known = true;
		}
	return known ? "wrong number of arguments" : "unknown function";
}

static int call(struct eval *v, const struct expr *e, struct value *out)
{
	struct args a = { .n = 0 };

	if (takes_items(e->name)) {
		TRY(eval(v, e->args, &a.v[0]));
		return a.v[0].type == VALUE_LIST ? over_items(v, e, &a.v[0], out) : fail(v, e, "needs a list");
	}
	for (const struct expr *arg = e->args; arg && a.n < sizeof a.v / sizeof *a.v; arg = arg->next)
		TRY(eval(v, arg, &a.v[a.n++]));
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (sv_eq_c(e->name, functions[i].name))
			return functions[i].fn(v, e, &a, out);
	return fail(v, e, "unknown function");          /* the parser lets none through */
}

/* ---- the tree ---- */

static int index_of(struct eval *v, const struct expr *e, const struct value *a, const struct value *b,
		    struct value *out)
{
	double at = b->number;

	if (a->type == VALUE_MAP && b->type == VALUE_TEXT) {
		*out = member(v, a, b->text);
		return 0;
	}
	if (a->type != VALUE_LIST || b->type != VALUE_NUMBER)
		return fail(v, e, "cannot be indexed so");
	if (at < 0)
		at += (double)a->n;
	if (!(at >= 0 && at < (double)a->n))
		return fail(v, e, "index out of range");
	*out = a->items[(size_t)at];
	return 0;
}

static int binary(struct eval *v, const struct expr *e, struct value *out)
{
	struct value a = { 0 }, b = { 0 };
	bool yes = false;

	TRY(eval(v, e->a, &a));
	TRY(eval(v, e->b, &b));
	if (e->op == EXPR_INDEX)
		return index_of(v, e, &a, &b, out);
	if (e->op == EXPR_ADD && a.type == VALUE_TEXT && b.type == VALUE_TEXT) {
		*out = value_text(node_sv(node_strf(v->d, SV_FMT SV_FMT, SV_ARG(a.text), SV_ARG(b.text))));
		return 0;
	}
	if (e->op >= EXPR_ADD)
		return calculate(v, e, &a, &b, out);
	if (e->op == EXPR_EQ || e->op == EXPR_NE)
		yes = equal(&a, &b) == (e->op == EXPR_EQ);
	else if (e->op == EXPR_IN || e->op == EXPR_NOT_IN)
		TRY(is_in(v, e, &a, &b, &yes));
	else if (e->op >= EXPR_CONTAINS)
		TRY(test_text(v, e, &a, &b, &yes));
	else
		TRY(compare(v, e, &a, &b, &yes));
	*out = boolean(e->op == EXPR_NOT_IN ? !yes : yes);
	return 0;
}

static int list(struct eval *v, const struct expr *e, struct value *out)
{
	size_t n = 0;
	struct value *items;

	for (const struct expr *i = e->args; i; i = i->next)
		n++;
	items = doc_alloc(v->d, (n + 1) * sizeof *items);
	n = 0;
	for (const struct expr *i = e->args; i; i = i->next)
		TRY(eval(v, i, &items[n++]));
	*out = value_list(items, n);
	return 0;
}

static int unary(struct eval *v, const struct expr *e, struct value *out)
{
	bool yes;

	if (e->op == EXPR_NOT) {
		TRY(eval_bool(v, e->a, &yes));
		*out = boolean(!yes);
		return 0;
	}
	TRY(eval(v, e->a, out));
	if (e->op == EXPR_MEMBER) {
		if (out->type != VALUE_MAP)
			return fail(v, e, "has no members");
		*out = member(v, out, e->name);
		return 0;
	}
	if (out->type != VALUE_NUMBER)
		return fail(v, e, "'-' needs a number");
	out->number = -out->number;
	return 0;
}

static int logic(struct eval *v, const struct expr *e, struct value *out)
{
	bool yes;

	if (e->op == EXPR_ELSE_NIL) {
		TRY(eval(v, e->a, out));
		return out->type == VALUE_NIL ? eval(v, e->b, out) : 0;
	}
	TRY(eval_bool(v, e->a, &yes));
	if (e->op == EXPR_IF)
		return eval(v, yes ? e->b : e->c, out);
	if (yes == (e->op == EXPR_AND))
		TRY(eval_bool(v, e->b, &yes));
	*out = boolean(yes);
	return 0;
}

static int eval(struct eval *v, const struct expr *e, struct value *out)
{
	if (++v->work > WORK_LIMIT)
		return fail(v, e, "takes too long");
	switch (e->op) {
	case EXPR_LITERAL:
		*out = e->literal;
		return 0;
	case EXPR_RESULT:
		*out = *v->result;
		return 0;
	case EXPR_ITEM:
		if (!v->item)
			return fail(v, e, "'#' stands outside of a condition on items");
		*out = *v->item;
		return 0;
	case EXPR_LIST:
		return list(v, e, out);
	case EXPR_CALL:
		return call(v, e, out);
	case EXPR_MEMBER:
	case EXPR_NOT:
	case EXPR_NEGATE:
		return unary(v, e, out);
	case EXPR_IF:
	case EXPR_ELSE_NIL:
	case EXPR_OR:
	case EXPR_AND:
		return logic(v, e, out);
	default:
		return binary(v, e, out);
	}
}

int expr_test(const char *text, const struct value *result, bool *out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct eval v = { .text = text, .result = result, .d = d, .err = err };
	struct expr *e;

	TRY(expr_parse(text, d, &e, err));
	return eval_bool(&v, e, out);
}

int expr_check(const char *text, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct expr *e;

	return expr_parse(text, d, &e, err);
}
