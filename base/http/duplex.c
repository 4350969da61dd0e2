/* base/http/duplex.c - an upgraded connection as a duplex. */
#include "base/http.h"

static int wire_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	return http_body_read(((struct http_duplex *)d)->rq, buf, n, err);
}

static int wire_write(struct duplex *d, struct sv data, struct err *err)
{
	struct http_stream *s = ((struct http_duplex *)d)->stream;
	int r = http_stream_write(s, data);

	if (r >= 0)
		r = http_stream_drain(s);
	return r < 0 ? err_set(err, -r, "the client has gone") : 0;
}

/* A connection that was upgraded ends as a whole, with its stream. */
static void wire_end(struct duplex *d) { (void)d; }

static const struct duplex_ops wire_ops = { wire_read, wire_write, wire_end };

void http_duplex_init(struct http_duplex *d, struct http_request *rq, struct http_stream *s)
{
	*d = (struct http_duplex){ { &wire_ops }, rq, s };
}
