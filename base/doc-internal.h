/* base/doc-internal.h - the arena of a document, for the readers that fill it. */
#pragma once

#include "base/doc.h"
#include "base/map.h"
#include "base/vec.h"

/* One block of memory. Nodes and arrays grow from its start (lo), text from its end (hi): no padding between them. */
struct doc_chunk { struct doc_chunk *next; size_t size; };

struct doc {
	unsigned refs;
	uint16_t n_sources;
	struct node *root;
	char *lo, *hi;                  /* what is free in the newest chunk */
	struct doc_chunk *chunks;       /* newest first; the oldest one holds this struct */
	const char **sources;           /* in the arena; number 1 is sources[0] */
	size_t bytes, grow;             /* memory held; least size of the next chunk */
};

struct doc *doc_new_sized(size_t bytes);                        /* with room for about that much */
void *doc_raw_slow(struct doc *d, size_t n);
char *doc_chars_slow(struct doc *d, size_t n);
int member_cmp(const void *a, const void *b);                   /* struct member by key, for qsort */

/* Aligned and not zeroed. */
static inline void *doc_raw(struct doc *d, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	if ((size_t)(d->hi - d->lo) < n)
		return doc_raw_slow(d, n);
	void *p = d->lo;
	d->lo += n;
	return p;
}

/* n bytes for text, not aligned, not zeroed. */
static inline char *doc_chars(struct doc *d, size_t n)
{
	if ((size_t)(d->hi - d->lo) < n)
		return doc_chars_slow(d, n);
	return d->hi -= n;
}

/* What a reader has found of the maps and lists that are still open, innermost last. { 0 } is empty. */
struct doc_stack { VEC(struct node *) items; VEC(struct member) members; };

/* The member with this key since `from`, or NULL. seen: a table of the caller's for this map, filled when there are many. */
struct member *stack_find(const struct doc_stack *s, size_t from, struct sv key, struct map *seen);
void stack_close_map(struct doc_stack *s, struct doc *d, struct node *map, size_t from);        /* the members since `from` are its */
void stack_close_seq(struct doc_stack *s, struct doc *d, struct node *seq, size_t from);
void stack_free(struct doc_stack *s);
