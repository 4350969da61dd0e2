/* base/http/h1-parse.h - HTTP/1.1 as RFC 9112 has it, strictly: what two parsers could read in two ways is refused.
 *
 * Pure: bytes in, views of the same bytes out. Results below 0 are the status of the answer, negated. */
#pragma once

#include "base/str.h"
#include "base/vec.h"

#define H1_HEAD_MAX ((size_t)32 << 10)  /* request line and fields together */
#define H1_FIELDS_MAX 128

struct h1_field { struct sv name, value; };

struct h1_head {
	struct sv method, path, query, host;    /* path starts with `/` or is "*"; host as the request names it, or empty */
	int minor;                              /* HTTP/1.x */
	VEC(struct h1_field) fields;
	int64_t content_length;                 /* -1: none */
	bool chunked, keep_alive, expects_continue;
	const char *why;                        /* of a refusal */
};

/* Where the head ends: its length with the empty line, 0: more bytes are needed, or -400 (a line without CR), -431.
 * *scanned keeps what was looked at already; 0 for a new head. */
int h1_head_end(struct sv in, size_t *scanned, const char **why);

/* A complete head, as found by h1_head_end(). Returns 0, or -400, -417, -501, -505 with h->why. h1_head_free() always. */
int h1_head_parse(struct sv in, struct h1_head *h);
void h1_head_free(struct h1_head *h);

/* A chunked body, piece by piece. { 0 } is its beginning. */
struct h1_chunks { unsigned state; uint64_t left; size_t line, trailer; };

enum { H1_CHUNK_MORE, H1_CHUNK_DATA, H1_CHUNK_END };
/* Takes bytes off *in. H1_CHUNK_DATA: *data is a piece of the body; MORE: *in is used up; END: the body is complete and
 * *in begins with what follows it; -400. */
int h1_chunks_next(struct h1_chunks *c, struct sv *in, struct sv *data);
