#include "kube/client-stream.h"

#include "base/fiber.h"
#include "base/json.h"
#include "kube/client-https-internal.h"
#include "kube/status.h"

#include <inttypes.h>
#include <stdio.h>

#define ERROR_MAX ((size_t)64 << 10)

static int connect_to(struct client *c, const char *path, const char *protocol, struct client_connection **out,
		      struct err *err)
{
	if (!c->ops->connect)
		return err_set(err, ERR_UNSUPPORTED, "this client has no streams");
	return c->ops->connect(c, path, protocol, out, err);
}

static void pod_path(struct str *out, const char *ns, const char *pod, const char *sub)
{
	static const struct kind pods = { .group = "", .version = "v1", .plural = "pods", .namespaced = true };

	https_path(out, &pods, ns, pod, sub);
}

static int open_stream(struct spdy *s, const struct spdy_headers *common, const char *type, struct spdy_stream **out,
		       struct err *err)
{
	AUTO(spdy_headers) h = { 0 };

	spdy_headers_add(&h, SV("streamtype"), sv_c(type));
	for (size_t i = 0; common && i < common->n; i++)
		spdy_headers_add(&h, sv_c(common->v[i].name), sv_c(common->v[i].value));
	return spdy_open(s, &h, out, err);
}

static void read_text(struct spdy_stream *st, struct str *out)
{
	char buf[4096];
	int n;

	while ((n = duplex_read(spdy_duplex(st), buf, sizeof buf, NULL)) > 0)
		if (out->n < ERROR_MAX)
			str_add(out, (struct sv){ buf, (size_t)n });
}

/* ---- copying ---- */

struct copy { struct duplex *to, *from; bool end; };

static void run_copy(void *arg)
{
	struct copy *c = arg;

	if (duplex_copy(c->to, c->from, NULL) >= 0 && c->end)
		duplex_end(c->to);
}

/* ---- a program ---- */

enum { RESULT, IN, OUT, ERRORS, SIZE, STREAMS };

static void program_path(const struct program *p, struct str *path)
{
	pod_path(path, p->ns, p->pod, p->argv ? "exec" : "attach");
	https_query(path, "container", p->container);
	for (const char *const *a = p->argv; a && *a; a++)
		https_query(path, "command", *a);
	https_query(path, "stdin", p->in ? "true" : "false");
	https_query(path, "stdout", p->out ? "true" : "false");
	https_query(path, "stderr", p->err && !p->tty ? "true" : "false");
	https_query(path, "tty", p->tty ? "true" : "false");
}

static int exit_code(const struct node *status)
{
	const struct node *it;
	int64_t code;

	node_each(it, node_at(status, "details.causes"))
		if (str_eq(node_str_at(it, "reason"), "ExitCode") && sv_to_i64(sv_c(node_str_at(it, "message")), &code) &&
		    code > 0 && code <= INT32_MAX)
			return (int)code;
	return 1;
}

/* What the error stream said: a Status, or nothing when the connection was lost. */
static int judge(const struct str *text, struct err *err)
{
	AUTO_DOC d = NULL;

	if (!text->n)
		return err_set(err, ERR_UNAVAILABLE, "the connection was lost");
	if (json_read(str_sv(text), "result", 0, &d, NULL) < 0)
		return err_set(err, ERR_IO, "%s", str_c(text));
	const struct node *status = doc_root(d);
	if (str_eq(node_str_at(status, "status"), "Success"))
		return 0;
	if (str_eq(node_str_at(status, "reason"), "NonZeroExitCode"))
		return exit_code(status);
	return err_set(err, err_from_http((int)node_int_at(status, "code", 500), node_str_at(status, "reason")), "%s",
		       node_str_or(status, "message", "the program could not be run"));
}

static int open_streams(const struct program *p, struct spdy *s, struct spdy_stream *streams[STREAMS], struct err *err)
{
	const struct { int which; const char *type; bool wanted; } rows[] = {
		{ RESULT, "error", true }, { IN, "stdin", p->in }, { OUT, "stdout", p->out },
		{ ERRORS, "stderr", p->err && !p->tty }, { SIZE, "resize", p->tty && p->size },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].wanted || (p->tty && rows[i].which == SIZE))        /* a server waits for it */
			TRY(open_stream(s, NULL, rows[i].type, &streams[rows[i].which], err));
	return 0;
}

static int run_streams(const struct program *p, struct spdy_stream *streams[STREAMS], struct err *err)
{
	struct fiber_group inputs, outputs;
	struct copy in = { streams[IN] ? spdy_duplex(streams[IN]) : NULL, p->in, true };
	struct copy size = { streams[SIZE] ? spdy_duplex(streams[SIZE]) : NULL, p->size, false };
	struct copy out = { p->out, streams[OUT] ? spdy_duplex(streams[OUT]) : NULL, false };
	struct copy errors = { p->err, streams[ERRORS] ? spdy_duplex(streams[ERRORS]) : NULL, false };
	AUTO(str) result = { 0 };

	fiber_group_init(&inputs, fiber_loop());
	fiber_group_init(&outputs, fiber_loop());
	if (in.to)
		fiber_group_start(&inputs, "stdin", run_copy, &in);
	if (size.to && size.from)
		fiber_group_start(&inputs, "size", run_copy, &size);
	if (out.from)
		fiber_group_start(&outputs, "stdout", run_copy, &out);
	if (errors.from)
		fiber_group_start(&outputs, "stderr", run_copy, &errors);
	read_text(streams[RESULT], &result);
	fiber_group_join(&outputs);
	fiber_group_cancel(&inputs);
	fiber_group_join(&inputs);
	return judge(&result, err);
}

int client_run(struct client *c, const struct program *p, struct err *err)
{
	struct spdy_stream *streams[STREAMS] = { 0 };
	struct client_connection *connection;
	AUTO(str) path = { 0 };

	program_path(p, &path);
	TRY(connect_to(c, str_c(&path), "v4.channel.k8s.io", &connection, err));
	int r = open_streams(p, client_connection_spdy(connection), streams, err);
	if (r >= 0)
		r = run_streams(p, streams, err);
	for (int i = 0; i < STREAMS; i++)
		spdy_close(&streams[i]);
	client_connection_close(&connection);
	return r;
}

/* ---- ports ---- */

int client_forwarding(struct client *c, const char *ns, const char *pod, struct client_connection **out, struct err *err)
{
	AUTO(str) path = { 0 };

	pod_path(&path, ns, pod, "portforward");
	return connect_to(c, str_c(&path), "portforward.k8s.io", out, err);
}

static int forward_streams(struct spdy_stream *data, struct spdy_stream *error, struct duplex *local, struct err *err)
{
	struct fiber_group inputs;
	struct copy in = { spdy_duplex(data), local, true };
	AUTO(str) text = { 0 };

	fiber_group_init(&inputs, fiber_loop());
	fiber_group_start(&inputs, "forward", run_copy, &in);
	int r = duplex_copy(local, spdy_duplex(data), err);
	duplex_end(local);
	if (r >= 0)
		read_text(error, &text);
	if (r < 0 || text.n)
		fiber_group_cancel(&inputs);
	fiber_group_join(&inputs);
	return r >= 0 && text.n ? err_set(err, ERR_UNAVAILABLE, "%s", str_c(&text)) : r;
}

int client_forward(struct client_connection *c, unsigned number, uint16_t port, struct duplex *local, struct err *err)
{
	struct spdy *s = client_connection_spdy(c);
	struct spdy_stream *data = NULL, *error = NULL;
	AUTO(spdy_headers) common = { 0 };
	char text[16];

	snprintf(text, sizeof text, "%u", port);
	spdy_headers_add(&common, SV("port"), sv_c(text));
	snprintf(text, sizeof text, "%u", number);
	spdy_headers_add(&common, SV("requestid"), sv_c(text));
	int r = open_stream(s, &common, "error", &error, err);
	if (r >= 0) {
		duplex_end(spdy_duplex(error));         /* we only read it */
		r = open_stream(s, &common, "data", &data, err);
	}
	if (r >= 0)
		r = forward_streams(data, error, local, err);
	spdy_close(&data);
	spdy_close(&error);
	return r;
}
