/* orchestrator/api/upgrade-internal.h - a request that becomes a connection with several streams: SPDY/3.1, numbered
 * channels in a WebSocket, or SPDY through a WebSocket. */
#pragma once

#include "base/fiber.h"
#include "base/spdy.h"
#include "orchestrator/api/channels-internal.h"
#include "orchestrator/api/http-internal.h"

enum carrier { BY_SPDY, BY_CHANNELS, BY_TUNNEL };

struct stream_protocol {
	enum carrier carrier;
	const char *name;               /* "": for a client that names none */
	bool base64, half_close;        /* of channels */
	bool plain_errors;              /* how a program ended is told as text, and success not at all */
};

struct upgrade {
	struct http_request *http;
	struct http_stream *stream;
	const struct stream_protocol *protocol;
	struct http_duplex wire;
	struct websocket *websocket;
	struct websocket_bytes tunnel;
	struct spdy *spdy;              /* of the two that have one */
	struct channels *channels;
	struct fiber *fiber;            /* the handler's: canceled when the client goes */
	struct fiber_group reader;
};

/* The protocol of the table that the client prefers; n: how many rows. Errors are to be answered, and the response
 * headers that go with them are set. */
MUST_CHECK int upgrade_choose(struct http_request *rq, const struct stream_protocol *table, size_t n,
			      const struct stream_protocol **out, struct err *err);
/* Answers with 101, and reads from then on in a fiber of its own. channels: how many. ERR_BAD_REQUEST: this connection
 * cannot be upgraded, and nothing was answered. */
MUST_CHECK int upgrade_start(struct upgrade *u, struct http_request *rq, const struct stream_protocol *p, unsigned channels,
			     struct err *err);
void upgrade_end(struct upgrade *u);    /* what was written still goes out */

/* ---- which pod, container and node (pod-place.c) ---- */
/* container: in: the name asked for, empty: the only one; NULL: the pod is meant. The pod has a node, and that is here. */
MUST_CHECK int pod_place(const struct request *rq, struct str *container, struct nodelink **out, struct err *err);
