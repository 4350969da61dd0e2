/* base/http/h1.c - HTTP/1.0 and 1.1 on a connection: one request at a time, those that were sent ahead wait. */
#include "base/http/h1-parse.h"
#include "base/http/internal.h"

#include <stdlib.h>

#define AHEAD_MAX ((size_t)64 << 10)    /* of later requests, read while one is answered */
#define IDLE_MS 120000                  /* between two requests */
#define BODY_MS_A_MEGABYTE 60000
#define STREAMED_MS 120000              /* between two pieces of a streamed body */
#define GATHER 32

/* What the next bytes are: nothing yet, a head, a body, too early, another protocol's. */
enum state { IDLE, HEAD, BODY, ANSWER, RAW };

struct h1 {
	enum state state;
	struct str in;                  /* received, not used */
	size_t scanned;
	struct h1_chunks chunks;
	int64_t left;                   /* of a body with a length */
	bool chunked, keep_alive, eof;
	int minor;
	struct http_request *rq;        /* is read, or its handler runs */
	struct http_stream *answer;
};

static struct h1 *session(struct conn *c)
{
	if (!c->session) {
		c->session = calloc(1, sizeof(struct h1));
		if (!c->session)
			abort();
	}
	return c->session;
}

static const char *status_text(int status)
{
	static const struct { int status; const char *text; } texts[] = {
		{ 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" },
		{ 301, "Moved Permanently" }, { 302, "Found" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" }, { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 408, "Request Timeout" },
		{ 409, "Conflict" }, { 410, "Gone" }, { 413, "Content Too Large" }, { 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" }, { 417, "Expectation Failed" }, { 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" }, { 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "";
}

/* ---- answers ---- */

static void push_text(struct http_stream *s, struct sv text)
{
	struct http_buf *b = http_buf_new(text);

	stream_push(s, b, false);
	http_buf_drop(&b);
}

static void respond(struct http_request *rq, struct http_stream *s, int status, const char *type, int64_t length)
{
	struct h1 *h = rq->conn->session;
	AUTO(str) head = { 0 };

	h->answer = s;
	if (!rq->body_done && (!rq->streams || rq->conn->stopping))
		h->keep_alive = false;          /* what is left of the body could not be told from the next request */
	s->chunked = length < 0 && !s->no_body && h->minor > 0;
	if (length < 0 && !s->no_body && !s->chunked)
		h->keep_alive = false;          /* HTTP/1.0: the end of the connection ends the body */
	str_addf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, status_text(status), server_date(rq->conn->server));
	if (type)
		str_addf(&head, "Content-Type: %s\r\n", type);
	if (length >= 0 && status != 204 && status != 304)
		str_addf(&head, "Content-Length: %lld\r\n", (long long)length);
	if (s->chunked)
		str_addc(&head, "Transfer-Encoding: chunked\r\n");
	if (!h->keep_alive)
		str_addc(&head, "Connection: close\r\n");
	else if (!h->minor)
		str_addc(&head, "Connection: keep-alive\r\n");
	for (size_t i = 0; i < rq->headers.n; i++)
		str_addf(&head, "%s: %s\r\n", rq->headers.v[i].name, rq->headers.v[i].value);
	str_addc(&head, "\r\n");
	push_text(s, str_sv(&head));
}

/* From here on the bytes of both directions are the handler's: it reads them as a body that is streamed. */
static bool upgrade(struct http_request *rq, struct http_stream *s, const char *protocol)
{
	struct h1 *h = rq->conn->session;
	AUTO(str) head = { 0 };

	if (!h->minor || h->state != ANSWER)
		return false;
	str_addf(&head, "HTTP/1.1 101 %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n", status_text(101), protocol);
	for (size_t i = 0; i < rq->headers.n; i++)
		str_addf(&head, "%s: %s\r\n", rq->headers.v[i].name, rq->headers.v[i].value);
	str_addc(&head, "\r\n");
	push_text(s, str_sv(&head));
	h->answer = s;
	h->keep_alive = false;
	h->state = RAW;
	rq->streams = true;
	rq->body_done = h->eof && !h->in.n;
	str_cut(&rq->body, 0);
	rq->body_at = 0;
	rq->conn->resumed = true;       /* what was sent ahead */
	conn_dirty(rq->conn);
	return true;
}

static void pushed(struct http_stream *s) { conn_dirty(s->conn); }

/* The state of the request that is over goes, and the next one may begin. */
static void next_request(struct conn *c)
{
	struct h1 *h = c->session;

	if (h->rq || h->answer || h->state != ANSWER)
		return;
	if (!h->keep_alive || (h->eof && !h->in.n) || c->stopping) {
		conn_end(c);
		return;
	}
	h->state = IDLE;
	conn_deadline(c, IDLE_MS);
	conn_pause(c, false);
	if (h->in.n) {                  /* sent ahead */
		c->resumed = true;
		conn_dirty(c);
	}
}

/* Request and answer are over, or the answer came before the end of the body. */
static void exchange_over(struct conn *c)
{
	struct h1 *h = c->session;

	if (h->rq || h->answer)
		return;
	if (h->state == BODY || h->state == RAW) {
		h->keep_alive = false;
		h->state = ANSWER;
	}
	next_request(c);
}

static bool output(struct conn *c)
{
	struct h1 *h = session(c);
	struct http_stream *s = h->answer;
	struct iovec iov[GATHER];
	size_t bytes = 0;
	int n = 0;

	if (!s)
		return false;
	for (struct piece *p = s->q.first; p && n < GATHER && bytes < IO_SIZE; p = p->next) {
		size_t take = p->end - p->at;

		if (take > IO_SIZE - bytes)
			take = IO_SIZE - bytes;
		iov[n++] = (struct iovec){ p->buf->bytes + p->at, take };
		bytes += take;
	}
	if (n)
		conn_send(c, iov, n);
	if (c->fd < 0)
		return false;
	if (n)
		stream_sent(s, bytes);
	if (s->q.bytes || !stream_complete(s))
		return n > 0;
	h->answer = NULL;
	stream_finish(s);
	exchange_over(c);
	return true;
}

/* ---- requests ---- */

/* The head makes no sense, so nothing behind it does. */
static void refuse_head(struct conn *c, int status, const char *why)
{
	struct h1 *h = c->session;
	struct http_request *rq = request_new(c, 1);

	h->keep_alive = false;
	h->minor = 1;
	h->state = ANSWER;
	conn_deadline(c, 0);
	request_refuse(rq, status, why);
}

static void refuse_body(struct conn *c, const char *why)
{
	struct h1 *h = c->session;
	struct http_request *rq = h->rq;

	h->keep_alive = false;
	h->state = ANSWER;
	conn_deadline(c, 0);
	if (rq && rq->streams) {
		request_broken(rq);     /* its handler finds out when it reads on, and answers */
		return;
	}
	h->rq = NULL;
	if (rq)
		request_refuse(rq, 400, why);
}

static struct http_request *request_of(struct conn *c, const struct h1_head *head)
{
	struct http_request *rq = request_new(c, 1);

	rq->method = request_text(rq, head->method);
	rq->path = request_text(rq, head->path);
	rq->query = request_text(rq, head->query);
	rq->content_length = head->chunked ? -1 : head->content_length < 0 ? 0 : head->content_length;
	for (size_t i = 0; i < head->fields.n; i++)
		request_field(rq, head->fields.v[i].name, head->fields.v[i].value);
	return rq;
}

static void body_over(struct conn *c)
{
	struct h1 *h = c->session;

	h->state = ANSWER;
	conn_deadline(c, 0);
	if (h->rq)
		request_end(h->rq);
	else
		exchange_over(c);
}

static void begin(struct conn *c, const struct h1_head *head)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct h1 *h = c->session;
	struct http_request *rq = request_of(c, head);

	h->keep_alive = head->keep_alive;
	h->minor = head->minor;
	h->chunked = head->chunked;
	h->chunks = (struct h1_chunks){ 0 };
	h->left = head->content_length > 0 ? head->content_length : 0;
	h->state = BODY;
	h->rq = rq;
	if (!request_begin(rq)) {
		h->rq = NULL;
		h->state = ANSWER;
		return;
	}
	if (!h->chunked && !h->left)
		body_over(c);
	else if (head->expects_continue) {
		conn_send(c, &(struct iovec){ (char *)go_on, sizeof go_on - 1 }, 1);
		conn_dirty(c);
	}
}

static bool read_head(struct conn *c, struct sv *in)
{
	struct h1 *h = c->session;
	struct h1_head head;
	const char *why = NULL;

	while (!h->scanned && sv_starts(*in, SV("\r\n")))       /* some clients end a body with one too many */
		*in = sv_drop(*in, 2);
	if (!in->n)
		return false;
	if (h->state == IDLE) {
		h->state = HEAD;
		conn_deadline(c, c->server->o.head_timeout_ms);
	}
	int n = h1_head_end(*in, &h->scanned, &why);
	if (!n)
		return false;
	h->scanned = 0;
	if (n < 0) {
		refuse_head(c, -n, why);
		return false;
	}
	int r = h1_head_parse((struct sv){ in->p, (size_t)n }, &head);
	*in = sv_drop(*in, (size_t)n);
	if (r < 0)
		refuse_head(c, -r, head.why);
	else
		begin(c, &head);
	h1_head_free(&head);
	return r >= 0 && c->fd >= 0;
}

/* A collected body has its time; a streamed one waits for its handler, and its handler for it, but not for ever. */
static void pace_body(struct conn *c, const struct http_request *rq)
{
	bool full = rq->body.n - rq->body_at >= BODY_WINDOW;
	int64_t allowed = BODY_MS_A_MEGABYTE * (1 + (int64_t)(rq->body.n >> 20));
	int64_t left = rq->body_start_ms + allowed - loop_now_ms(c->server->loop);

	if (!rq->streams)
		conn_deadline(c, left > 0 ? left : 1);
	else
		conn_deadline(c, full ? 0 : STREAMED_MS);
	if (rq->streams && full)
		conn_pause(c, true);
}

/* A piece of body for the request; false: nothing more can be done now. */
static bool read_body(struct conn *c, struct sv *in)
{
	struct h1 *h = c->session;
	struct sv data = { in->p, 0 };
	int r = H1_CHUNK_DATA;

	if (!in->n)
		return false;
	if (h->chunked) {
		r = h1_chunks_next(&h->chunks, in, &data);
	} else {
		data.n = (uint64_t)h->left < in->n ? (size_t)h->left : in->n;
		*in = sv_drop(*in, data.n);
		h->left -= (int64_t)data.n;
	}
	if (r < 0) {
		refuse_body(c, "the chunks of the body are malformed");
		return false;
	}
	if (r == H1_CHUNK_DATA && h->rq && !request_body(h->rq, data)) {
		h->rq = NULL;
		h->keep_alive = false;
		h->state = ANSWER;
		conn_deadline(c, 0);
		return false;
	}
	if (r == H1_CHUNK_END || (!h->chunked && !h->left))
		body_over(c);
	else if (h->rq)
		pace_body(c, h->rq);
	return true;
}

static bool read_raw(struct conn *c, struct sv *in)
{
	struct http_request *rq = ((struct h1 *)c->session)->rq;

	if (in->n && rq) {
		(void)request_body(rq, *in);
		if (rq->body.n - rq->body_at >= BODY_WINDOW)
			conn_pause(c, true);
	}
	*in = sv_drop(*in, in->n);
	return false;
}

static bool too_early(struct conn *c, struct sv *in)
{
	(void)c, (void)in;
	return false;
}

static void run(struct conn *c, struct sv *in)
{
	static bool (*const readers[])(struct conn *, struct sv *) = {
		[IDLE] = read_head, [HEAD] = read_head, [BODY] = read_body, [ANSWER] = too_early, [RAW] = read_raw,
	};
	struct h1 *h = c->session;

	for (bool more = true; more && c->fd >= 0 && !c->paused && !c->ending;)
		more = readers[h->state](c, in);
}

static void input(struct conn *c, struct sv data)
{
	struct h1 *h = session(c);
	bool own = h->in.n > 0;

	if (own) {
		str_add(&h->in, data);
		data = str_sv(&h->in);
	}
	run(c, &data);
	if (c->fd < 0)
		return;                 /* the session is gone */
	if (c->ending)
		data.n = 0;
	if (own)
		memmove(h->in.p, data.p, data.n);
	else
		str_add(&h->in, data);
	h->in.n = data.n;
	if (!h->in.n)
		str_free(&h->in);
	if (h->state == ANSWER && h->in.n >= AHEAD_MAX)
		conn_pause(c, true);
}

static void resume(struct conn *c)
{
	struct h1 *h = session(c);

	if (h->in.n)
		input(c, SV(""));
	if (c->fd >= 0 && h->eof && (h->state == IDLE || h->state == HEAD))
		conn_close(c);
}

static void consumed(struct http_request *rq, size_t n)
{
	(void)n;
	if (!rq->conn->paused || rq->body.n - rq->body_at >= BODY_WINDOW / 2 || rq->body_done)
		return;
	conn_pause(rq->conn, false);
	if (((struct h1 *)rq->conn->session)->state == BODY)
		conn_deadline(rq->conn, STREAMED_MS);
}

static void handled(struct http_request *rq)
{
	struct h1 *h = rq->conn->session;

	h->rq = NULL;
	exchange_over(rq->conn);
	conn_dirty(rq->conn);
}

/* The peer sends nothing more. A client that ends its side after a request gets its answer; a watch is over. */
static void eof(struct conn *c)
{
	struct h1 *h = session(c);

	h->eof = true;
	if (h->state == RAW && h->rq) {
		h->rq->body_done = true;
		fiber_signal_all(&h->rq->body_came);
		return;
	}
	if (h->state != ANSWER || (h->answer && !stream_complete(h->answer)))
		conn_close(c);
}

static void drain(struct conn *c)
{
	struct h1 *h = session(c);

	if (h->state == IDLE || (h->state == HEAD && !h->rq))
		conn_close(c);
	else if (h->answer)
		stream_shut(h->answer);
}

static void lost(struct conn *c)
{
	struct h1 *h = session(c);
	struct http_request *rq = TAKE(h->rq);
	struct http_stream *s = TAKE(h->answer);
	bool running = rq && (rq->streams || h->state == ANSWER);

	c->session = NULL;
	str_free(&h->in);
	free(h);
	if (running)
		request_lost(rq);
	else if (rq)
		request_free(rq);
	if (s)
		stream_gone(s);
}

const struct proto h1_proto = { input, resume, eof, output, respond, upgrade, pushed, consumed, handled, drain, lost };
