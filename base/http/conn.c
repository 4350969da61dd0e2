/* base/http/conn.c - a connection: bytes between a socket and a protocol. */
#include "base/http/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define ROUNDS 16                       /* writes for one connection before others get their turn */
#define STALL_MS 60000                  /* a peer that takes nothing for so long is gone */
#define LINGER_MS 2000
#define H2_PREFACE SV("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

static void wanted(struct conn *c)
{
	short events = (short)((c->paused ? 0 : POLLIN) | (c->out.n > c->out_at ? POLLOUT : 0));

	if (c->poll && events != c->events)
		poller_events(c->poll, c->events = events);
}

void conn_ref(struct conn *c) { c->refs++; }

void conn_unref(struct conn *c)
{
	if (--c->refs)
		return;
	tls_peer_free(&c->peer);
	free(c);
}

void conn_deadline(struct conn *c, int64_t ms)
{
	c->read_by = ms ? loop_now_ms(c->server->loop) + ms : 0;
	if (ms)
		server_sweep(c->server);
}

void conn_check_deadlines(struct conn *c)
{
	int64_t now = loop_now_ms(c->server->loop);

	if ((c->read_by && now >= c->read_by) || (c->write_by && now >= c->write_by))
		conn_close(c);
}

void conn_close(struct conn *c)
{
	struct http_server *s = c->server;

	if (c->fd < 0)
		return;
	poller_stop(&c->poll);
	fd_close(&c->fd);
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	c->read_by = c->write_by = 0;
	SSL_free(TAKE(c->ssl));         /* what is large goes at once: an owner may be slow to end its stream */
	str_free(&c->kept);
	str_free(&c->out);
	c->out_at = 0;
	if (c->proto)
		c->proto->lost(c);
	fiber_signal_all(&s->changed);
	conn_unref(c);
}

/* ---- writing ---- */

/* What the socket does not take now waits in out; POLLOUT tells when it does. */
static void flush_out(struct conn *c)
{
	while (c->out_at < c->out.n && c->fd >= 0) {
		ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			conn_close(c);
			return;
		}
		c->out_at += (size_t)n;
		c->write_by = 0;
	}
	c->out.n = c->out_at = 0;
	c->write_by = 0;
	if (c->out.cap > 4096)          /* an idle connection holds no buffers */
		str_free(&c->out);
}

static void send_plain(struct conn *c, struct iovec *iov, int n)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	ssize_t sent = c->out.n > c->out_at ? 0 : sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	size_t skip = sent > 0 ? (size_t)sent : 0;

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		conn_close(c);
		return;
	}
	for (int i = 0; i < n; i++) {
		size_t gone = skip < iov[i].iov_len ? skip : iov[i].iov_len;

		skip -= gone;
		if (gone < iov[i].iov_len)
			str_add(&c->out, (struct sv){ (char *)iov[i].iov_base + gone, iov[i].iov_len - gone });
	}
}

void conn_send(struct conn *c, struct iovec *iov, int n)
{
	if (c->fd < 0)
		return;
	if (c->ssl)
		secure_send(c, iov, n);
	else
		send_plain(c, iov, n);
}

/* The last byte is out: tell the peer, and read over what it still sends, so that it gets to see our answer. */
static void start_linger(struct conn *c)
{
	if (c->lingering)
		return;
	c->lingering = true;
	if (c->secure) {
		secure_end(c);
		flush_out(c);
	}
	if (c->fd < 0)
		return;
	shutdown(c->fd, SHUT_WR);
	conn_pause(c, false);
	conn_deadline(c, LINGER_MS);
}

void conn_flush(struct conn *c)
{
	conn_ref(c);
	for (int i = 0; i < ROUNDS && c->fd >= 0; i++) {
		flush_out(c);
		if (c->fd < 0 || c->out.n > c->out_at || !c->proto)
			break;
		if (!c->proto->output(c)) {
			flush_out(c);
			break;
		}
		if (i == ROUNDS - 1)
			conn_dirty(c);
	}
	if (c->fd >= 0) {
		if (c->out.n > c->out_at) {
			if (!c->write_by)
				c->write_by = loop_now_ms(c->server->loop) + STALL_MS;
			server_sweep(c->server);
		} else if (c->ending) {
			start_linger(c);
		}
		wanted(c);
	}
	conn_unref(c);
}

void conn_end(struct conn *c)
{
	if (c->ending)
		return;
	c->ending = true;
	conn_dirty(c);
}

void conn_pause(struct conn *c, bool on)
{
	if (c->paused && !on) {
		c->resumed = true;
		conn_dirty(c);
	}
	c->paused = on;
	wanted(c);
}

/* What came in before the pause, and was not used yet, comes first. */
static void resume(struct conn *c)
{
	c->resumed = false;
	if (c->fd >= 0 && c->proto && !c->lingering)
		c->proto->resume(c);
	if (c->fd >= 0 && c->ssl && !c->paused)
		secure_input(c, SV(""));
}

static void flush_dirty(void *arg)
{
	struct http_server *s = arg;
	struct conn **v = s->dirty.v;
	size_t n = s->dirty.n;

	s->flushing = false;
	s->dirty.v = NULL;
	s->dirty.n = s->dirty.cap = 0;
	for (size_t i = 0; i < n; i++) {
		struct conn *c = v[i];

		c->dirty = false;
		if (c->resumed)
			resume(c);
		conn_flush(c);
		conn_unref(c);
	}
	free(v);
	if (s->freed && !s->flushing)
		server_free(s);
}

void conn_dirty(struct conn *c)
{
	struct http_server *s = c->server;

	if (c->dirty || c->fd < 0)
		return;
	c->dirty = true;
	conn_ref(c);
	vec_push(&s->dirty, c);
	if (!s->flushing)
		loop_turn_end(s->loop, flush_dirty, s);
	s->flushing = true;
}

/* ---- reading ---- */

/* Without ALPN the first bytes tell HTTP/2 (with prior knowledge) from HTTP/1. */
static void sniff(struct conn *c, struct sv data)
{
	struct sv all = data;

	if (c->kept.n) {
		str_add(&c->kept, data);
		all = str_sv(&c->kept);
	}
	size_t n = all.n < H2_PREFACE.n ? all.n : H2_PREFACE.n;
	bool maybe_h2 = !memcmp(all.p, H2_PREFACE.p, n);
	if (maybe_h2 && n < H2_PREFACE.n) {
		if (!c->kept.n)
			str_add(&c->kept, data);
		return;
	}
	AUTO(str) early = c->kept;
	c->kept = (struct str){ 0 };
	c->proto = maybe_h2 ? &h2_proto : &h1_proto;
	c->proto->input(c, early.n ? str_sv(&early) : data);
}

void conn_input(struct conn *c, struct sv data)
{
	if (c->lingering)
		return;
	if (c->proto)
		c->proto->input(c, data);
	else
		sniff(c, data);
}

static void on_readable(struct conn *c)
{
	struct http_server *s = c->server;
	ssize_t n = recv(c->fd, s->raw, IO_SIZE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || (!n && (c->lingering || !c->proto))) {
		conn_close(c);
		return;
	}
	if (!n) {
		c->paused = true;       /* there is nothing more to wait for */
		wanted(c);
		c->proto->eof(c);
	} else if (c->ssl) {
		secure_input(c, (struct sv){ s->raw, (size_t)n });
	} else {
		conn_input(c, (struct sv){ s->raw, (size_t)n });
	}
}

static void on_events(void *arg, short events)
{
	struct conn *c = arg;

	conn_ref(c);
	if (c->resumed)                 /* older bytes first */
		resume(c);
	if (c->fd >= 0 && (events & (POLLIN | POLLERR | POLLHUP)) && (!c->paused || events & POLLERR))
		on_readable(c);
	if (c->fd >= 0 && events & POLLOUT)
		conn_flush(c);
	conn_unref(c);
}

/* ---- birth ---- */

static void name_remote(struct conn *c)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof a;
	char text[INET6_ADDRSTRLEN] = "";

	if (getpeername(c->fd, (struct sockaddr *)&a, &n))
		return;
	if (a.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&a;
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		snprintf(c->remote, sizeof c->remote, "%s:%u", text, ntohs(in->sin_port));
	} else if (a.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a;
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
		snprintf(c->remote, sizeof c->remote, "[%s]:%u", text, ntohs(in6->sin6_port));
	}
}

/* A peer that vanished without a word is noticed within two minutes, also on an idle watch. */
static void set_options(int fd)
{
	const struct { int level, name, value; } options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 }, { SOL_SOCKET, SO_KEEPALIVE, 1 }, { IPPROTO_TCP, TCP_KEEPIDLE, 60 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15 }, { IPPROTO_TCP, TCP_KEEPCNT, 4 },
	};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

void conn_accept(struct http_server *s, int fd)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	*c = (struct conn){ .server = s, .refs = 1, .fd = fd, .next = s->conns, .cipher = { "", 0 }, .events = POLLIN };
	set_options(fd);
	name_remote(c);
	c->poll = poller_start(s->loop, fd, POLLIN, on_events, c);
	if (!c->poll) {
		close(fd);
		free(c);
		return;
	}
	if (s->conns)
		s->conns->prev = c;
	s->conns = c;
	if (s->o.tls)
		secure_start(c);
	conn_deadline(c, s->o.head_timeout_ms);
}
