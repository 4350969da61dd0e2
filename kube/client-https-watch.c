#include "kube/client-https-internal.h"

#include "base/fiber.h"
#include "base/json.h"
#include "base/vec.h"
#include "kube/status.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_LINE ((size_t)64 << 20)

/* A fiber of its own holds the exchange; lines become events, which wait until they are asked for. */
struct https_watch {
	struct watch watch;             /* first */
	struct https *https;
	const struct kind *kind;
	struct str path, partial;       /* partial: a line that is not complete yet */
	VEC(struct event) queue;
	size_t at;                      /* the next event to hand out */
	struct fiber_group fibers;
	struct fiber_cond changed;
	bool ended;
	int result;                     /* of the exchange, or of a line that is not an event */
	struct err err;
};

static int fail(struct https_watch *w, int r, struct err *from)
{
	if (w->result >= 0) {
		w->result = r;
		(void)err_move(&w->err, from);
	}
	return r;
}

static const struct { const char *name; enum event_type type; } types[] = {
	{ "ADDED", EVENT_ADDED }, { "MODIFIED", EVENT_MODIFIED }, { "DELETED", EVENT_DELETED }, { "BOOKMARK", EVENT_BOOKMARK },
};

static int read_line(struct https_watch *w, struct sv line, struct err *err)
{
	AUTO_DOC d = NULL;
	struct node *object;
	const char *type;

	TRY(json_read(line, "watch", 0, &d, err));
	type = node_str_or(doc_root(d), "type", "");
	object = node_get(doc_root(d), "object");
	if (str_eq(type, "ERROR"))
		return status_to_err(object, (int)node_int_at(object, "code", 500), err);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_eq(type, types[i].name) && object) {
			doc_set_root(d, object);
			vec_push(&w->queue, ((struct event){ types[i].type, https_object(w->kind, TAKE(d)) }));
			return 0;
		}
	return err_set(err, ERR_IO, "watch of %s: not an event: '" SV_FMT "'", w->kind->plural,
		       (int)(line.n < 80 ? line.n : 80), line.p);
}

static int on_data(void *arg, struct sv data)
{
	struct https_watch *w = arg;
	struct sv line, rest;
	int r = 0;

	str_add(&w->partial, data);
	if (w->partial.n > MAX_LINE) {
		AUTO(err) err = { 0 };

		return fail(w,
			    err_set(&err, ERR_TOO_LARGE, "watch of %s: an event has more than %zu MB", w->kind->plural,
				    MAX_LINE >> 20),
			    &err);
	}
	rest = str_sv(&w->partial);
	while (r >= 0 && memchr(rest.p, '\n', rest.n)) {
		AUTO(err) err = { 0 };

		(void)sv_cut(rest, '\n', &line, &rest);
		if (sv_trim(line).n && (r = read_line(w, line, &err)) < 0)
			(void)fail(w, r, &err);
	}
	memmove(w->partial.p, rest.p, rest.n);
	str_cut(&w->partial, rest.n);
	fiber_signal_all(&w->changed);
	return r;
}

static void run(void *arg)
{
	struct https_watch *w = arg;
	AUTO(err) err = { 0 };
	int r = https_stream(w->https, str_c(&w->path), on_data, w, &err);

	if (r < 0)
		(void)fail(w, r, &err);
	else
		(void)fail(w, err_set(&err, ERR_UNAVAILABLE, "the server ended the watch of %s", w->kind->plural),
			   &err);
	w->ended = true;
	fiber_signal_all(&w->changed);
}

static int next(struct watch *watch, struct event *out, struct err *err)
{
	struct https_watch *w = (struct https_watch *)watch;

	while (w->at == w->queue.n) {
		w->at = w->queue.n = 0;
		if (w->result < 0)
			return err_set(err, (enum err_code)-w->result, "%s", err_msg(&w->err));
		if (fiber_wait(&w->changed) < 0)
			return err_set(err, ERR_CANCELED, "watch canceled");
	}
	*out = w->queue.v[w->at++];
	return 0;
}

static void close_watch(struct watch *watch)
{
	struct https_watch *w = (struct https_watch *)watch;

	fiber_group_cancel(&w->fibers);
	fiber_group_join(&w->fibers);
	for (size_t i = w->at; i < w->queue.n; i++)
		object_drop(&w->queue.v[i].object);
	vec_free(&w->queue);
	str_free(&w->path);
	str_free(&w->partial);
	err_free(&w->err);
	free(w);
}

int https_watch(struct client *c, const struct kind *k, const struct list_opts *o, int64_t from, struct watch **out,
		struct err *err)
{
	static const struct watch_ops ops = { next, close_watch };
	struct https_watch *w = calloc(1, sizeof *w);
	char revision[24];

	(void)err;              /* what is wrong with the request comes from the first next() */
	if (!w)
		abort();
	w->watch.ops = &ops;
	w->https = (struct https *)c;
	w->kind = k;
	snprintf(revision, sizeof revision, "%lld", (long long)from);
	https_path(&w->path, k, o ? o->ns : NULL, NULL, NULL);
	https_query(&w->path, "watch", "true");
	https_query(&w->path, "allowWatchBookmarks", "true");
	https_query(&w->path, "resourceVersion", from > 0 ? revision : NULL);
	https_query(&w->path, "labelSelector", o ? o->labels : NULL);
	https_query(&w->path, "fieldSelector", o ? o->fields : NULL);
	fiber_group_init(&w->fibers, c->loop);
	fiber_group_start(&w->fibers, "watch", run, w);
	*out = &w->watch;
	return 0;
}
