#include "runtime/network/netlink.h"
#include "runtime/network/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <linux/netlink.h>

static void end(struct nl_batch *b)
{
	if (b->open)
		b->bytes.n += MNL_ALIGN(nl_message(b)->nlmsg_len);
	b->open = false;
}

struct nlmsghdr *nl_message(struct nl_batch *b)
{
	return (struct nlmsghdr *)(void *)(b->bytes.p + b->bytes.n);
}

struct nlmsghdr *nl_begin(struct nl_batch *b, uint16_t type, uint16_t flags, const void *head, size_t head_n, int fine,
			  const char *what, ...)
{
	AUTO(str) text = { 0 };
	va_list ap;

	va_start(ap, what);
	str_addv(&text, what, ap);
	va_end(ap);
	end(b);
	str_room(&b->bytes, NL_MESSAGE_MAX);
	vec_push(&b->notes, ((struct nl_note){ (uint32_t)b->bytes.n, str_take(&text), fine }));

	struct nlmsghdr *m = mnl_nlmsg_put_header(b->bytes.p + b->bytes.n);

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = (uint32_t)b->notes.n;    /* the note's place + 1 */
	memcpy(mnl_nlmsg_put_extra_header(m, head_n), head, head_n);
	b->open = true;
	return m;
}

void nl_batch_free(struct nl_batch *b)
{
	for (size_t i = 0; i < b->notes.n; i++)
		free(b->notes.v[i].what);
	vec_free(&b->notes);
	str_free(&b->bytes);
	b->open = false;
}

int nl_open(int bus, struct err *err)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	AUTO_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, bus);
	int on = 1, room = 1 << 22, r;

	if (fd < 0 || bind(fd, (void *)&self, sizeof self) < 0)
		return err_errno(err, "open a netlink socket");
	/* the kernel's own words, where it has some */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	/* answers without a copy of the question */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	r = fd;
	fd = -1;
	return r;
}

static int netns_home(void) { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

int network_inside(int netns_fd, int (*open)(void *arg, struct err *err), void *arg, struct err *err)
{
	AUTO_FD home = netns_home();
	int fd;

	if (home < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
		return err_errno(err, "enter the pod's network namespace");
	fd = open(arg, err);
	if (setns(home, CLONE_NEWNET) < 0) {
		/* This thread would go on in the wrong network: nothing it does later could be right. */
		abort();
	}
	return fd;
}

static int open_bus(void *bus, struct err *err) { return nl_open(*(int *)bus, err); }

int nl_open_in(int netns_fd, int bus, struct err *err) { return network_inside(netns_fd, open_bus, &bus, err); }

static int note_text(const struct nlattr *a, void *arg)
{
	if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		*(const char **)arg = mnl_attr_get_str(a);
	return MNL_CB_OK;
}

/* One answer of the kernel: 0, or an error of ours when it is the first one. */
static int judge(const struct nl_batch *b, const struct nlmsghdr *m, struct err *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	const struct nl_note *note = m->nlmsg_seq - 1 < b->notes.n ? &b->notes.v[m->nlmsg_seq - 1] : NULL;
	const char *text = NULL;

	if (!e->error || (note && e->error == -note->fine))
		return 0;
	if (m->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(m, sizeof *e, note_text, &text);
	errno = -e->error;
	return err_errno(err, "%s%s%s%s", note ? note->what : "netlink", text ? " (" : "", text ? text : "",
			 text ? ")" : "");
}

static int answers(int fd, const struct nl_batch *b, void (*on_data)(void *, const struct nlmsghdr *), void *arg,
		   struct err *err)
{
	size_t size = 64 << 10;
	char *buf = malloc(size);
	int r = 0;
	ssize_t n;

	if (!buf)
		abort();
	while ((n = recv(fd, buf, size, MSG_DONTWAIT)) > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS))) {
		int left = (int)n;

		for (struct nlmsghdr *m = (void *)buf; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			if (m->nlmsg_type == NLMSG_ERROR && !r)
				r = judge(b, m, err);
			else if (m->nlmsg_type >= NLMSG_MIN_TYPE && on_data)
				on_data(arg, m);
		}
	}
	free(buf);
	return r;
}

int nl_send(int fd, struct nl_batch *b, void (*on_data)(void *, const struct nlmsghdr *), void *arg, struct err *err)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int room;

	end(b);
	/* one datagram: the whole batch must fit into the socket's buffer */
	room = (int)b->bytes.n * 2 + (64 << 10);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	if (sendto(fd, b->bytes.p, b->bytes.n, 0, (void *)&kernel, sizeof kernel) < 0)
		return err_errno(err, "send %zu bytes of netlink messages", b->bytes.n);
	return answers(fd, b, on_data, arg, err);
}
