/* One call of a webhook: where it is, what it says. */
#include "orchestrator/api/admission-internal.h"

#include "base/encode.h"
#include "base/httpc.h"
#include "base/json.h"

#include <string.h>

enum { ANSWER_MAX = 4 << 20 };

/* ---- where a Service's pods listen ---- */

static const struct object *find(struct api *a, const char *kind, const char *ns, const char *name)
{
	const struct kind *k = kinds_find(a->kinds, "v1", kind);
	struct item *i = k ? resource_find(cache_resource(&a->cache, k), ns, name) : NULL;

	return i ? item_object(i) : NULL;
}

static const struct node *port_of(const struct node *service, int64_t number)
{
	const struct node *it;

	node_each(it, node_at(service, "spec.ports"))
		if (node_int_at(it, "port", 0) == number)
			return it;
	return NULL;
}

/* The port of a subset that a Service's port leads to; 0: none. */
static int64_t target(const struct node *subset, const struct node *port)
{
	const struct node *it;

	node_each(it, node_get(subset, "ports"))
		if (!strcmp(node_str_or(it, "name", ""), node_str_or(port, "name", "")))
			return node_int_at(it, "port", 0);
	return 0;
}

/* "NAME.NAMESPACE.svc:443:10.1.2.3:8443" */
static int connect_to(struct api *a, const struct node *ref, struct str *out, struct err *err)
{
	const char *ns = node_str_or(ref, "namespace", ""), *name = node_str_or(ref, "name", "");
	int64_t number = node_int_at(ref, "port", 443);
	const struct object *service = find(a, "Service", ns, name), *endpoints = find(a, "Endpoints", ns, name);
	const struct node *port = service ? port_of(service->root, number) : NULL, *it;

	if (!service)
		return err_set(err, ERR_UNAVAILABLE, "service \"%s\" not found", name);
	if (!port)
		return err_set(err, ERR_UNAVAILABLE, "no service port %lld found for service \"%s\"", (long long)number,
			       name);
	node_each(it, endpoints ? node_get(endpoints->root, "subsets") : NULL) {
		const char *ip = node_str_or(node_item(node_get(it, "addresses"), 0), "ip", "");
		int64_t to = target(it, port);

		if (*ip && to) {
			str_addf(out, "%s.%s.svc:%lld:%s:%lld", name, ns, (long long)number, ip, (long long)to);
			return 0;
		}
	}
	return err_set(err, ERR_UNAVAILABLE, "no endpoints available for service \"%s\"", name);
}

static void url_of(const struct node *client, int64_t timeout_ms, struct str *out)
{
	const struct node *ref = node_get(client, "service");
	const char *url = node_str_or(client, "url", ""), *path = node_str_or(ref, "path", "");

	if (*url)
		str_addc(out, url);
	else
		str_addf(out, "https://%s.%s.svc:%lld%s%s", node_str_or(ref, "name", ""),
			 node_str_or(ref, "namespace", ""), (long long)node_int_at(ref, "port", 443),
			 *path == '/' ? "" : "/", path);
	str_addf(out, "?timeout=%llds", (long long)(timeout_ms / 1000));
}

/* ---- the call ---- */

static int post(struct api *a, const struct httpc_request *rq, struct doc **out, struct err *err)
{
	AUTO(httpc_response) answer = { 0 };

	if (!a->http)
		a->http = httpc_new(a->loop);
	TRY(httpc_do(a->http, rq, &answer, err));
	if (answer.status != 200)
		return err_set(err, ERR_UNAVAILABLE, "the server answered %d: %.200s", answer.status,
			       str_c(&answer.body));
	return json_read(str_sv(&answer.body), "answer", 0, out, err);
}

int webhook_post(struct api *a, const struct node *client, const struct node *review, int64_t timeout_ms,
		 struct doc **out, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json", NULL };
	AUTO(str) url = { 0 }, body = { 0 }, ca = { 0 }, place = { 0 };
	struct httpc_request rq = {
		.method = "POST", .headers = headers, .timeout_ms = timeout_ms, .max_body = ANSWER_MAX
	};

	url_of(client, timeout_ms, &url);
	if (node_get(client, "service"))
		TRY(connect_to(a, node_get(client, "service"), &place, err));
	if (node_str_at(client, "caBundle"))
		TRY(base64_decode(&ca, node_sv(node_get(client, "caBundle")), err));
	json_write(&body, review, 0);
	rq.url = str_c(&url);
	rq.body = str_sv(&body);
	rq.ca_pem = str_sv(&ca);
	rq.connect_to = place.n ? str_c(&place) : NULL;
	int r = post(a, &rq, out, err);
	return r < 0 && r != -ERR_CANCELED ? err_wrap(err, r, "Post \"%s\"", str_c(&url)) : r;
}
