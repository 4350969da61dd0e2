#include "orchestrator/analysis/provider.h"

#include "base/opt.h"
#include "base/vec.h"

#include <stdlib.h>

#define MAX_ANSWER ((size_t)4 << 20)
#define SHOWN 200       /* bytes of a bad answer */

/* ---- the table ---- */

static const struct provider *const providers[] = { &web_provider, &prometheus_provider, &job_provider };

static const struct provider *named(const char *name)
{
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
		if (str_eq(name, providers[i]->name))
			return providers[i];
	return NULL;
}

const struct provider *provider_of(const struct node *metric, struct err *err)
{
	const struct node *provider = node_get(metric, "provider");
	const char *name = node_str_or(metric, "name", "");
	const struct provider *p = NULL;

	if (!node_is(provider, NODE_MAP) || node_n(provider) != 1)
		(void)err_set(err, ERR_INVALID, "metric \"%s\": wants one provider: web, prometheus or job", name);
	else if (!(p = named(provider->members[0].key)))
		(void)err_set(err, ERR_INVALID, "metric \"%s\": provider %s is not supported; there are web, prometheus and job", name,
			      provider->members[0].key);
	return p;
}

static bool knows(const struct provider *p, const char *field)
{
	for (const char *const *f = p->fields; *f; f++)
		if (str_eq(*f, field))
			return true;
	return false;
}

int provider_check(const struct node *metric, struct err *err)
{
	const struct provider *p = provider_of(metric, err);
	const char *name = node_str_or(metric, "name", "");
	const struct node *settings;
	const struct member *m;
	int64_t ms;

	if (!p)
		return -ERR_INVALID;
	settings = node_get(node_get(metric, "provider"), p->name);
	node_members(m, settings)
		if (!knows(p, m->key))
			return err_set(err, ERR_INVALID, "metric \"%s\": provider.%s.%s is not supported", name, p->name, m->key);
	TRY(err_wrap(err, provider_timeout(settings, &ms, err), "metric \"%s\": provider.%s: timeout", name, p->name));
	return err_wrap(err, p->check(settings, err), "metric \"%s\": provider.%s", name, p->name);
}

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

int provider_timeout(const struct node *provider, int64_t *ms, struct err *err)
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

/* A connection of its own for every measurement: one that is kept stays with the pod that it was made to, whichever
 * versions its Service leads to now. */
int provider_fetch(struct measuring *m, const struct fetch *f, struct httpc_response *out, struct err *err)
{
	AUTO(headers) headers = { 0 };
	AUTO(str) service = { 0 };
	struct httpc_request rq = { .method = f->method, .url = f->url, .body = f->body, .timeout_ms = f->timeout_ms,
		.max_body = MAX_ANSWER, .follow = true, .once = true, .insecure = node_bool_at(m->provider, "insecure", false) };
	struct sv line, rest;

	TRY(provider_timeout(m->provider, &rq.timeout_ms, err));
	TRY(service_address(controller_client(m->c), f->url, &service, err));
	rq.connect_to = service.n ? str_c(&service) : NULL;
	read_headers(m, f->content_type, &headers);
	rq.headers = headers.lines.v;
	TRY(httpc_do(m->http, &rq, out, err));
	if (out->status >= 200 && out->status < 300)
		return 0;
	(void)sv_cut(str_sv(&out->body), '\n', &line, &rest);
	return err_set(err, ERR_IO, "%s answered %d: " SV_FMT, f->url, out->status, (int)(line.n < SHOWN ? line.n : SHOWN),
		       line.p ? line.p : "");
}
