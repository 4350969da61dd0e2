#include "orchestrator/controllers/rollout/rollout.h"

/* spec.workloadRef: the pod template of another object, and its selector when the Rollout has none. The pass works on a copy
 * of the Rollout with both filled in, so nothing else has to know. */

struct workload { const char *api_version, *kind, *template; size_t watch; };

static const struct workload workloads[] = {
	{ "apps/v1", "Deployment", "spec.template", ROLLOUT_DEPLOYMENTS },
	{ "apps/v1", "ReplicaSet", "spec.template", ROLLOUT_SETS },
	{ "v1", "PodTemplate", "template", ROLLOUT_POD_TEMPLATES },
};

static const struct workload *find(const struct node *ref)
{
	for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
		if (str_eq(node_str_at(ref, "apiVersion"), workloads[i].api_version) &&
		    str_eq(node_str_at(ref, "kind"), workloads[i].kind))
			return &workloads[i];
	return NULL;
}

static const struct node *ref_of(const struct object *rollout) { return node_at(rollout->root, "spec.workloadRef"); }

static const struct object *referenced(const struct rollout *r, const struct workload *w)
{
	return informer_get(controller_informer(r->c, w->watch), r->object->ns, node_str_or(ref_of(r->object), "name", ""));
}

static struct object *fill_in(const struct object *rollout, const struct object *from, const char *template)
{
	struct doc *d = doc_of(rollout->root);
	struct node *spec = node_get(doc_root(d), "spec");

	node_set(d, spec, "template", node_copy(d, node_at(from->root, template)));
	if (node_is_empty(node_get(spec, "selector")) && node_at(from->root, "spec.selector"))
		node_set(d, spec, "selector", node_copy(d, node_at(from->root, "spec.selector")));
	return object_new(rollout->kind, d);
}

int rollout_resolve(struct rollout *r, struct err *err)
{
	const struct node *ref = ref_of(r->object);
	const struct workload *w = find(ref);
	const struct object *from;
	struct object *filled;

	if (!ref)
		return 0;
	if (node_at(r->object->root, "spec.template"))
		return err_set(err, ERR_INVALID, "spec.template: cannot be set beside spec.workloadRef");
	if (!w)
		return err_set(err, ERR_INVALID, "spec.workloadRef: '%s' of '%s' is not supported: want a Deployment, a ReplicaSet or "
			       "a PodTemplate", node_str_or(ref, "kind", ""), node_str_or(ref, "apiVersion", ""));
	if (node_str_at(ref, "scaleDown") && w->watch != ROLLOUT_DEPLOYMENTS)
		return err_set(err, ERR_INVALID, "spec.workloadRef.scaleDown: needs a Deployment");
	from = referenced(r, w);
	if (!from)
		return err_set(err, ERR_INVALID, "spec.workloadRef: %s \"%s\" not found", w->kind, node_str_or(ref, "name", ""));
	node_set(r->d, r->status, "workloadObservedGeneration",
		 node_strf(r->d, "%lld", (long long)node_int_at(from->root, "metadata.generation", 0)));
	filled = fill_in(r->object, from, w->template);
	object_drop(&r->object);
	r->object = filled;
	return 0;
}

/* ---- scaleDown: the pods of the Deployment itself, while the Rollout takes over from it ---- */

static int set_size(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const int64_t *replicas = arg;

	(void)err;
	if (node_int_at(root, "spec.replicas", 1) == *replicas)
		return 0;
	node_put(d, root, "spec.replicas", node_int(d, *replicas));
	return 1;
}

/* What the Deployment is to have; -1: what it has. */
static int64_t size_of(const struct rollout *r, const char *mode)
{
	int64_t left = r->limits.replicas - rollout_count(r, r->current).available;
	bool failed = str_eq(node_str_at(r->status, "phase"), "Degraded");

	if (str_eq(mode, "onsuccess"))
		return rollout_promoted(r) && str_eq(node_str_at(r->status, "phase"), "Healthy") ? 0 : -1;
	if (!str_eq(mode, "progressively"))
		return -1;
	return failed ? r->limits.replicas : left > 0 ? left : 0;
}

int rollout_scale_workload(struct rollout *r, struct err *err)
{
	const char *mode = node_str_at(ref_of(r->object), "scaleDown");
	const struct object *set = rollout_set(r, r->current), *from;
	int64_t size = mode ? size_of(r, mode) : -1, now;

	if (size < 0 || !set || family_revision(&r->family, set) != 1)
		return 0;
	from = referenced(r, &workloads[0]);
	now = from ? node_int_at(from->root, "spec.replicas", 1) : size;
	if (size == now || (size > now && !str_eq(node_str_at(r->status, "phase"), "Degraded")))
		return 0;
	return client_modify(controller_client(r->c), from->kind, from->ns, from->name, NULL, set_size, &size, NULL, err);
}

/* ---- events ---- */

struct search { struct controller *c; const struct object *workload; };

static bool queue_if_referring(struct object *rollout, void *arg)
{
	const struct search *s = arg;
	const struct node *ref = ref_of(rollout);

	if (str_eq(node_str_at(ref, "kind"), s->workload->kind->kind) && str_eq(node_str_at(ref, "name"), s->workload->name))
		controller_queue(s->c, rollout->ns, rollout->name);
	return true;
}

void rollout_map_workload(struct controller *c, const struct object *workload)
{
	struct search s = { c, workload };

	informer_each(controller_informer(c, ROLLOUTS), workload->ns, queue_if_referring, &s);
}
