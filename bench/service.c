/* bench/service.c - what a Service's address costs: pod to pod directly, through this program's rules with 1 and
 * with 5,000 services, and through the shortest rules that a person would write. Rounds are interleaved; quote the
 * ratios. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/fs.h"
#include "runtime/lab-net.h"
#include "runtime/network/network.h"

#define ROUNDS      5
#define CONNECTIONS 1000
#define PINGS       20000
#define MANY        5000
#define VIP         "10.96.0.10"

struct bench {
	char dir[64], ip[2][16];
	struct network *net;
	struct lab_ns pod[2];
	struct service_port services[MANY];
	char keys[MANY][24], ips[MANY][16];
	struct backend backend[2];
};

static void fail(const char *what, struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err ? err_msg(err) : "failed");
	exit(1);
}

static void open_network(struct bench *b)
{
	struct err err = { 0 };

	network_close(&b->net);
	b->net = network_open(&(struct network_opts){ "bench", "10.244.0.0/24", "10.96.0.0/16", b->dir }, &err);
	if (!b->net)
		fail("network", &err);
}

static void apply(struct bench *b, size_t n)
{
	struct err err = { 0 };

	open_network(b);
	if (network_services(b->net, b->services, n, &err) < 0)
		fail("services", &err);
}

/* ---- the ways from pod 0 to pod 1 ---- */

static void use_direct(struct bench *b) { apply(b, 0); }
static void use_one(struct bench *b) { apply(b, 2); }
static void use_many(struct bench *b) { apply(b, MANY); }

static void use_hand_written(struct bench *b)
{
	char rules[512];

	snprintf(rules, sizeof rules, "delete table ip cd-bench; add table ip hand; delete table ip hand; table ip hand { chain pre { "
		 "type nat hook prerouting priority dstnat; ip daddr " VIP " tcp dport 80 dnat to %s:8080; "
		 "ip daddr " VIP " tcp dport 81 dnat to %s:8081; }; chain post { type nat hook postrouting priority srcnat; }; }",
		 b->ip[1], b->ip[1]);
	open_network(b);
	free(lab_output((const char *const[]){ "nft", rules, NULL }));
}

static void after_hand_written(struct bench *b)
{
	(void)b;
	free(lab_output((const char *const[]){ "nft", "delete table ip hand", NULL }));
}

struct way { const char *name; bool direct; void (*use)(struct bench *); void (*after)(struct bench *); double conn[ROUNDS], ping[ROUNDS]; };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(struct bench *b, struct way *w, int round)
{
	const char *ip = w->direct ? b->ip[1] : VIP;
	struct lab_count c;
	double from;

	w->use(b);
	from = now();
	lab_ask_many(b->pod[0].fd, ip, w->direct ? 8080 : 80, CONNECTIONS, &c);
	w->conn[round] = (now() - from) / CONNECTIONS * 1e6;
	w->ping[round] = lab_pings(b->pod[0].fd, ip, w->direct ? 8081 : 81, PINGS) / PINGS * 1e6;
	if (c.failed || w->ping[round] < 0)
		fail(w->name, NULL);
	if (w->after)
		w->after(b);
}

static int ascending(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof *v, ascending);
	return v[ROUNDS / 2];
}

static void setup(struct bench *b)
{
	struct err err = { 0 };

	snprintf(b->dir, sizeof b->dir, "/tmp/cd-bench-service-XXXXXX");
	lab_enter();
	if (!mkdtemp(b->dir))
		fail("mkdtemp", NULL);
	open_network(b);
	for (int i = 0; i < 2; i++) {
		struct str ip = { 0 };

		b->pod[i] = lab_ns_new();
		if (network_attach(b->net, i ? "server" : "client", b->pod[i].fd, &ip, &err) < 0)
			fail("attach", &err);
		snprintf(b->ip[i], sizeof b->ip[i], "%s", str_c(&ip));
		str_free(&ip);
	}
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(b->keys[i], sizeof b->keys[i], "ns/service-%u:http", i);
		snprintf(b->ips[i], sizeof b->ips[i], "10.96.%u.%u", 1 + i / 250, 1 + i % 250);
		b->backend[i == 1] = (struct backend){ b->ip[1], i == 1 ? 8081 : 8080, 1 };
		b->services[i] = (struct service_port){ b->keys[i], i < 2 ? VIP : b->ips[i], i == 1 ? 81 : 80, 0, "TCP", false,
							&b->backend[i == 1], 1 };
	}
	lab_serve(b->pod[1].fd, b->ip[1], 8080, 'x');
	lab_echo(b->pod[1].fd, b->ip[1], 8081);
}

int main(void)
{
	static struct bench b;
	static struct way ways[] = {
		{ "the pod's own address", true, use_direct, NULL, { 0 }, { 0 } },
		{ "Service, 1 of 2", false, use_one, NULL, { 0 }, { 0 } },
		{ "Service, 1 of 5,000", false, use_many, NULL, { 0 }, { 0 } },
		{ "hand-written dnat rule", false, use_hand_written, after_hand_written, { 0 }, { 0 } },
	};
	const size_t n = sizeof ways / sizeof *ways;
	double base_conn, base_ping;

	setup(&b);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			measure(&b, &ways[i], round);
	base_conn = median(ways[0].conn);
	base_ping = median(ways[0].ping);
	printf("%-26s %14s %8s %14s %8s   (medians of %d rounds)\n", "", "connection us", "", "round trip us", "",
	       ROUNDS);
	for (size_t i = 0; i < n; i++)
		printf("%-26s %14.1f %7.2fx %14.1f %7.2fx\n", ways[i].name, median(ways[i].conn),
		       median(ways[i].conn) / base_conn, median(ways[i].ping), median(ways[i].ping) / base_ping);
	network_close(&b.net);
	(void)!network_destroy("bench", NULL);
	return tree_remove(b.dir, NULL) < 0;
}
