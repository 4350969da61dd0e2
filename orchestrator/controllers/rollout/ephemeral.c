#include "orchestrator/controllers/rollout/rollout.h"

#include "base/vec.h"
#include "kube/pod.h"

/* Ephemeral metadata: labels and annotations that pods carry while their version has a part to play. They are in the set's
 * template, for the pods to come, and on the pods there are; each carries the list of what was put on, so that a pass that
 * was broken off is finished by the next one. */

struct wish { const struct node *metadata; };

static int put_on_template(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct wish *w = arg;
	AUTO_DOC before = doc_of(root);

	(void)err;
	family_inject(d, node_map_at(d, root, "spec.template"), ROLLOUT_EPHEMERAL, w->metadata);
	return !node_eq(root, doc_root(before));
}

static int put_on_pod(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct wish *w = arg;
	AUTO_DOC before = doc_of(root);

	(void)err;
	family_inject(d, root, ROLLOUT_EPHEMERAL, w->metadata);
	return !node_eq(root, doc_root(before));
}

/* Almost always there is nothing to write: found out on a copy, without a call. */
static bool differs(const struct object *o, const char *meta, int (*change)(struct doc *, struct node *, void *, struct err *),
		    struct wish *w)
{
	if (!w->metadata && !node_get(node_get(node_at(o->root, meta), "annotations"), ROLLOUT_EPHEMERAL))
		return false;
	AUTO_DOC trial = doc_of(o->root);
	return change(trial, doc_root(trial), w, NULL) > 0;
}

static bool collect(struct object *pod, void *arg)
{
	struct object_list *all = arg;

	if (pod_active(pod->root))
		vec_push(all, object_ref(pod));
	return true;
}

static int put(struct rollout *r, size_t at, const struct node *metadata, struct err *err)
{
	struct informer *pods = controller_informer(r->c, ROLLOUT_PODS);
	struct wish w = { metadata };
	AUTO(object_list) all = { 0 };

	if (!rollout_set(r, at))
		return 0;
	if (differs(rollout_set(r, at), "spec.template.metadata", put_on_template, &w))
		TRY(family_modify(&r->family, at, put_on_template, &w, err));
	informer_owned(pods, rollout_set(r, at)->uid, collect, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct object *pod = all.v[i];
		int result = 0;

		if (differs(pod, "metadata", put_on_pod, &w))
			result = client_modify(controller_client(r->c), pod->kind, pod->ns, pod->name, NULL, put_on_pod,
					       &w, NULL, err);
		if (result < 0 && result != -ERR_NOT_FOUND)
			return result;
	}
	return 0;
}

int rollout_put_metadata(struct rollout *r, struct err *err)
{
	const struct node *new = node_get(r->canary, "canaryMetadata"), *stable = node_get(r->canary, "stableMetadata");

	if (r->blue_green) {
		new = node_get(r->blue_green, "previewMetadata");
		stable = node_get(r->blue_green, "activeMetadata");
	}
	if (rollout_initial(r))
		new = stable;
	for (size_t i = 0; i < r->family.sets.n; i++)
		TRY(put(r, i, i == r->stable ? stable : i == r->current ? new : NULL, err));
	return 0;
}
