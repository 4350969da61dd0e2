/* operator/app/delete.c - the end of an Application: with the resources finalizer, what it made goes first (semantics 20). */
#include <stdlib.h>

#include "operator/app/app-internal.h"
#include "operator/app/status.h"

#define FINALIZER "resources-finalizer.argocd.argoproj.io"
#define LOOK_AGAIN_MS 5000
#define NAMESPACE_LOOK_MS 200           /* a namespace is not tracked: nothing tells that it has gone */

struct doomed { struct object *object; int64_t wave; };
struct collect { struct pass *p; VEC(struct doomed) all; };

static bool is_kept(struct pass *p, const struct object *o)
{
	return str_eq(o->kind->kind, "CustomResourceDefinition") || sync_option(o->root, "Delete=false") ||
	       (app_option(&p->spec, "Delete=false") && !sync_option(o->root, "Delete=true")) ||
	       str_eq(meta_annotation(o->root, "helm.sh/resource-policy"), "keep") ||
	       (o->kind == p->apps->kind && str_eq(o->name, p->app->name) && str_eq(o->ns, p->app->ns));
}

static void add(void *arg, struct object *o)
{
	struct collect *c = arg;

	if (is_kept(c->p, o) || meta_owner(o->root))
		return;
	struct doomed d = { object_ref(o), wave_of(o->root) };
	vec_push(&c->all, d);
}

/* Deletes those of the highest wave; they have to be gone before the next wave. */
static int delete_wave(struct pass *p, struct collect *c, const char *propagation, struct err *err)
{
	int64_t highest = c->all.v[0].wave;
	AUTO(err) first = { 0 };

	for (size_t i = 1; i < c->all.n; i++)
		highest = c->all.v[i].wave > highest ? c->all.v[i].wave : highest;
	for (size_t i = 0; i < c->all.n; i++) {
		const struct object *o = c->all.v[i].object;
		AUTO(err) e = { 0 };

		if (c->all.v[i].wave != highest || meta_deleting(o->root))
			continue;
		app_say(p->app, "deleting %s/%s", o->kind->kind, o->name);
		if (apply_delete(p->apps, o, propagation, &e) < 0 && !first.code)
			(void)err_set(&first, e.code, "%s %s cannot be deleted: %s", o->kind->kind, o->name, err_msg(&e));
	}
	return err_move(err, &first);
}

/* With DeleteNamespace=true the namespace that the application created goes last. true: it is gone, or stays. */
static int delete_namespace(struct pass *p, bool *done, struct err *err)
{
	const struct kind *k = kinds_find(p->apps->client->kinds, "v1", "Namespace");
	struct object *ns = live_get(p->apps->live, k, "", p->spec.dest_ns);

	*done = true;
	if (!ns || !app_option(&p->spec, "DeleteNamespace=true") ||
	    !str_eq(meta_annotation(ns->root, NAMESPACE_CREATOR), str_c(&p->spec.instance)))
		return 0;
	AUTO_OBJECT held = object_ref(ns);
	*done = false;
	return meta_deleting(held->root) ? 0 : apply_delete(p->apps, held, "Background", err);
}

static bool remove_finalizers(struct node *root)
{
	static const char *const ours[] = { FINALIZER, FINALIZER "/foreground", FINALIZER "/background" };
	bool removed = false;

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		removed |= meta_remove_finalizer(root, ours[i]);
	return removed;
}

int app_delete(struct pass *p, struct err *err)
{
	struct collect c = { .p = p };
	bool background = meta_has_finalizer(p->root, FINALIZER "/background"), done = false;
	int r = 0;

	if (!meta_has_finalizer(p->root, FINALIZER) && !meta_has_finalizer(p->root, FINALIZER "/foreground") && !background)
		return 0;
	/* after a restart nobody may have asked for its kinds yet */
	TRY(live_watch_all(p->apps->live, p->apps->client->kinds, node_at(p->root, "status.resources"), err));
	live_each(p->apps->live, str_sv(&p->spec.instance), add, &c);
	if (c.all.n) {
		AUTO(err) failure = { 0 };
		struct conditions list = { 0 };
		if (delete_wave(p, &c, background ? "Background" : "Foreground", &failure) < 0) {
			conditions_add(&list, "DeletionError", "%s", err_msg(&failure));
			status_conditions(p->d, p->root, &list, clock_ms());
			conditions_free(&list);
			r = pass_write(p, err);
		}
		pass_again(p, LOOK_AGAIN_MS);
	} else if ((r = delete_namespace(p, &done, err)) >= 0 && !done) {
		pass_again(p, NAMESPACE_LOOK_MS);
	} else if (r >= 0 && remove_finalizers(p->root)) {
		r = pass_write(p, err);
	}
	for (size_t i = 0; i < c.all.n; i++)
		object_drop(&c.all.v[i].object);
	vec_free(&c.all);
	return r;
}
