/* kube/cel/cel-internal.h - the tree of an expression, between parser, checker and evaluator. */
#pragma once

#include "base/regex.h"
#include "kube/cel/cel.h"

#define CEL_DEPTH 150	/* of a tree: bounds the stack of what walks it */
#define CEL_NESTING 100 /* of brackets: bounds the stack of the parser */
#define CEL_ARGS 16	/* of one call */
#define CEL_HEAP ((size_t)64 << 20)

enum cel_op {
	CEL_LITERAL,
	CEL_VARIABLE,
	CEL_BOUND, /* slot: which variable; how many scopes up */
	CEL_SELECT,
	CEL_HAS,  /* target.name */
	CEL_CALL, /* rows */
	CEL_AND,
	CEL_OR,
	CEL_IF,
	CEL_INDEX,
	CEL_OPT_INDEX,
	CEL_MAKE_LIST,
	CEL_MAKE_MAP, /* args; keys and values in turns */
	CEL_FOLD,
	CEL_BIND,
	CEL_OPT_MAP,
	CEL_OPT_FLAT_MAP,
};

enum cel_fold {
	CEL_ALL,
	CEL_EXISTS,
	CEL_EXISTS_ONE,
	CEL_MAP_EACH,
	CEL_FILTER,
	CEL_TRANSFORM_LIST,
	CEL_TRANSFORM_MAP,
	CEL_TRANSFORM_ENTRY
};

struct cel_expr {
	uint8_t op, fold, depth;
	bool optional, may_be_none; /* .?name; an element of a list or map that is left out then */
	bool condition;		    /* of a fold: args[0] is which elements count, args[1] what becomes of them */
	bool absolute;		    /* .name: not one that a fold binds */
	bool member;		    /* of a call, until it is checked: target is the receiver */
	uint32_t at, n_args, slot, n_rows;
	struct sv name, second; /* field, function, variable; the second variable of a fold */
	struct cel_value literal;
	struct cel_expr *target, *args, *last, *next;
	const struct cel_overload *rows;
};

/* ---- the lexer ---- */
enum cel_token { CEL_END, CEL_WORD, CEL_QUOTED_WORD, CEL_NUMBER, CEL_TEXT, CEL_SIGN, CEL_BAD };

struct cel_lexer {
	struct doc *d;
	const char *text, *p;
	enum cel_token token;
	uint32_t at;		  /* of the token */
	struct sv word;		  /* its text */
	struct cel_value literal; /* of a number or a text */
	const char *mistake;
};

void cel_lex(struct cel_lexer *l); /* the next token */
bool cel_is_reserved(struct sv word);

/* "ERROR: <input>:1:5: what" with the line and a mark below it, one after the other. */
void cel_mark(struct str *out, const char *text, uint32_t at, const char *fmt, ...) PRINTF(4, 5);

MUST_CHECK int cel_parse(struct doc *d, const char *text, struct cel_expr **out, struct err *err);
/* What a call may be besides a function: a macro. true: *e was replaced. -1: *why says what is wrong with it. */
int cel_expand(struct cel_expr *e, const char **why);
MUST_CHECK int cel_check(struct doc *d, const struct cel_env *env, const char *text, struct cel_expr *root,
			 const struct cel_type **type, struct err *err);

/* ---- functions ---- */
extern const struct cel_library cel_operators, cel_arithmetic, cel_conversions, cel_texts, cel_lists, cel_times,
	cel_networks, cel_quantities, cel_urls, cel_optionals, cel_formats, cel_patterns;
cel_fn cel_list_index_of, cel_list_last_index_of, cel_text_format; /* rows of these names stand with those of texts */
/* All rows of a name: they stand together. NULL: unknown. */
const struct cel_overload *cel_overloads(const struct cel_library *own, struct sv name, uint32_t *n);
const char *cel_sig_skip(const char *sig); /* behind one type */
enum cel_kind cel_sig_kind(char letter);   /* CEL_DYN: any */

/* ---- evaluation ---- */
struct cel_eval {
	struct doc *d;
	const struct cel_value *values;
	int64_t cost;
	bool spent;
	struct {
		struct sv pattern;
		struct regex regex;
	} patterns[4];
	unsigned n_patterns;
};

struct cel_value cel_fail(struct cel_eval *e, const char *fmt, ...) PRINTF(2, 3);
bool cel_spend(struct cel_eval *e, size_t cost);       /* false: there is nothing left */
bool cel_spend_text(struct cel_eval *e, size_t bytes); /* a tenth of a byte each */
const struct regex *cel_regex(struct cel_eval *e, struct sv pattern, struct cel_value *error);

size_t cel_size(const struct cel_value *v); /* of a list or a map */
struct cel_value cel_item(struct doc *d, const struct cel_value *list, size_t i);
struct cel_value cel_key(const struct cel_value *map, size_t i);
struct cel_value cel_value_at(struct doc *d, const struct cel_value *map, size_t i);
bool cel_find(struct doc *d, const struct cel_value *map, const struct cel_value *key, struct cel_value *out);
bool cel_member(struct doc *d, const struct cel_value *map, struct sv name, struct cel_value *out);
struct cel_value cel_make_list(struct doc *d, size_t n); /* items are to be filled in */
struct cel_value cel_some(struct doc *d, struct cel_value v);
struct cel_value cel_none(void);
/* -1, 0, 1; *ok false: they have no order (2 with NaN) */
int cel_compare(const struct cel_value *a, const struct cel_value *b, bool *ok);
bool cel_number_equal(const struct cel_value *a, const struct cel_value *b);
struct cel_value cel_text(struct cel_eval *e, const struct str *s); /* a string copied into the document */

typedef __int128 cel_wide __attribute__((aligned(8))); /* a quantity, in billionths */
struct cel_value cel_quantity(struct cel_eval *e, cel_wide billionths);
bool cel_is_url(struct sv text);
bool cel_parse_ip(struct sv text, struct str *canonical);

bool cel_parse_time(struct sv text, int64_t *s, int32_t *nanos);
bool cel_parse_duration(struct sv text, int64_t *nanos);
void cel_write_time(struct str *out, int64_t s, int32_t nanos);
void cel_write_duration(struct str *out, int64_t nanos);
void cel_write_double(struct str *out, double d);
size_t cel_characters(struct sv s);
