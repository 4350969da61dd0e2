#include "orchestrator/analysis/provider.h"

#include "base/json.h"

#define TIMEOUT_MS 10000

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
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) body = { 0 };

	(void)resume;
	if (json)
		json_write(&body, json, 0);
	else
		str_addc(&body, node_str_at(m->provider, "body"));
	const struct fetch f = { .method = node_str_or(m->provider, "method", "GET"), .url = node_str_or(m->provider, "url", ""),
		.content_type = json ? "application/json" : NULL, .body = str_sv(&body), .timeout_ms = TIMEOUT_MS };

	TRY(provider_fetch(m, &f, &answer, err));
	TRY(read_answer(m, str_sv(&answer.body), err));
	*out = MEASURED_VALUE;
	return 0;
}

static int check(const struct node *p, struct err *err)
{
	static const char *const methods[] = { "GET", "POST", "PUT" };
	const char *method = node_str_or(p, "method", "GET"), *path = node_str_or(p, "jsonPath", "");
	bool known = false, has_body = node_get(p, "body") || node_get(p, "jsonBody");
	AUTO_DOC d = doc_new();

	if (!*node_str_or(p, "url", ""))
		return err_set(err, ERR_INVALID, "url is required");
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		known |= str_eq(method, methods[i]);
	if (!known)
		return err_set(err, ERR_INVALID, "method '%s' is none of GET, POST and PUT", method);
	if (has_body && str_eq(method, "GET"))
		return err_set(err, ERR_INVALID, "a body needs method POST or PUT");
	if (node_get(p, "body") && node_get(p, "jsonBody"))
		return err_set(err, ERR_INVALID, "body and jsonBody exclude each other");
	return *path ? jsonpath_find(path, node_map(d), d, node_seq(d), err) : 0;
}

static const char *const fields[] = { "url", "method", "headers", "body", "jsonBody", "timeoutSeconds", "insecure", "jsonPath", NULL };

const struct provider web_provider = { "web", fields, check, measure, NULL };
