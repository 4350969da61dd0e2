#include "orchestrator/api/metrics-internal.h"
#include "orchestrator/api/http-internal.h"
#include "orchestrator/api/lines-internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_MS = 30 * 60 * 1000, BOOKMARK_MS = 60 * 1000 };

/* A watch over HTTP: no fiber and no stack, a place in a list of listeners. */
struct http_watch {
	struct cache_listener listener;         /* first */
	struct api *api;
	struct resource *resource;
	const struct kind *kind;
	struct http_stream *stream;
	struct filter filter;
	struct wanted wanted;
	char *ns;
	struct timer *end, *bookmark;
	int64_t sent;                           /* revision up to which the client knows all */
};

static void watch_end(struct http_watch *w)
{
	resource_unlisten(w->resource, &w->listener);
	timer_stop(&w->end);
	timer_stop(&w->bookmark);
	http_stream_end(w->stream);
	metrics_watch(w->api, w->kind, -1);
	filter_free(&w->filter);
	free(w->ns);
	free(w);
}

static void on_end(void *arg) { watch_end(arg); }

/* False: the client is gone, or reads too slowly; the watch has ended. */
static bool send(struct http_watch *w, struct http_buf *take)
{
	int r = http_stream_send(w->stream, take);

	http_buf_drop(&take);
	return r >= 0;
}

static bool send_change(struct http_watch *w, const struct change *c)
{
	enum event_type type;
	AUTO_ITEM item = NULL;

	w->sent = c->revision;
	if (!change_view(&w->filter, w->ns, c, &type, &item))
		return true;
	return send(w, lines_event(&w->api->lines, type, item, &w->wanted));
}

static void on_change(struct cache_listener *l, const struct change *c)
{
	struct http_watch *w = (struct http_watch *)l;

	if (!send_change(w, c))
		watch_end(w);
}

static bool send_bookmark(struct http_watch *w, bool initial_end)
{
	AUTO(str) line = { 0 };

	str_addc(&line, "{\"type\":\"BOOKMARK\",\"object\":");
	form_bookmark(&line, w->kind, w->api->cache.revision, initial_end, &w->wanted);
	str_addc(&line, "}\n");
	return http_stream_write(w->stream, str_sv(&line)) >= 0;
}

static void on_bookmark(void *arg)
{
	if (!send_bookmark(arg, false))
		watch_end(arg);
}

/* ---- the start of a watch ---- */

/* Everything that is there now, as if it had just been made. */
static bool send_all(struct http_watch *w)
{
	const char *ns = *w->ns ? w->ns : NULL;
	struct items all = { 0 };
	bool ok = resource_at(w->resource, 0, ns, &all, NULL) >= 0;

	for (size_t i = 0; ok && i < all.n; i++)
		if (filter_matches(&w->filter, all.v[i]))
			ok = send(w, lines_event(&w->api->lines, EVENT_ADDED, all.v[i], &w->wanted));
	items_free(&all);
	return ok;
}

static bool send_error(struct http_watch *w, const struct err *e)
{
	AUTO(str) line = { 0 };

	str_addc(&line, "{\"type\":\"ERROR\",\"object\":");
	status_write(&line, e, NULL);
	str_addc(&line, "}\n");
	(void)http_stream_write(w->stream, str_sv(&line));
	return false;
}

static bool send_since(struct http_watch *w, int64_t revision)
{
	const struct ring *ring = &w->resource->ring;
	const struct change *c;
	AUTO(err) e = { 0 };
	uint64_t at;

	if (ring_seek(ring, revision, &at, &e) < 0)
		return send_error(w, &e);
	while ((c = ring_at(ring, at++)))       /* nothing parks in between: the ring stands still */
		if (!send_change(w, c))
			return false;
	return true;
}

/* False: it is over already. */
static bool start(struct http_watch *w, const char *query)
{
	int64_t revision = 0;
	bool all = query_flag(query, "sendInitialEvents");

	(void)query_int(query, "resourceVersion", &revision);
	if (all || revision <= 0) {
		if (!send_all(w) || (all && !send_bookmark(w, true)))
			return false;
	} else if (!send_since(w, revision)) {
		return false;
	}
	w->sent = w->api->cache.revision;
	return true;
}

static void set_timers(struct http_watch *w, const char *query)
{
	int64_t seconds = 0;

	(void)query_int(query, "timeoutSeconds", &seconds);
	w->end = timer_after(w->api->loop, seconds > 0 ? seconds * 1000 : DEFAULT_MS, on_end, w);
	if (query_flag(query, "allowWatchBookmarks"))
		w->bookmark = timer_every(w->api->loop, BOOKMARK_MS, on_bookmark, w);
}

void serve_watch(struct http_request *rq, const struct request *r, const struct wanted *wanted)
{
	AUTO(str) labels = { 0 }, fields = { 0 };
	const char *query = http_query(rq);
	AUTO(filter) f = { 0 };
	AUTO(err) err = { 0 };

	(void)http_query_get(query, "labelSelector", &labels);
	(void)http_query_get(query, "fieldSelector", &fields);
	int64_t revision = 0;

	if (check_list_options(query, true, &revision, &err) < 0 || filter_parse(&f, str_c(&labels), str_c(&fields), &err) < 0 || check_reached(r, revision, &err) < 0) {
		reply_error(rq, &err, NULL);
		return;
	}
	if (r->api->watches >= r->api->watches_max) {
		(void)err_set(&err, ERR_BUSY, "too many watches are open, please try again later");
		reply_error(rq, &err, NULL);
		return;
	}
	struct http_watch *w = calloc(1, sizeof *w);
	if (!w)
		abort();
	*w = (struct http_watch){ .listener = { on_change, NULL },
				  .api = r->api,
				  .resource = request_resource(r),
				  .kind = r->kind,
				  .filter = f,
				  .wanted = *wanted,
				  .ns = sv_dup(sv_c(r->ns)) };
	f = (struct filter){ 0 };
	if (*r->name && !w->filter.name)        /* the old form /watch/.../NAME */
		w->filter.name = sv_dup(sv_c(r->name));
	metrics_watch(w->api, w->kind, 1);
	w->stream = http_stream_start(rq, 200, "application/json");
	http_stream_on_close(w->stream, on_end, w);
	if (!start(w, query)) {
		watch_end(w);
		return;
	}
	set_timers(w, query);
	resource_listen(w->resource, &w->listener);
}
