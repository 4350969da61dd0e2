#include "orchestrator/api/upgrade-internal.h"

#include <string.h>
#include <strings.h>

#define SPDY_VERSIONS "x-stream-protocol-version"
#define WS_PROTOCOLS "sec-websocket-protocol"

static bool asks_for(struct http_request *rq, const char *header, const char *want)
{
	struct sv one;

	for (size_t i = 0; (one = http_header_element(rq, header, i)).n; i++)
		if (one.n == strlen(want) && !strncasecmp(one.p, want, one.n))
			return true;
	return false;
}

/* ---- what both sides speak ---- */

static const struct stream_protocol *find(const struct stream_protocol *table, size_t n, bool websocket, struct sv name)
{
	for (size_t i = 0; i < n; i++)
		if ((table[i].carrier != BY_SPDY) == websocket && sv_eq_c(name, table[i].name))
			return &table[i];
	return NULL;
}

static int no_common(struct http_request *rq, const struct stream_protocol *table, size_t n, bool websocket, struct err *err)
{
	AUTO(str) known = { 0 };

	for (size_t i = 0; i < n; i++)
		if ((table[i].carrier != BY_SPDY) == websocket && *table[i].name) {
			str_addf(&known, "%s%s", known.n ? ", " : "", table[i].name);
			if (!websocket)
				http_add_header(rq, "X-Accept-Stream-Protocol-Versions", table[i].name);
		}
	return err_set(err, websocket ? ERR_BAD_REQUEST : ERR_FORBIDDEN,
		       "unable to upgrade: none of the client's protocols is known here; these are: [%s]", str_c(&known));
}

static int check_websocket(struct http_request *rq, struct err *err)
{
	if (!sv_eq_c(http_header(rq, "sec-websocket-version"), "13")) {
		http_add_header(rq, "Sec-WebSocket-Version", "13");
		return err_set(err, ERR_BAD_REQUEST, "unable to upgrade: want version 13 of WebSocket");
	}
	if (strcmp(http_method(rq), "GET"))
		return err_set(err, ERR_BAD_REQUEST, "unable to upgrade: a WebSocket begins with GET");
	if (!http_header(rq, "sec-websocket-key").n)
		return err_set(err, ERR_BAD_REQUEST, "unable to upgrade: missing Sec-WebSocket-Key");
	return 0;
}

int upgrade_choose(struct http_request *rq, const struct stream_protocol *table, size_t n,
		   const struct stream_protocol **out, struct err *err)
{
	bool websocket = asks_for(rq, "upgrade", "websocket");
	const char *header = websocket ? WS_PROTOCOLS : SPDY_VERSIONS;
	struct sv one;

	if (!asks_for(rq, "connection", "upgrade") || (!websocket && !asks_for(rq, "upgrade", "SPDY/3.1")))
		return err_set(err, ERR_BAD_REQUEST, "Upgrade request required");
	if (websocket)
		TRY(check_websocket(rq, err));
	for (size_t i = 0; (one = http_header_element(rq, header, i)).n; i++)
		if ((*out = find(table, n, websocket, one)))
			return 0;
	if (!http_header_element(rq, header, 0).n && (*out = find(table, n, websocket, SV(""))))
		return 0;
	return no_common(rq, table, n, websocket, err);
}

/* ---- the connection ---- */

static int say_websocket(struct http_request *rq, const struct stream_protocol *p, struct http_stream **out)
{
	AUTO(str) accept = { 0 };

	websocket_accept(http_header(rq, "sec-websocket-key"), &accept);
	http_add_header(rq, "Sec-WebSocket-Accept", str_c(&accept));
	if (*p->name)
		http_add_header(rq, "Sec-WebSocket-Protocol", p->name);
	*out = http_upgrade(rq, "websocket");
	return *out ? 0 : -ERR_BAD_REQUEST;
}

static int say_spdy(struct http_request *rq, const struct stream_protocol *p, struct http_stream **out)
{
	http_add_header(rq, "X-Stream-Protocol-Version", p->name);
	*out = http_upgrade(rq, "SPDY/3.1");
	return *out ? 0 : -ERR_BAD_REQUEST;
}

static void read_all(void *arg)
{
	struct upgrade *u = arg;

	if (u->spdy)
		(void)spdy_run(u->spdy, NULL);
	else
		(void)channels_run(u->channels, NULL);
	fiber_cancel(u->fiber);
}

int upgrade_start(struct upgrade *u, struct http_request *rq, const struct stream_protocol *p, unsigned channels,
		  struct err *err)
{
	*u = (struct upgrade){ .http = rq, .protocol = p, .fiber = fiber_self() };
	if ((p->carrier == BY_SPDY ? say_spdy : say_websocket)(rq, p, &u->stream) < 0)
		return err_set(err, ERR_BAD_REQUEST, "unable to upgrade: want a connection of HTTP/1.1");
	http_duplex_init(&u->wire, rq, u->stream);
	if (p->carrier != BY_SPDY) {
		u->websocket = websocket_new(&u->wire.base, false);
		websocket_bytes_init(&u->tunnel, u->websocket);
	}
	if (p->carrier == BY_CHANNELS)
		u->channels = channels_new(u->websocket, channels, p->base64, p->half_close);
	else
		u->spdy = spdy_new(p->carrier == BY_SPDY ? &u->wire.base : &u->tunnel.base, false);
	fiber_group_init(&u->reader, fiber_loop());
	fiber_group_start(&u->reader, "upgraded", read_all, u);
	return 0;
}

void upgrade_end(struct upgrade *u)
{
	if (u->websocket && !fiber_canceled())
		websocket_close(u->websocket, NULL);
	fiber_group_cancel(&u->reader);
	fiber_group_join(&u->reader);
	spdy_free(&u->spdy);
	channels_free(&u->channels);
	websocket_free(&u->websocket);
	http_stream_end(u->stream);
}
