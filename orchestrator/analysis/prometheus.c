#include "orchestrator/analysis/provider.h"

#include "base/json.h"

#include <stdlib.h>

#define TIMEOUT_MS 30000

/* PromQL over Prometheus' HTTP API: a scalar is a number, a vector a list of numbers, one for each series. */

static void add_encoded(struct str *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
		    *p == '.' || *p == '_')
			str_add1(out, (char)*p);
		else
			str_addf(out, "%%%02X", *p);
	}
}

/* [time, "value"]; NaN and +Inf are values too. */
static struct value sample(const struct node *pair)
{
	const char *text = node_text(node_item(pair, 1));

	return value_number(strtod(text ? text : "NaN", NULL));
}

/* A matrix gives all samples of all its series, in their order. */
static void add_samples(const struct node *series, struct value *items, size_t *n)
{
	const struct node *one = node_get(series, "value"), *it, *many = node_get(series, "values");

	if (one)
		items[(*n)++] = sample(one);
	node_each(it, many)
		items[(*n)++] = sample(it);
}

static int read_answer(struct measuring *m, const struct node *root, struct err *err)
{
	const char *type = node_str_or(root, "data.resultType", "");
	const struct node *result = node_at(root, "data.result"), *it;
	struct value *items;
	size_t n = 0;

	if (!str_eq(node_str_at(root, "status"), "success"))
		return err_set(err, ERR_IO, "prometheus: %s",
			       node_str_or(root, "error", "the answer does not say success"));
	if (str_eq(type, "scalar")) {
		m->value = sample(result);
		return 0;
	}
	if (!str_eq(type, "vector") && !str_eq(type, "matrix"))
		return err_set(err, ERR_UNSUPPORTED, "prometheus: the query gives a %s, which is not a number, a vector or a matrix",
			       *type ? type : "result without type");
	for (size_t i = 0; (it = node_item(result, i)); i++)
		n += 1 + node_n(node_get(it, "values"));
	items = doc_alloc(m->d, (n + 1) * sizeof *items);
	n = 0;
	for (size_t i = 0; (it = node_item(result, i)); i++)
		add_samples(it, items, &n);
	m->value = value_list(items, n);
	return 0;
}

static int measure(struct measuring *m, bool resume, enum measured *out, struct err *err)
{
	struct sv address = sv_c(node_str_or(m->provider, "address", ""));
	struct fetch f = { .method = "POST", .content_type = "application/x-www-form-urlencoded", .timeout_ms = TIMEOUT_MS };
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) url = { 0 }, body = { 0 };
	AUTO_DOC d = NULL;

	(void)resume;
	while (sv_ends(address, SV("/")))
		address.n--;
	str_addf(&url, SV_FMT "/api/v1/query", SV_ARG(address));
	str_addc(&body, "query=");
	add_encoded(&body, node_str_or(m->provider, "query", ""));
	f.url = str_c(&url);
	f.body = str_sv(&body);
	TRY(provider_fetch(m, &f, &answer, err));
	TRY(json_read(str_sv(&answer.body), "prometheus", 0, &d, err));
	TRY(read_answer(m, doc_root(d), err));
	*out = MEASURED_VALUE;
	return 0;
}

static int check(const struct node *p, struct err *err)
{
	static const char *const required[] = { "address", "query" };

	for (size_t i = 0; i < sizeof required / sizeof *required; i++)
		if (!*node_str_or(p, required[i], ""))
			return err_set(err, ERR_INVALID, "%s is required", required[i]);
	return 0;
}

static const char *const fields[] = { "address", "query", "headers", "timeout", "insecure", NULL };

const struct provider prometheus_provider = { "prometheus", fields, check, measure, NULL };
