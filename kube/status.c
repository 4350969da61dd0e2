#include "kube/status.h"

static struct node *status_start(struct doc *d, const char *outcome)
{
	struct node *s = node_map(d);

	node_set(d, s, "kind", node_str(d, "Status"));
	node_set(d, s, "apiVersion", node_str(d, "v1"));
	node_set(d, s, "metadata", node_map(d));
	node_set(d, s, "status", node_str(d, outcome));
	return s;
}

/* kubectl prints `The Service "web" is invalid` out of it, so an Invalid has the kind where others have the plural. */
static struct node *details(struct doc *d, const struct kind *k, const char *name, bool by_kind)
{
	struct node *n = node_map(d);

	if (name && *name)
		node_set(d, n, "name", node_str(d, name));
	if (k && *k->group)
		node_set(d, n, "group", node_str(d, k->group));
	if (k)
		node_set(d, n, "kind", node_str(d, by_kind ? k->kind : k->plural));
	return n;
}

static struct node *causes(struct doc *d, const struct err *e)
{
	struct node *list = node_seq(d);

	for (size_t i = 0; i < e->n_causes; i++) {
		struct node *c = node_map(d);

		node_set(d, c, "reason", node_str(d, e->causes[i].reason));
		node_set(d, c, "message", node_str(d, e->causes[i].msg));
		if (*e->causes[i].field)
			node_set(d, c, "field", node_str(d, e->causes[i].field));
		node_add(d, list, c);
	}
	return list;
}

struct node *status_of_err(struct doc *d, const struct err *e, const struct kind *k, const char *name)
{
	struct node *s = status_start(d, "Failure"), *det = details(d, k, name, e->code == ERR_INVALID);

	node_set(d, s, "message", node_str(d, err_msg(e)));
	node_set(d, s, "reason", node_str(d, err_reason(e->code)));
	if (e->n_causes)
		node_set(d, det, "causes", causes(d, e));
	if (err_retry(e->code) == RETRY_LATER && e->code != ERR_IO)
		node_set(d, det, "retryAfterSeconds", node_int(d, 1));
	if (node_n(det))
		node_set(d, s, "details", det);
	node_set(d, s, "code", node_int(d, err_http(e->code)));
	return s;
}

struct node *status_success(struct doc *d, const struct kind *k, const char *name, const char *uid)
{
	struct node *s = status_start(d, "Success"), *det = details(d, k, name, false);

	if (uid && *uid)
		node_set(d, det, "uid", node_str(d, uid));
	if (node_n(det))
		node_set(d, s, "details", det);
	return s;
}

int status_to_err(const struct node *status, int http, struct err *err)
{
	bool is_status = str_eq(node_str_at(status, "kind"), "Status");
	const char *msg = is_status ? node_str_at(status, "message") : NULL;
	int code = is_status ? (int)node_int_at(status, "code", http) : http;
	struct node *c;

	enum err_code e = err_from_http(code, is_status ? node_str_at(status, "reason") : NULL);
	if (e == ERR_OK)
		e = ERR_IO;
	if (msg)
		err_set(err, e, "%s", msg);
	else
		err_set(err, e, "the server answered with HTTP status %d", http);
	node_each(c, is_status ? node_at(status, "details.causes") : NULL)
		err_cause(err, node_str_or(c, "field", ""), node_str_or(c, "reason", ""), "%s", node_str_or(c, "message", ""));
	return -(int)e;
}
