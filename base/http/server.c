/* base/http/server.c - listening, deadlines, and stopping in order. */
#include "base/http/internal.h"

#include "base/log.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define BACKLOG 1024
#define SWEEP_MS 1000
#define HEAD_TIMEOUT_MS 10000
#define ACCEPT_AGAIN_MS 100             /* out of descriptors: some may be free by then */
#define COMPLAIN_MS 10000
#define FINISH_MS 5000                  /* for handlers when the server stops; then they are canceled */
#define GOODBYE_MS 1000                 /* for their answers to go out */

int http_server_port(const struct http_server *s) { return s->port; }

const char *server_date(struct http_server *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != s->date_at) {
		gmtime_r(&now, &tm);
		strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_at = now;
	}
	return s->date;
}

/* ---- deadlines ---- */

static void on_sweep(void *arg)
{
	struct http_server *s = arg;
	bool any = false;

	for (struct conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		any |= c->read_by || c->write_by;
		conn_check_deadlines(c);
	}
	if (!any)
		timer_stop(&s->sweep);
}

void server_sweep(struct http_server *s)
{
	if (!s->sweep)
		s->sweep = timer_every(s->loop, SWEEP_MS, on_sweep, s);
}

/* ---- listening ---- */

static void accept_again(void *arg)
{
	struct http_server *s = arg;

	timer_stop(&s->accept_again);
	poller_events(s->poll, POLLIN);
}

/* Once in a while: it goes on for as long as the shortage does. */
static void complain(struct http_server *s, const char *why)
{
	int64_t now = loop_now_ms(s->loop);

	if (s->complained_ms && now - s->complained_ms < COMPLAIN_MS)
		return;
	s->complained_ms = now;
	log_event(LOG_WARN, "cannot accept connections", "listen", s->listen, "err", why, NULL);
}

static void on_connections(void *arg, short events)
{
	struct http_server *s = arg;

	(void)events;
	for (int i = 0; i < 64; i++) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			conn_accept(s, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			complain(s, strerror(errno));
			poller_events(s->poll, 0);
			s->accept_again = timer_after(s->loop, ACCEPT_AGAIN_MS, accept_again, s);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static int listen_at(struct http_server *s, const struct addrinfo *a)
{
	struct sockaddr_storage got = { 0 };
	socklen_t n = sizeof got;
	int on = 1;

	s->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) || bind(s->fd, a->ai_addr, a->ai_addrlen) ||
	    listen(s->fd, BACKLOG) || getsockname(s->fd, (struct sockaddr *)&got, &n))
		return -1;
	s->port = ntohs(got.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&got)->sin6_port : ((struct sockaddr_in *)&got)->sin_port);
	return 0;
}

static int start_listening(struct http_server *s, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
	struct sv host, port;

	if (!sv_cut_last(sv_c(s->listen), ':', &host, &port) || !port.n)
		return err_set(err, ERR_BAD_REQUEST, "listen on '%s': want HOST:PORT", s->listen);
	if (sv_starts(host, SV("[")) && sv_ends(host, SV("]")))
		host = (struct sv){ host.p + 1, host.n - 2 };
	char *name = sv_dup(host);
	int r = getaddrinfo(*name ? name : NULL, port.p, &hints, &found);
	free(name);
	if (r)
		return err_set(err, ERR_BAD_REQUEST, "listen on '%s': %s", s->listen, gai_strerror(r));
	r = listen_at(s, found);
	if (r < 0)
		r = err_errno(err, "listen on '%s'", s->listen);
	freeaddrinfo(found);
	return r;
}

void server_free(struct http_server *s)
{
	s->freed = true;
	if (s->flushing)                /* frees it when it has run */
		return;
	poller_stop(&s->poll);
	timer_stop(&s->sweep);
	timer_stop(&s->accept_again);
	fd_close(&s->fd);
	BIO_meth_free(s->bio);
	http_buf_drop(&s->last_chunk);
	vec_free(&s->dirty);
	free(s->listen);
	free(s->plain);
	free(s->raw);
	free(s);
}

struct http_server *http_server_start(struct loop *l, const struct http_server_opts *o, struct err *err)
{
	struct http_server *s = calloc(1, sizeof *s);

	if (!s || !(s->plain = malloc(IO_SIZE)) || !(s->raw = malloc(IO_SIZE)))
		abort();
	s->loop = l;
	fiber_group_init(&s->handlers, l);
	s->o = *o;
	s->fd = -1;
	s->listen = sv_dup(sv_c(o->listen));
	s->last_chunk = http_buf_new(SV("0\r\n\r\n"));
	if (!s->o.head_timeout_ms)
		s->o.head_timeout_ms = HEAD_TIMEOUT_MS;
	if (start_listening(s, err) < 0) {
		server_free(s);
		return NULL;
	}
	s->poll = poller_start(l, s->fd, POLLIN, on_connections, s);
	return s;
}

/* ---- stopping ---- */

static void wait_until(struct http_server *s, bool (*done)(const struct http_server *), int64_t ms)
{
	int64_t until = loop_now_ms(s->loop) + ms;

	while (!done(s) && loop_now_ms(s->loop) < until)
		if (fiber_wait_ms(&s->changed, until - loop_now_ms(s->loop)) == -ERR_CANCELED)
			return;
}

static bool no_handlers(const struct http_server *s) { return !s->running; }
static bool no_connections(const struct http_server *s) { return !s->conns; }

static void drain_each(struct http_server *s)
{
	for (struct conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		c->stopping = true;
		if (c->proto)
			c->proto->drain(c);
		else
			conn_close(c);
	}
}

void http_server_stop(struct http_server **sp)
{
	struct http_server *s = TAKE(*sp);

	if (!s)
		return;
	timer_stop(&s->accept_again);
	poller_stop(&s->poll);
	fd_close(&s->fd);
	drain_each(s);
	wait_until(s, no_handlers, FINISH_MS);
	fiber_group_cancel(&s->handlers);
	fiber_group_join(&s->handlers);
	wait_until(s, no_connections, GOODBYE_MS);
	while (s->conns)
		conn_close(s->conns);
	server_free(s);
}
