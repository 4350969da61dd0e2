/* base/http.h - the HTTP server: HTTP/1.1 and HTTP/2, with and without TLS, on one loop.
 *
 * The handler runs in a fiber of its own for each request. It answers with http_reply(), or starts a stream that may
 * outlive it (a watch: no fiber and no stack are held while it is idle), or takes the connection over (upgrade). */
#pragma once

#include "base/duplex.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/tls.h"

struct http_server;
struct http_request;            /* valid until the handler returns */
struct http_stream;             /* an answer that is written piece by piece */

struct http_server_opts {
	const char *listen;             /* "127.0.0.1:6443", "[::1]:0"; port 0: any */
	struct tls *tls;                /* NULL: plain. Borrowed */
	size_t max_body;                /* bytes; a larger body is answered with 413 before the handler sees it */
	int64_t head_timeout_ms;        /* time to send a request head (default 10 s) and to finish a body (60 s a megabyte) */
	void (*handler)(struct http_request *rq, void *arg);
	/* true: the body is not collected, the handler reads it with http_body_read() (git push, image push). May be NULL */
	bool (*streams_body)(struct http_request *rq, void *arg);
	void *arg;
};

struct http_server *http_server_start(struct loop *l, const struct http_server_opts *o, struct err *err);
int http_server_port(const struct http_server *s);
void http_server_stop(struct http_server **s);  /* in a fiber: stops listening, ends streams, waits for handlers */

/* ---- the request ---- */
const char *http_method(const struct http_request *rq);
const char *http_path(const struct http_request *rq);           /* still percent-encoded, without the query; starts with `/` */
const char *http_query(const struct http_request *rq);          /* raw, "" when absent */
struct sv http_header(const struct http_request *rq, const char *name);         /* case-insensitive; empty when absent */
struct sv http_header_at(const struct http_request *rq, const char *name, size_t at);     /* the at'th of that name */
bool http_header_field(const struct http_request *rq, size_t i, struct sv *name, struct sv *value);     /* the i'th of all; false: past the last */
struct sv http_body(const struct http_request *rq);             /* collected; empty when streamed */
int http_body_read(struct http_request *rq, char *buf, size_t n, struct err *err);      /* bytes; 0 at the end; parks */
const struct tls_peer *http_peer(const struct http_request *rq);        /* the verified client certificate; NULL: none */
const char *http_remote(const struct http_request *rq);         /* "127.0.0.1:51234" */
int http_version(const struct http_request *rq);                /* 1 or 2 */
struct http_server *http_request_server(const struct http_request *rq);
/* Value of a query parameter, percent-decoded, appended to out; false: absent. */
bool http_query_get(const char *query, const char *name, struct str *out);
bool http_query_at(const char *query, const char *name, size_t at, struct str *out);    /* the at'th of that name */
/* Any of the comma-separated elements of that header's fields: the at'th; empty: there are no more. */
struct sv http_header_element(const struct http_request *rq, const char *name, size_t at);

/* ---- the answer: exactly one of reply, stream, upgrade a request ---- */
void http_add_header(struct http_request *rq, const char *name, const char *value);     /* before the answer starts */
/* fn is told of the answer when it begins: its body (as the handler gave it; empty for a stream), 101 for an upgrade. */
void http_on_answer(struct http_request *rq, void (*fn)(void *arg, int status, struct sv body), void *arg);
void http_reply(struct http_request *rq, int status, const char *content_type, struct sv body);
struct http_stream *http_stream_start(struct http_request *rq, int status, const char *content_type);

/* 101: the connection changes to another protocol (HTTP/1.1 only; NULL when it cannot, and nothing was answered yet). The
 * stream writes its bytes as they are, http_body_read() reads the peer's until it ends its side. Ending the stream and
 * returning from the handler ends the connection. */
struct http_stream *http_upgrade(struct http_request *rq, const char *protocol);

/* Both directions of an upgraded connection. */
struct http_duplex { struct duplex base; struct http_request *rq; struct http_stream *stream; };
void http_duplex_init(struct http_duplex *d, struct http_request *rq, struct http_stream *s);

/* A buffer that many streams share: an event is encoded once and sent to every watcher. Counted; data is not changed
 * once it is sent. bytes: data within the frame of an HTTP/1.1 chunk. */
struct http_buf { unsigned refs, frame; size_t n; char *data; char bytes[]; };
struct http_buf *http_buf_new(struct sv data);
struct http_buf *http_buf_ref(struct http_buf *b);
void http_buf_drop(struct http_buf **b);

/* Queue bytes; never parks. -ERR_CANCELED once the peer is gone, -ERR_BUSY when more than 16 MB wait already. */
int http_stream_send(struct http_stream *s, struct http_buf *b);
int http_stream_write(struct http_stream *s, struct sv data);
int http_stream_drain(struct http_stream *s);                   /* parks until little is queued; -ERR_CANCELED */
size_t http_stream_queued(const struct http_stream *s);
void http_stream_end(struct http_stream *s);                    /* the last call; s is gone afterwards */
/* fn runs once, on the loop, when the peer goes away (or the server stops) before http_stream_end(); s must still be
 * ended then. Without an fn, a handler that still runs is canceled instead: its parking calls return -ERR_CANCELED. */
void http_stream_on_close(struct http_stream *s, void (*fn)(void *arg), void *arg);
