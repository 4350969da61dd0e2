#include "orchestrator/controllers/rows.h"

#include "orchestrator/controllers/batch.h"
#include "orchestrator/controllers/conditions.h"
#include "orchestrator/controllers/everything.h"

#include <stdlib.h>

#define FINALIZER "kubernetes"

/* ---- the end of a namespace's content ---- */

struct sweep { struct controller *c; const struct object_list *list; };

static int sweep_one(void *arg, size_t i, struct err *err)
{
	const struct sweep *s = arg;
	const struct object *o = s->list->v[i];
	const struct delete_opts opts = { .propagation = "Background", .grace_seconds = -1, .uid = o->uid };
	int r;

	if (meta_deleting(o->root))
		return 0;
	r = client_delete(controller_client(s->c), o->kind, o->ns, o->name, &opts, err);
	return r == -ERR_NOT_FOUND || r == -ERR_CONFLICT ? 0 : r;
}

/* Deletes what there is of one kind; notes what is left afterwards. */
static int sweep_kind(struct controller *c, const struct kind *k, const char *ns, struct str *left, struct err *err)
{
	const struct list_opts o = { .ns = ns };
	AUTO(object_list) before = { 0 }, after = { 0 };
	struct sweep s = { c, &before };
	int r = client_list(controller_client(c), k, &o, &before, err);

	if (r < 0)
		return r == -ERR_NOT_FOUND || r == -ERR_NOT_ALLOWED ? 0
								    : r; /* the kind itself is gone, or is not stored */
	if (!before.n)
		return 0;
	TRY(batch_all(before.n, sweep_one, &s, err));
	TRY(client_list(controller_client(c), k, &o, &after, err));
	if (after.n)
		str_addf(left, "%s%s%s%s has %zu resource instances", left->n ? ", " : "", k->plural,
			 *k->group ? "." : "", k->group, after.n);
	return 0;
}

static bool first_of_plural(const struct kinds *kinds, size_t at)
{
	const struct kind *k = kinds_at(kinds, at);

	for (size_t i = 0; i < at; i++)
		if (str_eq(kinds_at(kinds, i)->group, k->group) && str_eq(kinds_at(kinds, i)->plural, k->plural))
			return false;   /* another version of the same objects */
	return true;
}

static int sweep_all(struct controller *c, const char *ns, struct str *left, struct err *err)
{
	const struct kinds *kinds = controller_client(c)->kinds;

	for (size_t i = 0; i < kinds_n(kinds); i++)
		if (kinds_at(kinds, i)->namespaced && first_of_plural(kinds, i))
			TRY(sweep_kind(c, kinds_at(kinds, i), ns, left, err));
	return 0;
}

/* ---- the namespace itself ---- */

static int drop_finalizer(struct doc *d, struct node *root, void *arg, struct err *err)
{
	struct node *all = node_at(root, "spec.finalizers");

	(void)d;
	(void)arg;
	(void)err;
	for (size_t i = 0; i < node_n(all); i++)
		if (str_eq(node_text(node_item(all, i)), FINALIZER)) {
			node_remove(all, i);
			return 1;
		}
	return 0;
}

static int note_left(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const char *left = arg;
	struct node *status = node_map_at(d, root, "status");
	const struct node *now = condition_get(status, "NamespaceContentRemaining");

	(void)err;
	if (str_eq(node_str_at(now, "message"), left))
		return 0;
	return condition_set(d, status, "NamespaceContentRemaining", "True", "SomeResourcesRemain", left, clock_ms());
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	AUTO_OBJECT o = object_ref(informer_get(controller_informer(c, 0), ns, name));
	AUTO(str) left = { 0 };
	int r;

	if (!o || !meta_deleting(o->root) || !node_n(node_at(o->root, "spec.finalizers")))
		return 0;
	TRY(sweep_all(c, name, &left, err));
	if (left.n) {
		AUTO(str) message = { 0 };

		str_addf(&message, "Some resources are remaining: %s", str_c(&left));
		r = client_modify(controller_client(c), o->kind, NULL, name, "status", note_left, message.p, NULL, err);
	} else {
		r = client_modify(controller_client(c), o->kind, NULL, name, "finalize", drop_finalizer, NULL, NULL,
				  err);
	}
	return r == -ERR_NOT_FOUND ? 0 : r;
}

/* What goes may have been the last thing that a namespace waited for. */
static void on_change(void *arg, const struct object *before, const struct object *after)
{
	struct controller *c = arg;
	const struct object *ns =
		!after && *before->ns ? informer_get(controller_informer(c, 0), NULL, before->ns) : NULL;

	if (ns && meta_deleting(ns->root))
		controller_queue(c, NULL, ns->name);
}

static void *state_new(struct controller *c) { return everything_new(c, on_change, c); }

static void state_free(void *state)
{
	struct everything *e = state;

	everything_free(&e);
}

const struct controller_spec namespace_controller = {
	.name = "namespace-controller",
	.watches = (const struct controller_watch[]){
		{ "v1", "Namespace", NULL },
		{ 0 },
	},
	.reconcile = reconcile,
	.state_new = state_new,
	.state_free = state_free,
};
