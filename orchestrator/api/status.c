#include "orchestrator/api/http-internal.h"

#include "base/gzip.h"
#include "base/json.h"
#include "kube/status.h"

void status_write(struct str *out, const struct err *e, const struct route *rt)
{
	AUTO_DOC d = doc_new();

	json_write(out, status_of_err(d, e, rt ? rt->kind : NULL, rt ? rt->name : NULL), 0);
}

enum { COMPRESS_FROM = 128 << 10 };     /* shorter answers are sent sooner than compressed, as Kubernetes holds it */

/* "gzip", "*", and not with a weight of nothing. */
bool accepts_gzip(struct http_request *rq)
{
	struct sv rest = http_header(rq, "accept-encoding"), one, name, weight;

	for (bool more = rest.n; more;) {
		more = sv_cut(rest, ',', &one, &rest);
		if (!sv_cut(one, ';', &name, &weight))
			weight = SV("");
		name = sv_trim(name);
		weight = sv_trim(weight);
		if ((sv_eq_c(name, "gzip") || sv_eq_c(name, "*")) && !sv_eq_c(weight, "q=0") && !sv_starts(weight, SV("q=0.0")))
			return true;
	}
	return false;
}

void reply_bytes(struct http_request *rq, int status, const char *type, struct sv body)
{
	AUTO(str) packed = { 0 };
	struct gzip *g;

	if (body.n < COMPRESS_FROM || !accepts_gzip(rq)) {
		http_reply(rq, status, type, body);
		return;
	}
	g = gzip_new();
	gzip_add(g, body, true, &packed);
	gzip_free(&g);
	http_add_header(rq, "Content-Encoding", "gzip");
	http_add_header(rq, "Vary", "Accept-Encoding");
	http_reply(rq, status, type, str_sv(&packed));
}

void reply_json(struct http_request *rq, int status, const struct str *json)
{
	reply_bytes(rq, status, "application/json", str_sv(json));
}

void reply_error(struct http_request *rq, const struct err *e, const struct route *rt)
{
	char why[] = "Timeout: request did not complete within the allotted timeout";
	struct err late = { .code = ERR_TIMEOUT, .msg = why };
	AUTO(str) out = { 0 };

	if (e->code == ERR_CANCELED)    /* by the time limit: nobody is left to read of any other cause */
		e = &late;
	status_write(&out, e, rt);
	str_add1(&out, '\n');
	if (e->code == ERR_BUSY)
		http_add_header(rq, "Retry-After", "1");
	reply_json(rq, err_http(e->code), &out);
}
