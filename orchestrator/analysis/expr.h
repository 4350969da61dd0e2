/* orchestrator/analysis/expr.h - the conditions of metrics: a subset of the expressions of Argo Rollouts. Pure.
 *
 *   result[0] >= 0.95 && len(result) > 0          all(result, # < 500)        asFloat(result.data.rate) < 0.01
 *   result in ["ok", "green"]                     default(result, 0) == 0     isNil(result) ? true : result > 3
 *
 * Values: nil, true and false, numbers, text, lists, maps. Operators: ?: ?? || or && and == != < <= > >= in, not in, contains,
 * startsWith, endsWith, matches, + - * / %, ! not -. Functions: asInt asFloat isNaN isInf isNil default len abs min max
 * int float string, and with a condition on each item `#`: all any none one filter map count. Everything else
 * is an error, of which a measurement becomes an Error and never a success. */
#pragma once

#include "base/doc.h"

enum value_type { VALUE_NIL, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_LIST, VALUE_MAP };

struct value {                          /* { 0 } is nil; what it points to lives as long as the document it was made in */
	enum value_type type;
	bool b;
	double number;
	struct sv text;
	const struct value *items;      /* of a list */
	size_t n;
	const struct node *map;
};

struct value value_of_node(struct doc *d, const struct node *n);
struct value value_number(double number);
struct value value_text(struct sv text);
struct value value_list(const struct value *items, size_t n);
void value_write(const struct value *v, struct str *out);       /* as it is shown in a measurement: JSON, numbers as Go writes them */

/* Evaluates a condition with `result` bound; it must be true or false. ERR_BAD_REQUEST names the place of a mistake. */
MUST_CHECK int expr_test(const char *text, const struct value *result, bool *out, struct err *err);
MUST_CHECK int expr_check(const char *text, struct err *err);   /* only the grammar */
