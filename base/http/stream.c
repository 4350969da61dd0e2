/* base/http/stream.c - answers: buffers, queues, streams. A plain reply is a stream that is ended at once. */
#include "base/http/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define LITTLE ((size_t)64 << 10)       /* what http_stream_drain() leaves waiting */

/* ---- buffers ---- */

struct http_buf *http_buf_new(struct sv data)
{
	char size[24];
	int frame = snprintf(size, sizeof size, "%zx\r\n", data.n);
	struct http_buf *b = malloc(sizeof *b + (size_t)frame + data.n + 2);

	if (!b)
		abort();
	*b = (struct http_buf){ .refs = 1, .frame = (unsigned)frame, .n = data.n, .data = b->bytes + frame };
	memcpy(b->bytes, size, (size_t)frame);
	if (data.n)
		memcpy(b->data, data.p, data.n);
	memcpy(b->data + data.n, "\r\n", 2);
	return b;
}

struct http_buf *http_buf_ref(struct http_buf *b)
{
	b->refs++;
	return b;
}

void http_buf_drop(struct http_buf **bp)
{
	struct http_buf *b = TAKE(*bp);

	if (b && !--b->refs)
		free(b);
}

static void clear(struct sendq *q)
{
	for (struct piece *p = q->first, *next; p; p = next) {
		next = p->next;
		http_buf_drop(&p->buf);
		free(p);
	}
	*q = (struct sendq){ 0 };
}

void stream_push(struct http_stream *s, struct http_buf *b, bool framed)
{
	struct piece *p = malloc(sizeof *p);
	size_t at = framed ? 0 : b->frame, end = b->frame + b->n + (framed ? 2 : 0);

	if (!p)
		abort();
	*p = (struct piece){ .buf = http_buf_ref(b), .at = at, .end = end };
	if (s->q.last)
		s->q.last->next = p;
	else
		s->q.first = p;
	s->q.last = p;
	s->q.bytes += end - at;
}

void stream_sent(struct http_stream *s, size_t n)
{
	s->q.bytes -= n;
	while (n) {
		struct piece *p = s->q.first;
		size_t take = p->end - p->at < n ? p->end - p->at : n;

		p->at += take;
		n -= take;
		if (p->at < p->end)
			break;
		s->q.first = p->next;
		if (!s->q.first)
			s->q.last = NULL;
		http_buf_drop(&p->buf);
		free(p);
	}
	if (s->q.bytes <= LITTLE)
		fiber_signal_all(&s->drained);
}

/* ---- the end ---- */

static void forget(struct http_stream *s)
{
	if (!s->ended || !s->finished || s->close_due)
		return;
	if (s->rq)
		s->rq->stream = NULL;
	clear(&s->q);
	conn_unref(s->conn);
	free(s);
}

void stream_finish(struct http_stream *s)
{
	s->finished = true;
	fiber_signal_all(&s->drained);
	forget(s);
}

static void tell_owner(struct http_stream *s)
{
	void (*fn)(void *) = TAKE(s->on_close);

	if (fn)
		fn(s->arg);     /* may end, and so free, s */
	else if (s->rq && s->rq->fiber)
		fiber_cancel(s->rq->fiber);
}

void stream_gone(struct http_stream *s)
{
	bool owned = !s->ended && !s->shut;

	s->finished = true;
	clear(&s->q);
	fiber_signal_all(&s->drained);
	if (owned)
		tell_owner(s);
	else
		forget(s);
}

static void finish_writing(struct http_stream *s)
{
	if (s->chunked)
		stream_push(s, s->conn->server->last_chunk, false);
	s->conn->proto->pushed(s);
}

void stream_shut(struct http_stream *s)
{
	if (s->ended || s->shut || s->finished)
		return;
	s->shut = true;
	finish_writing(s);
	tell_owner(s);
}

void http_stream_end(struct http_stream *s)
{
	bool writing = !s->shut && !s->finished;

	s->ended = true;
	s->on_close = NULL;
	if (writing)
		finish_writing(s);
	forget(s);
}

static void close_came(void *arg)
{
	struct http_stream *s = arg;

	s->close_due = false;
	if (s->ended)
		forget(s);
	else
		tell_owner(s);
}

void http_stream_on_close(struct http_stream *s, void (*fn)(void *), void *arg)
{
	s->on_close = fn;
	s->arg = arg;
	if ((s->finished || s->shut) && !s->close_due) {
		s->close_due = true;
		loop_soon(s->conn->server->loop, close_came, s);
	}
}

/* ---- the start ---- */

static bool has_no_body(const struct http_request *rq, int status)
{
	return rq->is_head || status == 204 || status == 304 || status < 200;
}

static struct http_stream *create(struct http_request *rq, bool no_body)
{
	struct http_stream *s = calloc(1, sizeof *s);

	if (!s || rq->answered)
		abort();        /* two answers to one request: a bug of ours */
	*s = (struct http_stream){ .conn = rq->conn, .rq = rq, .tag = rq->tag, .no_body = no_body };
	conn_ref(s->conn);
	rq->stream = s;
	rq->answered = true;
	return s;
}

static struct http_stream *start(struct http_request *rq, int status, const char *type, int64_t length)
{
	struct http_stream *s = create(rq, has_no_body(rq, status));

	if (rq->gone || rq->conn->fd < 0)
		s->finished = true;
	else
		rq->conn->proto->respond(rq, s, status, type, length);
	return s;
}

void http_on_answer(struct http_request *rq, void (*fn)(void *arg, int status, struct sv body), void *arg)
{
	rq->on_answer = fn;
	rq->on_answer_arg = arg;
}

static void tell_answer(struct http_request *rq, int status, struct sv body)
{
	if (rq->on_answer)
		rq->on_answer(rq->on_answer_arg, status, body);
}

struct http_stream *http_stream_start(struct http_request *rq, int status, const char *content_type)
{
	struct http_stream *s = start(rq, status, content_type, -1);

	tell_answer(rq, status, SV(""));
	if (!s->finished)
		s->conn->proto->pushed(s);
	if (s->conn->stopping)
		stream_shut(s);
	return s;
}

struct http_stream *http_upgrade(struct http_request *rq, const char *protocol)
{
	struct http_stream *s = create(rq, false);

	if (rq->gone || rq->conn->fd < 0) {
		s->finished = true;
		return s;
	}
	if (rq->conn->proto->upgrade(rq, s, protocol)) {
		tell_answer(rq, 101, SV(""));
		return s;
	}
	s->ended = s->finished = true;
	rq->answered = false;
	forget(s);
	return NULL;
}

void http_reply(struct http_request *rq, int status, const char *content_type, struct sv body)
{
	struct http_stream *s = start(rq, status, content_type, (int64_t)body.n);

	tell_answer(rq, status, body);
	if (!s->finished && !s->no_body && body.n) {
		struct http_buf *b = http_buf_new(body);

		stream_push(s, b, false);
		http_buf_drop(&b);
	}
	http_stream_end(s);
}

/* A control character in a value would end the header line: it becomes a space. */
void http_add_header(struct http_request *rq, const char *name, const char *value)
{
	struct header h = { sv_dup(sv_c(name)), sv_dup(sv_c(value)) };

	for (char *c = h.value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	vec_push(&rq->headers, h);
}

/* ---- writing ---- */

int http_stream_send(struct http_stream *s, struct http_buf *b)
{
	if (s->finished || s->shut)
		return -ERR_CANCELED;
	if (s->no_body || !b->n)
		return 0;
	if (s->q.bytes > QUEUE_MAX)
		return -ERR_BUSY;
	stream_push(s, b, s->chunked);
	s->conn->proto->pushed(s);
	return 0;
}

int http_stream_write(struct http_stream *s, struct sv data)
{
	struct http_buf *b = http_buf_new(data);
	int r = http_stream_send(s, b);

	http_buf_drop(&b);
	return r;
}

size_t http_stream_queued(const struct http_stream *s) { return s->q.bytes; }

int http_stream_drain(struct http_stream *s)
{
	while (!s->finished && !s->shut && s->q.bytes > LITTLE)
		TRY(fiber_wait(&s->drained));
	return s->finished || s->shut ? -ERR_CANCELED : 0;
}
