/* The API over plain HTTP on loopback: gets, lists, durable writes, and how fast a write reaches 1, 100 and 5,000
 * watchers. The clients are a process of their own; both share the machine. bench_api [WATCHERS] */
#include "base/fiber.h"
#include "base/http.h"
#include "base/json.h"
#include "base/vec.h"
#include "orchestrator/api/api.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { PODS = 10000, RUN_MS = 2000, ROUNDS = 40, BUF = 64 << 10 };

static const char token[] = "bench-token";

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static long rss_kb(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- the clients' process ---- */

static int dial(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a))
		exit(3);
	return fd;
}

static void ask(int fd, const char *path)
{
	char text[512];
	int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", path,
			 token);

	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		exit(3);
}

struct conn { int64_t left; };  /* bytes of the answer's body that are still to come; -1: its head */

/* True: an answer was read to its end. A head comes in one piece here. */
static bool take(struct conn *c, int fd, char *buf)
{
	ssize_t n = recv(fd, buf, BUF - 1, 0);

	if (n <= 0)
		exit(3);
	if (c->left < 0) {
		buf[n] = '\0';
		const char *body = strstr(buf, "\r\n\r\n"), *length = strcasestr(buf, "content-length:");

		if (!body || !length || strncmp(buf, "HTTP/1.1 200", 12))
			exit(4);
		c->left = strtoll(length + 15, NULL, 10) - (n - (body + 4 - buf));
	} else {
		c->left -= n;
	}
	if (c->left > 0)
		return false;
	c->left = -1;
	return true;
}

/* Answers a second over n connections, each asking again when it was answered. */
static int get_loop(int port, int n, const char *path)
{
	struct pollfd *fds = calloc((size_t)n, sizeof *fds);
	struct conn *conns = calloc((size_t)n, sizeof *conns);
	static char buf[BUF];
	int64_t answers = 0, until;

	for (int i = 0; i < n; i++) {
		fds[i] = (struct pollfd){ .fd = dial(port), .events = POLLIN };
		conns[i].left = -1;
		ask(fds[i].fd, path);
	}
	for (until = now_ns() + RUN_MS * 1000000ll; now_ns() < until;) {
		if (poll(fds, (nfds_t)n, 1000) <= 0)
			exit(3);
		for (int i = 0; i < n; i++)
			if (fds[i].revents && take(&conns[i], fds[i].fd, buf)) {
				answers++;
				ask(fds[i].fd, path);
			}
	}
	printf("  %-34s %3d connections: %8.0f answers/s\n", path, n, (double)answers * 1000 / RUN_MS);
	fflush(stdout);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* n watches; each event says when it was written. Tells `ready` when all have begun. */
static int watch_loop(int port, int n, int ready)
{
	struct pollfd *fds = calloc((size_t)n, sizeof *fds);
	VEC(int64_t) delays = { 0 };
	static char buf[BUF];
	int begun = 0;

	for (int i = 0; i < n; i++) {
		fds[i] = (struct pollfd){ .fd = dial(port), .events = POLLIN };
		ask(fds[i].fd, "/api/v1/namespaces/default/"
			       "configmaps?watch=1&fieldSelector=metadata.name%3Dtick&resourceVersion=0");
	}
	while (delays.n < (size_t)n * ROUNDS && poll(fds, (nfds_t)n, 10000) > 0)
		for (int i = 0; i < n; i++) {
			ssize_t got = fds[i].revents ? recv(fds[i].fd, buf, BUF - 1, 0) : 0;

			if (got <= 0)
				continue;
			buf[got] = '\0';
			if (strstr(buf, "HTTP/1.1 200") && ++begun == n && write(ready, "r", 1) != 1)
				exit(3);
			for (const char *p = buf; (p = strstr(p, "\"ns\":\"")); p += 6) {
				int64_t delay = now_ns() - strtoll(p + 6, NULL, 10);

				vec_push(&delays, delay);
			}
		}
	if (delays.n)
		qsort(delays.v, delays.n, sizeof *delays.v, by_value);
	printf("  %5d watchers: %zu of %d events, p50 %.2f ms, p99 %.2f ms", n, delays.n, n * ROUNDS,
	       delays.n ? (double)delays.v[delays.n / 2] / 1e6 : 0,
	       delays.n ? (double)delays.v[delays.n * 99 / 100] / 1e6 : 0);
	fflush(stdout);
	return 0;
}

/* ---- the server's process ---- */

struct bench {
	struct api *api;
	struct client *client;
	const struct kind *maps, *pods;
	int port, watchers;
	int64_t until, writes;
};

static struct node *pod(struct doc *d, const struct kind *k, int i)
{
	char name[32];

	snprintf(name, sizeof name, "pod-%d", i);
	struct node *root = object_start(d, k, "default", name), *c = node_map(d);
	node_set(d, c, "name", node_str(d, "c"));
	node_set(d, c, "image", node_str(d, "registry.example.org/team/application:v1.2.3"));
	for (int e = 0; e < 20; e++) {
		struct node *env = node_map(d);

		node_set(d, env, "name", node_strf(d, "SETTING_%d", e));
		node_set(d, env, "value", node_strf(d, "the value of setting number %d of pod %d", e, i));
		node_add(d, node_seq_at(d, c, "env"), env);
	}
	node_add(d, node_seq_at(d, root, "spec.containers"), c);
	return root;
}

struct maker { struct bench *b; int from, to; };

static void makes(void *arg)
{
	struct maker *m = arg;

	for (int i = m->from; i < m->to; i++) {
		AUTO_DOC d = doc_new();

		if (client_create(m->b->client, m->b->pods, pod(d, m->b->pods, i), NULL, NULL, NULL) < 0)
			exit(5);
	}
}

static void fill(struct bench *b)
{
	struct maker m[64];
	struct fiber_group g;
	long before = rss_kb();
	int64_t start = now_ns();

	fiber_group_init(&g, fiber_loop());
	for (int i = 0; i < 64; i++) {
		m[i] = (struct maker){ b, i * PODS / 64, (i + 1) * PODS / 64 };
		fiber_group_start(&g, "maker", makes, &m[i]);
	}
	fiber_group_join(&g);
	AUTO_OBJECT one = NULL;
	AUTO(str) json = { 0 };
	if (client_get(b->client, b->pods, "default", "pod-77", &one, NULL) < 0)
		exit(5);
	json_write(&json, one->root, 0);
	printf("  %d pods created in %.0f ms; %zu bytes of JSON each, %.1f KB of memory each\n", PODS,
	       (double)(now_ns() - start) / 1e6, json.n, (double)(rss_kb() - before) / PODS);
}

struct writer { struct bench *b; int i; };

static void writes(void *arg)
{
	struct writer *w = arg;

	while (now_ns() < w->b->until) {
		AUTO_DOC d = doc_new();
		char name[32];
		struct node *root;

		snprintf(name, sizeof name, "w-%d", w->i);
		root = object_start(d, w->b->maps, "default", name);
		node_put(d, root, "data.n", node_strf(d, "%" PRId64, now_ns()));
		if (client_update(w->b->client, w->b->maps, root, NULL, NULL, NULL) < 0 &&
		    client_create(w->b->client, w->b->maps, root, NULL, NULL, NULL) < 0)
			exit(5);
		w->b->writes++;
	}
}

static void measure_writes(struct bench *b, int n)
{
	struct writer *v = calloc((size_t)n, sizeof *v);
	struct fiber_group g;

	b->writes = 0;
	b->until = now_ns() + RUN_MS * 1000000ll;
	fiber_group_init(&g, fiber_loop());
	for (int i = 0; i < n; i++) {
		v[i] = (struct writer){ b, i };
		fiber_group_start(&g, "writer", writes, &v[i]);
	}
	fiber_group_join(&g);
	free(v);
	printf("  %3d writers: %8.0f durable writes/s (validated, through the cache)\n", n,
	       (double)b->writes * 1000 / RUN_MS);
}

static void wait_child(pid_t pid)
{
	while (waitpid(pid, NULL, WNOHANG) == 0)
		(void)fiber_sleep(5);
}

static void measure_gets(struct bench *b, int n, const char *path)
{
	fflush(stdout);
	pid_t pid = fork();

	if (!pid)
		_exit(get_loop(b->port, n, path));
	wait_child(pid);
}

static void tick(struct bench *b)
{
	AUTO_DOC d = doc_new();
	struct node *root = object_start(d, b->maps, "default", "tick");

	node_put(d, root, "data.ns", node_strf(d, "%" PRId64, now_ns()));
	if (client_update(b->client, b->maps, root, NULL, NULL, NULL) < 0 &&
	    client_create(b->client, b->maps, root, NULL, NULL, NULL) < 0)
		exit(5);
}

static void measure_watches(struct bench *b, int n)
{
	long before = rss_kb();
	int ready[2];
	char c;

	fflush(stdout);
	if (pipe(ready))
		exit(5);
	pid_t pid = fork();
	if (!pid)
		_exit(watch_loop(b->port, n, ready[1]));
	close(ready[1]);
	while (poll(&(struct pollfd){ .fd = ready[0], .events = POLLIN }, 1, 0) == 0)
		(void)fiber_sleep(2);
	if (read(ready[0], &c, 1) != 1)
		exit(5);
	close(ready[0]);
	(void)fiber_sleep(100);
	double each = (double)(rss_kb() - before) * 1024 / n;
	for (int i = 0; i < ROUNDS; i++) {
		tick(b);
		(void)fiber_sleep(n > 1000 ? 150 : 20);
	}
	wait_child(pid);
	printf(", %.0f bytes of memory a watcher\n", each);
}

static void run_all(struct bench *b)
{
	static const int writers[] = { 1, 16, 256 };

	for (size_t i = 0; i < 3; i++)
		measure_writes(b, writers[i]);
	fill(b);
	measure_gets(b, 1, "/api/v1/namespaces/default/pods/pod-77");
	measure_gets(b, 64, "/api/v1/namespaces/default/pods/pod-77");
	measure_gets(b, 8, "/api/v1/namespaces/default/configmaps");
	measure_watches(b, 1);
	measure_watches(b, 100);
	if (b->watchers > 100)
		measure_watches(b, b->watchers);
}

static int run(void *arg)
{
	struct bench *b = arg;
	AUTO(err) err = { 0 };
	char dir[] = "./bench-api-XXXXXX";
	char *path = mkdtemp(dir) ? str_fmt("%s/store.db", dir) : NULL;
	struct api_opts o = { .version = "bench", .token = SV("bench-token") };

	o.kinds = kinds_new();
	o.store = path ? store_sqlite(fiber_loop(), path, &err) : NULL;
	b->api = o.store ? api_new(fiber_loop(), &o, &err) : NULL;
	struct http_server_opts h = {
		.listen = "127.0.0.1:0", .max_body = 3 << 20, .handler = api_handle, .arg = b->api
	};
	struct http_server *server = b->api ? http_server_start(fiber_loop(), &h, &err) : NULL;
	if (!server) {
		fprintf(stderr, "%s\n", err_msg(&err));
		return 1;
	}
	b->port = http_server_port(server);
	b->client = api_client(b->api, "bench");
	b->maps = kinds_find(o.kinds, "v1", "ConfigMap");
	b->pods = kinds_find(o.kinds, "v1", "Pod");
	run_all(b);
	client_free(&b->client);
	http_server_stop(&server);
	api_free(&b->api);
	o.store->ops->free(o.store);
	kinds_free(&o.kinds);
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	for (size_t i = 0; i < 4; i++) {
		char *file = str_fmt("%s%s", path, ends[i]);

		unlink(file);
		free(file);
	}
	rmdir(dir);
	free(path);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = { .watchers = argc > 1 ? atoi(argv[1]) : 5000 };
	struct rlimit files = { 20000, 20000 };

	(void)setrlimit(RLIMIT_NOFILE, &files); /* fewer watchers then, and the bench says how many events came */
	signal(SIGPIPE, SIG_IGN);
	printf("api: SQLite store, plain HTTP on loopback, server and clients on the same machine\n");
	return fiber_main(run, &b);
}
