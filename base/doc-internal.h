/* base/doc-internal.h - the arena of a document, for the readers that fill it. */
#pragma once

#include "base/doc.h"

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
