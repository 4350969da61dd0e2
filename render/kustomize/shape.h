/* render/kustomize/shape.h - configuration read into C structs by tables of fields.
 *
 * Every struct that is read so starts with `const struct node *at`, the mapping that it came from. Texts borrow from the
 * document that is read; lists and structs live in the arena. What is absent or null stays zero. */
#pragma once

#include "base/doc.h"

enum shape_type {
	SHAPE_STR,              /* const char * */
	SHAPE_BOOL,             /* bool */
	SHAPE_INT,              /* int64_t */
	SHAPE_STRS,             /* struct strs */
	SHAPE_PAIRS,            /* struct pairs: a mapping of texts, in byte order of its keys */
	SHAPE_ONE,              /* struct T *: NULL when absent */
	SHAPE_MANY,             /* MANY(struct T) */
	SHAPE_NODE,             /* const struct node *: as it stands */
};

struct strs { const char **v; size_t n; };
struct pair { const char *key, *value; const struct node *at; };
struct pairs { struct pair *v; size_t n; };
#define MANY(T) struct { T *v; size_t n; }

struct shape;
struct shape_field { const char *name; enum shape_type type; size_t offset; const struct shape *of; };
struct shape { size_t size; const struct shape_field *fields; };         /* fields end with a NULL name */

enum shape_flags {
	SHAPE_STRICT = 1,       /* an unknown field is an error */
	SHAPE_LOOSE_TEXT = 2,   /* numbers and booleans are accepted where a text is wanted */
};

struct shape_source {
	struct doc *arena;      /* where structs and lists are made */
	const struct doc *doc;  /* where the nodes come from: for file and line */
	unsigned flags;
};

/* Fills *out (zeroed, shape->size bytes) from a mapping; null leaves it zero. path is the field that node stands at, "" for
 * the root. Errors are ERR_BAD_REQUEST "FILE:LINE: FIELD: what", with the near miss of an unknown field. */
MUST_CHECK int shape_read(const struct shape_source *from, const struct node *node, const char *path, const struct shape *shape,
			  void *out, struct err *err);

#define FIELD_OF(T, member, wire, kind)         { wire, SHAPE_##kind, offsetof(struct T, member), NULL }
#define FIELD_IN(T, member, wire, kind, shape)  { wire, SHAPE_##kind, offsetof(struct T, member), &(shape) }
