/* The two ends of bench/http: `bench_http serve [tls]` prints its port and answers; `bench_http watch URL N` opens N watches,
 * prints what one costs the server and how long a broadcast takes to reach the last. */
#include "base/fiber.h"
#include "base/http.h"
#include "base/httpc.h"
#include "base/vec.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the server ---- */

struct watch { struct http_stream *stream; };
struct server { VEC(struct watch *) watches; struct fiber *main; struct http_server *http; bool tls; };

#define SMALL "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":200}\n"

static int64_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void broadcast(struct server *s)
{
	char event[600];

	memset(event, 'e', sizeof event - 1);
	event[sizeof event - 1] = '\n';
	struct http_buf *b = http_buf_new((struct sv){ event, sizeof event });
	for (size_t i = 0; i < s->watches.n; i++)
		if (s->watches.v[i]->stream)
			(void)http_stream_send(s->watches.v[i]->stream, b);
	http_buf_drop(&b);
}

static void on_leave(void *arg) { http_stream_end(TAKE(((struct watch *)arg)->stream)); }

static void handle(struct http_request *rq, void *arg)
{
	struct server *s = arg;

	if (str_eq(http_path(rq), "/watch")) {
		struct watch *w = calloc(1, sizeof *w);

		if (!w)
			abort();
		w->stream = http_stream_start(rq, 200, "application/json");
		http_stream_on_close(w->stream, on_leave, w);
		(void)http_stream_write(w->stream, SV("{}\n"));
		vec_push(&s->watches, w);
		return;
	}
	if (str_eq(http_path(rq), "/broadcast"))
		broadcast(s);
	if (!str_eq(http_path(rq), "/rss")) {
		http_reply(rq, 200, "application/json", SV(SMALL));
		return;
	}
	char *text = str_fmt("%" PRId64, resident_bytes());
	http_reply(rq, 200, "text/plain", sv_c(text));
	free(text);
}

static void on_stop(void *arg, int signo)
{
	(void)signo;
	fiber_wake(((struct server *)arg)->main);
}

static int serve(void *arg)
{
	struct server *s = arg;
	AUTO(err) err = { 0 };
	AUTO(str) ca = { 0 };
	AUTO(str) ca_key = { 0 };
	AUTO(str) cert = { 0 };
	AUTO(str) key = { 0 };
	struct cert_request rq = { .common_name = "bench", .names = "127.0.0.1", .days = 1 };
	struct http_server_opts o = { .listen = "127.0.0.1:0", .max_body = 1 << 20, .handler = handle, .arg = s };

	if (s->tls && (ca_create("bench", 1, &ca, &ca_key, &err) < 0 ||
		       ca_sign(str_sv(&ca), str_sv(&ca_key), &rq, &cert, &key, &err) < 0 ||
		       !(o.tls = tls_server(str_sv(&cert), str_sv(&key), SV(""), &err))))
		return fprintf(stderr, "%s\n", err_msg(&err)), 1;
	s->main = fiber_self();
	s->http = http_server_start(fiber_loop(), &o, &err);
	if (!s->http)
		return fprintf(stderr, "%s\n", err_msg(&err)), 1;
	loop_on_signal(fiber_loop(), SIGTERM, on_stop, s);
	printf("%d\n", http_server_port(s->http));
	fflush(stdout);
	(void)fiber_park();
	http_server_stop(&s->http);
	for (size_t i = 0; i < s->watches.n; i++)
		free(s->watches.v[i]);
	vec_free(&s->watches);
	tls_free(o.tls);
	return 0;
}

/* ---- the watchers ---- */

struct watchers { const char *url; struct httpc *http; size_t n, came; int64_t last_us; struct fiber *main; };

static int on_event(void *arg, struct sv data)
{
	struct watchers *w = arg;

	w->came += data.n;
	w->last_us = now_us();
	fiber_wake(w->main);
	return 0;
}

static void watches(void *arg)
{
	struct watchers *w = arg;
	char *url = str_fmt("%s/watch", w->url);
	struct httpc_request rq = { .url = url, .insecure = true, .timeout_ms = -1, .on_data = on_event, .arg = w };
	struct httpc_response a;

	if (httpc_do(w->http, &rq, &a, NULL) < 0)       /* canceled when all is measured */
		fiber_wake(w->main);
	httpc_response_free(&a);
	free(url);
}

static int64_t ask(struct watchers *w, const char *path)
{
	char *url = str_fmt("%s%s", w->url, path);
	struct httpc_request rq = { .url = url, .insecure = true };
	struct httpc_response a;
	int64_t n = 0;

	if (httpc_do(w->http, &rq, &a, NULL) == 0)
		(void)sv_to_i64(str_sv(&a.body), &n);
	httpc_response_free(&a);
	free(url);
	return n;
}

static int watch(void *arg)
{
	struct watchers *w = arg;
	struct fiber_group g;

	w->main = fiber_self();
	w->http = httpc_new(fiber_loop());
	int64_t before = ask(w, "/rss");
	fiber_group_init(&g, fiber_loop());
	for (size_t i = 0; i < w->n; i++) {
		fiber_group_start(&g, "watch", watches, w);
		while (w->came < 3 * (i + 1) && i % 50 == 49)
			(void)fiber_park();
	}
	while (w->came < 3 * w->n)
		(void)fiber_park();
	int64_t after = ask(w, "/rss"), start = now_us();
	w->came = 0;
	(void)ask(w, "/broadcast");
	while (w->came < 600 * w->n)
		(void)fiber_park();
	printf("%zu watches: %" PRId64 " bytes of the server's memory each; a broadcast reached the last after %.1f ms\n", w->n,
	       (after - before) / (int64_t)w->n, (double)(w->last_us - start) / 1e3);
	fiber_group_cancel(&g);
	fiber_group_join(&g);
	httpc_free(&w->http);
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	struct server s = { .tls = argc > 2 && str_eq(argv[2], "tls") };
	struct watchers w = { .url = argc > 2 ? argv[2] : "", .n = argc > 3 ? (size_t)atoi(argv[3]) : 1000 };

	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (argc > 1 && str_eq(argv[1], "serve"))
		return fiber_main(serve, &s);
	if (argc > 2 && str_eq(argv[1], "watch"))
		return fiber_main(watch, &w);
	fprintf(stderr, "usage: bench_http serve [tls] | watch URL N\n");
	return 2;
}
