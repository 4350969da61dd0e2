/* The socket: questions in, answers out, strange names handed on to the node's own name servers. */
#include "runtime/agent/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/fs.h"

#define PORT        53
#define BATCH       64          /* questions a turn of the loop */
#define FORWARD_MS  5000
#define FORWARDS    512         /* that may be open at once */
#define UPSTREAMS   3

struct forward {
	struct dns *dns;
	struct sockaddr_in client;
	int fd;
	struct poller *poller;
	struct timer *timer;
	struct forward *next, **at;
};

struct dns {
	struct loop *loop;
	struct dns_source source;
	int fd;
	struct poller *poller;
	struct sockaddr_in upstreams[UPSTREAMS];
	size_t n_upstreams, n_forwards, turn;
	struct forward *forwards;
	char packet[DNS_PACKET_MAX];
};

static void reply(struct dns *d, const struct sockaddr_in *to, struct sv answer)
{
	/* a full queue drops, as UDP does */
	(void)sendto(d->fd, answer.p, answer.n, MSG_DONTWAIT, (const void *)to, sizeof *to);
}

/* ---- names of the world ---- */

static void forward_free(struct forward *f)
{
	*f->at = f->next;
	if (f->next)
		f->next->at = f->at;
	f->dns->n_forwards--;
	poller_stop(&f->poller);
	timer_stop(&f->timer);
	fd_close(&f->fd);
	free(f);
}

static void on_forward_timeout(void *arg) { forward_free(arg); }

static void on_forward_answer(void *arg, short events)
{
	struct forward *f = arg;
	struct dns *d = f->dns;
	ssize_t n = recv(f->fd, d->packet, sizeof d->packet, MSG_DONTWAIT);

	(void)events;
	if (n > 0)
		reply(d, &f->client, (struct sv){ d->packet, (size_t)n });
	forward_free(f);
}

/* In turns, so that a name server that is gone costs some clients a retry and none an answer. */
static int open_upstream(struct dns *d, struct sv packet)
{
	const struct sockaddr_in *to = &d->upstreams[d->turn++ % d->n_upstreams];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && (connect(fd, (const void *)to, sizeof *to) < 0 || send(fd, packet.p, packet.n, 0) < 0))
		fd_close(&fd);
	return fd;
}

static bool hand_on(struct dns *d, const struct sockaddr_in *client, struct sv packet)
{
	struct forward *f;
	int fd = d->n_upstreams && d->n_forwards < FORWARDS ? open_upstream(d, packet) : -1;

	if (fd < 0)
		return false;
	if (!(f = calloc(1, sizeof *f)))
		abort();
	*f = (struct forward){ .dns = d, .client = *client, .fd = fd, .next = d->forwards, .at = &d->forwards };
	if (f->next)
		f->next->at = &f->next;
	d->forwards = f;
	d->n_forwards++;
	f->poller = poller_start(d->loop, fd, POLLIN, on_forward_answer, f);
	f->timer = timer_after(d->loop, FORWARD_MS, on_forward_timeout, f);
	return true;
}

/* ---- questions ---- */

static void take(struct dns *d, const struct sockaddr_in *client, struct sv packet)
{
	struct dns_question q;
	AUTO(str) out = { 0 };
	int code = dns_question_read(packet, &q);

	if (code < 0)
		return;
	if (!code && (dns_resolve(&d->source, packet, &q, &out) || hand_on(d, client, packet))) {
		if (out.n)
			reply(d, client, str_sv(&out));
		return;
	}
	dns_answer_start(&out, packet, &q, code ? (enum dns_code)code : DNS_FAILED);
	dns_answer_end(&out, &q);
	reply(d, client, str_sv(&out));
}

static void on_question(void *arg, short events)
{
	struct dns *d = arg;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_in client;
		socklen_t len = sizeof client;
		ssize_t n = recvfrom(d->fd, d->packet, sizeof d->packet, MSG_DONTWAIT, (void *)&client, &len);

		if (n < 0)
			return;
		take(d, &client, (struct sv){ d->packet, (size_t)n });
	}
}

/* ---- start and stop ---- */

static void read_upstreams(struct dns *d)
{
	AUTO(str) text = { 0 };
	struct sv line, rest;

	if (file_read("/etc/resolv.conf", (size_t)1 << 16, &text, NULL) < 0)
		return;
	rest = str_sv(&text);
	for (bool more = true; more && d->n_upstreams < UPSTREAMS;) {
		struct sv word, ip;
		char buf[INET_ADDRSTRLEN] = "";
		struct sockaddr_in *to = &d->upstreams[d->n_upstreams];

		more = sv_cut(rest, '\n', &line, &rest);
		if (!sv_cut(sv_trim(line), ' ', &word, &ip) || !sv_eq_c(word, "nameserver"))
			continue;
		ip = sv_trim(ip);
		if (ip.n < sizeof buf)
			memcpy(buf, ip.p, ip.n);
		*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(PORT) };
		d->n_upstreams += inet_pton(AF_INET, buf, &to->sin_addr) == 1;
	}
}

static int open_socket(struct dns *d, const char *ip, struct err *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	if (inet_pton(AF_INET, ip, &a.sin_addr) != 1)
		return err_set(err, ERR_INVALID, "'%s' is no IPv4 address", ip);
	d->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0 || bind(d->fd, (void *)&a, sizeof a) < 0)
		return err_errno(err, "answer names on %s:%d", ip, PORT);
	return 0;
}

struct dns *dns_start(struct loop *l, const char *ip, const struct dns_source *source, struct err *err)
{
	struct dns *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	d->loop = l;
	d->source = *source;
	d->fd = -1;
	if (open_socket(d, ip, err) < 0) {
		dns_stop(&d);
		return NULL;
	}
	read_upstreams(d);
	d->poller = poller_start(l, d->fd, POLLIN, on_question, d);
	return d;
}

void dns_stop(struct dns **dp)
{
	struct dns *d = TAKE(*dp);

	if (!d)
		return;
	while (d->forwards)
		forward_free(d->forwards);
	poller_stop(&d->poller);
	fd_close(&d->fd);
	free(d);
}
