#include "orchestrator/api/http-internal.h"

#include "base/json.h"

#include <string.h>

static struct node *causes(struct doc *d, const struct err *e)
{
	struct node *out = node_seq(d);

	for (size_t i = 0; i < e->n_causes; i++) {
		struct node *c = node_map(d);

		node_set(d, c, "reason", node_str(d, e->causes[i].reason));
		node_set(d, c, "message", node_str(d, e->causes[i].msg));
		if (*e->causes[i].field)
			node_set(d, c, "field", node_str(d, e->causes[i].field));
		node_add(d, out, c);
	}
	return out;
}

static struct node *details(struct doc *d, const struct err *e, const struct route *rt)
{
	struct node *out = node_map(d);
	bool by_kind = e->code == ERR_INVALID;          /* kubectl prints it: The Service "web" is invalid */

	if (rt && rt->kind) {
		if (*rt->name)
			node_set(d, out, "name", node_str(d, rt->name));
		if (*rt->kind->group)
			node_set(d, out, "group", node_str(d, rt->kind->group));
		node_set(d, out, "kind", node_str(d, by_kind ? rt->kind->kind : rt->kind->plural));
	}
	if (e->n_causes)
		node_set(d, out, "causes", causes(d, e));
	if (e->code == ERR_BUSY)
		node_set(d, out, "retryAfterSeconds", node_int(d, 1));
	return out;
}

/* An error whose reason Kubernetes' clients do not know is told as the one they do. */
static const char *reason_of(enum err_code code)
{
	return code == ERR_FULL ? "InternalError" : code == ERR_CANCELED ? "Timeout" : err_reason(code);
}

void status_write(struct str *out, const struct err *e, const struct route *rt)
{
	AUTO_DOC d = doc_new();
	struct node *s = node_map(d);

	node_set(d, s, "kind", node_str(d, "Status"));
	node_set(d, s, "apiVersion", node_str(d, "v1"));
	node_set(d, s, "metadata", node_map(d));
	node_set(d, s, "status", node_str(d, "Failure"));
	node_set(d, s, "message", node_str(d, err_msg(e)));
	node_set(d, s, "reason", node_str(d, reason_of(e->code)));
	node_set(d, s, "details", details(d, e, rt));
	node_set(d, s, "code", node_int(d, err_http(e->code)));
	json_write(out, s, 0);
}

void reply_json(struct http_request *rq, int status, const struct str *json)
{
	http_reply(rq, status, "application/json", str_sv(json));
}

void reply_error(struct http_request *rq, const struct err *e, const struct route *rt)
{
	AUTO(str) out = { 0 };

	status_write(&out, e, rt);
	str_add1(&out, '\n');
	if (e->code == ERR_BUSY)
		http_add_header(rq, "Retry-After", "1");
	reply_json(rq, err_http(e->code), &out);
}
