#include "orchestrator/api/channels-internal.h"

#include "base/encode.h"
#include "base/fiber.h"

#include <stdlib.h>

#define CLOSED 255              /* the channel that says of another one that it has ended */
#define BUFFERED ((size_t)4 << 20)      /* not read yet, of all channels: then the client waits */

struct channel {
	struct duplex base;     /* first */
	struct channels *all;
	unsigned number;
	bool ended;
	struct str in;
	size_t in_at;
	struct fiber_cond changed;
};

struct channels {
	struct websocket *websocket;
	bool base64, half_close, over;
	size_t buffered;
	struct fiber_cond drained;
	unsigned n;
	struct channel channel[];
};

/* ---- a channel as a duplex ---- */

static int channel_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	struct channel *c = (struct channel *)d;

	while (c->in_at == c->in.n) {
		if (c->ended || c->all->over)
			return 0;
		if (fiber_wait(&c->changed) < 0)
			return err_set(err, ERR_CANCELED, "reading was canceled");
	}
	size_t left = c->in.n - c->in_at, got = left < n ? left : n;

	memcpy(buf, c->in.p + c->in_at, got);
	c->in_at += got;
	c->all->buffered -= got;
	fiber_signal_all(&c->all->drained);
	return (int)got;
}

static int send_message(struct channel *c, struct sv data, struct err *err)
{
	AUTO(str) message = { 0 };

	if (c->all->base64) {
		str_add1(&message, (char)('0' + c->number));
		base64_encode(&message, data);
	} else {
		str_add1(&message, (char)c->number);
		str_add(&message, data);
	}
	return websocket_write(c->all->websocket, c->all->base64, str_sv(&message), err);
}

static int channel_write(struct duplex *d, struct sv data, struct err *err)
{
	return send_message((struct channel *)d, data, err);
}

static void channel_end(struct duplex *d) { (void)d; }

static const struct duplex_ops channel_ops = { channel_read, channel_write, channel_end };

struct duplex *channels_at(struct channels *c, unsigned i) { return &c->channel[i].base; }
int channels_greet(struct channels *c, unsigned i, struct err *err) { return send_message(&c->channel[i], SV(""), err); }

struct channels *channels_new(struct websocket *borrowed, unsigned n, bool base64, bool half_close)
{
	struct channels *c = calloc(1, sizeof *c + n * sizeof *c->channel);

	if (!c)
		abort();
	*c = (struct channels){ .websocket = borrowed, .base64 = base64, .half_close = half_close, .n = n };
	for (unsigned i = 0; i < n; i++)
		c->channel[i] = (struct channel){ .base = { &channel_ops }, .all = c, .number = i };
	return c;
}

void channels_free(struct channels **cp)
{
	struct channels *c = TAKE(*cp);

	for (unsigned i = 0; c && i < c->n; i++)
		str_free(&c->channel[i].in);
	free(c);
}

/* ---- what comes in ---- */

static void end_channel(struct channels *c, unsigned number)
{
	if (number >= c->n)
		return;
	c->channel[number].ended = true;
	fiber_signal_all(&c->channel[number].changed);
}

static int take(struct channels *c, unsigned number, struct sv data, struct err *err)
{
	struct channel *to = number < c->n ? &c->channel[number] : NULL;

	if (!to || to->ended)
		return 0;
	size_t before = to->in.n;
	if (to->in_at == to->in.n)
		before = to->in_at = to->in.n = 0;
	if (c->base64)
		TRY(base64_decode(&to->in, data, err));
	else
		str_add(&to->in, data);
	c->buffered += to->in.n - before;
	fiber_signal_all(&to->changed);
	while (c->buffered > BUFFERED)
		TRY(fiber_wait(&c->drained));
	return 0;
}

static int receive(struct channels *c, struct sv message, struct err *err)
{
	unsigned number = message.n ? (unsigned char)*message.p : CLOSED;
	struct sv data = sv_drop(message, 1);

	if (number == CLOSED) {
		if (c->half_close && data.n)
			end_channel(c, (unsigned char)*data.p);
		return 0;
	}
	if (c->base64)
		number = number >= '0' && number <= '9' ? number - '0' : CLOSED;
	return take(c, number, data, err);
}

int channels_run(struct channels *c, struct err *err)
{
	struct websocket_message m;
	int r;

	while ((r = websocket_read(c->websocket, &m, err)) > 0 && (r = receive(c, m.data, err)) >= 0)
		;
	c->over = true;
	for (unsigned i = 0; i < c->n; i++)
		fiber_signal_all(&c->channel[i].changed);
	return r;
}
