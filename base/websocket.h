/* base/websocket.h - WebSocket messages (RFC 6455) over a duplex, by libwslay; decision 11 says why it.
 *
 * Pings are answered, fragments put together, and a close is returned, by whoever reads. */
#pragma once

#include "base/duplex.h"

struct websocket;
struct websocket_message { bool text; struct sv data; };

struct websocket *websocket_new(struct duplex *under, bool client);     /* under is borrowed */
void websocket_free(struct websocket **w);

/* The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key; appended. */
void websocket_accept(struct sv key, struct str *out);

/* Parks until the next message, which lasts until the next call. 1, or 0: the other side has closed. Errors: the peer
 * breaks the protocol, which it was told, or sends a message of more than max bytes (16 MB). */
MUST_CHECK int websocket_read(struct websocket *w, struct websocket_message *out, struct err *err);
MUST_CHECK int websocket_write(struct websocket *w, bool text, struct sv data, struct err *err);
void websocket_close(struct websocket *w, const char *why);             /* a normal end; why: NULL or some words */

/* All binary messages as one sequence of bytes: what tunnels another protocol. */
struct websocket_bytes { struct duplex base; struct websocket *w; struct sv left; };
void websocket_bytes_init(struct websocket_bytes *b, struct websocket *w);
