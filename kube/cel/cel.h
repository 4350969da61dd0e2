/* kube/cel/cel.h - the Common Expression Language with Kubernetes' libraries. Pure.
 *
 * An expression is compiled once, against the types of its variables, and evaluated often. Values borrow: from the
 * objects that they are bound to, from the compiled program, and from the document that an evaluation builds in.
 * Rules: https://github.com/google/cel-spec and https://kubernetes.io/docs/reference/using-api/cel/. */
#pragma once

#include "base/doc.h"

enum cel_kind {
	CEL_ERROR,
	CEL_DYN,
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,
	CEL_BYTES,
	CEL_TIMESTAMP,
	CEL_DURATION,
	CEL_LIST,
	CEL_MAP,
	CEL_TYPE,
	CEL_OPTIONAL,
	CEL_QUANTITY,
	CEL_URL,
	CEL_IP,
	CEL_CIDR,
	CEL_FORMAT,
	CEL_OBJECT, /* only of types: a map whose members are declared; its values are CEL_MAP */
	CEL_HOST,   /* an object of who evaluates, with functions of its own: see struct cel_library */
	CEL_KINDS
};

/* ---- types ---- */

struct cel_field {
	struct sv name, json;
	const struct cel_type *type;
}; /* name: json, escaped for expressions */

enum cel_list_type { CEL_ATOMIC, CEL_SET, CEL_KEYED };

struct cel_type {
	uint8_t kind, list_type;	 /* enum cel_kind, enum cel_list_type */
	const char *name;		 /* of an object or a host; NULL: the kind's */
	const struct cel_type *key, *of; /* map: both; list, optional and type: of. NULL is dyn */
	const struct cel_field *fields;	 /* of an object */
	size_t n_fields;
	const struct node *keys; /* of a keyed list */
};

extern const struct cel_type cel_types[CEL_KINDS];		/* one without parameters for each kind */
void cel_type_write(struct str *out, const struct cel_type *t); /* "list(int)"; NULL: "dyn" */
/* The type that a structural schema declares, made in d; NULL: it declares none, and expressions do not see the value.
 * whole: an object of the API, with kind, apiVersion and metadata. */
const struct cel_type *cel_type_of_schema(struct doc *d, const struct node *schema, bool whole);
/* A property's name as expressions write it: "__dot__" for a point, "__in__" for a reserved word. false: it has none.
 */
bool cel_escape(struct str *out, struct sv name);

/* ---- values ---- */

enum cel_form { CEL_NATIVE, CEL_TREE, CEL_LAZY }; /* of lists and maps */

struct cel_value {
	uint8_t kind, form; /* enum cel_kind, enum cel_form */
	int32_t nanos;	    /* of a timestamp */
	union {
		bool b;
		int64_t i; /* also nanoseconds of a duration, seconds of a timestamp */
		uint64_t u;
		double d;
		struct sv s; /* strings, bytes, the text of an error */
		const struct cel_list *list;
		const struct cel_map *map;
		struct {
			const struct node *node;
			const struct cel_type *shape;
		};		       /* form tree */
		struct cel_lazy *lazy; /* a map whose members are made when they are asked for */
		const struct cel_type *type;
		const struct cel_value *some; /* optional; NULL: none */
		const void *opaque;
		struct {
			void *host;
			const char *host_name;
		};
	};
};

struct cel_list {
	size_t n;
	struct cel_value *items;
};
struct cel_entry {
	struct cel_value key, value;
};
struct cel_map {
	size_t n;
	struct cel_entry *entries;
};
struct cel_lazy {
	void (*get)(struct cel_lazy *self, struct doc *d, struct sv name, struct cel_value *out);
};

static inline struct cel_value cel_null(void) { return (struct cel_value){ .kind = CEL_NULL }; }
static inline struct cel_value cel_bool(bool b) { return (struct cel_value){ .kind = CEL_BOOL, .b = b }; }
static inline struct cel_value cel_int(int64_t i) { return (struct cel_value){ .kind = CEL_INT, .i = i }; }
static inline struct cel_value cel_string(struct sv s) { return (struct cel_value){ .kind = CEL_STRING, .s = s }; }
/* A value of an object; d: where times and bytes are made. NULL is null. */
struct cel_value cel_of_node(struct doc *d, const struct node *n, const struct cel_type *t);
struct node *cel_to_node(struct doc *d, const struct cel_value *v); /* as JSON; NULL: has no form there */
struct cel_value cel_errorf(struct doc *d, const char *fmt, ...) PRINTF(2, 3);
bool cel_equal(const struct cel_value *a, const struct cel_value *b);
void cel_type_of(struct str *out, const struct cel_value *v); /* the name of its type */

/* ---- functions of who evaluates ---- */

struct cel_eval;
struct doc *cel_memory(struct cel_eval *e); /* where an evaluation builds */
typedef struct cel_value cel_fn(struct cel_eval *e, const struct cel_value *args, size_t n);

/* sig: types of arguments and the result: "s.s>b" is a member of a string that takes a string. A letter is a type: b
 * bool, i int, u uint, d double, s string, y bytes, t timestamp, D duration, n null, T type, * any, A and B any but one
 * and the same, Lx list, Mxy map, Ox optional, Q quantity, U url, P ip, C cidr, F format, and an H with a digit a
 * host's. */
struct cel_overload {
	const char *name, *sig;
	cel_fn *fn;
};
struct cel_library {
	const struct cel_overload *rows;
	size_t n;
	const char *const *hosts;
}; /* hosts[0] is H0 */

/* ---- programs ---- */

struct cel_variable {
	const char *name;
	const struct cel_type *type;
}; /* type NULL: dyn */
struct cel_env {
	const struct cel_variable *variables;
	size_t n;
	const struct cel_library *library;
};

struct cel_program {
	const char *text;
	const struct cel_expr *root;
	const struct cel_type *type; /* of the result; NULL: dyn */
};

enum { CEL_TEXT_MAX = 64 << 10, CEL_CALL_COST = 1000000, CEL_TOTAL_COST = 10000000 };

/* The program lives in d. ERR_INVALID: "ERROR: <input>:1:5: undefined field 'x'" with the line and a mark below it. */
MUST_CHECK int cel_compile(struct doc *d, const struct cel_env *env, const char *text, struct cel_program **out,
			   struct err *err);
bool cel_uses(const struct cel_program *p, const char *variable);

/* values: one for each variable of the environment. *cost loses what the evaluation takes. Errors: ERR_INVALID with the
 * expression's own error, ERR_TOO_LARGE when the cost does not suffice. Results live in d. */
MUST_CHECK int cel_run(const struct cel_program *p, struct doc *d, const struct cel_value *values, int64_t *cost,
		       struct cel_value *out, struct err *err);
