/* pods/portforward: connections of a client to ports of a pod, each a stream for its bytes and one for its error. */
#include "orchestrator/api/upgrade-internal.h"

#include <stdlib.h>
#include <string.h>

#define PORTS_MAX 32            /* of a client that names them beforehand */

static const struct stream_protocol protocols[] = {
	{ BY_SPDY, "portforward.k8s.io" },
	{ BY_TUNNEL, "SPDY/3.1+portforward.k8s.io" },
	{ BY_CHANNELS, "v4.channel.k8s.io" },
	{ BY_CHANNELS, "v4.base64.channel.k8s.io", .base64 = true },
	{ BY_CHANNELS, "" },
};

struct connection {
	struct connection *next;
	struct forwarding *all;
	char *id;                       /* what a client of SPDY calls it */
	uint16_t port;
	struct spdy_stream *spdy_data, *spdy_error;
	struct duplex *data, *error;
};

struct forwarding {
	struct upgrade up;
	const struct request *request;
	struct nodelink *link;
	struct connection *connections;
	struct fiber_group fibers;
	VEC(uint16_t) ports;
};

/* ---- one connection ---- */

static void connection_free(struct connection *c)
{
	struct connection **at = &c->all->connections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	spdy_close(&c->spdy_data);
	spdy_close(&c->spdy_error);
	free(c->id);
	free(c);
}

static void run_connection(void *arg)
{
	struct connection *c = arg;
	struct forwarding *f = c->all;
	AUTO(err) err = { 0 };
	int r = f->link->ops->forward(f->link, f->request->ns, f->request->name, c->port, c->data, &err);

	if (r < 0 && !fiber_canceled()) {
		AUTO(str) text = { 0 };

		str_addf(&text, "error forwarding port %u to pod %s: %s", c->port, f->request->name, err_msg(&err));
		(void)duplex_write(c->error, str_sv(&text), NULL);
	}
	connection_free(c);
	fiber_wake(f->up.fiber);
}

static void start_connection(struct connection *c)
{
	fiber_group_start(&c->all->fibers, "port-forward", run_connection, c);
}

static struct connection *connection_new(struct forwarding *f, const char *id, uint16_t port)
{
	struct connection *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	*c = (struct connection){ .next = f->connections, .all = f, .id = sv_dup(sv_c(id)), .port = port };
	f->connections = c;
	return c;
}

/* ---- SPDY: pairs of streams with the same request id ---- */

static struct connection *connection_of(struct forwarding *f, const char *id, uint16_t port)
{
	for (struct connection *c = f->connections; c; c = c->next)
		if (str_eq(c->id, id) && (!c->data || !c->error))
			return c;
	return connection_new(f, id, port);
}

/* false: it is not one of a pair. */
static bool add_stream(struct forwarding *f, struct spdy_stream *st)
{
	const char *type = spdy_header(st, "streamtype"), *id = spdy_header(st, "requestid");
	bool data = str_eq(type, "data");
	int64_t port;

	if (!sv_to_i64(sv_c(spdy_header(st, "port")), &port) || port < 1 || port > UINT16_MAX)
		return false;
	if (!data && !str_eq(type, "error"))
		return false;
	struct connection *c = connection_of(f, id ? id : "", (uint16_t)port);
	if (data ? c->data : c->error)
		return false;
	*(data ? &c->spdy_data : &c->spdy_error) = st;
	*(data ? &c->data : &c->error) = spdy_duplex(st);
	if (c->data && c->error)
		start_connection(c);
	return true;
}

static void accept_connections(struct forwarding *f)
{
	struct spdy_stream *st;

	while (spdy_accept(f->up.spdy, -1, &st, NULL) >= 0)
		if (!add_stream(f, st))
			spdy_close(&st);
}

/* ---- channels: two a port, which both begin with its number ---- */

static int start_ports(struct forwarding *f)
{
	for (unsigned i = 0; i < f->ports.n; i++) {
		uint16_t port = f->ports.v[i];
		struct connection *c = connection_new(f, "", port);
		const char number[] = { (char)(port & 255), (char)(port >> 8) };

		c->data = channels_at(f->up.channels, 2 * i);
		c->error = channels_at(f->up.channels, 2 * i + 1);
		TRY(duplex_write(c->data, (struct sv){ number, 2 }, NULL));
		TRY(duplex_write(c->error, (struct sv){ number, 2 }, NULL));
		start_connection(c);
	}
	return 0;
}

static int read_ports(struct forwarding *f, const char *query, struct err *err)
{
	for (size_t i = 0;; i++) {
		AUTO(str) text = { 0 };
		struct sv rest, one;

		if (!http_query_at(query, "ports", i, &text))
			break;
		rest = str_sv(&text);
		for (bool more = true; more;) {
			int64_t port;

			more = sv_cut(rest, ',', &one, &rest);
			if (!sv_to_i64(one, &port) || port < 1 || port > UINT16_MAX || f->ports.n == PORTS_MAX)
				return err_set(err, ERR_BAD_REQUEST, "ports: Invalid value: \"%s\"", str_c(&text));
			vec_push(&f->ports, (uint16_t)port);
		}
	}
	return f->ports.n ? 0 : err_set(err, ERR_BAD_REQUEST, "query parameter \"ports\" is required");
}

/* ---- both ---- */

static int begin(struct forwarding *f, struct http_request *rq, struct err *err)
{
	const struct stream_protocol *p;

	TRY(pod_place(f->request, NULL, &f->link, err));
	TRY(upgrade_choose(rq, protocols, sizeof protocols / sizeof *protocols, &p, err));
	if (p->carrier == BY_CHANNELS)
		TRY(read_ports(f, http_query(rq), err));
	return upgrade_start(&f->up, rq, p, (unsigned)f->ports.n * 2, err);
}

static void serve_connections(struct forwarding *f)
{
	fiber_group_init(&f->fibers, fiber_loop());
	if (f->up.spdy)
		accept_connections(f);
	else if (start_ports(f) >= 0)
		while (f->connections && fiber_park() == 0)     /* each ends by itself, or the client goes */
			;
	fiber_group_cancel(&f->fibers);
	fiber_group_join(&f->fibers);
	while (f->connections)
		connection_free(f->connections);
	upgrade_end(&f->up);
}

int serve_forward(struct http_request *rq, const struct request *r, struct err *err)
{
	struct forwarding f = { .request = r };
	int result = begin(&f, rq, err);

	if (result >= 0)
		serve_connections(&f);
	vec_free(&f.ports);
	return result;
}
