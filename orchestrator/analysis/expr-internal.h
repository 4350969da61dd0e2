/* orchestrator/analysis/expr-internal.h - the tree of an expression, between its parser and its evaluator. */
#pragma once

#include "orchestrator/analysis/expr.h"

#define EXPR_DEPTH 64           /* of nesting: bounds the stack of parser and evaluator */

enum expr_op {
	EXPR_LITERAL, EXPR_RESULT, EXPR_ITEM,   /* EXPR_ITEM: # */
	EXPR_LIST,                              /* args */
	EXPR_INDEX, EXPR_MEMBER,                /* a[b], a.name */
	EXPR_CALL,                              /* name(args) */
	EXPR_NOT, EXPR_NEGATE,
	EXPR_IF, EXPR_ELSE_NIL, EXPR_OR, EXPR_AND,
	EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE, EXPR_IN, EXPR_NOT_IN,
	EXPR_CONTAINS, EXPR_STARTS, EXPR_ENDS, EXPR_MATCHES,
	EXPR_ADD, EXPR_SUB, EXPR_MUL, EXPR_DIV, EXPR_MOD,
};

struct expr {
	enum expr_op op;
	size_t at;                      /* offset in the text, for messages */
	struct value literal;
	struct sv name;
	struct expr *a, *b, *c;
	struct expr *args, *next;       /* of a call or list, in order */
};

/* NULL: there is a function of this name that takes n arguments; else what is wrong. */
const char *expr_call_fault(struct sv name, size_t n);
/* The tree lives in d. */
MUST_CHECK int expr_parse(const char *text, struct doc *d, struct expr **out, struct err *err);
