/* A connection of SPDY/3.1 over HTTPS. */
#include "kube/client-https-internal.h"

#include "base/encode.h"
#include "base/fiber.h"
#include "kube/client-stream.h"

#include <stdlib.h>

struct client_connection {
	struct httpc_upgraded *wire;
	struct spdy *spdy;
	struct fiber_group reader;
};

struct spdy *client_connection_spdy(struct client_connection *c) { return c->spdy; }

static void read_all(void *arg) { (void)spdy_run(((struct client_connection *)arg)->spdy, NULL); }

void client_connection_close(struct client_connection **cp)
{
	struct client_connection *c = TAKE(*cp);

	if (!c)
		return;
	fiber_group_cancel(&c->reader);
	fiber_group_join(&c->reader);
	spdy_free(&c->spdy);
	httpc_upgraded_free(&c->wire);
	free(c);
}

static struct client_connection *connection_new(struct httpc_upgraded *take)
{
	struct client_connection *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->wire = take;
	c->spdy = spdy_new(httpc_upgraded_duplex(take), true);
	fiber_group_init(&c->reader, fiber_loop());
	fiber_group_start(&c->reader, "spdy", read_all, c);
	return c;
}

int https_connect(struct client *client, const char *path, const char *protocol, struct client_connection **out,
		  struct err *err)
{
	struct https *h = (struct https *)client;
	AUTO(str) url = { 0 }, version = { 0 }, basic = { 0 };
	AUTO(httpc_response) answer = { 0 };
	struct httpc_upgraded *wire;
	const char *headers[8] = { "Connection: Upgrade", "Upgrade: SPDY/3.1" };
	size_t n = 2;

	str_addf(&url, "%s%s", h->config.server, path);
	str_addf(&version, "X-Stream-Protocol-Version: %s", protocol);
	headers[n++] = str_c(&version);
	if (h->authorization.n)
		headers[n++] = str_c(&h->authorization);
	if (h->config.userpwd) {
		str_addc(&basic, "Authorization: Basic ");
		base64_encode(&basic, sv_c(h->config.userpwd));
		headers[n++] = str_c(&basic);
	}
	const struct httpc_request rq = { .method = "POST", .url = str_c(&url), .headers = headers,
					  .ca_pem = str_sv(&h->config.ca_pem), .cert_pem = str_sv(&h->config.cert_pem),
					  .key_pem = str_sv(&h->config.key_pem), .insecure = h->config.insecure };
	TRY(httpc_upgrade(&rq, &wire, &answer, err));
	if (!wire)
		return https_error(answer.status, str_sv(&answer.body), err);
	*out = connection_new(wire);
	return 0;
}
