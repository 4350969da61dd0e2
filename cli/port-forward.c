/* cli/port-forward.c - `cd port-forward`. */
#include "base/fiber.h"
#include "cli/pod.h"
#include "cli/verbs.h"
#include "kube/client-stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct forward {
	struct cluster_opts where;
	struct opt_list args;
	const char *address;
};

struct forwarding;
struct port { struct forwarding *f; uint16_t local, remote; int fd; };
struct local { struct port *port; struct duplex_fd duplex; unsigned number; };

struct forwarding {
	struct client_connection *connection;
	struct fiber_group listeners, connections;
	VEC(struct port) ports;
	unsigned n;                     /* connections so far: their numbers */
};

/* ---- one connection ---- */

static void run_local(void *arg)
{
	struct local *l = arg;
	AUTO(err) err = { 0 };

	if (client_forward(l->port->f->connection, l->number, l->port->remote, &l->duplex.base, &err) < 0 &&
	    err.code != ERR_CANCELED)
		fprintf(stderr, "port %u: %s\n", l->port->remote, err_msg(&err));
	duplex_fd_free(&l->duplex);
	free(l);
}

static void accept_all(void *arg)
{
	struct port *p = arg;

	while (fiber_poll(p->fd, POLLIN) >= 0) {
		int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct local *l = fd < 0 ? NULL : calloc(1, sizeof *l);

		if (fd < 0)
			continue;
		if (!l)
			abort();
		l->port = p;
		l->number = p->f->n++;
		if (duplex_fd_socket(&l->duplex, fd, NULL) < 0) {
			duplex_fd_free(&l->duplex);
			free(l);
			continue;
		}
		fiber_group_start(&p->f->connections, "forward", run_local, l);
	}
}

/* ---- ports: "8080", "8080:80", ":80" ---- */

static int number(struct sv text, const char *whole, uint16_t *out, struct err *err)
{
	int64_t n;

	if (!sv_to_i64(text, &n) || n < 0 || n > UINT16_MAX)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is no port: want PORT, LOCAL:PORT or :PORT", whole);
	*out = (uint16_t)n;
	return 0;
}

static int parse_port(const char *text, struct port *out, struct err *err)
{
	struct sv local, remote;
	bool two = sv_cut(sv_c(text), ':', &local, &remote);

	*out = (struct port){ .fd = -1 };
	TRY(number(two ? remote : local, text, &out->remote, err));
	if (!out->remote)
		return err_set(err, ERR_BAD_REQUEST, "'%s': port 0 does not exist", text);
	return two && !local.n ? 0 : number(local, text, &out->local, err);
}

static int listen_at(struct port *p, const char *address, struct err *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(p->local) };
	socklen_t n = sizeof a;
	int on = 1;

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is no IPv4 address", address);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0 || setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(p->fd, (void *)&a, sizeof a) || listen(p->fd, 128) || getsockname(p->fd, (void *)&a, &n))
		return err_errno(err, "listen on %s:%u", address, p->local);
	p->local = ntohs(a.sin_port);
	printf("Forwarding from %s:%u -> %u\n", address, p->local, p->remote);
	(void)fflush(stdout);
	return 0;
}

static int open_ports(struct forwarding *f, const struct forward *o, struct err *err)
{
	for (size_t i = 1; i < o->args.n; i++) {
		struct port p;

		TRY(parse_port(o->args.v[i], &p, err));
		p.f = f;
		vec_push(&f->ports, p);
	}
	for (size_t i = 0; i < f->ports.n; i++)
		TRY(listen_at(&f->ports.v[i], o->address ? o->address : "127.0.0.1", err));
	return 0;
}

/* Until the connection to the server is lost. */
static int serve(struct forwarding *f, struct err *err)
{
	struct spdy_stream *none;

	for (size_t i = 0; i < f->ports.n; i++)
		fiber_group_start(&f->listeners, "listen", accept_all, &f->ports.v[i]);
	while (spdy_accept(client_connection_spdy(f->connection), -1, &none, NULL) >= 0)
		spdy_close(&none);      /* servers open no streams */
	return err_set(err, ERR_UNAVAILABLE, "the connection to the pod was lost");
}

static void forwarding_free(struct forwarding *f)
{
	fiber_group_cancel(&f->listeners);
	fiber_group_join(&f->listeners);
	fiber_group_cancel(&f->connections);
	fiber_group_join(&f->connections);
	client_connection_close(&f->connection);
	for (size_t i = 0; i < f->ports.n; i++)
		fd_close(&f->ports.v[i].fd);
	vec_free(&f->ports);
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	const struct forward *o = arg;
	AUTO(forwarding) f = { 0 };
	AUTO_OBJECT pod = NULL;

	fiber_group_init(&f.listeners, fiber_loop());
	fiber_group_init(&f.connections, fiber_loop());
	TRY(pod_named(c, o->args.v, 1, &pod, err));
	TRY(client_forwarding(c->client, pod->ns, pod->name, &f.connection, err));
	TRY(open_ports(&f, o, err));
	return serve(&f, err);
}

static const struct usage usage = {
	"port-forward", "POD | TYPE/NAME [LOCAL:]PORT... [OPTIONS]",
	"Makes ports of a pod reachable from here, until it is stopped. PORT is the pod's, also when a Service is named;\n"
	"without LOCAL the same number is taken here, and with `:PORT` any free one.",
	"  cd port-forward web-5d8f-x2k4z 8080\n"
	"  cd port-forward deployment/web 9000:80 9443:443\n"
	"  cd port-forward db-0 :5432",
};

int cmd_port_forward(int argc, char **argv)
{
	struct forward o = { 0 };
	const struct opt opts[] = {
		{ "address", 0, OPT_STR, &o.address, "ADDRESS", "listen on this one; default: 127.0.0.1" },
		CLUSTER_OPTIONS(o.where),
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &o.args);

	if (r < 0 && o.args.n < 2)
		r = cli_usage_error(&usage, "name a pod and a port");
	if (r < 0)
		r = cluster_run("port-forward", &o.where, run, &o);
	vec_free(&o.args);
	return r;
}
