/* Open connections of a namespace, by sock_diag: what `ss` shows. */
#include "runtime/network/network.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "runtime/network/netlink.h"

/* States in which one side may still send, or has data that was not acknowledged. */
#define OPEN                                                                                                           \
	(1u << TCP_ESTABLISHED | 1u << TCP_SYN_RECV | 1u << TCP_FIN_WAIT1 | 1u << TCP_CLOSE_WAIT |                     \
	 1u << TCP_LAST_ACK | 1u << TCP_CLOSING)
#define PORT_WORDS (65536 / 64)

struct sockets { uint64_t listening[PORT_WORDS]; VEC(uint16_t) open; };

static void on_socket(void *arg, const struct nlmsghdr *m)
{
	const struct inet_diag_msg *d = mnl_nlmsg_get_payload(m);
	struct sockets *s = arg;
	uint16_t port = ntohs(d->id.idiag_sport);

	if (d->idiag_state == TCP_LISTEN)
		s->listening[port / 64] |= 1ull << (port % 64);
	else
		vec_push(&s->open, port);
}

static int dump(int fd, uint8_t family, struct sockets *s, struct err *err)
{
	struct inet_diag_req_v2 rq = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP,
		.idiag_states = OPEN | 1u << TCP_LISTEN };
	AUTO(nl_batch) b = { 0 };

	nl_begin(&b, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &rq, sizeof rq, 0, "list connections");
	return nl_send(fd, &b, on_socket, s, err);
}

int network_inbound(int netns_fd, unsigned *n, struct err *err)
{
	struct sockets *s = calloc(1, sizeof *s);
	int fd = nl_open_in(netns_fd, NETLINK_SOCK_DIAG, err), r = fd;

	if (!s)
		abort();
	if (fd >= 0)
		r = dump(fd, AF_INET, s, err);
	if (r >= 0)
		r = dump(fd, AF_INET6, s, err);
	fd_close(&fd);
	*n = 0;
	for (size_t i = 0; i < s->open.n; i++)
		*n += s->listening[s->open.v[i] / 64] >> (s->open.v[i] % 64) & 1;
	vec_free(&s->open);
	free(s);
	return r < 0 ? r : 0;
}
