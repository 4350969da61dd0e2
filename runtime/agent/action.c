/* One check or hook: exec, httpGet, tcpSocket, from the node to the pod's address or inside the container. */
#include "runtime/agent/agent-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "kube/object.h"

#define OUTPUT_MAX ((size_t)10 << 10)   /* what kubelet keeps of an answer */

/* A port by number or by the name that the container gives it. */
static int port_of(const struct unit *u, const struct node *port, uint16_t *out, struct err *err)
{
	const struct node *ports = node_get(unit_spec(u), "ports"), *it;
	struct sv name = node_sv(port);
	int64_t n = 0;

	if (!node_to_i64(port, &n) && !sv_to_i64(name, &n))
		node_each(it, ports)
			if (sv_eq(node_sv(node_get(it, "name")), name))
				n = node_int_at(it, "containerPort", 0);
	if (n < 1 || n > 65535)
		return err_set(err, ERR_INVALID, "container %s has no port '" SV_FMT "'", u->name, SV_ARG(name));
	*out = (uint16_t)n;
	return 0;
}

static const char *host_of(const struct unit *u, const struct node *action)
{
	const char *host = node_str_or(action, "host", "");

	return *host ? host : str_c(&u->w->ip);
}

/* ---- exec ---- */

static int run_exec(struct unit *u, const struct node *action, int64_t timeout_ms, struct str *output, struct err *err)
{
	const struct node *command = node_get(action, "command"), *it;
	VEC(const char *) argv = { 0 };
	int r;

	node_each(it, command)
		vec_push(&argv, node_text(it) ? node_text(it) : "");
	vec_push(&argv, NULL);
	r = !argv.v[0] ? err_set(err, ERR_INVALID, "exec names no command") : !u->c ?
	    err_set(err, ERR_NOT_FOUND, "container %s is not running", u->name) :
	    container_exec(u->c, argv.v, timeout_ms, OUTPUT_MAX, output, err);
	vec_free(&argv);
	if (r > 0)
		return err_set(err, ERR_INVALID, "command exited with %d: %s", r, str_c(output));
	return r;
}

/* ---- httpGet ---- */

struct answer { int status; struct str *body; };

static void on_head(void *arg, int status)
{
	struct answer *a = arg;

	a->status = status;
}

static int on_data(void *arg, struct sv data)
{
	struct answer *a = arg;
	size_t room = OUTPUT_MAX - a->body->n;

	if (data.n > room)
		data.n = room;
	str_add(a->body, data);
	return a->body->n < OUTPUT_MAX ? 0 : -1;
}

static int run_http(struct unit *u, const struct node *action, int64_t timeout_ms, struct str *output, struct err *err)
{
	const struct node *extra = node_get(action, "httpHeaders"), *it;
	bool tls = str_eq(node_str_at(action, "scheme"), "HTTPS");
	const char *path = node_str_or(action, "path", "/");
	struct httpc_response answer = { 0 };
	struct answer a = { 0, output };
	struct strings headers = { 0 };
	AUTO(str) url = { 0 };
	uint16_t port;
	int r;

	TRY(port_of(u, node_get(action, "port"), &port, err));
	str_addf(&url, "%s://%s:%u%s%s", tls ? "https" : "http", host_of(u, action), port, *path == '/' ? "" : "/",
		 path);
	strings_add(&headers, "User-Agent: kube-probe/1.31");
	strings_add(&headers, "Connection: close");
	node_each(it, extra) {
		AUTO(str) line = { 0 };

		str_addf(&line, "%s: %s", node_str_or(it, "name", ""), node_str_or(it, "value", ""));
		strings_add(&headers, str_c(&line));
	}
	vec_push(&headers, NULL);
	const struct httpc_request rq = { .method = "GET", .url = str_c(&url), .insecure = true, .follow = true,
		.headers = (const char *const *)headers.v, .timeout_ms = timeout_ms, .on_head = on_head,
		.on_data = on_data, .arg = &a };
	r = httpc_do(u->w->a->http, &rq, &answer, err);
	headers.n--;
	strings_free(&headers);
	httpc_response_free(&answer);
	if (!a.status)
		return r < 0 ? r : err_set(err, ERR_IO, "GET %s: no answer", str_c(&url));
	if (a.status < 200 || a.status >= 400)
		return err_set(err, ERR_INVALID, "HTTP probe failed with statuscode: %d", a.status);
	return 0;
}

/* ---- tcpSocket ---- */

struct connecting { struct fiber *fiber; bool ready; };

static void on_ready(void *arg, short events)
{
	struct connecting *c = arg;

	(void)events;
	c->ready = true;
	fiber_wake(c->fiber);
}

static void on_timeout(void *arg)
{
	struct connecting *c = arg;

	fiber_wake(c->fiber);
}

int await_connect(int fd, int64_t timeout_ms)
{
	struct connecting c = { fiber_self(), false };
	struct poller *p = poller_start(fiber_loop(), fd, POLLOUT, on_ready, &c);
	struct timer *t = timer_after(fiber_loop(), timeout_ms, on_timeout, &c);
	int64_t until = loop_now_ms(fiber_loop()) + timeout_ms;
	int result = 0, r = 0;
	socklen_t n = sizeof result;

	while (!c.ready && !r && loop_now_ms(fiber_loop()) < until)
		r = fiber_park();
	poller_stop(&p);
	timer_stop(&t);
	if (r < 0)
		return ECANCELED;
	if (!c.ready)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &n) ? errno : result;
}

static int run_tcp(struct unit *u, const struct node *action, int64_t timeout_ms, struct str *output, struct err *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	const char *host = host_of(u, action);
	AUTO_FD fd = -1;
	uint16_t port;

	(void)output;
	TRY(port_of(u, node_get(action, "port"), &port, err));
	a.sin_port = htons(port);
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		return err_set(err, ERR_INVALID, "tcpSocket host '%s' is no IPv4 address", host);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return err_errno(err, "open a socket");
	if (connect(fd, (void *)&a, sizeof a) == 0)
		return 0;
	if (errno == EINPROGRESS)
		errno = await_connect(fd, timeout_ms);
	return errno ? err_errno(err, "dial tcp %s:%u", host, port) : 0;
}

/* ---- sleep, and the table ---- */

static int run_sleep(struct unit *u, const struct node *action, int64_t timeout_ms, struct str *output, struct err *err)
{
	int64_t ms = node_int_at(action, "seconds", 0) * 1000;

	(void)u;
	(void)output;
	return fiber_sleep(ms < timeout_ms ? ms : timeout_ms) < 0 ? err_set(err, ERR_CANCELED, "sleep was canceled")
								  : 0;
}

static const struct { const char *name; int (*run)(struct unit *, const struct node *, int64_t, struct str *,
	struct err *); } actions[] = {
	{ "exec", run_exec }, { "httpGet", run_http }, { "tcpSocket", run_tcp }, { "sleep", run_sleep },
};

int action_run(struct unit *u, const struct node *action, int64_t timeout_ms, struct str *output, struct err *err)
{
	AUTO_OBJECT held = object_ref(u->w->object);    /* action is part of it */
	const struct node *what;

	(void)held;
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if ((what = node_get(action, actions[i].name)))
			return actions[i].run(u, what, timeout_ms, output, err);
	return err_set(err, ERR_UNSUPPORTED, "want exec, httpGet, tcpSocket or sleep");
}
