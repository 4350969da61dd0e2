/* pods/exec and pods/attach: a client's standard streams and a container's. */
#include "orchestrator/api/upgrade-internal.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#define STREAMS_MS 30000        /* for a client of SPDY to open its streams */

/* In the order of their channels. */
enum { IN, OUT, ERRORS, RESULT, SIZE, STREAMS };

static const struct stream_protocol protocols[] = {
	{ BY_SPDY, "v4.channel.k8s.io" },
	{ BY_SPDY, "v3.channel.k8s.io", .plain_errors = true },
	{ BY_SPDY, "v2.channel.k8s.io", .plain_errors = true },
	{ BY_CHANNELS, "v5.channel.k8s.io", .half_close = true },
	{ BY_CHANNELS, "v4.channel.k8s.io" },
	{ BY_CHANNELS, "v4.base64.channel.k8s.io", .base64 = true },
	{ BY_CHANNELS, "channel.k8s.io", .plain_errors = true },
	{ BY_CHANNELS, "base64.channel.k8s.io", .base64 = true, .plain_errors = true },
	{ BY_CHANNELS, "", .plain_errors = true },
};

struct exec {
	struct upgrade up;
	const struct request *request;
	struct nodelink *link;
	struct str container;
	struct { const char **v; size_t n, cap; } argv;
	bool wanted[STREAMS], tty, attach;
	struct duplex *streams[STREAMS];
	struct spdy_stream *spdy[STREAMS];
};

static void exec_free(struct exec *x)
{
	for (size_t i = 0; i < x->argv.n; i++)
		free((char *)x->argv.v[i]);
	vec_free(&x->argv);
	str_free(&x->container);
}

/* ---- what is asked for ---- */

static int read_command(struct exec *x, const char *query, struct err *err)
{
	for (size_t i = 0;; i++) {
		AUTO(str) word = { 0 };

		if (!http_query_at(query, "command", i, &word))
			break;
		vec_push(&x->argv, str_take(&word));
	}
	if (!x->argv.n)
		return err_set(err, ERR_BAD_REQUEST, "you must specify at least 1 command for the container");
	vec_push(&x->argv, NULL);
	return 0;
}

static bool flag(const char *query, const char *name, bool absent)
{
	AUTO(str) v = { 0 };

	return http_query_get(query, name, &v) ? query_flag(query, name) : absent;
}

/* What is not said is false for exec; an attach has output unless that is denied. */
static int read_options(struct exec *x, const char *query, struct err *err)
{
	x->tty = flag(query, "tty", false);
	x->wanted[IN] = flag(query, "stdin", false);
	x->wanted[OUT] = flag(query, "stdout", x->attach);
	x->wanted[ERRORS] = flag(query, "stderr", x->attach && !x->tty) && !x->tty;
	x->wanted[SIZE] = x->tty;
	x->wanted[RESULT] = true;
	(void)http_query_get(query, "container", &x->container);
	if (!x->wanted[IN] && !x->wanted[OUT] && !x->wanted[ERRORS])
		return err_set(err, ERR_BAD_REQUEST, "you must specify at least 1 of stdin, stdout, stderr");
	return x->attach ? 0 : read_command(x, query, err);
}

/* ---- the client's streams ---- */

static bool take_stream(struct exec *x, struct spdy_stream *st)
{
	static const char *const types[] = { "stdin", "stdout", "stderr", "error", "resize" };

	for (int i = 0; i < STREAMS; i++)
		if (str_eq(spdy_header(st, "streamtype"), types[i]) && x->wanted[i] && !x->spdy[i]) {
			x->spdy[i] = st;
			x->streams[i] = spdy_duplex(st);
			return true;
		}
	return false;
}

static bool has_all(const struct exec *x)
{
	for (int i = 0; i < STREAMS; i++)
		if (x->wanted[i] && !x->streams[i])
			return false;
	return true;
}

static int accept_streams(struct exec *x, struct err *err)
{
	while (!has_all(x)) {
		struct spdy_stream *st;

		TRY(spdy_accept(x->up.spdy, STREAMS_MS, &st, err));
		if (!take_stream(x, st))
			spdy_close(&st);
	}
	return 0;
}

/* Clients wait for some message before they take the connection for established. */
static int use_channels(struct exec *x, struct err *err)
{
	for (unsigned i = 0; i < STREAMS; i++)
		if (x->wanted[i])
			x->streams[i] = channels_at(x->up.channels, i);
	return channels_greet(x->up.channels, x->wanted[OUT] ? OUT : x->wanted[ERRORS] ? ERRORS : RESULT, err);
}

/* ---- the result ---- */

static void add_exit_code(struct doc *d, struct node *status, int code)
{
	struct node *cause = node_map(d);

	node_set(d, cause, "reason", node_str(d, "ExitCode"));
	node_set(d, cause, "message", node_strf(d, "%d", code));
	node_set(d, status, "message", node_strf(d, "command terminated with non-zero exit code: %d", code));
	node_set(d, status, "reason", node_str(d, "NonZeroExitCode"));
	node_add(d, node_seq_at(d, status, "details.causes"), cause);
}

static void add_failure(struct doc *d, struct node *status, const struct err *err)
{
	node_set(d, status, "message", node_strf(d, "Internal error occurred: %s", err_msg(err)));
	node_set(d, status, "reason", node_str(d, "InternalError"));
	node_set(d, status, "code", node_int(d, 500));
}

static void tell_result(struct exec *x, int r, const struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *status = node_map(d);
	AUTO(str) text = { 0 };

	node_set(d, status, "metadata", node_map(d));
	node_set(d, status, "status", node_str(d, r ? "Failure" : "Success"));
	if (r > 0)
		add_exit_code(d, status, r);
	else if (r < 0)
		add_failure(d, status, err);
	if (!x->up.protocol->plain_errors)
		json_write(&text, status, 0);
	else if (r)
		str_addc(&text, node_str_at(status, "message"));
	(void)duplex_write(x->streams[RESULT], str_sv(&text), NULL);
}

/* ---- both ---- */

static int run(struct exec *x, struct err *err)
{
	const struct request *rq = x->request;
	const struct client_streams io = { x->streams[IN], x->streams[OUT], x->streams[ERRORS], x->streams[SIZE] };
	const struct nodelink_ops *ops = x->link->ops;
	int r = x->attach ? ops->attach(x->link, rq->ns, rq->name, str_c(&x->container), &io, err) :
		ops->exec(x->link, rq->ns, rq->name, str_c(&x->container), x->argv.v, x->tty, &io, err);

	return r < 0 ? err_wrap(err, r, "error %s container \"%s\"", x->attach ? "attaching to" : "executing command in",
				str_c(&x->container)) : r;
}

static void serve_streams(struct exec *x)
{
	AUTO(err) err = { 0 };
	int r = x->up.spdy ? accept_streams(x, &err) : use_channels(x, &err);

	if (r >= 0) {
		r = run(x, &err);
		tell_result(x, r, &err);
	}
	for (int i = 0; i < STREAMS; i++)
		spdy_close(&x->spdy[i]);
	upgrade_end(&x->up);
}

static int begin(struct exec *x, struct http_request *rq, struct err *err)
{
	const struct stream_protocol *protocol;

	TRY(read_options(x, http_query(rq), err));
	TRY(pod_place(x->request, &x->container, &x->link, err));
	TRY(x->link->ops->running(x->link, x->request->ns, x->request->name, str_c(&x->container), err));
	TRY(upgrade_choose(rq, protocols, sizeof protocols / sizeof *protocols, &protocol, err));
	return upgrade_start(&x->up, rq, protocol, STREAMS, err);
}

int serve_exec(struct http_request *rq, const struct request *r, struct err *err)
{
	AUTO(exec) x = { .request = r, .attach = str_eq(r->subresource, "attach") };

	TRY(begin(&x, rq, err));
	serve_streams(&x);
	return 0;
}
