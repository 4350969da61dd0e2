/* The server's HTTP/2, against a client that does what well-behaved ones do not: resets, stalls, oversized heads. */
#include "check.h"

#include "base/fiber.h"
#include "base/http.h"

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define STREAMS 6000

struct seen { int status; bool closed; uint32_t error; size_t body; };

struct world {
	struct http_server *server;
	int port;
	size_t handled, running, most;
	struct fiber_cond go;
	bool released;
	/* the client, on a thread of its own */
	int (*script)(struct world *w);
	nghttp2_session *ng;
	int fd;
	struct seen *seen;              /* by stream id */
	size_t upload_left, uploaded;
	bool goaway;
	int result;
};

/* ---- the server's side ---- */

static void handle(struct http_request *rq, void *arg)
{
	struct world *w = arg;
	char buf[4096];

	w->handled++;
	if (++w->running > w->most)
		w->most = w->running;
	if (str_eq(http_path(rq), "/parked") || str_eq(http_path(rq), "/upload-parked"))
		while (!w->released && !fiber_wait(&w->go))
			;
	while (http_body_read(rq, buf, sizeof buf, NULL) > 0)
		;
	w->running--;
	http_reply(rq, 200, "text/plain", SV("answer"));
}

static bool streams_body(struct http_request *rq, void *arg)
{
	(void)arg;
	return !strncmp(http_path(rq), "/upload", 7);
}

static void run_script(void *arg)
{
	struct world *w = arg;

	w->result = w->script(w);
}

static int run_world(void *arg)
{
	struct world *w = arg;
	struct http_server_opts o = { .listen = "127.0.0.1:0", .max_body = 1000, .handler = handle, .streams_body = streams_body,
				      .arg = w };

	w->server = http_server_start(fiber_loop(), &o, NULL);
	if (!w->server)
		return -1;
	w->port = http_server_port(w->server);
	fiber_job_long(run_script, w);
	w->released = true;
	fiber_signal_all(&w->go);
	http_server_stop(&w->server);
	return w->result;
}

/* ---- the client's side ---- */

static ssize_t send_bytes(nghttp2_session *ng, const uint8_t *p, size_t n, int flags, void *arg)
{
	struct world *w = arg;
	ssize_t sent = send(w->fd, p, n, MSG_NOSIGNAL);

	(void)ng, (void)flags;
	return sent < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : sent;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *n, size_t n_n, const uint8_t *v, size_t v_n,
		     uint8_t flags, void *arg)
{
	struct world *w = arg;

	(void)ng, (void)flags, (void)v_n;
	if (n_n == 7 && !memcmp(n, ":status", 7))
		w->seen[f->hd.stream_id].status = atoi((const char *)v);
	return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
	(void)ng, (void)flags, (void)p;
	((struct world *)arg)->seen[id].body += n;
	return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
	struct world *w = arg;

	(void)ng;
	w->seen[id].closed = true;
	w->seen[id].error = code;
	return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
	(void)ng;
	((struct world *)arg)->goaway |= f->hd.type == NGHTTP2_GOAWAY;
	return 0;
}

static int client_open(struct world *w)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)w->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	nghttp2_session_callbacks *cb;

	w->seen = calloc(2 * STREAMS + 100, sizeof *w->seen);
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!w->seen || connect(w->fd, (struct sockaddr *)&to, sizeof to) || nghttp2_session_callbacks_new(&cb))
		return -1;
	nghttp2_session_callbacks_set_send_callback(cb, send_bytes);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	int r = nghttp2_session_client_new(&w->ng, cb, w);
	nghttp2_session_callbacks_del(cb);
	return r || nghttp2_submit_settings(w->ng, NGHTTP2_FLAG_NONE, NULL, 0) ? -1 : 0;
}

static void client_close(struct world *w)
{
	nghttp2_session_del(w->ng);
	fd_close(&w->fd);
}

/* Sends what is due and reads what comes, until done() or nothing came for ms. */
static bool pump(struct world *w, bool (*done)(struct world *), int ms)
{
	uint8_t buf[16384];

	while (!done(w)) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };

		if (nghttp2_session_send(w->ng) || poll(&p, 1, ms) < 1)
			return done(w);
		ssize_t n = recv(w->fd, buf, sizeof buf, 0);
		if (n <= 0 || nghttp2_session_mem_recv(w->ng, buf, (size_t)n) < 0)
			return done(w);
	}
	return true;
}

static int32_t ask(struct world *w, const char *method, const char *path, const nghttp2_data_provider *body)
{
#define NV(n, v) { (uint8_t *)(n), (uint8_t *)(v), strlen(n), strlen(v), NGHTTP2_NV_FLAG_NONE }
	nghttp2_nv nv[] = { NV(":method", method), NV(":scheme", "http"), NV(":path", path), NV(":authority", "x") };

	return nghttp2_submit_request(w->ng, NULL, nv, 4, body, w);
}

static ssize_t give_body(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t n, uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct world *w = arg;
	size_t take = w->upload_left < n ? w->upload_left : n;

	(void)ng, (void)id, (void)source;
	memset(buf, 'x', take);
	w->upload_left -= take;
	w->uploaded += take;
	if (!w->upload_left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)take;
}

static bool first_closed(struct world *w) { return w->seen[1].closed; }
static bool second_closed(struct world *w) { return w->seen[3].closed; }
static bool never(struct world *w) { (void)w; return false; }
static bool goaway_came(struct world *w) { return w->goaway; }

static int run(struct world *w, int (*script)(struct world *))
{
	w->script = script;
	w->fd = -1;
	return fiber_main(run_world, w);
}

static void world_free(struct world *w) { free(w->seen); }

/* ---- tests ---- */

static int resets_many(struct world *w)
{
	if (client_open(w))
		return -1;
	for (int i = 0; i < STREAMS; i++) {
		int32_t id = ask(w, "GET", "/parked", NULL);

		if (nghttp2_session_send(w->ng))        /* the request goes out before it is taken back */
			break;
		nghttp2_submit_rst_stream(w->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
		if (i % 50 == 49)
			(void)pump(w, never, 1);
	}
	(void)pump(w, never, 50);
	client_close(w);
	return 0;
}

static void rapid_resets_do_not_pile_up_handlers(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_int_equal(run(&w, resets_many), 0);
	assert_in_range(w.most, 1, 1000);
	assert_int_equal(w.running, 0);
}

static int stalls_an_upload(struct world *w)
{
	const nghttp2_data_provider body = { .read_callback = give_body };

	if (client_open(w))
		return -1;
	w->upload_left = 10000000;
	(void)ask(w, "POST", "/upload-parked", &body);
	(void)pump(w, never, 100);
	(void)ask(w, "GET", "/other", NULL);
	int r = pump(w, second_closed, 5000) ? 0 : -1;
	client_close(w);
	return r;
}

static void upload_that_is_not_read_stops_itself_and_nobody_else(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_int_equal(run(&w, stalls_an_upload), 0);
	assert_int_equal(w.seen[3].status, 200);
	assert_in_range(w.uploaded, 65535, 300000);
}

static int uploads(struct world *w)
{
	const nghttp2_data_provider body = { .read_callback = give_body };

	if (client_open(w))
		return -1;
	w->upload_left = 10000000;
	(void)ask(w, "POST", "/upload", &body);
	int r = pump(w, first_closed, 5000) ? 0 : -1;
	client_close(w);
	return r;
}

static void upload_that_is_read_flows(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_int_equal(run(&w, uploads), 0);
	assert_int_equal(w.seen[1].status, 200);
	assert_int_equal(w.uploaded, 10000000);
	assert_int_equal(w.seen[1].body, 6);
}

static int collects_too_much(struct world *w)
{
	const nghttp2_data_provider body = { .read_callback = give_body };

	if (client_open(w))
		return -1;
	w->upload_left = 2000;
	(void)ask(w, "POST", "/small", &body);
	int r = pump(w, first_closed, 5000) ? 0 : -1;
	client_close(w);
	return r;
}

static void body_without_length_above_the_bound_is_413(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_int_equal(run(&w, collects_too_much), 0);
	assert_int_equal(w.seen[1].status, 413);
	assert_int_equal(w.handled, 0);
}

static int asks_oddly(struct world *w)
{
	static char large[40000];
	nghttp2_nv nv[] = { NV(":method", "GET"), NV(":scheme", "http"), NV(":path", "/x"), NV(":authority", "x"),
			    { (uint8_t *)"a", (uint8_t *)large, 1, sizeof large, NGHTTP2_NV_FLAG_NONE } };

	memset(large, 'a', sizeof large);
	if (client_open(w))
		return -1;
	(void)nghttp2_submit_request(w->ng, NULL, nv, 5, NULL, w);
	(void)ask(w, "GET", "relative", NULL);
	int r = pump(w, first_closed, 5000) && pump(w, second_closed, 5000) ? 0 : -1;
	client_close(w);
	return r;
}

static void large_heads_and_odd_targets_are_refused(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_int_equal(run(&w, asks_oddly), 0);
	assert_int_equal(w.seen[1].status, 431);
	assert_true(w.seen[3].status == 400 || w.seen[3].error == NGHTTP2_PROTOCOL_ERROR);
	assert_int_equal(w.handled, 0);
}

static int waits_for_goodbye(struct world *w)
{
	if (client_open(w))
		return -1;
	(void)ask(w, "GET", "/first", NULL);
	int r = pump(w, first_closed, 5000) && pump(w, goaway_came, 5000) ? 0 : -1;
	client_close(w);
	return r;
}

static void client(void *arg) { fiber_job_long(run_script, arg); }

/* The server stops while the client's connection is open and idle. */
static int main_says_goodbye(void *arg)
{
	struct world *w = arg;
	struct http_server_opts o = { .listen = "127.0.0.1:0", .max_body = 1000, .handler = handle, .arg = w };
	struct fiber_group g;

	w->server = http_server_start(fiber_loop(), &o, NULL);
	w->port = http_server_port(w->server);
	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "client", client, w);
	while (!w->handled)
		(void)fiber_sleep(1);
	http_server_stop(&w->server);
	fiber_group_join(&g);
	return w->result;
}

static void stopping_says_goodbye(void **state)
{
	AUTO(world) w = { .script = waits_for_goodbye, .fd = -1 };

	(void)state;
	assert_int_equal(fiber_main(main_says_goodbye, &w), 0);
	assert_int_equal(w.seen[1].status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rapid_resets_do_not_pile_up_handlers),
		TEST(upload_that_is_not_read_stops_itself_and_nobody_else),
		TEST(upload_that_is_read_flows),
		TEST(body_without_length_above_the_bound_is_413),
		TEST(large_heads_and_odd_targets_are_refused),
		TEST(stopping_says_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
