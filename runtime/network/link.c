#include "runtime/network/link.h"

#include <errno.h>
#include <stdio.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include "runtime/network/netlink.h"

#define POD_DEVICE "eth0"

void link_bridge_name(const char *instance, char out[static IFNAMSIZ]) { snprintf(out, IFNAMSIZ, "cd-%.8s", instance); }
void link_pod_prefix(const char *instance, char out[static IFNAMSIZ]) { snprintf(out, IFNAMSIZ, "cd%.8s.", instance); }

static void pod_name(const char *instance, uint32_t number, char out[static IFNAMSIZ])
{
	snprintf(out, IFNAMSIZ, "cd%.8s.%x", instance, number & 0xffff);
}

/* The device group of an instance: FNV-1a of its name, out of the way of groups that people number by hand. */
static uint32_t group_of(const char *instance)
{
	uint32_t h = 2166136261u;

	for (const char *c = instance; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619u;
	return h | 0x80000000u;
}

/* A link address that follows from the IP address: when an address is given out again, no neighbour table is stale. */
static void put_mac(struct nlmsghdr *m, uint16_t type, struct in_addr ip)
{
	unsigned char mac[6] = { 0x02, 0xcd };

	memcpy(mac + 2, &ip, 4);
	mnl_attr_put(m, type, sizeof mac, mac);
}

static struct nlmsghdr *begin_link(struct nl_batch *b, uint16_t flags, const char *name, int fine)
{
	struct ifinfomsg up = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nlmsghdr *m =
		nl_begin(b, RTM_NEWLINK, NLM_F_ACK | flags, &up, sizeof up, fine, "make network device '%s'", name);

	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	return m;
}

static void add_address(struct nl_batch *b, unsigned index, struct in_addr ip, const char *device)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = index };
	struct nlmsghdr *m = nl_begin(b, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &a, sizeof a, EEXIST,
				      "add an address to '%s'", device);

	mnl_attr_put(m, IFA_LOCAL, 4, &ip);
	mnl_attr_put(m, IFA_ADDRESS, 4, &ip);
}

struct route { struct in_addr to, via, source; unsigned bits; };        /* zero: not given */

static void add_route(struct nl_batch *b, unsigned index, const struct route *r, const char *device)
{
	struct rtmsg t = { .rtm_family = AF_INET, .rtm_dst_len = (unsigned char)r->bits, .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST,
			   .rtm_scope = r->via.s_addr ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK };
	struct nlmsghdr *m = nl_begin(b, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &t, sizeof t, 0,
				      "add a route to '%s'", device);

	if (r->bits)
		mnl_attr_put(m, RTA_DST, 4, &r->to);
	if (r->via.s_addr)
		mnl_attr_put(m, RTA_GATEWAY, 4, &r->via);
	if (r->source.s_addr)
		mnl_attr_put(m, RTA_PREFSRC, 4, &r->source);
	mnl_attr_put_u32(m, RTA_OIF, index);
}

static void on_link(void *arg, const struct nlmsghdr *m)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_type == RTM_NEWLINK)
		*(unsigned *)arg = (unsigned)i->ifi_index;
}

/* *index 0: there is none. */
static int find_link(int fd, const char *name, unsigned *index, struct err *err)
{
	AUTO(nl_batch) b = { 0 };
	struct ifinfomsg any = { .ifi_family = AF_UNSPEC };
	struct nlmsghdr *m =
		nl_begin(&b, RTM_GETLINK, NLM_F_ACK, &any, sizeof any, ENODEV, "find network device '%s'", name);

	*index = 0;
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	return nl_send(fd, &b, on_link, index, err);
}

static void put_bridge(struct nlmsghdr *m, const struct link_plan *p)
{
	struct nlattr *info, *data;

	put_mac(m, IFLA_ADDRESS, p->gateway);
	mnl_attr_put_u32(m, IFLA_GROUP, group_of(p->instance));
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	mnl_attr_put_u8(m, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
}

int link_make_bridge(const struct link_plan *p, struct err *err)
{
	AUTO(nl_batch) make = { 0 };
	AUTO(nl_batch) set = { 0 };
	AUTO_FD fd = nl_open(NETLINK_ROUTE, err);
	char name[IFNAMSIZ];
	unsigned index;

	if (fd < 0)
		return fd;
	link_bridge_name(p->instance, name);
	TRY(find_link(fd, name, &index, err));
	if (!index) {
		put_bridge(begin_link(&make, NLM_F_CREATE | NLM_F_EXCL, name, 0), p);
		TRY(nl_send(fd, &make, NULL, NULL, err));
		TRY(find_link(fd, name, &index, err));
	}
	add_address(&set, index, p->gateway, name);
	add_route(&set, index, &(struct route){ .to = p->service_net, .bits = p->service_bits, .source = p->gateway },
		name);
	return nl_send(fd, &set, NULL, NULL, err);
}

/* The node's end; its peer is born inside the pod's namespace, with its last name. */
static void put_veth(struct nlmsghdr *m, const struct link_plan *p, const struct link_pod *pod, int netns_fd)
{
	struct nlattr *info, *data, *peer;
	struct ifinfomsg down = { .ifi_family = AF_UNSPEC };    /* its other end is not there yet: it cannot be up */

	mnl_attr_put_u32(m, IFLA_GROUP, group_of(p->instance));
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(m, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_put_extra_header(m, sizeof down), &down, sizeof down);
	mnl_attr_put_strz(m, IFLA_IFNAME, POD_DEVICE);
	put_mac(m, IFLA_ADDRESS, pod->ip);
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_nest_end(m, peer);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
}

/* A process of the node that asks 127.0.0.1 for a node port reaches a pod only through devices that may carry loopback
 * addresses; the "guard" rule (rules.c) keeps pods from using that the other way. */
static void put_route_localnet(struct nlmsghdr *m)
{
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *inet = mnl_attr_nest_start(m, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(m, IFLA_INET_CONF);

	mnl_attr_put_u32(m, IPV4_DEVCONF_ROUTE_LOCALNET, 1);
	mnl_attr_nest_end(m, conf);
	mnl_attr_nest_end(m, inet);
	mnl_attr_nest_end(m, spec);
}

static int make_veth(int fd, const struct link_plan *p, const struct link_pod *pod, int netns_fd, const char *name,
		     struct err *err)
{
	AUTO(nl_batch) b = { 0 };

	put_veth(begin_link(&b, NLM_F_CREATE | NLM_F_EXCL, name, 0), p, pod, netns_fd);
	put_route_localnet(begin_link(&b, 0, name, 0));
	return nl_send(fd, &b, NULL, NULL, err);
}

static int delete_link(int fd, const char *name, struct err *err)
{
	AUTO(nl_batch) b = { 0 };
	struct ifinfomsg any = { .ifi_family = AF_UNSPEC };

	mnl_attr_put_strz(
		nl_begin(&b, RTM_DELLINK, NLM_F_ACK, &any, sizeof any, ENODEV, "delete network device '%s'", name),
		IFLA_IFNAME, name);
	return nl_send(fd, &b, NULL, NULL, err);
}

static int configure_pod(int fd, unsigned index, const struct link_plan *p, const struct link_pod *pod, struct err *err)
{
	AUTO(nl_batch) b = { 0 };

	begin_link(&b, 0, "lo", 0);
	begin_link(&b, 0, POD_DEVICE, 0);
	add_address(&b, index, pod->ip, POD_DEVICE);
	add_route(&b, index, &(struct route){ .to = p->gateway, .bits = 32 }, POD_DEVICE);
	add_route(&b, index, &(struct route){ .via = p->gateway, .source = pod->ip }, POD_DEVICE);
	return nl_send(fd, &b, NULL, NULL, err);
}

static int route_to_pod(int fd, const char *name, const struct link_plan *p, const struct link_pod *pod,
			struct err *err)
{
	AUTO(nl_batch) b = { 0 };
	unsigned index;

	TRY(find_link(fd, name, &index, err));
	add_route(&b, index, &(struct route){ .to = pod->ip, .bits = 32, .source = p->gateway }, name);
	return nl_send(fd, &b, NULL, NULL, err);
}

int link_attach(const struct link_plan *p, const struct link_pod *pod, int netns_fd, struct err *err)
{
	AUTO_FD host = nl_open(NETLINK_ROUTE, err);
	AUTO_FD inside = -1;
	char name[IFNAMSIZ];
	unsigned index;

	if (host < 0)
		return host;
	TRY(inside = nl_open_in(netns_fd, NETLINK_ROUTE, err));
	pod_name(p->instance, pod->number, name);
	TRY(find_link(inside, POD_DEVICE, &index, err));
	if (!index) {
		/* Left by a pod that had this address and whose namespace has not died yet. Slow (tens of ms), and
		 * rare. */
		unsigned stale;

		TRY(find_link(host, name, &stale, err));
		if (stale)
			TRY(delete_link(host, name, err));
		TRY(make_veth(host, p, pod, netns_fd, name, err));
		TRY(find_link(inside, POD_DEVICE, &index, err));
	}
	TRY(configure_pod(inside, index, p, pod, err));
	return route_to_pod(host, name, p, pod, err);
}

int link_remove_all(const char *instance, struct err *err)
{
	AUTO(nl_batch) b = { 0 };
	AUTO_FD fd = nl_open(NETLINK_ROUTE, err);
	struct ifinfomsg any = { .ifi_family = AF_UNSPEC };

	if (fd < 0)
		return fd;
	mnl_attr_put_u32(nl_begin(&b, RTM_DELLINK, NLM_F_ACK, &any, sizeof any, ENODEV,
				  "delete the network devices of '%s'", instance),
			 IFLA_GROUP, group_of(instance));
	return nl_send(fd, &b, NULL, NULL, err);
}
