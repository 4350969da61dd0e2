#include "runtime/network/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include "runtime/network/netlink.h"

struct tuple { const struct nlattr *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1]; };

struct search { const struct conntrack_ends *gone; struct nl_batch deletes; };

static const struct nfgenmsg ipv4 = { .nfgen_family = AF_INET, .version = NFNETLINK_V0 };

struct table { const struct nlattr **v; uint16_t max; };

static int keep(const struct nlattr *a, void *arg)
{
	struct table *t = arg;

	if (mnl_attr_get_type(a) <= t->max)
		t->v[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static void read_tuple(const struct nlattr *nest, struct tuple *t)
{
	const struct nlattr *parts[CTA_TUPLE_MAX + 1] = { 0 };

	*t = (struct tuple){ 0 };
	if (nest)
		(void)mnl_attr_parse_nested(nest, keep, &(struct table){ parts, CTA_TUPLE_MAX });
	if (parts[CTA_TUPLE_IP])
		(void)mnl_attr_parse_nested(parts[CTA_TUPLE_IP], keep, &(struct table){ t->ip, CTA_IP_MAX });
	if (parts[CTA_TUPLE_PROTO])
		(void)mnl_attr_parse_nested(parts[CTA_TUPLE_PROTO], keep, &(struct table){ t->proto, CTA_PROTO_MAX });
}

/* Answers of this flow come from an end that is gone. */
static bool answers_from(const struct conntrack_ends *gone, const struct tuple *reply)
{
	if (!reply->ip[CTA_IP_V4_SRC] || !reply->proto[CTA_PROTO_NUM] || !reply->proto[CTA_PROTO_SRC_PORT] ||
	    mnl_attr_get_u8(reply->proto[CTA_PROTO_NUM]) != IPPROTO_UDP)
		return false;
	for (size_t i = 0; i < gone->n; i++)
		if (mnl_attr_get_u32(reply->ip[CTA_IP_V4_SRC]) == gone->v[i].sin_addr.s_addr &&
		    mnl_attr_get_u16(reply->proto[CTA_PROTO_SRC_PORT]) == gone->v[i].sin_port)
			return true;
	return false;
}

static void on_flow(void *arg, const struct nlmsghdr *m)
{
	const struct nlattr *all[CTA_MAX + 1] = { 0 };
	struct search *s = arg;
	struct tuple reply;

	(void)mnl_attr_parse(m, sizeof(struct nfgenmsg), keep, &(struct table){ all, CTA_MAX });
	read_tuple(all[CTA_TUPLE_REPLY], &reply);
	if (!all[CTA_TUPLE_ORIG] || !answers_from(s->gone, &reply))
		return;
	mnl_attr_put(nl_begin(&s->deletes, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK, &ipv4,
			      sizeof ipv4, ENOENT, "forget a UDP flow"),
		     CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(all[CTA_TUPLE_ORIG]),
		     mnl_attr_get_payload(all[CTA_TUPLE_ORIG]));
}

static int forget(int fd, struct search *s, struct err *err)
{
	AUTO(nl_batch) b = { 0 };

	nl_begin(&b, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &ipv4, sizeof ipv4, 0,
		 "list UDP flows");
	TRY(nl_send(fd, &b, on_flow, s, err));
	return s->deletes.notes.n ? nl_send(fd, &s->deletes, NULL, NULL, err) : 0;
}

int conntrack_forget_udp(const struct conntrack_ends *gone, struct err *err)
{
	AUTO_FD fd = nl_open(NETLINK_NETFILTER, err);
	struct search s = { .gone = gone };
	int r;

	if (fd < 0)
		return fd;
	r = forget(fd, &s, err);
	nl_batch_free(&s.deletes);
	return r;
}
