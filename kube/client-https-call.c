#include "kube/client-https-internal.h"

#include "base/fiber.h"
#include "base/json.h"
#include "kube/status.h"

#include <stdlib.h>

#define BUSY_TRIES 5
#define BUSY_MAX_S 30
#define MAX_BODY ((size_t)256 << 20)    /* of an answer: a list of everything may be long */
#define ERROR_BODY 65536                /* of an error's text, when it came in pieces */

/* ---- paths ---- */

static void add_escaped(struct str *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *s; s++) {
		if (strchr(plain, *s))
			str_add1(out, *s);
		else
			str_addf(out, "%%%02X", (unsigned char)*s);
	}
}

static void add_segment(struct str *out, const char *s)
{
	if (!s || !*s)
		return;
	str_add1(out, '/');
	add_escaped(out, s);
}

void https_path(struct str *out, const struct kind *k, const char *ns, const char *name, const char *sub)
{
	str_addc(out, *k->group ? "/apis" : "/api");
	add_segment(out, k->group);
	add_segment(out, k->version);
	if (k->namespaced && ns && *ns) {
		str_addc(out, "/namespaces");
		add_segment(out, ns);
	}
	add_segment(out, k->plural);
	add_segment(out, name);
	add_segment(out, sub);
}

void https_query(struct str *path, const char *key, const char *value)
{
	if (!value)
		return;
	str_addf(path, "%c%s=", strchr(str_c(path), '?') ? '&' : '?', key);
	add_escaped(path, value);
}

/* ---- errors ---- */

int https_error(int status, struct sv body, struct err *err)
{
	AUTO_DOC d = NULL;
	struct sv line, rest;

	if (json_read(body, "body", 0, &d, NULL) >= 0 && node_str_at(doc_root(d), "message"))
		return status_to_err(doc_root(d), status, err);
	(void)sv_cut(sv_trim(body), '\n', &line, &rest);
	if (line.n > 200)
		line.n = 200;
	return err_set(err, err_from_http(status, NULL), "the server answered %d%s" SV_FMT, status, line.n ? ": " : "",
		       SV_ARG(line));
}

/* ---- exchanges ---- */

struct headers { const char *v[4]; };

/* NULL-terminated; borrowed from h and type. */
static struct headers headers_of(const struct https *h, const struct str *type)
{
	struct headers x = { { "Accept: application/json" } };
	size_t n = 1;

	if (h->authorization.n)
		x.v[n++] = str_c(&h->authorization);
	if (type->n)
		x.v[n++] = str_c(type);
	return x;
}

static struct httpc_request request_of(const struct https *h, const char *method, const char *url,
				       const struct headers *headers)
{
	return (struct httpc_request){
		.method = method,
		.url = url,
		.headers = headers->v,
		.ca_pem = str_sv(&h->config.ca_pem),
		.cert_pem = str_sv(&h->config.cert_pem),
		.key_pem = str_sv(&h->config.key_pem),
		.insecure = h->config.insecure,
		.userpwd = h->config.userpwd,
		.max_body = MAX_BODY,
	};
}

/* Seconds to wait after a 429; -1: the answer does not ask for it. */
static int64_t retry_after_s(const struct httpc_response *r)
{
	int64_t s;

	if (r->status != 429 || !sv_to_i64(sv_trim(httpc_header(r, "Retry-After")), &s) || s < 0)
		return -1;
	return s < BUSY_MAX_S ? s : BUSY_MAX_S;
}

static int exchange(struct https *h, const struct httpc_request *rq, struct httpc_response *out, struct err *err)
{
	for (int i = 0;; i++) {
		int64_t wait_s;

		TRY(httpc_do(h->http, rq, out, err));
		wait_s = retry_after_s(out);
		if (wait_s < 0 || i == BUSY_TRIES)
			return 0;
		httpc_response_free(out);
		if (fiber_sleep(wait_s * 1000) < 0)
			return err_set(err, ERR_CANCELED, "canceled while the server was busy");
	}
}

int https_call(struct https *h, const struct call *c, struct doc **out, struct err *err)
{
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) url = { 0 }, type = { 0 };
	struct headers headers;
	struct httpc_request rq;

	str_addf(&url, "%s%s", h->config.server, c->path);
	if (c->content_type)
		str_addf(&type, "Content-Type: %s", c->content_type);
	headers = headers_of(h, &type);
	rq = request_of(h, c->method, str_c(&url), &headers);
	rq.body = c->body;
	rq.timeout_ms = c->timeout_ms;
	TRY(exchange(h, &rq, &answer, err));
	if (answer.status >= 400)
		return https_error(answer.status, str_sv(&answer.body), err);
	if (!out)
		return 0;
	return err_wrap(err, json_read(str_sv(&answer.body), "answer", 0, out, err), "%s %s", c->method, c->path);
}

struct stream { int status; struct str error; int (*on_data)(void *, struct sv); void *arg; };

static void on_head(void *arg, int status) { ((struct stream *)arg)->status = status; }

static int on_data(void *arg, struct sv data)
{
	struct stream *s = arg;

	if (s->status < 400)
		return s->on_data(s->arg, data);
	if (s->error.n < ERROR_BODY)
		str_add(&s->error, data);
	return 0;
}

int https_stream(struct https *h, const char *path, int (*fn)(void *arg, struct sv data), void *arg, struct err *err)
{
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) url = { 0 }, none = { 0 };
	struct stream s = { .on_data = fn, .arg = arg };
	struct headers headers = headers_of(h, &none);
	struct httpc_request rq;
	int r;

	str_addf(&url, "%s%s", h->config.server, path);
	rq = request_of(h, "GET", str_c(&url), &headers);
	rq.timeout_ms = -1;
	rq.on_head = on_head;
	rq.on_data = on_data;
	rq.arg = &s;
	r = httpc_do(h->http, &rq, &answer, err);
	if (r >= 0 && answer.status >= 400)
		r = https_error(answer.status, str_sv(&s.error), err);
	str_free(&s.error);
	return r;
}
