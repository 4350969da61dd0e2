/* Limits: seats that are shared out in turn, long answers compressed, numbers about all of it. */
#include "check.h"

#include "api-web.h"

#include "orchestrator/api/flow-internal.h"

/* ---- seats ---- */

struct asker { struct flows *f; const char *user; struct str *trace; };

static void ask_once(void *arg)
{
	struct asker *a = arg;
	struct caller c = { .user = a->user };
	AUTO(err) e = { 0 };
	int r = flow_enter(a->f, &c, &e);

	str_addf(a->trace, r < 0 ? "%s:busy " : "%s ", a->user);
	if (!r)
		flow_leave(a->f);
}

/* One seat, taken; then lines form in the order of the list, and the seat is given back. */
static int queue_up(void *arg)
{
	static const char *const order[] = { "a", "a", "a", "b", "c", "b", "system:serviceaccount:ns:x", "system:serviceaccount:ns:y" };
	struct flows f = { .seats = 1, .wait_ms = 600000 };
	struct fiber_group g;
	struct asker askers[8];
	AUTO(err) e = { 0 };

	fiber_group_init(&g, fiber_loop());
	if (flow_enter(&f, &(struct caller){ .user = "first" }, &e) != 0)
		return -1;
	for (size_t i = 0; i < 8; i++) {
		askers[i] = (struct asker){ &f, order[i], arg };
		fiber_group_start(&g, "asker", ask_once, &askers[i]);
		while (f.waiting <= i && !fiber_yield())        /* each is in its line before the next one comes */
			;
	}
	flow_leave(&f);
	fiber_group_join(&g);
	str_addf(arg, "left %u %u %zu", f.taken, f.waiting, f.by_name.n);
	flows_free(&f);
	return 0;
}

static void flows_take_turns(void **state)
{
	AUTO(str) trace = { 0 };

	(void)state;
	assert_int_equal(fiber_main(queue_up, &trace), 0);
	assert_string_equal(str_c(&trace), "a b c system:serviceaccount:ns:x a b system:serviceaccount:ns:y a left 0 0 0");
}

static int wait_too_long(void *arg)
{
	static const char *const masters[] = { "system:masters" };
	struct flows f = { .seats = 1, .wait_ms = 1 };
	AUTO(err) e = { 0 };

	if (flow_enter(&f, &(struct caller){ .user = "first" }, &e) != 0)
		return -1;
	str_addf(arg, "%d ", flow_enter(&f, &(struct caller){ .user = "late" }, &e) == -ERR_BUSY);
	str_addf(arg, "%d ", flow_enter(&f, &(struct caller){ "admin", masters, 1, NULL, NULL }, &e));
	flow_leave(&f);
	str_addf(arg, "%d", flow_enter(&f, &(struct caller){ .user = "late" }, &e));
	flow_leave(&f);
	flows_free(&f);
	return 0;
}

static void flows_end_a_long_wait_and_spare_administrators(void **state)
{
	AUTO(str) trace = { 0 };

	(void)state;
	assert_int_equal(fiber_main(wait_too_long, &trace), 0);
	assert_string_equal(str_c(&trace), "1 1 0");
}

/* ---- answers ---- */

static void get_packed(struct web *w, const char *path)
{
	char *url = str_fmt("http://127.0.0.1:%d%s", http_server_port(w->server), path);
	const char *headers[] = { "Authorization: Bearer secret-token", "Accept-Encoding: gzip", NULL };
	struct httpc_response r = { 0 };
	AUTO(err) e = { 0 };

	if (httpc_do(w->client, &(struct httpc_request){ .method = "GET", .url = url, .headers = headers }, &r, &e) < 0)
		str_addf(&w->c->trace, "%s", err_msg(&e));
	str_addf(&w->c->trace, "%d " SV_FMT "%s ", r.status, SV_ARG(httpc_header(&r, "content-encoding")),
		 r.body.n > 2 && (unsigned char)r.body.p[0] == 0x1f ? " packed" : " plain");
	httpc_response_free(&r);
	free(url);
}

static void packs(struct cluster *c)
{
	struct web w = web_open(c);
	AUTO(str) yaml = { 0 };

	str_addc(&yaml, "{apiVersion: v1, kind: ConfigMap, metadata: {name: big, namespace: default}, data: {k: '");
	memset(str_room(&yaml, 200000), 'x', 200000);
	yaml.n += 200000;
	str_addc(&yaml, "'}}");
	create(c, str_c(&yaml));
	get_packed(&w, "/api/v1/namespaces/default/configmaps/big");
	get_packed(&w, "/api/v1/namespaces/default");
	web_close(&w);
}

static void long_answers_are_compressed_when_asked(void **state)
{
	(void)state;
	cluster_expect(packs, "200 gzip packed 200  plain ");
}

static void counts(struct cluster *c)
{
	struct web w = web_open(c);
	struct httpc_response r = { 0 };

	ask(&w, "GET", "/api/v1/namespaces/default", NULL);
	ask(&w, "GET", "/api/v1/namespaces/none", NULL);
	str_cut(&c->trace, 0);
	if (call(&w, ASK("GET", "/metrics"), &r) >= 0) {
		static const char *const lines[] = {
			("apiserver_request_total{verb=\"GET\",dry_run=\"\",group=\"\",version=\"v1\",resource=\"namespaces\",subresource=\"\","
			"scope=\"resource\",component=\"apiserver\",code=\"404\"} 1\n"),
			"apiserver_request_duration_seconds_bucket{", "process_resident_memory_bytes ", "process_start_time_seconds ",
			"apiserver_storage_objects{resource=\"namespaces\"} 5\n", "apiserver_current_inflight_requests{request_kind=\"readOnly\"} 1\n",
		};

		for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
			if (!strstr(str_c(&r.body), lines[i]))
				str_addf(&c->trace, "no %s", lines[i]);
	}
	httpc_response_free(&r);
	web_close(&w);
}

static void requests_are_counted(void **state)
{
	(void)state;
	cluster_expect(counts, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flows_take_turns),
		TEST(flows_end_a_long_wait_and_spare_administrators),
		TEST(long_answers_are_compressed_when_asked),
		TEST(requests_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
