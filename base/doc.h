/* base/doc.h - the document model of manifests: a tree of nodes in one arena.
 *
 * A document is built by one owner (struct node *), then shared and never changed again (const struct node *): doc_ref()
 * counts, doc_drop() frees everything in one go. Counting is not atomic: a document belongs to one thread at a time.
 * Numbers keep the text that they were written with, mappings keep their order, and each node knows the file and the
 * line that it came from. Strings are NUL-terminated and may also hold NULs: n is the truth. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

enum node_type { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STR, NODE_SEQ, NODE_MAP };

struct member;

struct node {
	uint8_t type;                   /* enum node_type */
	uint8_t flags;                  /* NODE_* below */
	uint16_t source;                /* which of the document's sources; 0: none */
	uint32_t line;                  /* 1-based; 0: not read from a file */
	uint32_t n;                     /* bytes of text, items, or members */
	uint32_t cap;
	union {
		bool b;
		const char *text;       /* STR; INT and FLOAT: the number as it was written, in JSON's grammar */
		struct node **items;
		struct member *members;
	};
};

#define NODE_QUOTED 1                   /* a string that was quoted, or a block, in its source */
#define NODE_TYPED 2                    /* a number given on the command line, which keeps its type in templates */
#define NODE_BLANK 4                    /* a null that was written as nothing at all */
#define NODE_TIME 128                   /* a string that is a time, as it was written: see yaml_settle() */
/* Kept only by YAML_STYLES: */
#define NODE_FLOW 8                     /* a list or a mapping in brackets */
#define NODE_DOUBLE 16                  /* a string in double quotes */
#define NODE_SINGLE 32                  /* in single quotes */
#define NODE_LITERAL 64                 /* a block of lines */

/* No reader makes a deeper tree, so recursion over documents is bounded: what walks them keeps its frames small. */
#define DOC_DEPTH_MAX 256

struct member { const char *key; uint32_t key_n; uint32_t line; struct node *value; };

struct doc;

/* ---- lifetime ---- */
struct doc *doc_new(void);                                      /* one reference, no root */
struct doc *doc_ref(struct doc *d);
void doc_drop(struct doc **d);                                  /* sets *d to NULL; NULL is fine */
struct node *doc_root(const struct doc *d);                     /* NULL: empty */
void doc_set_root(struct doc *d, struct node *root);
struct doc *doc_of(const struct node *root);                    /* a new document holding a deep copy, without sources */
struct doc *doc_copy(const struct doc *from);                   /* a deep copy with its sources, to be changed */
size_t doc_bytes(const struct doc *d);                          /* memory held by the arena */
void *doc_alloc(struct doc *d, size_t n);                       /* zeroed, aligned, lives as long as the document */
const char *doc_text(struct doc *d, struct sv s);               /* a copy in the arena, NUL-terminated */
uint16_t doc_source(struct doc *d, const char *file);           /* the number for nodes that come from this file */
const char *doc_source_name(const struct doc *d, uint16_t source);      /* "" for 0 */

/* ---- building: every node is in d's arena; n that is handed in must be too ---- */
struct node *node_null(struct doc *d);
struct node *node_bool(struct doc *d, bool b);
struct node *node_int(struct doc *d, int64_t v);
struct node *node_float(struct doc *d, double v);               /* Go's shortest form; whole numbers become INT */
struct node *node_number(struct doc *d, struct sv text);        /* INT or FLOAT from JSON number text, kept exactly */
struct node *node_str(struct doc *d, const char *s);            /* NULL gives a null node */
struct node *node_strn(struct doc *d, struct sv s);
struct node *node_strf(struct doc *d, const char *fmt, ...) PRINTF(2, 3);
struct node *node_seq(struct doc *d);
struct node *node_map(struct doc *d);
struct node *node_copy(struct doc *d, const struct node *n);    /* deep; source numbers stay: right inside one document */
struct node *node_import(struct doc *d, const struct doc *from, const struct node *n);  /* deep, from another one, with its sources */

struct node *node_empty(struct doc *d, const struct node *like);        /* an empty map or list from the same place */

/* Changing a node that is not a list, or not a map, does nothing: input decides what is where. */
void node_add(struct doc *d, struct node *seq, struct node *item);
void node_insert(struct doc *d, struct node *seq, size_t at, struct node *item);
void node_remove(struct node *seq, size_t at);
void node_set(struct doc *d, struct node *map, const char *key, struct node *value);    /* replaces in place, or appends */
void node_setn(struct doc *d, struct node *map, struct sv key, struct node *value);
void node_append(struct doc *d, struct node *map, struct sv key, struct node *value);   /* for a key that is not there yet */
bool node_del(struct node *map, const char *key);               /* false: was not there */
bool node_deln(struct node *map, struct sv key);
/* Sets the value at a path of map keys, making maps on the way: node_put(d, root, "spec.replicas", node_int(d, 3)). */
void node_put(struct doc *d, struct node *map, const char *path, struct node *value);
struct node *node_map_at(struct doc *d, struct node *map, const char *path);    /* the map at path, made when absent */
struct node *node_seq_at(struct doc *d, struct node *map, const char *path);    /* the sequence at path, made when absent */
void node_sort_keys(struct node *n);                            /* recursively, byte order */

/* ---- reading: every function takes NULL, and NULL means absent ---- */
struct node *node_get(const struct node *map, const char *key); /* NULL: absent, or not a map */
struct node *node_getn(const struct node *map, struct sv key);
struct node *node_item(const struct node *seq, size_t i);
struct node *node_at(const struct node *n, const char *path);   /* "spec.containers.0.image": keys and indexes, no dots in keys */
const char *node_text(const struct node *n);                    /* text of a STR; NULL for every other type */
struct sv node_sv(const struct node *n);                        /* text of a STR, INT, FLOAT or BOOL; else empty */
const char *node_str_at(const struct node *n, const char *path);        /* NULL: absent, or not a string */
const char *node_str_or(const struct node *n, const char *path, const char *def);
int64_t node_int_at(const struct node *n, const char *path, int64_t def);
bool node_bool_at(const struct node *n, const char *path, bool def);
bool node_to_i64(const struct node *n, int64_t *out);           /* false: not a whole number in range */
bool node_to_double(const struct node *n, double *out);
size_t float_go_g(double v, char out[static 40]);               /* Go's shortest 'g': "1e+06", "0.1"; v is finite */
bool node_eq(const struct node *a, const struct node *b);       /* deep; mappings without regard to order; 1 equals 1.0 */
bool node_is_empty(const struct node *n);                       /* NULL, null, "", [], {} */
static inline size_t node_n(const struct node *n) { return n && (n->type == NODE_SEQ || n->type == NODE_MAP) ? n->n : 0; }
static inline bool node_is(const struct node *n, enum node_type t) { return n && n->type == t; }
const char *node_type_name(const struct node *n);               /* "string", "integer", "number", "boolean", "array", "object", "null" */

/* struct node *it; size_t i_;   node_each(it, seq) ...        struct member *m; node_members(m, map) ... */
#define node_each(it, seq) \
	for (size_t i_ = 0; node_is((seq), NODE_SEQ) && i_ < (seq)->n && ((it) = (seq)->items[i_], 1); i_++)
#define node_members(m, map) \
	for ((m) = node_is((map), NODE_MAP) ? (map)->members : NULL; (m) && (m) < (map)->members + (map)->n; (m)++)

/* "deploy.yaml:12" for messages; "" when the node was not read from a file. Valid until the next call with the same buf. */
const char *node_where(const struct doc *d, const struct node *n, char buf[static 256]);

#define AUTO_DOC __attribute__((cleanup(doc_drop))) struct doc *        /* AUTO_DOC d = NULL; */
