/* base/http/h2.c - HTTP/2 on a connection: nghttp2 does the frames; a stream here is a request and its answer. */
#include "base/http/internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#define STREAMS_MAX 1000u               /* at once; also handlers of streams that were reset */
#define HEAD_MAX ((size_t)32 << 10)
#define IDLE_MS 300000                  /* without a stream */
#define BODY_MS 60000                   /* between two pieces of bodies that are awaited */
#define DISCARD_MAX ((size_t)8 << 20)
#define CONNECTION_WINDOW ((int32_t)4 << 20)

struct h2 {
	nghttp2_session *session;
	struct conn *conn;
	struct h2_stream *open;
	size_t running, awaited;                /* handlers; bodies that still come */
	bool closing;
};

struct h2_stream {
	struct h2 *h;
	struct h2_stream *prev, *next;
	int32_t id;
	struct http_request *rq;        /* is read, or its handler runs */
	struct http_stream *answer;
	size_t head_bytes, discarded;
	bool begun, body_done, has_path;
};

static struct h2 *session(struct conn *c);

static struct h2_stream *stream_of(struct h2 *h, int32_t id) { return nghttp2_session_get_stream_user_data(h->session, id); }

/* ---- requests ---- */

static void watch_time(struct h2 *h)
{
	conn_deadline(h->conn, h->awaited ? BODY_MS : h->open ? 0 : IDLE_MS);
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
	struct h2 *h = arg;

	if (f->hd.type != NGHTTP2_HEADERS || f->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (h->running >= STREAMS_MAX || h->conn->stopping) {  /* handlers of streams that the peer keeps resetting */
		nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, f->hd.stream_id, NGHTTP2_REFUSED_STREAM);
		return 0;
	}
	struct h2_stream *st = calloc(1, sizeof *st);
	if (!st)
		abort();
	*st = (struct h2_stream){ .h = h, .id = f->hd.stream_id, .rq = request_new(h->conn, 2), .next = h->open };
	st->rq->tag = st;
	if (h->open)
		h->open->prev = st;
	h->open = st;
	nghttp2_session_set_stream_user_data(ng, st->id, st);
	h->awaited++;
	watch_time(h);
	return 0;
}

static void take_path(struct h2_stream *st, struct sv target)
{
	struct sv path, query;

	(void)sv_cut(target, '?', &path, &query);
	st->rq->path = request_text(st->rq, path);
	st->rq->query = request_text(st->rq, query);
	st->has_path = path.n && (*path.p == '/' || sv_eq_c(path, "*")) && !memchr(target.p, '#', target.n);
	for (size_t i = 0; i < target.n; i++)
		st->has_path &= target.p[i] > 0x20 && target.p[i] < 0x7f;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *n, size_t n_n, const uint8_t *v, size_t v_n,
		     uint8_t flags, void *arg)
{
	struct sv name = { (const char *)n, n_n }, value = { (const char *)v, v_n };
	struct h2_stream *st = stream_of(arg, f->hd.stream_id);

	(void)ng, (void)flags;
	if (!st || !st->rq || st->begun)        /* refused, or a trailer */
		return 0;
	st->head_bytes += n_n + v_n + 32;
	if (st->head_bytes > HEAD_MAX)
		return 0;
	if (sv_eq_c(name, ":path"))
		take_path(st, value);
	else if (sv_eq_c(name, ":method"))
		st->rq->method = request_text(st->rq, value);
	else if (sv_eq_c(name, ":authority"))
		request_field(st->rq, SV("host"), value);
	else if (*name.p != ':')
		request_field(st->rq, name, value);
	if (sv_eq_c(name, "content-length"))
		(void)sv_to_i64(value, &st->rq->content_length);
	return 0;
}

static void body_over(struct h2_stream *st)
{
	if (st->body_done)
		return;
	st->body_done = true;
	st->h->awaited--;
	watch_time(st->h);
}

static void refuse(struct h2_stream *st, int status, const char *why)
{
	struct http_request *rq = TAKE(st->rq);

	body_over(st);
	request_refuse(rq, status, why);
}

static void head_complete(struct h2_stream *st)
{
	st->begun = true;
	if (st->head_bytes > HEAD_MAX)
		refuse(st, 431, "the request head is larger than 32 KB");
	else if (!st->has_path)
		refuse(st, 400, "the request target is not a path");
	else if (!request_begin(st->rq)) {
		st->rq = NULL;
		body_over(st);
	} else if (st->rq->streams) {
		st->h->running++;
	}
}

static void request_complete(struct h2_stream *st)
{
	body_over(st);
	if (!st->rq)
		return;
	if (!st->rq->streams)
		st->h->running++;
	request_end(st->rq);
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
	struct h2_stream *st = f->hd.stream_id ? stream_of(arg, f->hd.stream_id) : NULL;

	(void)ng;
	if (!st || (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA))
		return 0;
	if (f->hd.type == NGHTTP2_HEADERS && !st->begun)
		head_complete(st);
	if (f->hd.flags & NGHTTP2_FLAG_END_STREAM)
		request_complete(st);
	return 0;
}

/* The window of the connection opens at once, that of the stream when its bytes are used: one slow handler does not
 * stop the others. */
static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
	struct h2_stream *st = stream_of(arg, id);

	(void)flags;
	nghttp2_session_consume_connection(ng, n);
	if (!st || !st->rq || !st->rq->streams)
		nghttp2_session_consume_stream(ng, id, n);
	if (!st)
		return 0;
	if (!st->rq) {
		st->discarded += n;
		if (st->discarded > DISCARD_MAX)
			nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
		return 0;
	}
	watch_time(st->h);
	if (!request_body(st->rq, (struct sv){ (const char *)p, n })) {
		st->rq = NULL;
		body_over(st);
	}
	return 0;
}

static void consumed(struct http_request *rq, size_t n)
{
	struct h2_stream *st = rq->tag;

	nghttp2_session_consume_stream(st->h->session, st->id, n);
	conn_dirty(rq->conn);
}

/* Forgets the stream on both sides; its handler may run on, its owner is told. */
static void drop(struct h2_stream *st)
{
	struct http_request *rq = TAKE(st->rq);
	struct http_stream *s = TAKE(st->answer);
	bool running = rq && (rq->streams || rq->body_done);
	struct h2 *h = st->h;

	if (st->next)
		st->next->prev = st->prev;
	if (st->prev)
		st->prev->next = st->next;
	else
		h->open = st->next;
	body_over(st);
	free(st);
	if (rq)
		rq->tag = NULL;
	if (running)
		request_lost(rq);
	else if (rq)
		request_free(rq);
	if (!s)
		return;
	s->tag = NULL;
	if ((stream_complete(s) || s->no_body) && !s->q.bytes)
		stream_finish(s);
	else
		stream_gone(s);
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
	struct h2 *h = arg;
	struct h2_stream *st = stream_of(h, id);

	(void)ng, (void)code;
	if (!st)
		return 0;
	nghttp2_session_set_stream_user_data(ng, id, NULL);
	drop(st);
	watch_time(h);
	return 0;
}

static void handled(struct http_request *rq)
{
	struct h2_stream *st = rq->tag;
	struct h2 *h = rq->conn->session;

	h->running--;
	if (st && rq->streams)
		nghttp2_session_consume_stream(h->session, st->id, rq->body.n - rq->body_at);
	if (st)
		st->rq = NULL;
	conn_dirty(rq->conn);
}

/* ---- answers ---- */

static ssize_t read_answer(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t n, uint32_t *flags, nghttp2_data_source *source,
			   void *arg)
{
	struct http_stream *s = source->ptr;
	size_t got = 0;

	(void)ng, (void)id, (void)arg;
	for (struct piece *p; got < n && (p = s->q.first);) {
		size_t take = p->end - p->at < n - got ? p->end - p->at : n - got;

		memcpy(buf + got, p->buf->bytes + p->at, take);
		got += take;
		stream_sent(s, take);
	}
	if (!s->q.bytes && stream_complete(s))
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	else if (!got)
		return NGHTTP2_ERR_DEFERRED;
	return (ssize_t)got;
}

static nghttp2_nv pair(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static void respond(struct http_request *rq, struct http_stream *s, int status, const char *type, int64_t length)
{
	struct h2_stream *st = rq->tag;
	VEC(nghttp2_nv) nv = { 0 };
	char code[16], size[24];
	nghttp2_data_provider body = { .source.ptr = s, .read_callback = read_answer };

	st->answer = s;
	snprintf(code, sizeof code, "%d", status);
	snprintf(size, sizeof size, "%" PRId64, length);
	vec_push(&nv, pair(":status", code));
	vec_push(&nv, pair("date", server_date(rq->conn->server)));
	if (type)
		vec_push(&nv, pair("content-type", type));
	if (length >= 0 && status != 204 && status != 304)
		vec_push(&nv, pair("content-length", size));
	for (size_t i = 0; i < rq->headers.n; i++) {
		for (char *c = rq->headers.v[i].name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		vec_push(&nv, pair(rq->headers.v[i].name, rq->headers.v[i].value));
	}
	nghttp2_submit_response(st->h->session, st->id, nv.v, nv.n, s->no_body || !length ? NULL : &body);
	vec_free(&nv);
	conn_dirty(rq->conn);
}

static void pushed(struct http_stream *s)
{
	struct h2_stream *st = s->tag;

	if (st)
		nghttp2_session_resume_data(st->h->session, st->id);
	conn_dirty(s->conn);
}

/* An answer that is complete while the request still comes: what is left is read over, for a while. Clients in use take a
 * reset, which the standard would allow here, for a failure. */
static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
	struct h2_stream *st = f->hd.stream_id ? stream_of(arg, f->hd.stream_id) : NULL;
	bool data = f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS;

	(void)ng;
	if (st && data && f->hd.flags & NGHTTP2_FLAG_END_STREAM)
		body_over(st);
	return 0;
}

static bool output(struct conn *c)
{
	struct h2 *h = session(c);
	AUTO(str) frames = { 0 };
	const uint8_t *p;
	ssize_t n;

	while (frames.n < IO_SIZE && (n = nghttp2_session_mem_send(h->session, &p)) > 0)
		str_add(&frames, (struct sv){ (const char *)p, (size_t)n });
	if (frames.n)
		conn_send(c, &(struct iovec){ frames.p, frames.n }, 1);
	if (c->fd >= 0 && !nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session))
		conn_end(c);
	return c->fd >= 0 && frames.n;
}

/* ---- the connection ---- */

static struct h2 *session(struct conn *c)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, BODY_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEAD_MAX },
	};
	nghttp2_session_callbacks *cb;
	nghttp2_option *opt;
	struct h2 *h = c->session;

	if (h)
		return h;
	h = calloc(1, sizeof *h);
	if (!h || nghttp2_session_callbacks_new(&cb) || nghttp2_option_new(&opt))
		abort();
	h->conn = c;
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
	nghttp2_option_set_no_auto_window_update(opt, 1);
	nghttp2_option_set_no_closed_streams(opt, 1);
	if (nghttp2_session_server_new2(&h->session, cb, h, opt))
		abort();
	nghttp2_session_callbacks_del(cb);
	nghttp2_option_del(opt);
	nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings);
	nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
	c->session = h;
	return h;
}

static void input(struct conn *c, struct sv data)
{
	struct h2 *h = session(c);
	ssize_t n = nghttp2_session_mem_recv(h->session, (const uint8_t *)data.p, data.n);

	if (n < 0) {                    /* not HTTP/2 at all; what it says about that still goes out */
		nghttp2_session_terminate_session(h->session, NGHTTP2_PROTOCOL_ERROR);
		h->closing = true;
	}
	conn_dirty(c);
	if (h->closing)
		conn_end(c);
}

static void resume(struct conn *c) { conn_dirty(c); }
static void eof(struct conn *c) { conn_close(c); }

static void drain(struct conn *c)
{
	struct h2 *h = session(c);

	nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h->session),
			      NGHTTP2_NO_ERROR, NULL, 0);
	for (struct h2_stream *st = h->open, *next; st; st = next) {
		next = st->next;
		if (st->answer)
			stream_shut(st->answer);        /* its owner may end it, which frees nothing of ours yet */
	}
	conn_dirty(c);
}

static void lost(struct conn *c)
{
	struct h2 *h = session(c);

	while (h->open) {
		nghttp2_session_set_stream_user_data(h->session, h->open->id, NULL);
		drop(h->open);
	}
	c->session = NULL;
	nghttp2_session_del(h->session);
	free(h);
}

static bool upgrade(struct http_request *rq, struct http_stream *s, const char *protocol)
{
	(void)rq, (void)s, (void)protocol;      /* HTTP/2 has none; extended CONNECT is not offered */
	return false;
}

const struct proto h2_proto = { input, resume, eof, output, respond, upgrade, pushed, consumed, handled, drain, lost };
