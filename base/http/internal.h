/* base/http/internal.h - the parts of the server among themselves.
 *
 * server.c listens, sweeps deadlines and stops; conn.c moves bytes, secure.c through TLS; h1.c and h2.c are the two protocols;
 * request.c is what a handler is given, stream.c what it answers with. Everything runs on the loop. Bytes go out at the
 * end of a turn: a protocol is asked for more (output) whenever the socket has taken what there was. */
#pragma once

#include <sys/uio.h>
#include "base/fiber.h"
#include "base/http.h"
#include "base/tls-internal.h"
#include "base/vec.h"

#define IO_SIZE ((size_t)64 << 10)              /* read at once, and gathered for one write */
#define BODY_WINDOW ((size_t)256 << 10)         /* of a streamed body that its handler has not read yet */
#define QUEUE_MAX ((size_t)16 << 20)            /* waiting in one stream */
#define BODIES_MAX ((size_t)256 << 20)          /* collected bodies of all requests together */

struct conn;

struct piece { struct piece *next; struct http_buf *buf; size_t at, end; };     /* from bytes[at] to bytes[end] */
struct sendq { struct piece *first, *last; size_t bytes; };

struct header { char *name, *value; };
struct field_at { uint32_t name, name_n, value, value_n; };     /* offsets */

struct http_request {
	struct conn *conn;
	struct http_stream *stream;             /* the answer, once started; NULL again when it is gone */
	struct fiber *fiber;                    /* the handler's, while it runs */
	void *tag;                              /* HTTP/2: its stream */
	struct str text;                        /* what the fields point into */
	VEC(struct field_at) fields;
	uint32_t method, path, query;           /* NUL-terminated texts in .text */
	int version;
	int64_t content_length;                 /* -1: not told */
	struct str body;
	size_t body_at, counted;                /* read so far; bytes that count in bodies_bytes */
	int64_t body_start_ms;
	bool streams, body_done, broken, gone, answered, is_head;
	struct fiber_cond body_came;
	VEC(struct header) headers;             /* of the answer */
	void (*on_answer)(void *arg, int status, struct sv body);
	void *on_answer_arg;
};

struct http_stream {
	struct conn *conn;
	struct http_request *rq;                /* while its handler runs */
	void *tag;
	struct sendq q;
	bool chunked, no_body;
	bool ended;                             /* by its owner */
	bool shut;                              /* by the server: no more writes, the end is on its way */
	bool finished;                          /* all sent, or the peer is gone: the protocol has forgotten it */
	bool close_due;
	void (*on_close)(void *arg);
	void *arg;
	struct fiber_cond drained;
};

struct proto {
	void (*input)(struct conn *c, struct sv data);
	void (*resume)(struct conn *c);                 /* reading goes on: use what was kept */
	void (*eof)(struct conn *c);
	bool (*output)(struct conn *c);                 /* conn_send() some; false: there is nothing */
	void (*respond)(struct http_request *rq, struct http_stream *s, int status, const char *type, int64_t length);
	bool (*upgrade)(struct http_request *rq, struct http_stream *s, const char *protocol);  /* false: this protocol cannot */
	void (*pushed)(struct http_stream *s);          /* bytes were queued, or its end */
	void (*consumed)(struct http_request *rq, size_t n);    /* the handler has read of the body */
	void (*handled)(struct http_request *rq);       /* the handler has returned */
	void (*drain)(struct conn *c);                  /* the server stops: finish what runs, then close */
	void (*lost)(struct conn *c);                   /* the socket is gone: end everything, free the session */
};
extern const struct proto h1_proto, h2_proto;

struct conn {
	struct http_server *server;
	struct conn *prev, *next;
	const struct proto *proto;              /* NULL: not known yet */
	void *session;                          /* the protocol's */
	unsigned refs;                          /* one while open, one a request, a stream, a visit */
	int fd;
	struct poller *poll;
	short events;
	SSL *ssl;
	struct sv cipher;                       /* received, not decrypted yet */
	struct str kept;                        /* the same, across visits */
	struct str out;                         /* what the socket has not taken */
	size_t out_at;
	struct tls_peer *peer;
	int64_t read_by, write_by;              /* deadlines on the loop's clock; 0: none */
	bool secure, dirty, paused, resumed, ending, lingering, stopping;
	char remote[64];
};

struct http_server {
	struct loop *loop;
	struct http_server_opts o;
	char *listen;
	int fd, port;
	struct poller *poll;
	struct timer *sweep, *accept_again;
	struct conn *conns;
	VEC(struct conn *) dirty;
	BIO_METHOD *bio;
	struct fiber_group handlers;
	size_t running, bodies_bytes;
	bool flushing, freed;
	int64_t complained_ms;
	struct fiber_cond changed;              /* a handler returned, a connection closed */
	struct http_buf *last_chunk;
	time_t date_at;
	char date[40];
	char *plain, *raw;                      /* IO_SIZE each: decrypted, received */
};

/* ---- conn.c ---- */
void conn_accept(struct http_server *s, int fd);
void conn_ref(struct conn *c);
void conn_unref(struct conn *c);
void conn_send(struct conn *c, struct iovec *iov, int n);       /* takes all of it */
void conn_dirty(struct conn *c);                /* there is output, or a change to look at, at the end of this turn */
void conn_flush(struct conn *c);
void conn_pause(struct conn *c, bool on);       /* stops reading from the socket */
void conn_end(struct conn *c);                  /* closes once the output is gone; what still comes is read over */
void conn_close(struct conn *c);                /* now */
void conn_deadline(struct conn *c, int64_t ms); /* to the next input that matters; 0: none */
void conn_check_deadlines(struct conn *c);

void conn_input(struct conn *c, struct sv data);        /* plain bytes that came in */

/* ---- secure.c ---- */
void secure_start(struct conn *c);
void secure_input(struct conn *c, struct sv data);      /* encrypted bytes that came in; empty: those kept from before */
void secure_send(struct conn *c, struct iovec *iov, int n);     /* encrypts into c->out */
void secure_end(struct conn *c);

/* ---- server.c ---- */
void server_free(struct http_server *s);
const char *server_date(struct http_server *s);
void server_sweep(struct http_server *s);       /* deadlines exist: look at them every second */

/* ---- request.c ---- */
struct http_request *request_new(struct conn *c, int version);
void request_free(struct http_request *rq);
uint32_t request_text(struct http_request *rq, struct sv text);         /* kept with a NUL; its place */
void request_field(struct http_request *rq, struct sv name, struct sv value);
bool request_begin(struct http_request *rq);    /* the head is complete: decides about the body. false: refused, answered */
bool request_body(struct http_request *rq, struct sv data);             /* false: refused, answered */
void request_end(struct http_request *rq);      /* the body is complete */
void request_broken(struct http_request *rq);   /* the body cannot be read further */
void request_lost(struct http_request *rq);     /* the peer is gone */
void request_refuse(struct http_request *rq, int status, const char *why);      /* before a handler runs; frees rq */

/* ---- stream.c ---- */
void stream_push(struct http_stream *s, struct http_buf *b, bool framed);       /* counts b */
void stream_sent(struct http_stream *s, size_t n);      /* takes n bytes off the queue */
void stream_finish(struct http_stream *s);              /* all is sent */
void stream_gone(struct http_stream *s);                /* the peer is gone */
void stream_shut(struct http_stream *s);                /* the server stops: ends it cleanly */
static inline bool stream_complete(const struct http_stream *s) { return s->ended || s->shut; }
