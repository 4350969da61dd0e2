#include "orchestrator/controllers/rollout/rollout.h"

#include "base/vec.h"
#include "kube/pod.h"
#include "orchestrator/controllers/pods.h"

/* spec.restartAt: every pod that was made before that time is replaced, a few at a time, by its ReplicaSet. */

struct old_pods {
	int64_t before, min_ready_s, active, available;
	struct object_list idle, serving;       /* of the old ones */
};

static void old_pods_free(struct old_pods *p)
{
	object_list_free(&p->idle);
	object_list_free(&p->serving);
}

static bool sort_out(struct object *pod, void *arg)
{
	struct old_pods *p = arg;
	bool available = pod_available(pod->root, p->min_ready_s, clock_ms(), NULL);
	int64_t made;

	if (!pod_active(pod->root))
		return true;
	p->active++;
	p->available += available;
	if (!time_parse(node_str_or(pod->root, "metadata.creationTimestamp", ""), &made) || made >= p->before)
		return true;
	if (available)
		vec_push(&p->serving, object_ref(pod));
	else
		vec_push(&p->idle, object_ref(pod));
	return true;
}

/* ---- a pod that is ready serves only once its Services know of it ---- */

struct known { const struct rollout *r; const char *set; struct old_pods *old; };

static bool is_old(const struct old_pods *old, const struct object *pod)
{
	for (size_t i = 0; i < old->serving.n; i++)
		if (!strcmp(old->serving.v[i]->uid, pod->uid))
			return true;
	return false;
}

/* Of a Service that old pods serve, so many pods of the set are known: no more than these can take over. */
static bool count_known(struct object *endpoints, void *arg)
{
	const struct known *k = arg;
	const struct node *subset, *address, *subsets = node_get(endpoints->root, "subsets");
	bool serves_old = false;
	int64_t n = 0;

	for (size_t i = 0; (subset = node_item(subsets, i)); i++)
		for (size_t j = 0; (address = node_item(node_get(subset, "addresses"), j)); j++) {
			const struct object *pod = informer_get(controller_informer(k->r->c, ROLLOUT_PODS), endpoints->ns,
								node_str_or(address, "targetRef.name", ""));

			if (!pod || !pod_active(pod->root) || !str_eq(node_str_at(meta_owner(pod->root), "uid"), k->set))
				continue;
			serves_old |= is_old(k->old, pod);
			n++;
		}
	if (serves_old && n < k->old->available)
		k->old->available = n;
	return true;
}

/* Pods that do not serve anyway, and of the others as many as maxUnavailable allows, at least one. Done is a set that has
 * all its pods, and no old one. */
static int restart_set(struct rollout *r, size_t at, int64_t before, bool *done, bool *evicted, struct err *err)
{
	AUTO(old_pods) old = { .before = before, .min_ready_s = node_int_at(r->spec, "minReadySeconds", 0) };
	struct informer *pods = controller_informer(r->c, ROLLOUT_PODS);
	int64_t spare = r->limits.max_unavailable > 0 ? r->limits.max_unavailable : 1, budget;
	struct object *set = rollout_set(r, at);

	if (!set)
		return 0;
	informer_owned(pods, set->uid, sort_out, &old);
	informer_each(controller_informer(r->c, ROLLOUT_ENDPOINTS), r->object->ns, count_known,
		      &(struct known){ r, set->uid, &old });
	*done = *done && !old.idle.n && !old.serving.n && old.active == set_replicas(set);
	budget = old.available - (set_replicas(set) - spare);
	if (budget > (int64_t)old.serving.n)
		budget = (int64_t)old.serving.n;
	*evicted |= old.idle.n || budget > 0;
	TRY(pods_delete(r->c, pods, set, old.idle.v, old.idle.n, err));
	return budget > 0 ? pods_delete(r->c, pods, set, old.serving.v, (size_t)budget, err) : 0;
}

bool rollout_restarting(const struct rollout *r)
{
	const char *wanted = node_str_at(r->spec, "restartAt");
	int64_t at;

	return wanted && !str_eq(wanted, node_str_at(r->status, "restartedAt")) && time_parse(wanted, &at) &&
	       at <= clock_ms();
}

int rollout_restart(struct rollout *r, bool *evicted, struct err *err)
{
	const char *wanted = node_str_or(r->spec, "restartAt", "");
	bool done = true;
	int64_t at;

	*evicted = false;
	if (!rollout_restarting(r)) {
		if (time_parse(wanted, &at) && at > clock_ms())
			rollout_look_again(r, at - clock_ms());
		return 0;
	}
	(void)time_parse(wanted, &at);
	TRY(restart_set(r, r->stable, at, &done, evicted, err));
	for (size_t i = r->family.sets.n; i-- > 0;)     /* then the newest first */
		if (i != r->stable)
			TRY(restart_set(r, i, at, &done, evicted, err));
	if (done)
		node_set(r->d, r->status, "restartedAt", node_str(r->d, wanted));
	return 0;
}
