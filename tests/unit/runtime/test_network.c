/* Pods and Services in a network namespace of the test's own: real veths, real rules, real connections. */
#include "check.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "lab-net.h"
#include "runtime/network/network.h"

#define VIP "10.96.0.10"

struct lab {
	char dir[64];
	struct network *net;
	struct lab_ns pod[3];
	char *ip[3];
	int server[3];
};

static void open_network(struct lab *l)
{
	struct err err = { 0 };
	struct network_opts o = { "test", "10.244.0.0/24", "10.96.0.0/16", l->dir };

	l->net = network_open(&o, &err);
	if (!l->net)
		fail_msg("%s", err_msg(&err));
}

static char *attach(struct lab *l, int pod)
{
	struct str ip = { 0 };
	char key[16];
	AUTO(err) err = { 0 };

	snprintf(key, sizeof key, "pod-%d", pod);
	assert_ok(network_attach(l->net, key, l->pod[pod].fd, &ip, &err), &err);
	return str_take(&ip);
}

static int setup(void **state)
{
	struct lab *l = calloc(1, sizeof *l);

	snprintf(l->dir, sizeof l->dir, "/tmp/cd-test-network-XXXXXX");
	if (!mkdtemp(l->dir))
		return -1;
	lab_enter();
	open_network(l);
	for (int i = 0; i < 3; i++) {
		l->pod[i] = lab_ns_new();
		l->ip[i] = attach(l, i);
		l->server[i] = lab_serve(l->pod[i].fd, l->ip[i], 8080, (char)('a' + i));
	}
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct lab *l = *state;

	for (int i = 0; i < 3; i++) {
		lab_stop(l->server[i]);
		lab_ns_free(&l->pod[i]);
		free(l->ip[i]);
	}
	network_close(&l->net);
	int r = network_destroy("test", NULL) < 0 || tree_remove(l->dir, NULL) < 0;
	free(l);
	return r;
}

static void serve(struct lab *l, struct service_port s, unsigned weight_0, unsigned weight_1, unsigned weight_2)
{
	struct backend b[3] = { { l->ip[0], 8080, weight_0 }, { l->ip[1], 8080, weight_1 }, { l->ip[2], 8080, weight_2 } };
	AUTO(err) err = { 0 };

	s.key = s.key ? s.key : "default/web:http";
	s.cluster_ip = VIP;
	s.port = 80;
	s.protocol = "TCP";
	s.backends = b;
	s.n_backends = 3;
	assert_ok(network_services(l->net, &s, 1, &err), &err);
}

#define PLAIN ((struct service_port){ .node_port = 30080 })

static char *rules(void)
{
	return lab_output((const char *const[]){ "nft", "list", "ruleset", NULL });
}

static void assert_rules(const char *want)
{
	char *text = rules();

	if (!strstr(text, want))
		fail_msg("want '%s' in:\n%s", want, text);
	free(text);
}

static void attach_again_gives_the_same_address(void **state)
{
	struct lab *l = *state;
	char *again = attach(l, 1);

	assert_string_equal(again, l->ip[1]);
	assert_string_not_equal(l->ip[0], l->ip[1]);
	free(again);
	network_close(&l->net);         /* and so after the daemon's death */
	open_network(l);
	again = attach(l, 1);
	assert_string_equal(again, l->ip[1]);
	free(again);
	assert_int_equal(lab_ask(l->pod[0].fd, l->ip[1], 8080), 'b');
}

static void detach_frees_the_address_and_it_rests(void **state)
{
	struct lab *l = *state;
	struct lab_ns ns = lab_ns_new();
	AUTO(err) err = { 0 };
	AUTO(str) first = { 0 };
	AUTO(str) second = { 0 };

	assert_ok(network_attach(l->net, "other", ns.fd, &first, &err), &err);
	assert_ok(network_detach(l->net, "other", &err), &err);
	lab_ns_free(&ns);
	ns = lab_ns_new();
	assert_ok(network_attach(l->net, "another", ns.fd, &second, &err), &err);
	assert_string_not_equal(str_c(&first), str_c(&second));
	assert_ok(network_detach(l->net, "another", &err), &err);
	lab_ns_free(&ns);
}

static void pods_reach_each_other_and_the_node_reaches_them(void **state)
{
	struct lab *l = *state;

	assert_int_equal(lab_ask(l->pod[0].fd, l->ip[1], 8080), 'b');
	assert_int_equal(lab_ask(l->pod[1].fd, l->ip[0], 8080), 'a');
	assert_int_equal(lab_ask(-1, l->ip[2], 8080), 'c');
}

static void service_answers_pods_the_node_itself_and_on_node_ports(void **state)
{
	struct lab *l = *state;

	serve(l, PLAIN, 1, 0, 0);
	assert_int_equal(lab_ask(l->pod[1].fd, VIP, 80), 'a');
	assert_int_equal(lab_ask(l->pod[0].fd, VIP, 80), 'a');  /* itself */
	assert_int_equal(lab_ask(-1, VIP, 80), 'a');
	assert_int_equal(lab_ask(-1, "127.0.0.1", 30080), 'a');
	assert_int_equal(lab_ask(-1, network_gateway(l->net), 30080), 'a');
	assert_int_equal(lab_ask(l->pod[1].fd, network_gateway(l->net), 30080), 'a');
	assert_rules("svc/default/web/http");
}

static void service_without_backends_refuses(void **state)
{
	struct lab *l = *state;

	serve(l, PLAIN, 0, 0, 0);
	assert_int_equal(lab_ask(l->pod[1].fd, VIP, 80), -ECONNREFUSED);
	assert_int_equal(lab_ask(-1, VIP, 80), -ECONNREFUSED);
	assert_int_equal(lab_ask(-1, "127.0.0.1", 30080), -ECONNREFUSED);
	assert_rules("ip daddr 10.96.0.0/16 reject\n");         /* port-unreachable, in nft's words */
	serve(l, PLAIN, 0, 1, 0);
	assert_int_equal(lab_ask(l->pod[1].fd, VIP, 80), 'b');
}

static void loopback_of_the_node_stays_closed_to_pods(void **state)
{
	struct lab *l = *state;
	int secret = lab_serve(-1, "127.0.0.1", 9999, 's');
	char *out;

	assert_int_equal(lab_ask(-1, "127.0.0.1", 9999), 's');
	/* A pod that sends loopback addresses onto the wire: as one with NET_ADMIN could. */
	char target[64];
	snprintf(target, sizeof target, "/proc/%d/ns/net", l->server[0]);
	char net_arg[80], via[64];
	snprintf(net_arg, sizeof net_arg, "--net=%s", target);
	snprintf(via, sizeof via, "%s", network_gateway(l->net));
	out = lab_output((const char *const[]){ "nsenter", net_arg, "sh", "-ec",
		"echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; ip rule add pref 1 lookup main; ip rule del pref 0;"
		"ip route add 127.0.0.1 via $0 dev eth0 src $1; echo done", via, l->ip[0], NULL });
	assert_string_equal(out, "done\n");
	free(out);
	assert_true(lab_ask(l->pod[0].fd, "127.0.0.1", 9999) < 0);
	lab_stop(secret);
	out = lab_output((const char *const[]){ "nsenter", net_arg, "sh", "-ec",
		"ip route del 127.0.0.1; ip rule add pref 0 lookup local; ip rule del pref 1", NULL });
	assert_string_equal(out, "");
	free(out);
}

static void weights_are_kept_within_three_sigma(void **state)
{
	struct lab *l = *state;
	struct lab_count c;
	const unsigned n = 2000;

	serve(l, PLAIN, 90, 10, 0);
	lab_ask_many(l->pod[2].fd, VIP, 80, n, &c);
	assert_int_equal(c.failed, 0);
	assert_int_equal(c.of['c'], 0);
	assert_true(fabs(c.of['b'] - n * 0.1) <= 3 * sqrt(n * 0.1 * 0.9));
	serve(l, PLAIN, 999, 1, 0);
	assert_rules("999000");
	serve(l, PLAIN, 0, 1, 0);
	lab_ask_many(l->pod[2].fd, VIP, 80, 200, &c);
	assert_int_equal(c.of['b'], 200);
}

static void change_of_weights_replaces_elements_only(void **state)
{
	struct lab *l = *state;
	char *before, *after;

	serve(l, PLAIN, 50, 50, 0);
	before = lab_output((const char *const[]){ "nft", "-a", "list", "chain", "ip", "cd-test", "svc/default/web/http", NULL });
	serve(l, PLAIN, 40, 60, 0);
	after = lab_output((const char *const[]){ "nft", "-a", "list", "chain", "ip", "cd-test", "svc/default/web/http", NULL });
	assert_string_equal(before, after);     /* handles too: the same rule */
	assert_rules("400000");
	free(before);
	free(after);
}

static void affinity_keeps_a_client_at_its_backend_while_it_lives(void **state)
{
	struct lab *l = *state;
	struct service_port sticky = { .client_ip_affinity = true };
	struct lab_count c;

	serve(l, sticky, 1, 1, 0);
	lab_ask_many(l->pod[2].fd, VIP, 80, 50, &c);
	assert_int_equal(c.failed, 0);
	assert_true(c.of['a'] == 50 || c.of['b'] == 50);
	bool was_a = c.of['a'];
	serve(l, sticky, !was_a, was_a, 0);
	lab_ask_many(l->pod[2].fd, VIP, 80, 50, &c);
	assert_int_equal(c.of[was_a ? 'b' : 'a'], 50);
	serve(l, sticky, 1, 1, 1);
	lab_ask_many(l->pod[2].fd, VIP, 80, 50, &c);
	assert_int_equal(c.of[was_a ? 'b' : 'a'], 50);  /* remembered anew */
}

/* A client asks without a pause while the endpoints change: no connection may fail. */
static void switch_of_endpoints_fails_no_connection(void **state)
{
	struct lab *l = *state;
	int out[2], pid;
	struct lab_count c;

	serve(l, PLAIN, 1, 0, 0);
	assert_int_equal(pipe(out), 0);
	if ((pid = fork()) == 0) {
		lab_ask_many(l->pod[2].fd, VIP, 80, 3000, &c);
		_exit(write(out[1], &c, sizeof c) != sizeof c);
	}
	for (unsigned i = 0; poll(&(struct pollfd){ out[0], POLLIN, 0 }, 1, 1) == 0; i++)
		serve(l, PLAIN, i & 1, !(i & 1), 0);
	assert_int_equal(read(out[0], &c, sizeof c), sizeof c);
	close(out[0]);
	close(out[1]);
	assert_int_equal(c.failed, 0);
	assert_true(c.of['a'] && c.of['b']);
}

static void serve_udp(struct lab *l, int pod)
{
	struct backend b = { l->ip[pod], 5353, 1 };
	struct service_port s = { "default/udp:", VIP, 53, 0, "UDP", false, &b, 1 };
	AUTO(err) err = { 0 };

	assert_ok(network_services(l->net, &s, 1, &err), &err);
}

/* A client that keeps its port has no connection that could end. */
static void udp_flow_moves_when_its_backend_is_gone(void **state)
{
	struct lab *l = *state;
	int a = lab_serve_udp(l->pod[0].fd, l->ip[0], 5353, 'a'), b = lab_serve_udp(l->pod[1].fd, l->ip[1], 5353, 'b');

	serve_udp(l, 0);
	assert_int_equal(lab_ask_udp(l->pod[2].fd, 4444, VIP, 53), 'a');
	serve_udp(l, 1);
	assert_int_equal(lab_ask_udp(l->pod[2].fd, 4444, VIP, 53), 'b');
	lab_stop(a);
	lab_stop(b);
}

static void restart_replaces_what_an_earlier_run_left(void **state)
{
	struct lab *l = *state;
	char *before, *after;

	serve(l, PLAIN, 1, 1, 0);
	before = rules();
	network_close(&l->net);
	open_network(l);
	assert_int_equal(lab_ask(l->pod[2].fd, VIP, 80) | 3, 'a' | 3);  /* served on, before anyone says what is wanted */
	serve(l, PLAIN, 1, 1, 0);
	after = rules();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void many_services_come_and_go_at_once(void **state)
{
	struct lab *l = *state;
	static char key[2000][32], ip[2000][16];
	static struct service_port s[2000];
	struct backend b = { l->ip[0], 8080, 1 };
	AUTO(err) err = { 0 };
	char *text;

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(key[i], sizeof key[i], "many/s%u:", i);
		snprintf(ip[i], sizeof ip[i], "10.96.%u.%u", 1 + i / 250, 1 + i % 250);
		s[i] = (struct service_port){ key[i], ip[i], 80, 0, "TCP", false, &b, 1 };
	}
	assert_ok(network_services(l->net, s, 2000, &err), &err);
	assert_int_equal(lab_ask(l->pod[1].fd, "10.96.8.250", 80), 'a');
	assert_ok(network_services(l->net, NULL, 0, &err), &err);
	text = rules();
	assert_null(strstr(text, "svc/"));
	assert_null(strstr(text, l->ip[0]));
	free(text);
}

static void same_port_of_two_services_goes_to_the_first(void **state)
{
	struct lab *l = *state;
	struct backend a = { l->ip[0], 8080, 1 }, b = { l->ip[1], 8080, 1 };
	struct service_port s[] = { { "x/one:", VIP, 80, 0, "TCP", false, &a, 1 }, { "x/two:", VIP, 80, 0, "TCP", false, &b, 1 } };
	AUTO(err) err = { 0 };

	assert_ok(network_services(l->net, s, 2, &err), &err);
	assert_int_equal(lab_ask(l->pod[1].fd, VIP, 80), 'a');
}

static void destroy_leaves_nothing(void **state)
{
	struct lab *l = *state;
	AUTO(err) err = { 0 };
	char *links, *text;

	serve(l, PLAIN, 1, 1, 1);
	network_close(&l->net);
	assert_ok(network_destroy("test", &err), &err);
	assert_ok(network_destroy("test", &err), &err);
	text = rules();
	links = lab_output((const char *const[]){ "ip", "-br", "link", NULL });
	assert_string_equal(text, "");
	assert_null(strstr(links, "cd"));
	free(text);
	free(links);
	open_network(l);
}

static void wrong_networks_are_named(void **state)
{
	struct lab *l = *state;
	struct network_opts o = { "test", "10.244.0/24", "10.96.0.0/16", l->dir };
	AUTO(err) err = { 0 };

	assert_null(network_open(&o, &err));
	assert_non_null(strstr(err_msg(&err), "'10.244.0/24' is no IPv4 network"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attach_again_gives_the_same_address),
		TEST(detach_frees_the_address_and_it_rests),
		TEST(pods_reach_each_other_and_the_node_reaches_them),
		TEST(service_answers_pods_the_node_itself_and_on_node_ports),
		TEST(service_without_backends_refuses),
		TEST(loopback_of_the_node_stays_closed_to_pods),
		TEST(weights_are_kept_within_three_sigma),
		TEST(change_of_weights_replaces_elements_only),
		TEST(affinity_keeps_a_client_at_its_backend_while_it_lives),
		TEST(switch_of_endpoints_fails_no_connection),
		TEST(udp_flow_moves_when_its_backend_is_gone),
		TEST(restart_replaces_what_an_earlier_run_left),
		TEST(many_services_come_and_go_at_once),
		TEST(same_port_of_two_services_goes_to_the_first),
		TEST(wrong_networks_are_named),
		TEST(destroy_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
