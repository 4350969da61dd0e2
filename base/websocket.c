#include "base/websocket.h"
#include "base/encode.h"
#include "base/fiber.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#define MESSAGE_MAX ((uint64_t)16 << 20)
#define READ_SIZE ((size_t)16 << 10)

struct message { struct message *next; bool text; size_t n; char data[]; };

struct websocket {
	struct duplex *under;
	wslay_event_context_ptr ctx;
	struct sv in;                   /* received, not parsed yet */
	struct str out;                 /* made, not sent yet */
	struct message *first, **last, *given;
	bool writing, broken;
	bool refused;                   /* what came after the messages that wait makes no sense */
	struct fiber_cond written;
	char buf[READ_SIZE];
};

/* ---- wslay's callbacks: from and to memory ---- */

static ssize_t give_input(wslay_event_context_ptr ctx, uint8_t *buf, size_t n, int flags, void *arg)
{
	struct websocket *w = arg;
	size_t got = w->in.n < n ? w->in.n : n;

	(void)flags;
	if (!got) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, w->in.p, got);
	w->in = sv_drop(w->in, got);
	return (ssize_t)got;
}

static ssize_t take_output(wslay_event_context_ptr ctx, const uint8_t *data, size_t n, int flags, void *arg)
{
	struct websocket *w = arg;

	(void)ctx, (void)flags;
	str_add(&w->out, (struct sv){ (const char *)data, n });
	return (ssize_t)n;
}

static int make_mask(wslay_event_context_ptr ctx, uint8_t *buf, size_t n, void *arg)
{
	(void)ctx, (void)arg;
	return RAND_bytes(buf, (int)n) == 1 ? 0 : -1;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
	struct websocket *w = arg;
	struct message *one;

	(void)ctx;
	if (m->opcode != WSLAY_TEXT_FRAME && m->opcode != WSLAY_BINARY_FRAME)
		return;
	one = malloc(sizeof *one + m->msg_length);
	if (!one)
		abort();
	*one = (struct message){ .text = m->opcode == WSLAY_TEXT_FRAME, .n = m->msg_length };
	if (m->msg_length)
		memcpy(one->data, m->msg, m->msg_length);
	*w->last = one;
	w->last = &one->next;
}

struct websocket *websocket_new(struct duplex *under, bool client)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = give_input, .send_callback = take_output, .genmask_callback = make_mask,
		.on_msg_recv_callback = on_message,
	};
	struct websocket *w = calloc(1, sizeof *w);

	if (!w || (client ? wslay_event_context_client_init : wslay_event_context_server_init)(&w->ctx, &callbacks, w))
		abort();
	w->under = under;
	w->last = &w->first;
	wslay_event_config_set_max_recv_msg_length(w->ctx, MESSAGE_MAX);
	return w;
}

void websocket_free(struct websocket **wp)
{
	struct websocket *w = TAKE(*wp);

	if (!w)
		return;
	for (struct message *m = w->first, *next; m; m = next) {
		next = m->next;
		free(m);
	}
	free(w->given);
	wslay_event_context_free(w->ctx);
	str_free(&w->out);
	free(w);
}

void websocket_accept(struct sv key, struct str *out)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	AUTO(str) text = { 0 };

	str_addf(&text, SV_FMT "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", SV_ARG(key));
	SHA1((const unsigned char *)str_c(&text), text.n, digest);
	base64_encode(out, (struct sv){ (const char *)digest, sizeof digest });
}

/* ---- sending ---- */

/* What wslay has queued goes out; frames of several fibers one after the other. */
static int flush(struct websocket *w, struct err *err)
{
	while (w->writing && !w->broken)
		if (fiber_wait(&w->written) < 0)
			return err_set(err, ERR_CANCELED, "writing was canceled");
	if (wslay_event_send(w->ctx) < 0 || w->broken)
		return err_set(err, ERR_UNAVAILABLE, "the WebSocket is closed");
	AUTO(str) out = { 0 };
	str_move(&out, &w->out);
	w->writing = true;
	int r = duplex_write(w->under, str_sv(&out), err);
	w->broken |= r < 0;
	w->writing = false;
	fiber_signal_all(&w->written);
	return r;
}

int websocket_write(struct websocket *w, bool text, struct sv data, struct err *err)
{
	struct wslay_event_msg m = { text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, (const uint8_t *)data.p, data.n };

	if (w->broken || wslay_event_queue_msg(w->ctx, &m))
		return err_set(err, ERR_UNAVAILABLE, "the WebSocket is closed");
	return flush(w, err);
}

void websocket_close(struct websocket *w, const char *why)
{
	struct sv text = sv_c(why);

	if (text.n > 120)               /* a control frame holds 125 bytes */
		text.n = 120;
	if (!w->broken && !wslay_event_queue_close(w->ctx, WSLAY_CODE_NORMAL_CLOSURE, (const uint8_t *)text.p, text.n))
		(void)flush(w, NULL);
}

/* ---- receiving ---- */

static bool take_message(struct websocket *w, struct websocket_message *out)
{
	struct message *m = w->first;

	free(TAKE(w->given));
	if (!m)
		return false;
	w->first = m->next;
	if (!w->first)
		w->last = &w->first;
	w->given = m;
	*out = (struct websocket_message){ m->text, { m->data, m->n } };
	return true;
}

/* A broken peer is told with a close frame, which wslay has queued then; what came before is still given out. */
static int parse(struct websocket *w, struct err *err)
{
	int r = wslay_event_recv(w->ctx);
	bool ended = !wslay_event_get_close_received(w->ctx) && !wslay_event_get_read_enabled(w->ctx);

	w->refused = ended || (r < 0 && r != WSLAY_ERR_CALLBACK_FAILURE);
	return wslay_event_want_write(w->ctx) ? flush(w, err) : 0;
}

int websocket_read(struct websocket *w, struct websocket_message *out, struct err *err)
{
	while (!take_message(w, out)) {
		if (w->refused)
			return err_set(err, ERR_BAD_REQUEST, "WebSocket: the peer breaks the protocol");
		if (wslay_event_get_close_received(w->ctx))
			return 0;
		int n = duplex_read(w->under, w->buf, sizeof w->buf, err);
		if (n <= 0)
			return n;
		w->in = (struct sv){ w->buf, (size_t)n };
		TRY(parse(w, err));
	}
	return 1;
}

/* ---- bytes ---- */

static int bytes_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	struct websocket_bytes *b = (struct websocket_bytes *)d;
	struct websocket_message m;

	while (!b->left.n) {
		int r = websocket_read(b->w, &m, err);

		if (r <= 0)
			return r;
		b->left = m.data;
	}
	size_t got = b->left.n < n ? b->left.n : n;
	memcpy(buf, b->left.p, got);
	b->left = sv_drop(b->left, got);
	return (int)got;
}

static int bytes_write(struct duplex *d, struct sv data, struct err *err)
{
	return websocket_write(((struct websocket_bytes *)d)->w, false, data, err);
}

static void bytes_end(struct duplex *d) { websocket_close(((struct websocket_bytes *)d)->w, NULL); }

static const struct duplex_ops bytes_ops = { bytes_read, bytes_write, bytes_end };

void websocket_bytes_init(struct websocket_bytes *b, struct websocket *w)
{
	*b = (struct websocket_bytes){ .base = { &bytes_ops }, .w = w };
}
