#include "orchestrator/api/http-internal.h"

#include "base/json.h"
#include "kube/status.h"

void status_write(struct str *out, const struct err *e, const struct route *rt)
{
	AUTO_DOC d = doc_new();

	json_write(out, status_of_err(d, e, rt ? rt->kind : NULL, rt ? rt->name : NULL), 0);
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
