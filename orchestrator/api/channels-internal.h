/* orchestrator/api/channels-internal.h - numbered channels in a WebSocket: the first byte of each message says which. */
#pragma once

#include "base/websocket.h"

struct channels;

/* base64: text messages, a digit and base64. half_close: message 255 N says that the client has ended channel N. */
struct channels *channels_new(struct websocket *borrowed, unsigned n, bool base64, bool half_close);
void channels_free(struct channels **c);        /* when channels_run() has returned */
/* Reads until the client has gone: a fiber of its own. Then every channel reads 0. */
int channels_run(struct channels *c, struct err *err);
/* Its end is not told to the client: the protocol has no word for it. */
struct duplex *channels_at(struct channels *c, unsigned i);
MUST_CHECK int channels_greet(struct channels *c, unsigned i, struct err *err);  /* an empty message */
