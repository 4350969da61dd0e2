/* base/spdy-frame.h - the frames of SPDY/3.1: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 *
 * Pure: bytes in, frames out, in pieces of any size. Control frames come whole and are bounded; data comes as it comes. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#define SPDY_CONTROL_MAX ((size_t)64 << 10)     /* payload of a control frame, and of its header block when inflated */

enum spdy_type {
	SPDY_DATA = 0,
	SPDY_SYN_STREAM = 1, SPDY_SYN_REPLY, SPDY_RST_STREAM, SPDY_SETTINGS,
	SPDY_PING = 6, SPDY_GOAWAY, SPDY_HEADERS, SPDY_WINDOW_UPDATE,
};
enum { SPDY_FLAG_FIN = 1, SPDY_FLAG_UNIDIRECTIONAL = 2 };
enum spdy_reset { SPDY_PROTOCOL_ERROR = 1, SPDY_INVALID_STREAM, SPDY_REFUSED_STREAM, SPDY_CANCEL = 5 };

struct spdy_frame {
	unsigned type, flags;           /* SPDY_DATA: FIN is only told with the last piece */
	uint32_t stream;                /* of data; control frames have it in their payload */
	struct sv payload;              /* borrowed until the next call */
};

struct spdy_parser { unsigned char head[8]; size_t head_n, left; struct str control; };         /* { 0 } is the beginning */

/* Takes bytes off *in. 1: *out is a frame, or a piece of a data frame; 0: *in is used up; ERR_BAD_REQUEST, ERR_TOO_LARGE. */
MUST_CHECK int spdy_parse(struct spdy_parser *p, struct sv *in, struct spdy_frame *out, struct err *err);
void spdy_parser_free(struct spdy_parser *p);

uint32_t spdy_u32(struct sv payload, size_t at);        /* 31 bits for a stream's number: see spdy_stream_id(); 0 beyond the end */
static inline uint32_t spdy_stream_id(struct sv payload, size_t at) { return spdy_u32(payload, at) & 0x7fffffff; }
void spdy_add_u32(struct str *out, uint32_t v);
void spdy_add_control(struct str *out, enum spdy_type type, unsigned flags, struct sv payload);
void spdy_add_data(struct str *out, uint32_t stream, unsigned flags, struct sv data);   /* data: below 16 MB */

/* ---- header blocks: name, value pairs, through one zlib stream for all of a direction ---- */
struct spdy_header { char *name, *value; };             /* name in lower case */
struct spdy_headers { struct spdy_header *v; size_t n, cap; };
void spdy_headers_add(struct spdy_headers *h, struct sv name, struct sv value);
const char *spdy_headers_get(const struct spdy_headers *h, const char *name);  /* NULL: absent */
void spdy_headers_free(struct spdy_headers *h);

struct spdy_zip;                        /* one direction of a connection */
struct spdy_zip *spdy_zip_new(bool inflates);
void spdy_zip_free(struct spdy_zip **z);
/* ERR_BAD_REQUEST, ERR_TOO_LARGE: the connection is of no use any more. */
MUST_CHECK int spdy_unpack(struct spdy_zip *z, struct sv block, struct spdy_headers *out, struct err *err);
void spdy_pack(struct spdy_zip *z, const struct spdy_headers *h, struct str *out);      /* appends */
