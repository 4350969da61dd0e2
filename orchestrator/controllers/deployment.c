#include "orchestrator/controllers/deployment.h"

#include "base/vec.h"
#include "kube/pod.h"
#include "kube/selector.h"
#include "orchestrator/controllers/claim.h"
#include "orchestrator/controllers/rows.h"

#include <stdarg.h>
#include <stdlib.h>

static const struct family_names names = {
	.hash_label = "pod-template-hash",
	.revision = "deployment.kubernetes.io/revision",
	.history = "deployment.kubernetes.io/revision-history",
	.desired = "deployment.kubernetes.io/desired-replicas",
	.most = "deployment.kubernetes.io/max-replicas",
};

static void deployment_free(struct deployment *p)
{
	object_drop(&p->object);
	family_free(&p->family);
	free(p->message);
}

void deployment_note(struct deployment *p, const char *value, const char *reason, const char *fmt, ...)
{
	struct str msg = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&msg, fmt, ap);
	va_end(ap);
	free(p->message);
	p->value = value;
	p->reason = reason;
	p->message = str_take(&msg);
}

static int read_deployment(struct deployment *p, struct err *err)
{
	const struct node *rolling = node_at(p->spec, "strategy.rollingUpdate");

	p->recreate = str_eq(node_str_at(p->spec, "strategy.type"), "Recreate");
	p->paused = node_bool_at(p->spec, "paused", false);
	p->collisions = node_int_at(p->object->root, "status.collisionCount", -1);
	if (p->recreate)
		p->limits = (struct rolling){ .replicas = node_int_at(p->spec, "replicas", 1) };
	else
		TRY(err_wrap(err,
			     rolling_read(&p->limits, node_int_at(p->spec, "replicas", 1),
					  node_get(rolling, "maxSurge"), node_get(rolling, "maxUnavailable"), "25%",
					  err),
			     "spec.strategy.rollingUpdate"));
	TRY(family_read(&p->family, p->c, controller_informer(p->c, DEPLOYMENT_SETS), &names, p->object, err));
	p->current = family_match(&p->family, node_get(p->spec, "template"));
	return 0;
}

static struct family_size size_of(const struct deployment *p, int64_t replicas)
{
	return (struct family_size){ replicas, p->limits.replicas, p->limits.replicas + p->limits.max_surge };
}

static int scale(struct deployment *p, size_t at, int64_t replicas, struct err *err)
{
	const struct family_size size = size_of(p, replicas);

	return family_scale(&p->family, at, &size, err);
}

/* ---- the sets as numbers ---- */

struct numbers { struct rolling_set new, *old; size_t *at, n; };        /* at: the place of each old one */

static void numbers_free(struct numbers *n)
{
	free(n->old);
	free(n->at);
}

static struct rolling_set count(const struct deployment *p, const struct object *set)
{
	const char *most = meta_annotation(set->root, names.most);
	struct rolling_set s = { set_replicas(set), set_count(set, "availableReplicas"), 0 };

	if (!most || !sv_to_i64(sv_c(most), &s.most))
		s.most = node_int_at(p->object->root, "status.replicas", 0);
	return s;
}

static struct numbers count_all(const struct deployment *p)
{
	struct numbers n = { .old = calloc(p->family.sets.n + 1, sizeof *n.old), .at = calloc(p->family.sets.n + 1, sizeof *n.at) };

	if (!n.old || !n.at)
		abort();
	for (size_t i = 0; i < p->family.sets.n; i++) {
		if (i == p->current) {
			n.new = count(p, p->family.sets.v[i]);
			continue;
		}
		n.old[n.n] = count(p, p->family.sets.v[i]);
		n.at[n.n++] = i;
	}
	return n;
}

/* ---- the set for the template as it is ---- */

/* The Deployment carries the revision of its current set, for `kubectl rollout`. */
static int copy_revision(struct deployment *p, struct err *err)
{
	TRY(family_mark_owner(&p->family, p->current, &p->object, err));
	p->spec = node_get(p->object->root, "spec");
	return 0;
}

/* The name is taken by a set with another template: the next pass hashes with one collision more. */
static int add_collision(struct deployment *p, struct err *err)
{
	p->collisions++;
	TRY(deployment_write_status(p, err));
	controller_queue(p->c, p->object->ns, p->object->name);
	return 0;
}

static int make_current(struct deployment *p, struct err *err)
{
	AUTO(numbers) n = count_all(p);
	const struct family_size size =
		size_of(p, p->recreate ? p->limits.replicas : rolling_new(&p->limits, &n.new, n.old, n.n));
	int r = family_create(&p->family, node_get(p->spec, "template"), p->collisions < 0 ? NULL : &p->collisions,
			      &size, &p->current, err);

	if (r >= 0) {
		deployment_note(p, "True", "NewReplicaSetCreated", "Created new replica set \"%s\"",
				deployment_current(p)->name);
	} else if (r != -ERR_ALREADY_EXISTS && r != -ERR_CANCELED) {
		deployment_note(p, "False", "ReplicaSetCreateError", "%s", err ? err_msg(err) : err_reason(-r));
		if (deployment_write_status(p, NULL) < 0)
			return r;       /* the error of the creation is the one to report in any case */
	}
	return r;
}

static int ensure_current(struct deployment *p, struct err *err)
{
	if (!deployment_current(p)) {
		TRY(make_current(p, err));
	} else {
		TRY(family_renew(&p->family, p->current, family_next_revision(&p->family, p->current), err));
		if (!condition_get(node_get(p->object->root, "status"), "Progressing"))
			deployment_note(p, "True", "FoundNewReplicaSet", "Found new replica set \"%s\"",
					deployment_current(p)->name);
	}
	return copy_revision(p, err);
}

/* ---- strategies ---- */

static int roll(struct deployment *p, struct err *err)
{
	AUTO(numbers) n = { 0 };
	int64_t up, *wanted;
	int r = 0;

	TRY(ensure_current(p, err));
	n = count_all(p);
	up = rolling_new(&p->limits, &n.new, n.old, n.n);
	if (up != n.new.spec)
		TRY(scale(p, p->current, up, err));
	n.new.spec = up;
	wanted = calloc(n.n + 1, sizeof *wanted);
	if (!wanted)
		abort();
	rolling_old(&p->limits, &n.new, n.old, n.n, wanted);
	for (size_t i = 0; i < n.n && r >= 0; i++)
		if (wanted[i] != n.old[i].spec)
			r = scale(p, n.at[i], wanted[i], err);
	free(wanted);
	return r;
}

static bool is_running(struct object *pod, void *arg)
{
	bool *running = arg;

	*running = !pod_finished(pod->root);
	return !*running;
}

/* Pods of old sets that have not ended yet, those that are being deleted too: Recreate waits for them. */
static bool old_pods_run(const struct deployment *p)
{
	bool running = false;

	for (size_t i = 0; i < p->family.sets.n && !running; i++)
		if (i != p->current)
			informer_owned(controller_informer(p->c, DEPLOYMENT_PODS), p->family.sets.v[i]->uid, is_running,
				       &running);
	return running;
}

static int recreate(struct deployment *p, struct err *err)
{
	bool scaled = false;

	for (size_t i = 0; i < p->family.sets.n; i++)
		if (i != p->current && set_replicas(p->family.sets.v[i])) {
			TRY(scale(p, i, 0, err));
			scaled = true;
		}
	if (scaled || old_pods_run(p))
		return 0;
	TRY(ensure_current(p, err));
	return scale(p, p->current, p->limits.replicas, err);
}

/* ---- scaling, when only the number of replicas has changed or the Deployment is paused ---- */

static bool is_scaling_event(const struct deployment *p)
{
	for (size_t i = 0; i < p->family.sets.n; i++) {
		const struct object *set = p->family.sets.v[i];
		const char *text = meta_annotation(set->root, names.desired);
		int64_t desired;

		if (set_replicas(set) && text && sv_to_i64(sv_c(text), &desired) && desired != p->limits.replicas)
			return true;
	}
	return false;
}

/* The only set with replicas, or, when none has any, the current one, or else the newest; n: several have some. */
static size_t only_active(const struct deployment *p)
{
	size_t n = p->family.sets.n, active = 0, at = n;

	for (size_t i = 0; i < n; i++)
		if (set_replicas(p->family.sets.v[i])) {
			active++;
			at = i;
		}
	if (active > 1 || !n)
		return n;
	return active ? at : p->current < n ? p->current : n - 1;
}

static bool current_is_saturated(const struct deployment *p)
{
	const struct object *set = deployment_current(p);

	return set && set_replicas(set) == p->limits.replicas &&
	       set_count(set, "availableReplicas") == p->limits.replicas;
}

static int scale_in_proportion(struct deployment *p, struct err *err)
{
	size_t n = p->family.sets.n;
	struct rolling_set *sets = calloc(n + 1, sizeof *sets);
	int64_t *wanted = calloc(n + 1, sizeof *wanted);
	int r = 0;

	if (!sets || !wanted)
		abort();
	for (size_t i = 0; i < n; i++)
		sets[i] = count(p, p->family.sets.v[i]);
	rolling_scale(&p->limits, sets, n, wanted);
	for (size_t i = 0; i < n && r >= 0; i++)
		if (sets[i].spec || wanted[i])
			r = scale(p, i, wanted[i], err);
	free(sets);
	free(wanted);
	return r;
}

static int scale_all(struct deployment *p, struct err *err)
{
	size_t only = only_active(p);

	if (only < p->family.sets.n)
		return scale(p, only, p->limits.replicas, err);
	if (!current_is_saturated(p))
		return p->recreate ? 0 : scale_in_proportion(p, err);
	for (size_t i = 0; i < p->family.sets.n; i++)
		if (i != p->current && set_replicas(p->family.sets.v[i]))
			TRY(scale(p, i, 0, err));
	return scale(p, p->current, p->limits.replicas, err);   /* the annotations */
}

static void note_pause(struct deployment *p)
{
	const struct node *now = condition_get(node_get(p->object->root, "status"), "Progressing");
	bool noted = str_eq(node_str_at(now, "reason"), "DeploymentPaused");

	if (p->paused && !noted)
		deployment_note(p, "Unknown", "DeploymentPaused", "Deployment is paused");
	else if (!p->paused && noted)
		deployment_note(p, "Unknown", "DeploymentResumed", "Deployment is resumed");
}

static int act(struct deployment *p, struct err *err)
{
	note_pause(p);
	if (p->paused || is_scaling_event(p))
		return scale_all(p, err);
	return p->recreate ? recreate(p, err) : roll(p, err);
}

static int finish(struct deployment *p, struct err *err)
{
	TRY(family_settle(&p->family, err));
	TRY(deployment_write_status(p, err));
	if (meta_deleting(p->object->root) || !deployment_complete(p))
		return 0;
	return family_trim(&p->family, p->current, node_int_at(p->spec, "revisionHistoryLimit", 10), err);
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *o = informer_get(controller_informer(c, DEPLOYMENTS), ns, name);
	AUTO(deployment) p = { .c = c };
	int r = 0;

	if (!o)
		return 0;
	p.object = object_ref(o);
	p.spec = node_get(o->root, "spec");
	TRY(read_deployment(&p, err));
	if (!meta_deleting(o->root))
		r = act(&p, err);
	if (r == -ERR_ALREADY_EXISTS)
		return add_collision(&p, err);
	return r < 0 ? r : finish(&p, err);
}

/* Recreate waits for the end of pods: those of a Deployment's sets count as its own. */
static void map_pod(struct controller *c, const struct object *pod)
{
	const char *set = node_str_at(meta_owner(pod->root), "uid");
	const struct object *owner = set ? informer_by_uid(controller_informer(c, DEPLOYMENT_SETS), set) : NULL;

	if (owner)
		controller_map_owner(c, owner);
}

const struct controller_spec deployment_controller = {
	.name = "deployment-controller",
	.watches = (const struct controller_watch[]){
		[DEPLOYMENTS] = { "apps/v1", "Deployment", NULL },
		[DEPLOYMENT_SETS] = { "apps/v1", "ReplicaSet", claim_map },
		[DEPLOYMENT_PODS] = { "v1", "Pod", map_pod },
		{ 0 },
	},
	.reconcile = reconcile,
};
