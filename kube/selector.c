#include "kube/selector.h"
#include "base/vec.h"

#include <stdlib.h>

enum op { OP_EQ, OP_NE, OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT, OP_GT, OP_LT };

struct term { char *key; enum op op; VEC(char *) values; };

struct selector { VEC(struct term) terms; bool nothing; };

static struct selector *make(void)
{
	struct selector *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	return s;
}

static struct term *add_term(struct selector *s, struct sv key, enum op op)
{
	vec_push(&s->terms, ((struct term){ .key = sv_dup(key), .op = op }));
	return &s->terms.v[s->terms.n - 1];
}

static void add_value(struct term *t, struct sv value) { vec_push(&t->values, sv_dup(value)); }

void selector_free(struct selector **sp)
{
	struct selector *s = TAKE(*sp);
	struct term *t;

	if (!s)
		return;
	vec_each(t, &s->terms) {
		for (size_t i = 0; i < t->values.n; i++)
			free(t->values.v[i]);
		vec_free(&t->values);
		free(t->key);
	}
	vec_free(&s->terms);
	free(s);
}

/* ---- matching ---- */

static bool has_value(const struct term *t, const char *v)
{
	for (size_t i = 0; i < t->values.n; i++)
		if (str_eq(t->values.v[i], v))
			return true;
	return false;
}

static bool greater(const char *value, const char *than)
{
	int64_t a, b;

	return value && sv_to_i64(sv_c(value), &a) && sv_to_i64(sv_c(than), &b) && a > b;
}

static bool term_matches(const struct term *t, const char *v)
{
	switch (t->op) {
	case OP_EQ:
	case OP_IN:
		return v && has_value(t, v);
	case OP_NE:
	case OP_NOT_IN:
		return !v || !has_value(t, v);
	case OP_EXISTS:
		return v != NULL;
	case OP_ABSENT:
		return !v;
	case OP_GT:
		return greater(v, t->values.v[0]);
	default:
		return v && greater(t->values.v[0], v);
	}
}

bool selector_nothing(const struct selector *s) { return s && s->nothing; }

bool selector_matches(const struct selector *s, const struct node *labels)
{
	if (!s)
		return true;
	for (size_t i = 0; i < s->terms.n; i++)
		if (!term_matches(&s->terms.v[i], node_text(node_get(labels, s->terms.v[i].key))))
			return false;
	return !s->nothing;
}

/* ---- as query text ---- */

struct lexer { struct sv rest; const char *text; struct err *err; };

static int fail(const struct lexer *l, const char *what)
{
	return err_set(l->err, ERR_BAD_REQUEST, "unable to parse requirement: %s in selector \"%s\"", what, l->text);
}

static void skip_space(struct lexer *l)
{
	while (l->rest.n && strchr(" \t\r\n", *l->rest.p))
		l->rest = sv_drop(l->rest, 1);
}

static bool accept(struct lexer *l, const char *token)
{
	skip_space(l);
	if (!sv_starts(l->rest, sv_c(token)))
		return false;
	l->rest = sv_drop(l->rest, strlen(token));
	return true;
}

static struct sv word(struct lexer *l)
{
	struct sv w = { 0 };

	skip_space(l);
	w.p = l->rest.p;
	while (w.n < l->rest.n && l->rest.p[w.n] && !strchr(" \t\r\n,()=!<>", l->rest.p[w.n]))
		w.n++;
	l->rest = sv_drop(l->rest, w.n);
	return w;
}

static bool part_ok(struct sv s, const char *also)
{
	if (!s.n || s.n > 63)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool alnum = (s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z');

		if (!alnum && (i == 0 || i == s.n - 1 || !s.p[i] || !strchr(also, s.p[i])))
			return false;
	}
	return true;
}

static int check_key(const struct lexer *l, struct sv key)
{
	struct sv prefix, name;

	if (!key.n)
		return fail(l, "a label key is missing");
	if (!sv_cut_last(key, '/', &prefix, &name))
		name = key, prefix = SV("");
	if (!part_ok(name, "-_.") || prefix.n > 253 || (prefix.n && strchr("-.", *prefix.p)))
		return fail(l, "the label key is not valid (name part of letters, digits, '-', '_' and '.', at most 63)");
	return 0;
}

static int check_value(const struct lexer *l, struct sv v)
{
	return !v.n || part_ok(v, "-_.") ? 0 : fail(l, "a label value is not valid");
}

/* "(a,b)" */
static int value_set(struct lexer *l, struct term *t)
{
	if (!accept(l, "("))
		return fail(l, "'(' expected after in or notin");
	do {
		struct sv v = word(l);

		TRY(check_value(l, v));
		add_value(t, v);
	} while (accept(l, ","));
	return accept(l, ")") ? 0 : fail(l, "',' or ')' expected");
}

static int one_value(struct lexer *l, struct term *t)
{
	struct sv v = word(l);
	int64_t number;

	if ((t->op == OP_GT || t->op == OP_LT) && !sv_to_i64(v, &number))
		return fail(l, "for '>' and '<' the value must be an integer");
	TRY(check_value(l, v));
	add_value(t, v);
	return 0;
}

static const struct { const char *token; enum op op; } ops[] = {
	{ "!=", OP_NE }, { "==", OP_EQ }, { "=", OP_EQ }, { ">", OP_GT }, { "<", OP_LT },
};

static int requirement(struct lexer *l, struct selector *s)
{
	bool absent = accept(l, "!");
	struct sv key = word(l);

	TRY(check_key(l, key));
	skip_space(l);
	if (absent || !l->rest.n || *l->rest.p == ',') {
		add_term(s, key, absent ? OP_ABSENT : OP_EXISTS);
		return 0;
	}
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (accept(l, ops[i].token))
			return one_value(l, add_term(s, key, ops[i].op));
	struct sv w = word(l);
	if (!sv_eq_c(w, "in") && !sv_eq_c(w, "notin"))
		return fail(l, "an operator is expected: = == != in notin > <");
	return value_set(l, add_term(s, key, sv_eq_c(w, "in") ? OP_IN : OP_NOT_IN));
}

#define AUTO_SELECTOR __attribute__((cleanup(selector_free))) struct selector *

int selector_parse(const char *text, struct selector **out, struct err *err)
{
	struct lexer l = { sv_c(text), text, err };
	AUTO_SELECTOR s = make();

	*out = NULL;
	skip_space(&l);
	if (!l.rest.n)
		return 0;
	do
		TRY(requirement(&l, s));
	while (accept(&l, ","));
	skip_space(&l);
	if (l.rest.n)
		return fail(&l, "',' or the end is expected");
	*out = TAKE(s);
	return 0;
}

static const char *op_text(enum op op)
{
	static const char *const texts[] = {
		[OP_EQ] = "=", [OP_NE] = "!=", [OP_IN] = " in ", [OP_NOT_IN] = " notin ", [OP_GT] = ">", [OP_LT] = "<",
	};

	return texts[op];
}

static void write_term(const struct term *t, struct str *out)
{
	bool set = t->op == OP_IN || t->op == OP_NOT_IN;

	if (t->op == OP_ABSENT)
		str_add1(out, '!');
	str_addc(out, t->key);
	if (t->op == OP_EXISTS || t->op == OP_ABSENT)
		return;
	str_addc(out, op_text(t->op));
	str_addc(out, set ? "(" : "");
	for (size_t i = 0; i < t->values.n; i++)
		str_addf(out, "%s%s", i ? "," : "", t->values.v[i]);
	str_addc(out, set ? ")" : "");
}

void selector_write(const struct selector *s, struct str *out)
{
	for (size_t i = 0; s && i < s->terms.n; i++) {
		str_addc(out, i ? "," : "");
		write_term(&s->terms.v[i], out);
	}
}

/* ---- as it stands in objects ---- */

static const struct { const char *name; enum op op; bool values; } expression_ops[] = {
	{ "In", OP_IN, true }, { "NotIn", OP_NOT_IN, true }, { "Exists", OP_EXISTS, false }, { "DoesNotExist", OP_ABSENT, false },
	{ "Gt", OP_GT, true }, { "Lt", OP_LT, true },
};

static int expression(struct selector *s, const struct node *e, struct err *err)
{
	const char *key = node_str_at(e, "key"), *op = node_str_or(e, "operator", "");
	const struct node *values = node_get(e, "values");
	struct node *it;

	if (!key)
		return err_set(err, ERR_INVALID, "matchExpressions: key is required");
	for (size_t i = 0; i < sizeof expression_ops / sizeof *expression_ops; i++) {
		if (strcmp(expression_ops[i].name, op) != 0)
			continue;
		if (expression_ops[i].values != (node_n(values) > 0))
			return err_set(err, ERR_INVALID, "matchExpressions: operator %s of key %s %s values", op, key,
				       expression_ops[i].values ? "wants" : "takes no");
		struct term *t = add_term(s, sv_c(key), expression_ops[i].op);

		node_each(it, values)
			add_value(t, node_sv(it));
		return 0;
	}
	return err_set(err, ERR_INVALID, "matchExpressions: operator \"%s\" of key %s is not one of In, NotIn, Exists, DoesNotExist",
		       op, key);
}

static void add_pairs(struct selector *s, const struct node *labels)
{
	struct member *m;

	node_members(m, labels)
		add_value(add_term(s, (struct sv){ m->key, m->key_n }, OP_EQ), node_sv(m->value));
}

int selector_of(const struct node *label_selector, struct selector **out, struct err *err)
{
	AUTO_SELECTOR s = make();
	struct node *it;

	*out = NULL;
	s->nothing = !node_is(label_selector, NODE_MAP);
	add_pairs(s, node_get(label_selector, "matchLabels"));
	node_each(it, node_get(label_selector, "matchExpressions"))
		TRY(expression(s, it, err));
	*out = TAKE(s);
	return 0;
}

struct selector *selector_of_map(const struct node *labels)
{
	struct selector *s = make();

	s->nothing = !node_n(labels);
	add_pairs(s, labels);
	return s;
}
