#include "orchestrator/api/upgrade-internal.h"

#include <stdlib.h>
#include <string.h>

static bool flag(const char *query, const char *name)
{
	AUTO(str) v = { 0 };

	return http_query_get(query, name, &v) && (!strcmp(str_c(&v), "true") || !strcmp(str_c(&v), "1"));
}

static int number(const char *query, const char *name, int64_t *out, struct err *err)
{
	AUTO(str) v = { 0 };

	if (!http_query_get(query, name, &v) || !v.n)
		return 0;
	if (!sv_to_i64(str_sv(&v), out) || *out < 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "%s: Invalid value: \"%s\": must be a whole number that is not negative", name,
			       str_c(&v));
	return 0;
}

static int since(const char *query, int64_t *ms, struct err *err)
{
	AUTO(str) text = { 0 };
	int64_t seconds = 0;

	TRY(number(query, "sinceSeconds", &seconds, err));
	*ms = seconds ? clock_ms() - seconds * 1000 : 0;
	if (http_query_get(query, "sinceTime", &text) && text.n && !time_parse(str_c(&text), ms))
		return err_set(err, ERR_BAD_REQUEST, "sinceTime: Invalid value: \"%s\": want RFC 3339", str_c(&text));
	return 0;
}

int pod_log(const struct request *rq, const char *query, int (*write)(void *arg, struct sv data), void *arg,
	    struct err *err)
{
	struct log_opts o = { .follow = flag(query, "follow"), .previous = flag(query, "previous"),
			      .timestamps = flag(query, "timestamps"), .tail_lines = -1 };
	AUTO(str) container = { 0 };
	struct nodelink *link;

	TRY(number(query, "tailLines", &o.tail_lines, err));
	TRY(number(query, "limitBytes", &o.limit_bytes, err));
	TRY(since(query, &o.since_ms, err));
	(void)http_query_get(query, "container", &container);
	TRY(pod_place(rq, &container, &link, err));
	o.container = str_c(&container);
	return link->ops->logs(link, rq->ns, rq->name, &o, write, arg, err);
}
