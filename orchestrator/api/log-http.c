#include "orchestrator/api/http-internal.h"

struct log_reply { struct http_request *http; struct http_stream *stream; struct fiber *fiber; bool gone; };

/* The client has gone: a log that is followed may be silent for hours, so the fiber is told. */
static void on_close(void *arg)
{
	struct log_reply *l = arg;

	l->gone = true;
	fiber_cancel(l->fiber);
}

static int write_log(void *arg, struct sv data)
{
	struct log_reply *l = arg;

	if (l->gone)
		return -ERR_CANCELED;
	if (!l->stream) {
		l->stream = http_stream_start(l->http, 200, "text/plain");
		http_stream_on_close(l->stream, on_close, l);
	}
	TRY(http_stream_write(l->stream, data));
	return http_stream_drain(l->stream);
}

int serve_log(struct http_request *rq, const struct request *r, struct err *err)
{
	struct log_reply l = { .http = rq, .fiber = fiber_self() };
	int result = pod_log(r, http_query(rq), write_log, &l, err);

	if (!l.stream && result < 0)
		return result;
	if (l.stream)
		http_stream_end(l.stream);
	else
		http_reply(rq, 200, "text/plain", SV(""));
	return 0;
}
