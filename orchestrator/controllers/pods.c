#include "orchestrator/controllers/pods.h"

#include "kube/pod.h"
#include "orchestrator/controllers/batch.h"

#include <stdlib.h>

struct doc *pod_of_template(const struct kind *pod, const struct object *owner, const struct node *template,
			    const char *name)
{
	static const char *const copied[] = { "labels", "annotations", "finalizers" };
	const struct node *from = node_get(template, "metadata");
	struct doc *d = doc_new();
	struct node *root = object_start(d, pod, owner->ns, name), *meta = node_get(root, "metadata");

	doc_set_root(d, root);
	if (!name) {
		(void)node_del(meta, "name");
		node_set(d, meta, "generateName", node_strf(d, "%s-", owner->name));
	}
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		if (node_get(from, copied[i]))
			node_set(d, meta, copied[i], node_copy(d, node_get(from, copied[i])));
	meta_add_owner(d, root, owner);
	node_set(d, root, "spec", node_copy(d, node_get(template, "spec")));
	return d;
}

/* ---- create ---- */

struct creation {
	struct controller *c;
	struct informer *pods;
	struct object *owner;
	const struct node *pod;
	int64_t seen;
};

static int create(void *arg, size_t i, struct err *err)
{
	struct creation *x = arg;
	AUTO_OBJECT made = NULL;
	int r = client_create(controller_client(x->c), informer_kind(x->pods), x->pod, NULL, &made, err);

	(void)i;
	if (r < 0) {
		if (r != -ERR_CANCELED)
			controller_event(x->c, x->owner, "Warning", "FailedCreate", "Error creating: %s",
					 err ? err_msg(err) : err_reason(-r));
		return r;
	}
	controller_event(x->c, x->owner, "Normal", "SuccessfulCreate", "Created pod: %s", made->name);
	if (made->revision > x->seen)
		x->seen = made->revision;
	return 0;
}

static int create_some(struct creation *x, size_t n, struct err *err)
{
	int r = batch_slowly(n, create, x, err);

	TRY(informer_wait_seen(x->pods, x->seen, r < 0 ? NULL : err));
	return r;
}

int pods_create(struct controller *c, struct informer *pods, struct object *owner, const struct node *template,
		size_t n, struct err *err)
{
	AUTO_DOC d = pod_of_template(informer_kind(pods), owner, template, NULL);
	struct creation x = { c, pods, owner, doc_root(d), 0 };

	return create_some(&x, n, err);
}

int pods_create_one(struct controller *c, struct informer *pods, struct object *owner, const struct node *pod,
		    struct err *err)
{
	struct creation x = { c, pods, owner, pod, 0 };

	return create_some(&x, 1, err);
}

/* ---- delete ---- */

struct deletion { struct controller *c; struct informer *pods; struct object *owner; struct object *const *v; };

static int delete(void *arg, size_t i, struct err *err)
{
	struct deletion *x = arg;
	const struct object *pod = x->v[i];
	const struct delete_opts o = { .grace_seconds = -1, .uid = pod->uid };
	int r = client_delete(controller_client(x->c), pod->kind, pod->ns, pod->name, &o, err);

	if (r == -ERR_NOT_FOUND || r == -ERR_CONFLICT)
		return informer_wait_gone(x->pods, pod->uid, err);      /* somebody else was first */
	if (r < 0) {
		if (r != -ERR_CANCELED)
			controller_event(x->c, x->owner, "Warning", "FailedDelete", "Error deleting: %s",
					 err ? err_msg(err) : err_reason(-r));
		return r;
	}
	controller_event(x->c, x->owner, "Normal", "SuccessfulDelete", "Deleted pod: %s", pod->name);
	return informer_wait_gone(x->pods, pod->uid, err);
}

int pods_delete(struct controller *c, struct informer *pods, struct object *owner, struct object *const *v, size_t n,
		struct err *err)
{
	struct deletion x = { c, pods, owner, v };

	return batch_all(n, delete, &x, err);
}

/* ---- which ones to delete first ---- */

struct ranked {
	struct object *pod;
	int64_t key[6];                 /* compared in this order, smaller goes first */
	const char *created;
};

static int64_t phase_rank(const struct node *pod)
{
	const char *phase = node_str_or(pod, "status.phase", "Pending");

	return str_eq(phase, "Pending") ? 0 : str_eq(phase, "Running") ? 2 : 1;
}

static int64_t deletion_cost(const struct node *pod)
{
	const char *text = meta_annotation(pod, "controller.kubernetes.io/pod-deletion-cost");
	int64_t cost = 0;

	return text && sv_to_i64(sv_c(text), &cost) ? cost : 0;
}

static int64_t ready_since(const struct node *pod)
{
	int64_t ms = 0;

	if (!pod_ready(pod))
		return 0;
	return time_parse(node_str_or(condition_get(node_get(pod, "status"), "Ready"), "lastTransitionTime", ""), &ms)
		       ? ms
		       : 0;
}

static int64_t on_same_node(struct object **v, size_t n, const char *node)
{
	int64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += str_eq(node_str_at(v[i]->root, "spec.nodeName"), node) && pod_active(v[i]->root);
	return count;
}

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	for (size_t i = 0; i < sizeof x->key / sizeof *x->key; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	int r = strcmp(y->created, x->created);
	return r ? r : strcmp(x->pod->name, y->pod->name);
}

void pods_rank(struct object **v, size_t n)
{
	struct ranked *ranked = calloc(n + 1, sizeof *ranked);

	if (!ranked)
		abort();
	for (size_t i = 0; i < n; i++) {
		const struct node *pod = v[i]->root;
		const char *node = node_str_at(pod, "spec.nodeName");

		ranked[i] = (struct ranked){v[i],
					    {node != NULL, phase_rank(pod), pod_ready(pod), deletion_cost(pod),
					     node ? -on_same_node(v, n, node) : 0, -ready_since(pod)},
					    node_str_or(pod, "metadata.creationTimestamp", "")};
	}
	qsort(ranked, n, sizeof *ranked, by_rank);
	for (size_t i = 0; i < n; i++)
		v[i] = ranked[i].pod;
	free(ranked);
}
