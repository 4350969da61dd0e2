#include "runtime/network/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "runtime/network/ipam.h"
#include "runtime/network/link.h"
#include "runtime/network/service.h"

struct network {
	char *instance, gateway[INET_ADDRSTRLEN];
	struct link_plan links;
	struct rules_plan rules;
	pthread_mutex_t lock;           /* addresses and services: pods are attached by several jobs at once */
	struct ipam ipam;
	struct services services;
};

static int cidr_parse(const char *text, struct in_addr *net, unsigned *bits, struct err *err)
{
	struct sv ip, len;
	char buf[INET_ADDRSTRLEN];
	int64_t n;

	if (!sv_cut(sv_c(text), '/', &ip, &len) || !sv_to_i64(len, &n) || n < 8 || n > 29 || ip.n >= sizeof buf)
		return err_set(err, ERR_INVALID, "'%s' is no IPv4 network such as 10.244.0.0/24 (lengths 8 to 29)",
			       text);
	snprintf(buf, sizeof buf, SV_FMT, SV_ARG(ip));
	if (inet_pton(AF_INET, buf, net) != 1)
		return err_set(err, ERR_INVALID, "'%s' is no IPv4 network: '%s' is no address", text, buf);
	*bits = (unsigned)n;
	net->s_addr &= htonl(~0u << (32 - *bits));
	return 0;
}

static int sysctl_set(const char *name, const char *value, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO_FD fd = -1;

	str_addf(&path, "/proc/sys/net/%s", name);
	if ((fd = open(str_c(&path), O_WRONLY | O_CLOEXEC)) < 0 || write(fd, value, strlen(value)) < 0)
		return err_errno(err, "set %s to %s", str_c(&path), value);
	return 0;
}

static int make_frame(const struct rules_plan *p, struct err *err)
{
	AUTO(nft) n = { 0 };
	AUTO_FD fd = nl_open(NETLINK_NETFILTER, err);
	char table[32];
	int there;

	if (fd < 0)
		return fd;
	rules_table_name(p->instance, table);
	TRY(there = nft_table_exists(fd, table, err));
	if (there)              /* goes on as it is until the first network_services() */
		return 0;
	nft_start(&n, table);
	nft_table_add(&n);
	rules_frame(&n, p);
	return nft_commit(&n, fd, err);
}

static int read_plan(struct network *n, const struct network_opts *o, struct err *err)
{
	struct rules_plan *p = &n->rules;

	if (strlen(o->instance) > 8 || !*o->instance || strpbrk(o->instance, "/.: \t\n"))
		return err_set(err, ERR_INVALID, "'%s' names no network: 1 to 8 letters, digits or dashes",
			       o->instance);
	n->instance = sv_dup(sv_c(o->instance));
	p->instance = n->links.instance = n->instance;
	TRY(cidr_parse(o->pod_cidr, &p->pod_net, &p->pod_bits, err));
	TRY(cidr_parse(o->service_cidr, &p->service_net, &p->service_bits, err));
	n->links.gateway.s_addr = htonl(ntohl(p->pod_net.s_addr) + 1);
	n->links.service_net = p->service_net;
	n->links.service_bits = p->service_bits;
	inet_ntop(AF_INET, &n->links.gateway, n->gateway, sizeof n->gateway);
	return 0;
}

static int start(struct network *n, const struct network_opts *o, struct err *err)
{
	uint32_t net;

	TRY(read_plan(n, o, err));
	net = ntohl(n->rules.pod_net.s_addr);
	TRY(ipam_open(&n->ipam, o->state_dir, net + 2, net + (1u << (32 - n->rules.pod_bits)) - 2, err));
	TRY(sysctl_set("ipv4/ip_forward", "1", err));
	TRY(link_make_bridge(&n->links, err));
	return make_frame(&n->rules, err);
}

struct network *network_open(const struct network_opts *o, struct err *err)
{
	struct network *n = calloc(1, sizeof *n);

	if (!n)
		abort();
	pthread_mutex_init(&n->lock, NULL);
	if (start(n, o, err) < 0) {
		(void)err_wrap(err, -1, "pod network '%s'", o->instance);
		network_close(&n);
	}
	return n;
}

void network_close(struct network **np)
{
	struct network *n = TAKE(*np);

	if (!n)
		return;
	services_free(&n->services);
	ipam_free(&n->ipam);
	pthread_mutex_destroy(&n->lock);
	free(n->instance);
	free(n);
}

const char *network_gateway(const struct network *n) { return n->gateway; }

int network_attach(struct network *n, const char *key, int netns_fd, struct str *ip, struct err *err)
{
	char text[INET_ADDRSTRLEN];
	struct link_pod pod;
	uint32_t address;
	int r;

	pthread_mutex_lock(&n->lock);
	r = ipam_take(&n->ipam, key, &address, err);
	pthread_mutex_unlock(&n->lock);
	TRY(r);
	pod = (struct link_pod){ { htonl(address) }, address - ntohl(n->rules.pod_net.s_addr) };
	TRY(link_attach(&n->links, &pod, netns_fd, err));
	inet_ntop(AF_INET, &pod.ip, text, sizeof text);
	str_set(ip, text);
	return 0;
}

int network_detach(struct network *n, const char *key, struct err *err)
{
	int r;

	pthread_mutex_lock(&n->lock);
	r = ipam_give_back(&n->ipam, key, err);
	pthread_mutex_unlock(&n->lock);
	return r;
}

int network_detach_others(struct network *n, bool (*want)(void *arg, const char *key), void *arg, struct err *err)
{
	struct map_slot *s;
	int r = 0;

	pthread_mutex_lock(&n->lock);
	map_each(s, &n->ipam.by_key) {
		if (r >= 0 && !want(arg, s->key)) {
			AUTO(str) key = { 0 };

			str_addc(&key, s->key);
			r = ipam_give_back(&n->ipam, str_c(&key), err);
		}
	}
	pthread_mutex_unlock(&n->lock);
	return r;
}

int network_services(struct network *n, const struct service_port *v, size_t n_v, struct err *err)
{
	int r;

	pthread_mutex_lock(&n->lock);
	r = services_apply(&n->services, &n->rules, v, n_v, err);
	pthread_mutex_unlock(&n->lock);
	return r < 0 ? err_wrap(err, r, "apply %zu service ports", n_v) : 0;
}

int network_destroy(const char *instance, struct err *err)
{
	AUTO(nft) n = { 0 };
	AUTO_FD fd = nl_open(NETLINK_NETFILTER, err);
	char table[32];

	if (fd < 0)
		return fd;
	rules_table_name(instance, table);
	nft_start(&n, table);
	nft_table_del(&n, true);
	TRY(nft_commit(&n, fd, err));
	return link_remove_all(instance, err);
}
