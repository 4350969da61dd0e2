#include "kube/client.h"

#include "base/json.h"
#include "kube/patch/patch.h"

#include <stdlib.h>

#define CONFLICT_TRIES 8
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

int client_get(struct client *c, const struct kind *k, const char *ns, const char *name, struct object **out,
	       struct err *err)
{
	return c->ops->get(c, k, ns, name, out, err);
}

int client_list(struct client *c, const struct kind *k, const struct list_opts *o, struct object_list *out,
		struct err *err)
{
	return c->ops->list(c, k, o, out, err);
}

int client_watch(struct client *c, const struct kind *k, const struct list_opts *o, int64_t from, struct watch **out,
		 struct err *err)
{
	return c->ops->watch(c, k, o, from, out, err);
}

int client_create(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
		  struct object **out, struct err *err)
{
	return c->ops->create(c, k, obj, o, out, err);
}

int client_update(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
		  struct object **out, struct err *err)
{
	return c->ops->update(c, k, obj, o, out, err);
}

int client_patch(struct client *c, const struct kind *k, const char *ns, const char *name, enum patch_type type,
		 const struct node *patch, const struct write_opts *o, struct object **out, struct err *err)
{
	return c->ops->patch(c, k, ns, name, type, patch, o, out, err);
}

int client_delete(struct client *c, const struct kind *k, const char *ns, const char *name, const struct delete_opts *o,
		  struct err *err)
{
	return c->ops->del(c, k, ns, name, o, err);
}

int client_stream(struct client *c, const char *path, int (*on_data)(void *arg, struct sv data), void *arg,
		  struct err *err)
{
	return c->ops->stream(c, path, on_data, arg, err);
}

const char *client_namespace(const struct client *c) { return c->ns ? c->ns : "default"; }

static int discover(struct client *c, struct err *err) { return c->ops->discover ? c->ops->discover(c, err) : 0; }

const struct kind *client_kind(struct client *c, const char *api_version, const char *kind, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, api_version, kind);

	if (k || discover(c, err) < 0)
		return k;
	k = kinds_find(c->kinds, api_version, kind);
	if (!k)
		(void)kinds_unknown(c->kinds, api_version, kind, err);
	return k;
}

const struct kind *client_kind_named(struct client *c, const char *name, struct err *err)
{
	const struct kind *k = kinds_find_name(c->kinds, name);

	if (k || discover(c, err) < 0)
		return k;
	k = kinds_find_name(c->kinds, name);
	if (!k)
		(void)err_set(err, ERR_NOT_FOUND, "the server doesn't have a resource type \"%s\"", name);
	return k;
}

int watch_next(struct watch *w, struct event *out, struct err *err) { return w->ops->next(w, out, err); }

void watch_close(struct watch **wp)
{
	struct watch *w = TAKE(*wp);

	if (w)
		w->ops->close(w);
}

void client_free(struct client **cp)
{
	struct client *c = TAKE(*cp);

	if (c)
		c->ops->free(c);
}

/* ---- read, change, update ---- */

static int modify_once(struct client *c, const struct kind *k, const char *ns, const char *name,
		       const struct write_opts *o, int (*change)(struct doc *, struct node *, void *, struct err *),
		       void *arg, struct object **out, struct err *err)
{
	AUTO_OBJECT live = NULL;
	AUTO_DOC d = NULL;
	int r;

	TRY(client_get(c, k, ns, name, &live, err));
	d = doc_of(live->root);
	r = change(d, doc_root(d), arg, err);
	if (r < 0)
		return r;
	if (r)
		return client_update(c, k, doc_root(d), o, out, err);
	if (out)
		*out = TAKE(live);
	return 0;
}

int client_modify(struct client *c, const struct kind *k, const char *ns, const char *name, const char *subresource,
		  int (*change)(struct doc *d, struct node *root, void *arg, struct err *err), void *arg,
		  struct object **out, struct err *err)
{
	const struct write_opts o = { .subresource = subresource };
	int r = -ERR_CONFLICT;

	for (int i = 0; i < CONFLICT_TRIES && r == -ERR_CONFLICT; i++)
		r = modify_once(c, k, ns, name, &o, change, arg, out, err);
	return r;
}

/* ---- apply ---- */

/* What was applied the last time, from the live object's annotation; *out stays NULL when there is none. */
static int read_last_applied(const struct object *live, struct doc **out, struct err *err)
{
	const char *text = meta_annotation(live->root, LAST_APPLIED);

	if (!text || !*text)
		return 0;
	return err_wrap(err, json_read(sv_c(text), "annotation " LAST_APPLIED, 0, out, err), "%s \"%s\"",
			live->kind->plural, live->name);
}

/* obj with its own text as annotation, as kubectl writes it: without the annotation, keys sorted, a newline at the end. */
static struct node *annotate(struct doc *d, const struct node *obj)
{
	struct node *root = node_copy(d, obj), *annotations = node_get(node_get(root, "metadata"), "annotations");
	AUTO(str) text = { 0 };

	(void)node_del(annotations, LAST_APPLIED);
	json_write(&text, root, JSON_SORTED | JSON_ESCAPE_HTML);
	str_add1(&text, '\n');
	meta_set_annotation(d, root, LAST_APPLIED, str_c(&text));
	return root;
}

struct apply { struct client *client; const struct kind *kind; const char *ns, *name; const struct write_opts *opts; };

static int apply_once(const struct apply *a, const struct node *obj, struct object **out, bool *changed,
		      struct err *err)
{
	AUTO_DOC d = doc_new();
	AUTO_DOC last = NULL;
	struct node *modified = annotate(d, obj), *merged;
	AUTO_OBJECT live = NULL;
	int r = client_get(a->client, a->kind, a->ns, a->name, &live, err);

	*changed = true;
	if (r == -ERR_NOT_FOUND)
		return client_create(a->client, a->kind, modified, a->opts, out, err);
	if (r < 0)
		return r;
	TRY(read_last_applied(live, &last, err));
	TRY(patch_three_way(d, last ? doc_root(last) : NULL, modified, live->root, a->kind->type, &merged, err));
	if (!node_eq(merged, live->root))
		return client_update(a->client, a->kind, merged, a->opts, out, err);
	*changed = false;
	if (out)
		*out = TAKE(live);
	return 0;
}

int client_apply(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
		 struct object **out, bool *changed, struct err *err)
{
	const struct node *meta = node_get(obj, "metadata");
	const struct apply a = { c, k, node_str_at(meta, "namespace"), node_str_or(meta, "name", ""), o };
	bool ignored;
	int r = -ERR_CONFLICT;

	for (int i = 0; i < CONFLICT_TRIES && (r == -ERR_CONFLICT || r == -ERR_ALREADY_EXISTS); i++)
		r = apply_once(&a, obj, out, changed ? changed : &ignored, err);
	return r;
}
