#include "orchestrator/analysis/provider.h"

#include "base/json.h"
#include "base/opt.h"
#include "base/vec.h"

#include <stdlib.h>

#define MAX_ANSWER ((size_t)4 << 20)

/* ---- what web and prometheus share ---- */

struct headers { VEC(const char *) lines; VEC(char *) owned; };

static void headers_free(struct headers *h)
{
	for (size_t i = 0; i < h->owned.n; i++)
		free(h->owned.v[i]);
	vec_free(&h->owned);
	vec_free(&h->lines);
}

static void add_header(struct headers *h, const char *name, const char *value)
{
	vec_push(&h->owned, str_fmt("%s: %s", name, value));
	vec_push(&h->lines, h->owned.v[h->owned.n - 1]);
}

static void read_headers(const struct measuring *m, const char *content_type, struct headers *out)
{
	const struct node *it, *all = node_get(m->provider, "headers");

	node_each(it, all)
		add_header(out, node_str_or(it, "key", ""), node_str_or(it, "value", ""));
	if (content_type)
		add_header(out, "Content-Type", content_type);
	vec_push(&out->lines, NULL);
}

static int read_timeout(const struct node *provider, int64_t *ms, struct err *err)
{
	const struct node *n = node_get(provider, "timeoutSeconds") ? node_get(provider, "timeoutSeconds")
								    : node_get(provider, "timeout");

	if (!n)
		return 0;
	if (node_to_i64(n, ms) || sv_to_i64(node_sv(n), ms)) {
		*ms *= 1000;
		return 0;
	}
	return duration_parse(node_text(n) ? node_text(n) : "", ms, err);
}

int provider_fetch(struct measuring *m, const char *method, const char *url, struct sv body, const char *content_type,
		   struct httpc_response *out, struct err *err)
{
	AUTO(headers) headers = { 0 };
	struct httpc_request rq = { .method = method, .url = url, .body = body, .timeout_ms = 10000, .max_body = MAX_ANSWER, .follow = true,
		.insecure = node_bool_at(m->provider, "insecure", false) };
	struct sv line, rest;

	TRY(read_timeout(m->provider, &rq.timeout_ms, err));
	read_headers(m, content_type, &headers);
	rq.headers = headers.lines.v;
	TRY(httpc_do(m->http, &rq, out, err));
	if (out->status >= 200 && out->status < 300)
		return 0;
	(void)sv_cut(str_sv(&out->body), '\n', &line, &rest);
	return err_set(err, ERR_IO, "%s answered %d: " SV_FMT, url, out->status, (int)(line.n < 200 ? line.n : 200),
		       line.p ? line.p : "");
}

/* ---- web ---- */

/* An answer that is not JSON is a text. Without jsonPath the whole answer is the value. */
static int read_answer(struct measuring *m, struct sv body, struct err *err)
{
	const char *path = node_str_or(m->provider, "jsonPath", "");
	AUTO_DOC answer = NULL;
	struct node *found;

	if (json_read(body, "answer", 0, &answer, NULL) < 0) {
		if (*path && strcmp(path, "{$}") != 0)
			return err_set(err, ERR_BAD_REQUEST, "the answer is not JSON, and jsonPath is set");
		m->value = value_text((struct sv){ doc_text(m->d, body), body.n });
		return 0;
	}
	found = node_seq(m->d);
	TRY(jsonpath_find(*path ? path : "{$}", doc_root(answer), m->d, found, err));
	if (!node_n(found))
		return err_set(err, ERR_NOT_FOUND, "jsonPath '%s' leads to nothing in the answer", path);
	m->value = value_of_node(m->d, strchr(path, '*') ? found : node_item(found, 0));
	return 0;
}

static int measure(struct measuring *m, bool resume, enum measured *out, struct err *err)
{
	const struct node *json = node_get(m->provider, "jsonBody");
	const char *url = node_str_or(m->provider, "url", ""), *method = node_str_or(m->provider, "method", "GET");
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) body = { 0 };

	(void)resume;
	if (json)
		json_write(&body, json, 0);
	else
		str_addc(&body, node_str_at(m->provider, "body"));
	TRY(provider_fetch(m, *method ? method : "GET", url, str_sv(&body), json ? "application/json" : NULL, &answer,
			   err));
	TRY(read_answer(m, str_sv(&answer.body), err));
	*out = MEASURED_VALUE;
	return 0;
}

const struct provider web_provider = { "web", measure, NULL };
