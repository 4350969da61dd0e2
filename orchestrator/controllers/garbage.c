#include "orchestrator/controllers/rows.h"

#include "base/log.h"
#include "base/vec.h"
#include "orchestrator/controllers/everything.h"

#include <stdlib.h>

/* Objects whose owners are gone go too; owners that are deleted in the foreground wait for what they own; orphans lose
 * the mention of their owner. Keys are uids: what an object needs is read off the copies of all kinds. */

#define FOREGROUND "foregroundDeletion"
#define ORPHAN "orphan"

/* ---- owners: are they there? ---- */

enum presence { SOLID, ABSENT, WAITING };       /* WAITING: being deleted in the foreground, for its dependents to go */

static enum presence presence_of(const struct object *owner)
{
	return meta_deleting(owner->root) && meta_has_finalizer(owner->root, FOREGROUND) ? WAITING : SOLID;
}

/* Asks the server when no copy has the owner: a copy may lag, and absence means deletion. */
static int look_up(struct controller *c, const struct object *o, const struct node *ref, enum presence *out,
		   struct err *err)
{
	const char *uid = node_str_or(ref, "uid", ""), *name = node_str_or(ref, "name", "");
	struct object *known = everything_by_uid(controller_state(c), uid);
	const struct kind *k;
	AUTO_OBJECT live = NULL;
	int r;

	*out = SOLID;
	if (known && (!*known->ns || str_eq(known->ns, o->ns))) {
		*out = presence_of(known);
		return 0;
	}
	k = kinds_find(controller_client(c)->kinds, node_str_or(ref, "apiVersion", ""), node_str_or(ref, "kind", ""));
	if (!k)
		return 0;               /* nothing can be said about a kind that is not known: it stays */
	r = client_get(controller_client(c), k, k->namespaced ? o->ns : NULL, name, &live, err);
	if (r == -ERR_NOT_FOUND || (r >= 0 && !str_eq(live->uid, uid)))
		*out = ABSENT;
	else if (r < 0)
		return r;
	else
		*out = presence_of(live);
	return 0;
}

/* ---- dependents ---- */

/* Takes out the references whose uids are in the list. */
static int forget_owners(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct node *uids = arg;
	struct node *meta = node_get(root, "metadata"), *owners = node_get(meta, "ownerReferences");
	size_t before = node_n(owners);

	(void)d;
	(void)err;
	for (size_t i = before; i-- > 0;) {
		const struct node *uid;

		node_each(uid, uids)
			if (str_eq(node_text(uid), node_str_at(node_item(owners, i), "uid"))) {
				node_remove(owners, i);
				break;
			}
	}
	if (before == node_n(owners))
		return 0;
	if (!node_n(owners))
		(void)node_del(meta, "ownerReferences");
	return 1;
}

static int modify(struct controller *c, const struct object *o,
		  int (*change)(struct doc *, struct node *, void *, struct err *), void *arg, struct err *err)
{
	int r = client_modify(controller_client(c), o->kind, o->ns, o->name, NULL, change, arg, NULL, err);

	return r == -ERR_NOT_FOUND ? 0 : r;
}

static int delete(struct controller *c, const struct object *o, bool foreground, struct err *err)
{
	const char *how = meta_has_finalizer(o->root, ORPHAN) ? "Orphan" :
			  foreground || meta_has_finalizer(o->root, FOREGROUND) ? "Foreground" : "Background";
	const struct delete_opts opts = { .propagation = how, .grace_seconds = -1, .uid = o->uid };
	int r = client_delete(controller_client(c), o->kind, o->ns, o->name, &opts, err);

	if (r == -ERR_NOT_FOUND || r == -ERR_CONFLICT)
		return 0;
	if (r >= 0)
		log_event(LOG_DEBUG, "deleted with its owner", "kind", o->kind->kind, "namespace", o->ns, "name",
			  o->name, NULL);
	return r;
}

static bool owns_any(struct controller *c, const struct object *o)
{
	AUTO(object_list) owned = { 0 };

	everything_owned(controller_state(c), o->uid, &owned);
	return owned.n > 0;
}

/* By the owners of the live object: deletes it, or takes out the references to owners that are gone. */
static int judge(struct controller *c, const struct object *o, struct err *err)
{
	const struct node *ref, *owners = node_at(o->root, "metadata.ownerReferences");
	AUTO_DOC d = doc_new();
	struct node *gone = node_seq(d);
	size_t solid = 0, waiting = 0;

	node_each(ref, owners) {
		enum presence p;

		TRY(look_up(c, o, ref, &p, err));
		solid += p == SOLID;
		waiting += p == WAITING;
		if (p != SOLID)
			node_add(d, gone, node_str(d, node_str_or(ref, "uid", "")));
	}
	if (!node_n(gone))
		return 0;
	if (solid)
		return modify(c, o, forget_owners, gone, err);
	return delete(c, o, waiting && owns_any(c, o), err);
}

/* ---- owners that are being deleted ---- */

static int drop_finalizer(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)d;
	(void)err;
	return meta_remove_finalizer(root, arg);
}

static int orphan_all(struct controller *c, const struct object *owner, struct err *err)
{
	AUTO(object_list) owned = { 0 };
	AUTO_DOC d = doc_new();
	struct node *uids = node_seq(d);

	node_add(d, uids, node_str(d, owner->uid));
	everything_owned(controller_state(c), owner->uid, &owned);
	for (size_t i = 0; i < owned.n; i++)
		TRY(modify(c, owned.v[i], forget_owners, uids, err));
	return modify(c, owner, drop_finalizer, (void *)ORPHAN, err);
}

static bool blocks(const struct object *o, const char *owner_uid)
{
	const struct node *ref, *owners = node_at(o->root, "metadata.ownerReferences");

	node_each(ref, owners)
		if (str_eq(node_str_at(ref, "uid"), owner_uid))
			return node_bool_at(ref, "blockOwnerDeletion", false);
	return false;
}

/* Each dependent is judged under its own key; its end queues this one again. */
static int wait_for_all(struct controller *c, const struct object *owner, struct err *err)
{
	AUTO(object_list) owned = { 0 };
	size_t blocking = 0;

	everything_owned(controller_state(c), owner->uid, &owned);
	for (size_t i = 0; i < owned.n; i++) {
		blocking += blocks(owned.v[i], owner->uid);
		if (!meta_deleting(owned.v[i]->root))
			controller_queue(c, NULL, owned.v[i]->uid);
	}
	return blocking ? 0 : modify(c, owner, drop_finalizer, (void *)FOREGROUND, err);
}

static int reconcile(struct controller *c, const char *ns, const char *uid, struct err *err)
{
	AUTO_OBJECT o = object_ref(everything_by_uid(controller_state(c), uid));
	AUTO_OBJECT live = NULL;
	int r;

	(void)ns;
	if (!o)
		return 0;
	if (meta_deleting(o->root) && meta_has_finalizer(o->root, ORPHAN))
		return orphan_all(c, o, err);
	if (meta_deleting(o->root) && meta_has_finalizer(o->root, FOREGROUND))
		return wait_for_all(c, o, err);
	if (meta_deleting(o->root) || !node_n(node_at(o->root, "metadata.ownerReferences")))
		return 0;
	r = client_get(controller_client(c), o->kind, o->ns, o->name, &live, err);
	if (r == -ERR_NOT_FOUND || (r >= 0 && (strcmp(live->uid, uid) != 0 || meta_deleting(live->root))))
		return 0;
	return r < 0 ? r : judge(c, live, err);
}

/* ---- events to uids ---- */

static void queue_owners(struct controller *c, const struct object *o)
{
	const struct node *ref, *owners = node_at(o->root, "metadata.ownerReferences");

	node_each(ref, owners)
		controller_queue(c, NULL, node_str_or(ref, "uid", ""));
}

static void queue_owned(struct controller *c, const struct object *o)
{
	AUTO(object_list) owned = { 0 };

	everything_owned(controller_state(c), o->uid, &owned);
	for (size_t i = 0; i < owned.n; i++)
		controller_queue(c, NULL, owned.v[i]->uid);
}

static bool is_concerned(const struct object *o)
{
	return node_n(node_at(o->root, "metadata.ownerReferences")) ||
	       (meta_deleting(o->root) &&
		(meta_has_finalizer(o->root, ORPHAN) || meta_has_finalizer(o->root, FOREGROUND)));
}

static bool owners_changed(const struct object *before, const struct object *after)
{
	return !before || meta_deleting(before->root) != meta_deleting(after->root) ||
	       !node_eq(node_at(before->root, "metadata.ownerReferences"),
			node_at(after->root, "metadata.ownerReferences")) ||
	       !node_eq(node_at(before->root, "metadata.finalizers"), node_at(after->root, "metadata.finalizers"));
}

static void on_change(void *arg, const struct object *before, const struct object *after)
{
	struct controller *c = arg;

	if (!controller_state(c))
		return;                 /* being started: everything is queued then */
	if (!after) {
		queue_owned(c, before);
		queue_owners(c, before);
	} else if (is_concerned(after) && owners_changed(before, after)) {
		controller_queue(c, NULL, after->uid);
	}
}

static bool queue_concerned(struct object *o, void *arg)
{
	if (is_concerned(o))
		controller_queue(arg, NULL, o->uid);
	return true;
}

static void *state_new(struct controller *c)
{
	struct everything *e = everything_new(c, on_change, c);

	for (size_t i = 0; i < everything_n(e); i++) /* a copy that is not in yet tells of its objects when it comes */
		informer_each(everything_at(e, i), NULL, queue_concerned, c);
	return e;
}

static void state_free(void *state)
{
	struct everything *e = state;

	everything_free(&e);
}

static void map_nothing(struct controller *c, const struct object *o)
{
	(void)c;
	(void)o;
}

const struct controller_spec garbage_controller = {
	.name = "garbage-collector",
	.watches = (const struct controller_watch[]){
		{ "v1", "Namespace", map_nothing },     /* keys come from the copies of all kinds */
		{ 0 },
	},
	.reconcile = reconcile,
	.workers = 16,
	.state_new = state_new,
	.state_free = state_free,
};
