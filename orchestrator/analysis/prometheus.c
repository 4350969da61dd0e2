#include "orchestrator/analysis/provider.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

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
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) url = { 0 }, body = { 0 };
	AUTO_DOC d = NULL;

	(void)resume;
	if (!address.n)
		return err_set(err, ERR_INVALID, "prometheus: address is required");
	while (sv_ends(address, SV("/")))
		address.n--;
	str_addf(&url, SV_FMT "/api/v1/query", SV_ARG(address));
	str_addc(&body, "query=");
	add_encoded(&body, node_str_or(m->provider, "query", ""));
	TRY(provider_fetch(m, "POST", str_c(&url), str_sv(&body), "application/x-www-form-urlencoded", &answer, err));
	TRY(json_read(str_sv(&answer.body), "prometheus", 0, &d, err));
	TRY(read_answer(m, doc_root(d), err));
	*out = MEASURED_VALUE;
	return 0;
}

const struct provider prometheus_provider = { "prometheus", measure, NULL };
