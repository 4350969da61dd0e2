#include "orchestrator/controllers/claim.h"

#include "base/vec.h"
#include "kube/selector.h"

#include <stdlib.h>

struct claim {
	const struct object *owner;
	const struct selector *selector;
	struct object_list *out;
	struct object_list strangers, leavers;  /* to adopt, to let go */
};

static bool controls(const struct object *owner, const struct object *o)
{
	return str_eq(node_str_at(meta_owner(o->root), "uid"), owner->uid);
}

static bool matches(const struct claim *c, const struct object *o)
{
	return selector_matches(c->selector, node_at(o->root, "metadata.labels"));
}

static bool take_owned(struct object *o, void *arg)
{
	struct claim *c = arg;

	if (controls(c->owner, o) && matches(c, o))
		vec_push(c->out, object_ref(o));
	return true;
}

static bool sort_out(struct object *o, void *arg)
{
	struct claim *c = arg;

	if (meta_deleting(o->root))
		return true;
	if (!meta_owner(o->root) && matches(c, o))
		vec_push(&c->strangers, object_ref(o));
	else if (controls(c->owner, o) && !matches(c, o))
		vec_push(&c->leavers, object_ref(o));
	return true;
}

static int adopt(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct claim *c = arg;

	(void)err;
	if (meta_owner(root) || meta_deleting(root) || !selector_matches(c->selector, node_at(root, "metadata.labels")))
		return 0;       /* it has changed since */
	meta_add_owner(d, root, c->owner);
	return 1;
}

static int let_go(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct claim *c = arg;
	struct node *owners = node_at(root, "metadata.ownerReferences");

	(void)d;
	(void)err;
	for (size_t i = 0; i < node_n(owners); i++)
		if (str_eq(node_str_at(node_item(owners, i), "uid"), c->owner->uid)) {
			node_remove(owners, i);
			return 1;
		}
	return 0;
}

static int change_all(struct controller *c, struct informer *f, struct claim *claim, const struct object_list *list,
		      int (*change)(struct doc *, struct node *, void *, struct err *), struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		AUTO_OBJECT now = NULL;
		const struct object *o = list->v[i];
		int r = client_modify(controller_client(c), o->kind, o->ns, o->name, NULL, change, claim, &now, err);

		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
		if (r >= 0)
			TRY(informer_wait_seen(f, now->revision, err));
	}
	return 0;
}

/* An owner that was deleted and made again under its name must not adopt for the one that is gone. */
static int still_there(struct controller *c, const struct object *owner, struct err *err)
{
	AUTO_OBJECT live = NULL;

	TRY(client_get(controller_client(c), owner->kind, owner->ns, owner->name, &live, err));
	if (strcmp(live->uid, owner->uid) != 0 || meta_deleting(live->root))
		return err_set(err, ERR_CONFLICT, "%s \"%s\" is gone or was made anew", owner->kind->plural,
			       owner->name);
	return 0;
}

static int change_owners(struct controller *c, struct informer *f, struct claim *claim, struct err *err)
{
	if (claim->strangers.n)
		TRY(still_there(c, claim->owner, err));
	TRY(change_all(c, f, claim, &claim->strangers, adopt, err));
	return change_all(c, f, claim, &claim->leavers, let_go, err);
}

int claim_by_creation(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	int r = strcmp(node_str_or(x->root, "metadata.creationTimestamp", ""),
		       node_str_or(y->root, "metadata.creationTimestamp", ""));

	return r ? r : strcmp(x->name, y->name);
}

static int claim(struct controller *c, struct informer *f, struct claim *claim, struct err *err)
{
	if (meta_deleting(claim->owner->root) || selector_nothing(claim->selector))
		return 0;
	informer_each(f, claim->owner->ns, sort_out, claim);
	return claim->strangers.n || claim->leavers.n ? change_owners(c, f, claim, err) : 0;
}

int claim_objects(struct controller *c, struct informer *f, const struct object *owner, struct object_list *out,
		  struct err *err)
{
	struct selector *selector = NULL;
	int r = selector_of(node_at(owner->root, "spec.selector"), &selector, err);
	struct claim x = { .owner = owner, .selector = selector, .out = out };

	if (r >= 0)
		r = claim(c, f, &x, err);
	if (r >= 0)
		informer_owned(f, owner->uid, take_owned, &x);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, claim_by_creation);
	object_list_free(&x.strangers);
	object_list_free(&x.leavers);
	selector_free(&selector);
	return r;
}

struct search { struct controller *controller; const struct object *stray; };

static bool queue_if_selecting(struct object *o, void *arg)
{
	struct search *s = arg;
	struct selector *selector = NULL;

	if (selector_of(node_at(o->root, "spec.selector"), &selector, NULL) >= 0
	    && selector_matches(selector, node_at(s->stray->root, "metadata.labels")))
		controller_queue(s->controller, o->ns, o->name);
	selector_free(&selector);
	return true;
}

void claim_map(struct controller *c, const struct object *o)
{
	struct search s = { c, o };

	if (meta_owner(o->root))
		controller_map_owner(c, o);
	else
		informer_each(controller_informer(c, 0), o->ns, queue_if_selecting, &s);
}
