#include "orchestrator/api/exchange-internal.h"

#include "base/gzip.h"
#include "base/json.h"
#include "base/yaml.h"
#include "kube/protobuf.h"

#include <string.h>
#include <strings.h>

enum { CHUNK = 256 << 10 };     /* a longer list is sent in pieces of this size */

/* ---- bodies ---- */

bool body_type_is(struct http_request *rq, const char *want)
{
	struct sv type = http_header(rq, "content-type"), head, rest;

	(void)sv_cut(type, ';', &head, &rest);
	head = sv_trim(head);
	return head.n == strlen(want) && !strncasecmp(head.p, want, head.n);
}

int read_body(struct api *a, struct http_request *rq, struct doc **out, struct err *err)
{
	struct sv body = http_body(rq);

	if (body_type_is(rq, "application/yaml") || body_type_is(rq, "application/apply-patch+yaml"))
		return yaml_read(body, "body", 0, out, err);
	if (body_type_is(rq, "application/vnd.kubernetes.protobuf")) {
		if (!a->protobuf)
			a->protobuf = protobuf_new();
		return protobuf_read(a->protobuf, body, out, err);
	}
	if (http_header(rq, "content-type").n && !body_type_is(rq, "application/json") &&
	    !body_type_is(rq, "application/json-patch+json") && !body_type_is(rq, "application/merge-patch+json") &&
	    !body_type_is(rq, "application/strategic-merge-patch+json"))
		return err_set(err, ERR_UNSUPPORTED,
			       "the body of the request was in an unknown format - accepted media types include: "
			       "application/json, application/yaml, application/vnd.kubernetes.protobuf");
	return json_read(body, "body", 0, out, err);
}

/* ---- answers ---- */

static void add_warnings(struct exchange *x)
{
	struct sv rest = str_sv(&x->warnings), line;

	while (rest.n) {
		AUTO(str) value = { 0 }, quoted = { 0 };

		struct sv all = rest;
		if (!sv_cut(all, '\n', &line, &rest))
			rest = SV("");
		if (!line.n)
			continue;
		json_write_string(&quoted, line, 0);    /* a quoted string of HTTP looks the same */
		str_addf(&value, "299 - %s", str_c(&quoted));
		http_add_header(x->http, "Warning", str_c(&value));
	}
}

void reply_item(struct exchange *x, int status, struct item *i)
{
	add_warnings(x);
	if (form_is_stored(i, &x->wanted)) {
		reply_bytes(x->http, status, "application/json", item_sv(i));
		return;
	}
	AUTO(str) out = { 0 };
	form_item(&out, i, &x->wanted);
	reply_json(x->http, status, &out);
}

/* Empties out. */
static int send_piece(struct http_stream *s, struct gzip *g, struct str *out, bool last)
{
	AUTO(str) packed = { 0 };
	int r;

	if (g)
		gzip_add(g, str_sv(out), last, &packed);
	r = http_stream_write(s, g ? str_sv(&packed) : str_sv(out));
	str_cut(out, 0);
	return r;
}

static void stream_list(struct exchange *x, const struct list_result *found, struct str *out, size_t from)
{
	struct gzip *g = accepts_gzip(x->http) ? gzip_new() : NULL;
	struct http_stream *s;
	int r = 0;

	if (g) {
		http_add_header(x->http, "Content-Encoding", "gzip");
		http_add_header(x->http, "Vary", "Accept-Encoding");
	}
	s = http_stream_start(x->http, 200, "application/json");

	for (size_t i = from; i < found->items.n && r >= 0; i++) {
		form_list_item(out, found->items.v[i], i, &x->wanted);
		if (out->n < CHUNK)
			continue;
		if ((r = send_piece(s, g, out, false)) >= 0)
			r = http_stream_drain(s);
	}
	form_list_tail(out, &x->wanted);
	if (r >= 0)
		(void)send_piece(s, g, out, true);
	http_stream_end(s);
	gzip_free(&g);
}

void reply_list(struct exchange *x, const struct list_result *found)
{
	AUTO(str) out = { 0 };

	form_list_head(&out, x->route.kind, found, &x->wanted);
	for (size_t i = 0; i < found->items.n; i++) {
		form_list_item(&out, found->items.v[i], i, &x->wanted);
		if (out.n >= CHUNK) {
			stream_list(x, found, &out, i + 1);
			return;
		}
	}
	form_list_tail(&out, &x->wanted);
	reply_json(x->http, 200, &out);
}
