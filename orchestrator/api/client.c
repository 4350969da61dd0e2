#include "orchestrator/api/audit-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inner { struct client base; struct api *api; struct caller caller; char *user; };

static struct request request_of(struct client *c, const struct kind *k, const char *ns, const char *name)
{
	struct inner *i = (struct inner *)c;

	return (struct request){ .api = i->api,
				 .caller = &i->caller,
				 .kind = k,
				 .ns = ns && k->namespaced ? ns : "",
				 .name = name ? name : "",
				 .subresource = "",
				 .manager = i->user,
				 .unknown = UNKNOWN_STRICT };
}

static void set_options(struct request *rq, const struct write_opts *o)
{
	if (!o)
		return;
	rq->subresource = o->subresource ? o->subresource : "";
	if (o->manager)
		rq->manager = o->manager;
	rq->force = o->force;
	rq->dry_run = o->dry_run;
}

/* Gives r back, once the audit log knows of the call. */
static int noted(const struct request *rq, const char *verb, const struct node *obj, int r, const struct err *err)
{
	audit_call(rq, verb, obj, r, err);
	return r;
}

/* The parsed form of a result; takes the item. */
static int give(struct item *take, struct object **out, struct err *err)
{
	AUTO_ITEM i = take;
	struct object *o = out && i ? item_object(i) : NULL;

	if (out && !o)
		return err_set(err, ERR_IO, "the stored object does not parse");
	if (out)
		*out = object_ref(o);
	return 0;
}

/* ---- reading ---- */

static int inner_get(struct client *c, const struct kind *k, const char *ns, const char *name, struct object **out,
		     struct err *err)
{
	struct request rq = request_of(c, k, ns, name);
	struct item *i = NULL;

	TRY(noted(&rq, "get", NULL, verb_get(&rq, &i, err), err));
	return give(i, out, err);
}

static int inner_list(struct client *c, const struct kind *k, const struct list_opts *o, struct object_list *out,
		      struct err *err)
{
	const struct list_opts none = { 0 };
	AUTO(list_result) found = { 0 };

	o = o ? o : &none;
	struct request rq = request_of(c, k, o->ns, NULL);
	struct list_query q = { o->labels, o->fields, o->limit, o->token };
	TRY(noted(&rq, "list", NULL, verb_list(&rq, &q, &found, err), err));
	*out = (struct object_list){ .revision = found.revision, .token = TAKE(found.token) };
	for (size_t i = 0; i < found.items.n; i++) {
		struct object *obj = item_object(found.items.v[i]);

		if (obj)
			vec_push(out, object_ref(obj));
	}
	return 0;
}

/* ---- watching: a place in the ring, and a fiber that parks when it has seen all ---- */

struct inner_watch {
	struct watch base;
	struct resource *resource;
	struct filter filter;
	char *ns;
	uint64_t at;
};

static int inner_next(struct watch *base, struct event *out, struct err *err)
{
	struct inner_watch *w = (struct inner_watch *)base;
	const struct ring *ring = &w->resource->ring;

	for (;;) {
		struct item *item;

		if (ring_lost(ring, w->at))
			return err_set(err, ERR_EXPIRED, "the watch of %s fell too far behind",
				       w->resource->kind->plural);
		const struct change *c = ring_at(ring, w->at);
		if (!c && fiber_wait(&w->resource->changed))
			return err_set(err, ERR_CANCELED, "watch canceled");
		if (!c)
			continue;
		w->at++;
		if (change_view(&w->filter, w->ns, c, &out->type, &item))
			return give(item, &out->object, err);
	}
}

static void inner_close(struct watch *base)
{
	struct inner_watch *w = (struct inner_watch *)base;

	filter_free(&w->filter);
	free(w->ns);
	free(w);
}

static const struct watch_ops watch_ops = { inner_next, inner_close };

static int inner_watch(struct client *c, const struct kind *k, const struct list_opts *o, int64_t from,
		       struct watch **out, struct err *err)
{
	const struct list_opts none = { 0 };
	struct request rq = request_of(c, k, o ? o->ns : NULL, NULL);
	struct resource *r = request_resource(&rq);
	AUTO(filter) f = { 0 };
	uint64_t at;

	o = o ? o : &none;
	TRY(filter_parse(&f, o->labels, o->fields, err));
	TRY(ring_seek(&r->ring, from > 0 ? from : rq.api->cache.revision, &at, err));
	struct inner_watch *w = calloc(1, sizeof *w);
	if (!w)
		abort();
	*w = (struct inner_watch){
		.base = { &watch_ops }, .resource = r, .filter = f, .ns = sv_dup(sv_c(rq.ns)), .at = at
	};
	f = (struct filter){ 0 };
	*out = &w->base;
	return 0;
}

/* ---- writing ---- */

static int inner_create(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
			struct object **out, struct err *err)
{
	const char *name = node_str_or(obj, "metadata.name", "");
	struct request rq = request_of(c, k, node_str_at(obj, "metadata.namespace"), o && o->subresource ? name : "");
	struct item *i = NULL;

	set_options(&rq, o);
	TRY(noted(&rq, "create", obj, verb_create(&rq, obj, &i, err), err));
	return give(i, out, err);
}

static int inner_update(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
			struct object **out, struct err *err)
{
	struct request rq =
		request_of(c, k, node_str_at(obj, "metadata.namespace"), node_str_or(obj, "metadata.name", ""));
	struct item *i = NULL;

	set_options(&rq, o);
	TRY(noted(&rq, "update", obj, verb_update(&rq, obj, &i, err), err));
	return give(i, out, err);
}

static int inner_patch(struct client *c, const struct kind *k, const char *ns, const char *name, enum patch_type type,
		       const struct node *patch, const struct write_opts *o, struct object **out, struct err *err)
{
	struct request rq = request_of(c, k, ns, name);
	struct item *i = NULL;

	set_options(&rq, o);
	TRY(noted(&rq, "patch", patch, verb_patch(&rq, type, patch, &i, err), err));
	return give(i, out, err);
}

static int inner_delete(struct client *c, const struct kind *k, const char *ns, const char *name,
			const struct delete_opts *o, struct err *err)
{
	struct request rq = request_of(c, k, ns, name);
	struct deletion how = { .grace_seconds = -1 };
	AUTO_ITEM left = NULL;

	if (o) {
		how = (struct deletion){ .propagation = o->propagation,
					 .grace_seconds = o->grace_seconds,
					 .uid = o->uid };
		rq.dry_run = o->dry_run;
	}
	return noted(&rq, "delete", NULL, verb_delete(&rq, &how, &left, NULL, err), err);
}

/* ---- streams: the log of a pod ---- */

static int inner_stream(struct client *c, const char *path, int (*on_data)(void *, struct sv), void *arg,
			struct err *err)
{
	const struct kind *pods = kinds_find(c->kinds, "v1", "Pod");
	char ns[256] = "", name[256] = "";
	int used = 0;

	if (!pods || sscanf(path, "/api/v1/namespaces/%255[^/]/pods/%255[^/]/log%n", ns, name, &used) != 2 || !used)
		return err_set(err, ERR_NOT_FOUND, "stream '%s': only the log of a pod can be streamed here", path);
	struct request rq = request_of(c, pods, ns, name);
	rq.subresource = "log";
	return pod_log(&rq, path[used] == '?' ? path + used + 1 : "", on_data, arg, err);
}

static void inner_free(struct client *c)
{
	free(((struct inner *)c)->user);
	free(c);
}

static const struct client_ops ops = {
	.get = inner_get, .list = inner_list, .watch = inner_watch, .create = inner_create, .update = inner_update,
	.patch = inner_patch, .del = inner_delete, .stream = inner_stream, .free = inner_free,
};

struct client *api_client(struct api *a, const char *user)
{
	static const char *const groups[] = { "system:masters", "system:authenticated" };
	struct inner *i = calloc(1, sizeof *i);

	if (!i)
		abort();
	i->base = (struct client){ &ops, a->loop, a->kinds };
	i->api = a;
	i->user = sv_dup(sv_c(user));
	i->caller = (struct caller){ i->user, groups, 2 };
	return &i->base;
}
