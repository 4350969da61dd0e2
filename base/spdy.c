#include "base/spdy.h"
#include "base/fiber.h"

#include <stdlib.h>

#define READ_SIZE ((size_t)16 << 10)
#define DATA_MAX ((size_t)64 << 10)             /* of one data frame that we send */

struct spdy_stream {
	struct duplex base;             /* first */
	struct spdy *s;
	struct spdy_stream *next;
	uint32_t id;
	struct spdy_headers headers;
	struct str in;                  /* received; read up to in_at */
	size_t in_at;
	bool replied, refused;          /* of one that we opened */
	bool accepted;                  /* given out by spdy_accept() */
	bool peer_ended, ended;
	struct fiber_cond changed;
};

struct spdy {
	struct duplex *under;
	struct spdy_parser parser;
	struct spdy_zip *inflate, *deflate;
	struct spdy_stream *streams;    /* in the order in which they were opened */
	size_t n_streams, buffered;
	uint32_t next_id, last_peer_id;
	bool client, over, writing;
	struct fiber_cond changed;      /* a stream was opened, the connection ended */
	struct fiber_cond written, drained;
};

struct spdy *spdy_new(struct duplex *under, bool client)
{
	struct spdy *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	*s = (struct spdy){ .under = under, .client = client, .next_id = client ? 1 : 2 };
	s->inflate = spdy_zip_new(true);
	s->deflate = spdy_zip_new(false);
	return s;
}

static void stream_free(struct spdy_stream *st)
{
	spdy_headers_free(&st->headers);
	str_free(&st->in);
	free(st);
}

void spdy_free(struct spdy **sp)
{
	struct spdy *s = TAKE(*sp);

	if (!s)
		return;
	for (struct spdy_stream *st = s->streams, *next; st; st = next) {
		next = st->next;
		stream_free(st);
	}
	spdy_zip_free(&s->inflate);
	spdy_zip_free(&s->deflate);
	spdy_parser_free(&s->parser);
	free(s);
}

/* ---- sending: frames of several fibers, one after the other ---- */

static int begin_frame(struct spdy *s, struct err *err)
{
	while (s->writing && !s->over)
		if (fiber_wait(&s->written) < 0)
			return err_set(err, ERR_CANCELED, "writing was canceled");
	if (s->over)
		return err_set(err, ERR_UNAVAILABLE, "the connection has ended");
	s->writing = true;
	return 0;
}

/* A frame that was sent in part only leaves nothing that could be sent after it. */
static int end_frame(struct spdy *s, const struct str *frame, struct err *err)
{
	int r = duplex_write(s->under, str_sv(frame), err);

	s->over |= r < 0;
	s->writing = false;
	fiber_signal_all(&s->written);
	return r;
}

static int send_control(struct spdy *s, enum spdy_type type, const struct str *payload, struct err *err)
{
	AUTO(str) frame = { 0 };

	TRY(begin_frame(s, err));
	spdy_add_control(&frame, type, 0, str_sv(payload));
	return end_frame(s, &frame, err);
}

/* The block is packed when its turn has come: the other side inflates in the order of the wire. */
static int send_headers(struct spdy *s, enum spdy_type type, struct str *payload, const struct spdy_headers *h,
			struct err *err)
{
	AUTO(str) frame = { 0 };

	TRY(begin_frame(s, err));
	spdy_pack(s->deflate, h, payload);
	spdy_add_control(&frame, type, 0, str_sv(payload));
	return end_frame(s, &frame, err);
}

static int send_data(struct spdy *s, uint32_t id, unsigned flags, struct sv data, struct err *err)
{
	AUTO(str) frame = { 0 };

	TRY(begin_frame(s, err));
	spdy_add_data(&frame, id, flags, data);
	return end_frame(s, &frame, err);
}

static int send_reset(struct spdy *s, uint32_t id, enum spdy_reset why, struct err *err)
{
	AUTO(str) payload = { 0 };

	spdy_add_u32(&payload, id);
	spdy_add_u32(&payload, why);
	return send_control(s, SPDY_RST_STREAM, &payload, err);
}

/* ---- a stream as a duplex ---- */

static int stream_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	struct spdy_stream *st = (struct spdy_stream *)d;

	while (st->in_at == st->in.n) {
		if (st->peer_ended || st->s->over)
			return 0;
		if (fiber_wait(&st->changed) < 0)
			return err_set(err, ERR_CANCELED, "reading was canceled");
	}
	size_t left = st->in.n - st->in_at, got = left < n ? left : n;

	memcpy(buf, st->in.p + st->in_at, got);
	st->in_at += got;
	st->s->buffered -= got;
	fiber_signal_all(&st->s->drained);
	return (int)got;
}

static int stream_write(struct duplex *d, struct sv data, struct err *err)
{
	struct spdy_stream *st = (struct spdy_stream *)d;

	while (data.n) {
		struct sv piece = { data.p, data.n < DATA_MAX ? data.n : DATA_MAX };

		if (st->ended)
			return err_set(err, ERR_UNAVAILABLE, "the stream has ended");
		TRY(send_data(st->s, st->id, 0, piece, err));
		data = sv_drop(data, piece.n);
	}
	return 0;
}

static void stream_end(struct duplex *d)
{
	struct spdy_stream *st = (struct spdy_stream *)d;

	if (!st->ended)
		(void)send_data(st->s, st->id, SPDY_FLAG_FIN, SV(""), NULL);
	st->ended = true;
}

static const struct duplex_ops stream_ops = { stream_read, stream_write, stream_end };

struct duplex *spdy_duplex(struct spdy_stream *st) { return &st->base; }
const char *spdy_header(const struct spdy_stream *st, const char *name) { return spdy_headers_get(&st->headers, name); }

/* ---- streams ---- */

static struct spdy_stream *stream_new(struct spdy *s, uint32_t id)
{
	struct spdy_stream *st = calloc(1, sizeof *st), **at = &s->streams;

	if (!st)
		abort();
	st->base.ops = &stream_ops;
	st->s = s;
	st->id = id;
	while (*at)
		at = &(*at)->next;
	*at = st;
	s->n_streams++;
	return st;
}

static struct spdy_stream *find(struct spdy *s, uint32_t id)
{
	struct spdy_stream *st = s->streams;

	while (st && st->id != id)
		st = st->next;
	return st;
}

static void stream_drop(struct spdy_stream *st)
{
	struct spdy *s = st->s;
	struct spdy_stream **at = &s->streams;

	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
	s->n_streams--;
	s->buffered -= st->in.n - st->in_at;
	fiber_signal_all(&s->drained);
	stream_free(st);
}

void spdy_close(struct spdy_stream **sp)
{
	struct spdy_stream *st = TAKE(*sp);

	if (!st)
		return;
	stream_end(&st->base);
	stream_drop(st);
}

static struct spdy_stream *waiting(struct spdy *s)
{
	struct spdy_stream *st = s->streams;

	while (st && (st->accepted || (st->id & 1) == (s->next_id & 1)))
		st = st->next;
	return st;
}

int spdy_accept(struct spdy *s, int64_t timeout_ms, struct spdy_stream **out, struct err *err)
{
	int64_t until = loop_now_ms(fiber_loop()) + timeout_ms;
	int r = 0;

	while (!(*out = waiting(s)) && !s->over && !r) {
		int64_t left = until - loop_now_ms(fiber_loop());

		r = timeout_ms < 0 ? fiber_wait(&s->changed) : fiber_wait_ms(&s->changed, left > 0 ? left : 0);
	}
	if (*out) {
		(*out)->accepted = true;
		return 0;
	}
	if (!r)
		return err_set(err, ERR_UNAVAILABLE, "the connection has ended");
	return err_set(err, -r, r == -ERR_TIMEOUT ? "no stream was opened" : "waiting for a stream was canceled");
}

int spdy_open(struct spdy *s, const struct spdy_headers *h, struct spdy_stream **out, struct err *err)
{
	struct spdy_stream *st;
	AUTO(str) payload = { 0 };
	int r;

	if (s->over)
		return err_set(err, ERR_UNAVAILABLE, "the connection has ended");
	st = stream_new(s, s->next_id);
	s->next_id += 2;
	spdy_add_u32(&payload, st->id);
	spdy_add_u32(&payload, 0);      /* associated with no other */
	str_add(&payload, SV("\0\0"));  /* priority and slot */
	r = send_headers(s, SPDY_SYN_STREAM, &payload, h, err);
	while (r >= 0 && !st->replied && !st->refused && !s->over)
		r = fiber_wait(&st->changed);
	if (r >= 0 && !st->replied)
		r = err_set(err, ERR_UNAVAILABLE, st->refused ? "the other side refused a stream" : "the connection has ended");
	if (r < 0)
		stream_drop(st);
	else
		*out = st;
	return r;
}

/* ---- receiving ---- */

static void end_peer(struct spdy_stream *st)
{
	st->peer_ended = true;
	fiber_signal_all(&st->changed);
}

static int on_data(struct spdy *s, const struct spdy_frame *f, struct err *err)
{
	struct spdy_stream *st = find(s, f->stream);

	(void)err;
	if (!st || st->peer_ended)
		return 0;               /* closed already: what is on its way is dropped */
	if (st->in_at == st->in.n)
		st->in_at = st->in.n = 0;
	str_add(&st->in, f->payload);
	s->buffered += f->payload.n;
	if (f->flags & SPDY_FLAG_FIN)
		st->peer_ended = true;
	fiber_signal_all(&st->changed);
	while (s->buffered > SPDY_BUFFERED)
		TRY(fiber_wait(&s->drained));
	return 0;
}

static int on_syn_stream(struct spdy *s, const struct spdy_frame *f, struct err *err)
{
	uint32_t id = spdy_stream_id(f->payload, 0);
	AUTO(spdy_headers) none = { 0 };
	AUTO(spdy_headers) headers = { 0 };
	AUTO(str) payload = { 0 };

	TRY(spdy_unpack(s->inflate, sv_drop(f->payload, 10), &headers, err));
	if (!id || (id & 1) == (s->next_id & 1) || id <= s->last_peer_id)
		return err_set(err, ERR_BAD_REQUEST, "SPDY: stream %u opened out of order", id);
	s->last_peer_id = id;
	if (s->n_streams >= SPDY_STREAMS_MAX)
		return send_reset(s, id, SPDY_REFUSED_STREAM, err);
	struct spdy_stream *st = stream_new(s, id);
	st->headers = headers;
	headers = (struct spdy_headers){ 0 };
	st->peer_ended = f->flags & SPDY_FLAG_FIN;
	st->ended = f->flags & SPDY_FLAG_UNIDIRECTIONAL;
	spdy_add_u32(&payload, id);
	TRY(send_headers(s, SPDY_SYN_REPLY, &payload, &none, err));
	fiber_signal_all(&s->changed);
	return 0;
}

static int on_syn_reply(struct spdy *s, const struct spdy_frame *f, struct err *err)
{
	struct spdy_stream *st = find(s, spdy_stream_id(f->payload, 0));
	AUTO(spdy_headers) headers = { 0 };

	TRY(spdy_unpack(s->inflate, sv_drop(f->payload, 4), &headers, err));
	if (!st)
		return 0;
	st->replied = true;
	st->peer_ended |= f->flags & SPDY_FLAG_FIN;
	fiber_signal_all(&st->changed);
	return 0;
}

static int on_headers(struct spdy *s, const struct spdy_frame *f, struct err *err)
{
	struct spdy_stream *st = find(s, spdy_stream_id(f->payload, 0));
	AUTO(spdy_headers) headers = { 0 };

	TRY(spdy_unpack(s->inflate, sv_drop(f->payload, 4), &headers, err));
	if (st && f->flags & SPDY_FLAG_FIN)
		end_peer(st);
	return 0;
}

static int on_reset(struct spdy *s, const struct spdy_frame *f, struct err *err)
{
	struct spdy_stream *st = find(s, spdy_stream_id(f->payload, 0));

	(void)err;
	if (!st)
		return 0;
	st->ended = st->refused = true;
	end_peer(st);
	return 0;
}

/* Our own come back with the number that we gave: odd from a client. We send none. */
static int on_ping(struct spdy *s, const struct spdy_frame *f, struct err *err)
{
	AUTO(str) payload = { 0 };

	if ((spdy_u32(f->payload, 0) & 1) == (s->next_id & 1))
		return 0;
	spdy_add_u32(&payload, spdy_u32(f->payload, 0));
	return send_control(s, SPDY_PING, &payload, err);
}

static int on_goaway(struct spdy *s, const struct spdy_frame *f, struct err *err)
{
	(void)s, (void)f, (void)err;
	return 0;                       /* opens no more streams; those that are open go on */
}

static int (*const handlers[])(struct spdy *, const struct spdy_frame *, struct err *) = {
	[SPDY_DATA] = on_data, [SPDY_SYN_STREAM] = on_syn_stream, [SPDY_SYN_REPLY] = on_syn_reply,
	[SPDY_RST_STREAM] = on_reset, [SPDY_PING] = on_ping, [SPDY_GOAWAY] = on_goaway, [SPDY_HEADERS] = on_headers,
};

static int handle_all(struct spdy *s, struct sv in, struct err *err)
{
	struct spdy_frame f;
	int r;

	while ((r = spdy_parse(&s->parser, &in, &f, err)) > 0)
		if (f.type < sizeof handlers / sizeof *handlers && handlers[f.type])
			TRY(handlers[f.type](s, &f, err));
	return r;
}

int spdy_run(struct spdy *s, struct err *err)
{
	char buf[READ_SIZE];
	int r = 0, n = 0;

	while (r >= 0 && !s->over && (n = duplex_read(s->under, buf, sizeof buf, err)) > 0)
		r = handle_all(s, (struct sv){ buf, (size_t)n }, err);
	s->over = true;
	for (struct spdy_stream *st = s->streams; st; st = st->next)
		fiber_signal_all(&st->changed);
	fiber_signal_all(&s->changed);
	fiber_signal_all(&s->written);
	return r < 0 ? r : n;
}
