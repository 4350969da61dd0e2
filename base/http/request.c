/* base/http/request.c - what a handler is given, and the fiber that it runs in. */
#include "base/http/internal.h"

#include <stdlib.h>
#include <strings.h>

struct http_request *request_new(struct conn *c, int version)
{
	struct http_request *rq = calloc(1, sizeof *rq);

	if (!rq)
		abort();
	rq->conn = c;
	rq->version = version;
	rq->content_length = -1;
	rq->body_start_ms = loop_now_ms(c->server->loop);
	(void)request_text(rq, SV(""));         /* place 0: the empty text */
	conn_ref(c);
	return rq;
}

void request_free(struct http_request *rq)
{
	struct http_server *s = rq->conn->server;

	s->bodies_bytes -= rq->counted;
	if (rq->stream)
		rq->stream->rq = NULL;
	for (size_t i = 0; i < rq->headers.n; i++) {
		free(rq->headers.v[i].name);
		free(rq->headers.v[i].value);
	}
	vec_free(&rq->headers);
	vec_free(&rq->fields);
	str_free(&rq->text);
	str_free(&rq->body);
	conn_unref(rq->conn);
	free(rq);
}

uint32_t request_text(struct http_request *rq, struct sv text)
{
	uint32_t at = (uint32_t)rq->text.n;

	str_add(&rq->text, text);
	str_add1(&rq->text, '\0');
	return at;
}

void request_field(struct http_request *rq, struct sv name, struct sv value)
{
	uint32_t name_at = request_text(rq, name), value_at = request_text(rq, value);

	vec_push(&rq->fields, ((struct field_at){ name_at, (uint32_t)name.n, value_at, (uint32_t)value.n }));
}

/* ---- the handler ---- */

static void run_handler(void *arg)
{
	struct http_request *rq = arg;
	struct conn *c = rq->conn;
	struct http_server *s = c->server;

	rq->fiber = fiber_self();
	s->o.handler(rq, s->o.arg);
	if (!rq->answered)
		http_reply(rq, 500, "text/plain", SV("the request was not answered\n"));
	conn_ref(c);
	rq->fiber = NULL;
	if (c->fd >= 0)
		c->proto->handled(rq);
	request_free(rq);
	conn_unref(c);
	s->running--;
	fiber_signal_all(&s->changed);
}

static void start_handler(struct http_request *rq)
{
	struct http_server *s = rq->conn->server;

	s->running++;
	fiber_group_start(&s->handlers, "http", run_handler, rq);
}

/* ---- the body comes in ---- */

void request_refuse(struct http_request *rq, int status, const char *why)
{
	AUTO(str) text = { 0 };

	str_addf(&text, "%s\n", why);
	http_reply(rq, status, "text/plain", str_sv(&text));
	request_free(rq);
}

bool request_begin(struct http_request *rq)
{
	struct http_server *s = rq->conn->server;

	rq->is_head = str_eq(http_method(rq), "HEAD");
	rq->streams = s->o.streams_body && s->o.streams_body(rq, s->o.arg);
	if (!rq->streams && rq->content_length > 0 && (uint64_t)rq->content_length > s->o.max_body) {
		request_refuse(rq, 413, "the request body is too large");
		return false;
	}
	if (rq->streams)
		start_handler(rq);
	return true;
}

static bool collect(struct http_request *rq, struct sv data)
{
	struct http_server *s = rq->conn->server;

	if (rq->body.n + data.n > s->o.max_body) {
		request_refuse(rq, 413, "the request body is too large");
		return false;
	}
	if (s->bodies_bytes + data.n > BODIES_MAX) {
		http_add_header(rq, "Retry-After", "1");
		request_refuse(rq, 503, "too many request bodies at once");
		return false;
	}
	s->bodies_bytes += data.n;
	rq->counted += data.n;
	if (rq->content_length > 0 && !rq->body.n)
		(void)str_room(&rq->body, (size_t)rq->content_length < IO_SIZE ? (size_t)rq->content_length : IO_SIZE);
	str_add(&rq->body, data);
	return true;
}

bool request_body(struct http_request *rq, struct sv data)
{
	if (!rq->streams)
		return collect(rq, data);
	if (rq->body_at == rq->body.n)
		rq->body_at = rq->body.n = 0;
	str_add(&rq->body, data);
	fiber_signal_all(&rq->body_came);
	return true;
}

void request_end(struct http_request *rq)
{
	rq->body_done = true;
	fiber_signal_all(&rq->body_came);
	if (!rq->streams)
		start_handler(rq);
}

void request_lost(struct http_request *rq)
{
	rq->gone = true;
	fiber_signal_all(&rq->body_came);
}

void request_broken(struct http_request *rq)
{
	rq->broken = true;
	fiber_signal_all(&rq->body_came);
}

int http_body_read(struct http_request *rq, char *buf, size_t n, struct err *err)
{
	while (rq->streams && rq->body_at == rq->body.n) {
		if (rq->body_done)
			return 0;
		if (rq->broken)
			return err_set(err, ERR_BAD_REQUEST, "the request body is malformed");
		if (rq->gone)
			return err_set(err, ERR_CANCELED, "the client went away in the middle of the request body");
		if (fiber_wait(&rq->body_came))
			return err_set(err, ERR_CANCELED, "reading the request body was stopped");
	}
	size_t left = rq->body.n - rq->body_at;
	size_t take = left < n ? left : n;

	if (take)
		memcpy(buf, rq->body.p + rq->body_at, take);
	rq->body_at += take;
	if (rq->streams && !rq->gone && rq->conn->fd >= 0)
		rq->conn->proto->consumed(rq, take);
	return (int)take;
}

/* ---- reading it ---- */

const char *http_method(const struct http_request *rq) { return rq->text.p + rq->method; }
const char *http_path(const struct http_request *rq) { return rq->text.p + rq->path; }
const char *http_query(const struct http_request *rq) { return rq->text.p + rq->query; }
const struct tls_peer *http_peer(const struct http_request *rq) { return rq->conn->peer; }
const char *http_remote(const struct http_request *rq) { return rq->conn->remote; }
int http_version(const struct http_request *rq) { return rq->version; }
struct http_server *http_request_server(const struct http_request *rq) { return rq->conn->server; }
struct sv http_body(const struct http_request *rq) { return rq->streams ? SV("") : str_sv(&rq->body); }

struct sv http_header(const struct http_request *rq, const char *name) { return http_header_at(rq, name, 0); }

struct sv http_header_at(const struct http_request *rq, const char *name, size_t at)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < rq->fields.n; i++)
		if (rq->fields.v[i].name_n == n && !strncasecmp(rq->text.p + rq->fields.v[i].name, name, n) && !at--)
			return (struct sv){ rq->text.p + rq->fields.v[i].value, rq->fields.v[i].value_n };
	return SV("");
}

bool http_header_field(const struct http_request *rq, size_t i, struct sv *name, struct sv *value)
{
	if (i >= rq->fields.n)
		return false;
	*name = (struct sv){ rq->text.p + rq->fields.v[i].name, rq->fields.v[i].name_n };
	*value = (struct sv){ rq->text.p + rq->fields.v[i].value, rq->fields.v[i].value_n };
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Form encoding: %XX and + for a space; a broken escape stands for itself. */
static void decode(struct sv s, struct str *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int high = s.p[i] == '%' && i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;

		str_add1(out, low >= 0 ? (char)(high << 4 | low) : s.p[i] == '+' ? ' ' : s.p[i]);
		if (low >= 0)
			i += 2;
	}
}

struct sv http_header_element(const struct http_request *rq, const char *name, size_t at)
{
	struct sv rest, one;

	for (size_t i = 0; (rest = http_header_at(rq, name, i)).n; i++)
		for (bool more = true; more;) {
			more = sv_cut(rest, ',', &one, &rest);
			one = sv_trim(one);
			if (one.n && !at--)
				return one;
		}
	return SV("");
}

bool http_query_get(const char *query, const char *name, struct str *out) { return http_query_at(query, name, 0, out); }

bool http_query_at(const char *query, const char *name, size_t at, struct str *out)
{
	struct sv rest = sv_c(query), pair, key, value;

	for (bool more = rest.n > 0; more;) {
		AUTO(str) plain = { 0 };

		more = sv_cut(rest, '&', &pair, &rest);
		(void)sv_cut(pair, '=', &key, &value);
		decode(key, &plain);
		if (pair.n && str_eq(str_c(&plain), name) && !at--) {
			decode(value, out);
			return true;
		}
	}
	return false;
}
