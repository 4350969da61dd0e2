/* base/spdy.h - a SPDY/3.1 connection over a duplex, from either side: many streams, each a duplex with headers.
 *
 * What Kubernetes makes of SPDY: there is no flow control (its clients and servers neither send nor obey WINDOW_UPDATE), so
 * a reader that does not read holds up the whole connection once SPDY_BUFFERED bytes wait. */
#pragma once

#include "base/duplex.h"
#include "base/spdy-frame.h"

#define SPDY_BUFFERED ((size_t)4 << 20)
#define SPDY_STREAMS_MAX 1024

struct spdy;
struct spdy_stream;

struct spdy *spdy_new(struct duplex *under, bool client);       /* under is borrowed */
void spdy_free(struct spdy **s);                                /* when spdy_run() has returned; its streams end with it */

/* Reads the connection until it ends: what a fiber of its own does while others use the streams. Then these read 0 and
 * writes fail. 0: the other side has ended it. */
int spdy_run(struct spdy *s, struct err *err);

/* The next stream that the other side opened, oldest first; parks. ERR_TIMEOUT, ERR_UNAVAILABLE when the connection has
 * ended. timeout_ms -1: waits for ever. */
MUST_CHECK int spdy_accept(struct spdy *s, int64_t timeout_ms, struct spdy_stream **out, struct err *err);
/* Opens one, and returns when the other side has accepted it. ERR_UNAVAILABLE when it does not. */
MUST_CHECK int spdy_open(struct spdy *s, const struct spdy_headers *h, struct spdy_stream **out, struct err *err);
const char *spdy_header(const struct spdy_stream *st, const char *name);        /* NULL: absent */
struct duplex *spdy_duplex(struct spdy_stream *st);
/* Ends our side when it was not, and forgets the stream: what still comes is dropped. NULL is fine. */
void spdy_close(struct spdy_stream **st);
