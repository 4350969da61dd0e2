/* Every namespace has the ConfigMap kube-root-ca.crt: a copy of kube-system's, which the API writes. */
#include "orchestrator/controllers/rows.h"

enum { NAMESPACES, CONFIG_MAPS };

#define NAME "kube-root-ca.crt"
#define HOME "kube-system"

static const struct object *copy_in(struct controller *c, const char *ns)
{
	return informer_get(controller_informer(c, CONFIG_MAPS), ns, NAME);
}

static int change(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct node *want = arg;

	(void)err;
	if (node_eq(node_get(root, "data"), want))
		return 0;
	node_set(d, root, "data", node_copy(d, want));
	return 1;
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	const struct object *space = informer_get(controller_informer(c, NAMESPACES), ns, name), *home = copy_in(c, HOME);
	const struct kind *k = informer_kind(controller_informer(c, CONFIG_MAPS));
	const struct object *now = copy_in(c, name);
	AUTO_OBJECT made = NULL;
	int r;

	if (!space || meta_deleting(space->root) || !home || str_eq(name, HOME))
		return 0;
	if (now && node_eq(node_get(now->root, "data"), node_get(home->root, "data")))
		return 0;
	AUTO_DOC d = doc_new();
	struct node *root = object_start(d, k, name, NAME);
	node_set(d, root, "data", node_copy(d, node_get(home->root, "data")));
	if (node_at(home->root, "metadata.annotations"))
		node_put(d, root, "metadata.annotations", node_copy(d, node_at(home->root, "metadata.annotations")));
	if (now)
		r = client_modify(controller_client(c), k, name, NAME, NULL, change, node_get(root, "data"), &made, err);
	else
		r = client_create(controller_client(c), k, root, NULL, &made, err);
	if (r == -ERR_ALREADY_EXISTS || r == -ERR_NOT_FOUND)    /* the copy will show it, and this runs again */
		return 0;
	return r < 0 || !made ? r : informer_wait_seen(controller_informer(c, CONFIG_MAPS), made->revision, err);
}

static bool queue_one(struct object *space, void *arg)
{
	controller_queue(arg, NULL, space->name);
	return true;
}

static void map_config(struct controller *c, const struct object *o)
{
	if (!str_eq(o->name, NAME))
		return;
	if (str_eq(o->ns, HOME))
		informer_each(controller_informer(c, NAMESPACES), NULL, queue_one, c);
	else
		controller_queue(c, NULL, o->ns);
}

const struct controller_spec rootca_controller = {
	.name = "root-ca-publisher",
	.watches = (const struct controller_watch[]){
		[NAMESPACES] = { "v1", "Namespace", NULL },
		[CONFIG_MAPS] = { "v1", "ConfigMap", map_config },
		{ 0 },
	},
	.reconcile = reconcile,
};
