#include "orchestrator/controllers/rows.h"

#include "base/vec.h"
#include "kube/pod.h"
#include "orchestrator/controllers/claim.h"
#include "orchestrator/controllers/pods.h"
#include "orchestrator/controllers/revisions.h"

#include <stdlib.h>

enum { SETS, PODS, REVISIONS, CLAIMS };

#define MOST 10000      /* replicas */

struct pass {
	struct controller *c;
	struct object *set;
	const struct node *spec;
	struct template_revisions revisions;
	struct object *current;                 /* the revision of before; borrowed, the update's own when all is new */
	struct object_list pods;
	struct object **at;                     /* by ordinal, from the first; borrowed from pods, NULL: missing */
	int64_t first, replicas, partition;
	bool ordered;
	int64_t wait_ms;
};

static void pass_free(struct pass *p)
{
	object_list_free(&p->pods);
	free(p->at);
	template_revisions_free(&p->revisions);
	object_drop(&p->set);
}

/* ---- ordinals ---- */

/* "web-3" of "web" is 3; -1: not a name of this set. */
static int64_t ordinal(const struct pass *p, const struct object *pod)
{
	struct sv rest = sv_c(pod->name), set = sv_c(p->set->name);
	int64_t n;

	if (!sv_starts(rest, set) || rest.n <= set.n || rest.p[set.n] != '-')
		return -1;
	return sv_to_i64(sv_drop(rest, set.n + 1), &n) && n >= 0 ? n : -1;
}

static int read_set(struct pass *p, struct err *err)
{
	p->spec = node_get(p->set->root, "spec");
	p->first = node_int_at(p->spec, "ordinals.start", 0);
	p->replicas = node_int_at(p->spec, "replicas", 1);
	p->ordered = !str_eq(node_str_at(p->spec, "podManagementPolicy"), "Parallel");
	p->partition = node_int_at(p->spec, "updateStrategy.rollingUpdate.partition", 0);
	if (p->replicas > MOST)
		return err_set(err, ERR_INVALID, "spec.replicas: a StatefulSet has at most %d", MOST);
	TRY(template_revisions_read(&p->revisions, p->c, controller_informer(p->c, REVISIONS), p->set, err));
	p->current = template_revisions_named(&p->revisions, node_str_or(p->set->root, "status.currentRevision", ""));
	if (!p->current)
		p->current = p->revisions.update;
	TRY(claim_objects(p->c, controller_informer(p->c, PODS), p->set, &p->pods, err));
	p->at = calloc((size_t)p->replicas + 1, sizeof *p->at);
	if (!p->at)
		abort();
	for (size_t i = 0; i < p->pods.n; i++) {
		int64_t n = ordinal(p, p->pods.v[i]) - p->first;

		if (n >= 0 && n < p->replicas)
			p->at[n] = p->pods.v[i];
	}
	return 0;
}

static bool is_new(const struct pass *p, const struct object *pod)
{
	return str_eq(meta_label(pod->root, REVISION_HASH), revision_hash(p->revisions.update));
}

static bool is_healthy(struct pass *p, const struct object *pod)
{
	int64_t wait_ms;
	bool yes = pod && pod_active(pod->root) &&
		   pod_available(pod->root, node_int_at(p->spec, "minReadySeconds", 0), clock_ms(), &wait_ms);

	if (pod && pod_active(pod->root) && wait_ms && (!p->wait_ms || wait_ms < p->wait_ms))
		p->wait_ms = wait_ms;
	return yes;
}

/* ---- making a pod ---- */

static char *claim_name(const struct pass *p, const struct node *template, int64_t n)
{
	return str_fmt("%s-%s-%lld", node_str_or(template, "metadata.name", ""), p->set->name, (long long)n);
}

/* A claim outlives its pod: the next pod of the ordinal finds its data again. */
static int ensure_claim(struct pass *p, const struct node *template, const char *name, struct err *err)
{
	const struct kind *k = informer_kind(controller_informer(p->c, CLAIMS));
	const struct node *labels = node_at(p->spec, "selector.matchLabels");
	AUTO_DOC d = NULL;
	struct node *root;
	int r;

	if (informer_get(controller_informer(p->c, CLAIMS), p->set->ns, name))
		return 0;
	d = doc_new();
	root = object_start(d, k, p->set->ns, name);
	if (labels)
		node_put(d, root, "metadata.labels", node_copy(d, labels));
	node_set(d, root, "spec", node_copy(d, node_get(template, "spec")));
	r = client_create(controller_client(p->c), k, root, NULL, NULL, err);
	return r == -ERR_ALREADY_EXISTS ? 0 : r;
}

/* The volume of the template's name is the claim, whatever the pod template says of it. */
static void mount_claim(struct doc *d, struct node *root, const char *volume, const char *claim)
{
	struct node *all = node_seq_at(d, root, "spec.volumes"), *row = node_map(d);

	for (size_t i = node_n(all); i-- > 0;)
		if (str_eq(node_str_at(node_item(all, i), "name"), volume))
			node_remove(all, i);
	node_set(d, row, "name", node_str(d, volume));
	node_put(d, row, "persistentVolumeClaim.claimName", node_str(d, claim));
	node_add(d, all, row);
}

static int add_claims(struct pass *p, struct doc *d, struct node *root, int64_t n, struct err *err)
{
	const struct node *it, *templates = node_get(p->spec, "volumeClaimTemplates");

	for (size_t i = 0; (it = node_item(templates, i)); i++) {
		char *name = claim_name(p, it, n);
		int r = ensure_claim(p, it, name, err);

		mount_claim(d, root, node_str_or(it, "metadata.name", ""), name);
		free(name);
		if (r < 0)
			return r;
	}
	return 0;
}

static void identify(const struct pass *p, struct doc *d, struct node *root, const char *name, int64_t n)
{
	const char *service = node_str_or(p->spec, "serviceName", "");
	AUTO(str) index = { 0 };

	str_addf(&index, "%lld", (long long)n);
	meta_set_label(d, root, "statefulset.kubernetes.io/pod-name", name);
	meta_set_label(d, root, "apps.kubernetes.io/pod-index", str_c(&index));
	node_put(d, root, "spec.hostname", node_str(d, name));
	if (*service)
		node_put(d, root, "spec.subdomain", node_str(d, service));
}

static int create(struct pass *p, int64_t i, struct err *err)
{
	int64_t n = p->first + i;
	/* Ordinals below the partition stay what they were. */
	const struct object *revision = i < p->partition ? p->current : p->revisions.update;
	AUTO(str) name = { 0 };
	AUTO_DOC d = doc_new();
	AUTO_DOC pod = NULL;
	struct node *template = node_copy(d, revision_template(revision));

	(void)node_del(template, "$patch");
	str_addf(&name, "%s-%lld", p->set->name, (long long)n);
	pod = pod_of_template(informer_kind(controller_informer(p->c, PODS)), p->set, template, str_c(&name));
	meta_set_label(pod, doc_root(pod), REVISION_HASH, revision_hash(revision));
	identify(p, pod, doc_root(pod), str_c(&name), n);
	TRY(add_claims(p, pod, doc_root(pod), n, err));
	return pods_create_one(p->c, controller_informer(p->c, PODS), p->set, doc_root(pod), err);
}

static int remove_pod(struct pass *p, struct object *pod, struct err *err)
{
	return pods_delete(p->c, controller_informer(p->c, PODS), p->set, &pod, 1, err);
}

/* ---- up, down, over ---- */

/* 1: something is not as it should be yet, and the rest waits for it. */
static int bring_up(struct pass *p, struct err *err)
{
	bool waits = false;

	for (int64_t i = 0; i < p->replicas; i++) {
		struct object *pod = p->at[i];

		if (!pod)
			TRY(create(p, i, err));
		else if (pod_finished(pod->root) && !meta_deleting(pod->root))
			TRY(remove_pod(p, pod, err));
		else if (is_healthy(p, pod))
			continue;
		waits = true;
		if (p->ordered)
			return 1;
	}
	return waits;
}

/* Pods beyond the replicas, the highest ordinal first; in order, each waits until the one before is gone. */
static int bring_down(struct pass *p, struct err *err)
{
	for (;;) {
		struct object *highest = NULL;
		bool going = false;

		for (size_t i = 0; i < p->pods.n; i++) {
			struct object *pod = p->pods.v[i];
			int64_t n = ordinal(p, pod);

			if (n < 0 || (n >= p->first && n < p->first + p->replicas))
				continue;
			if (meta_deleting(pod->root) || !informer_by_uid(controller_informer(p->c, PODS), pod->uid))
				going |= meta_deleting(pod->root);
			else if (meta_deleting(informer_by_uid(controller_informer(p->c, PODS), pod->uid)->root))
				going = true;
			else if (!highest || n > ordinal(p, highest))
				highest = pod;
		}
		if (!highest || (p->ordered && going))
			return going;
		TRY(remove_pod(p, highest, err));
		if (p->ordered)
			return 1;
	}
}

/* From the highest ordinal down, one at a time, each after the one before serves again. */
static int update(struct pass *p, struct err *err)
{
	if (str_eq(node_str_at(p->spec, "updateStrategy.type"), "OnDelete"))
		return 0;
	for (int64_t i = p->replicas - 1; i >= p->partition; i--) {
		struct object *pod = p->at[i];

		if (pod && !is_new(p, pod) && !meta_deleting(pod->root))
			return remove_pod(p, pod, err);
		if (!is_healthy(p, pod))
			return 0;
	}
	return 0;
}

/* A pod of an old version that does not come up must not hold up its own replacement. */
static int replace_broken(struct pass *p, struct err *err)
{
	for (int64_t i = p->replicas - 1; i >= p->partition; i--) {
		struct object *pod = p->at[i];

		if (pod && !is_new(p, pod) && pod_active(pod->root) && !pod_ready(pod->root)
		    && !str_eq(node_str_at(p->spec, "updateStrategy.type"), "OnDelete"))
			return remove_pod(p, pod, err);
	}
	return 0;
}

static int manage(struct pass *p, struct err *err)
{
	int up = bring_up(p, err), down;

	if (up < 0)
		return up;
	if (up && p->ordered)
		return replace_broken(p, err);
	down = bring_down(p, err);
	if (down < 0)
		return down;
	return up ? replace_broken(p, err) : down ? 0 : update(p, err);
}

/* ---- status ---- */

static void put_counts(struct pass *p, struct doc *d, struct node *status)
{
	int64_t n = 0, ready = 0, available = 0, updated = 0, current = 0;
	const char *before = revision_hash(p->current);

	for (size_t i = 0; i < p->pods.n; i++) {
		const struct object *pod = p->pods.v[i];

		if (!pod_active(pod->root))
			continue;
		n++;
		ready += pod_ready(pod->root);
		available += is_healthy(p, pod);
		updated += is_new(p, pod);
		current += str_eq(meta_label(pod->root, REVISION_HASH), before);
	}
	const struct { const char *field; int64_t value; } rows[] = {
		{ "observedGeneration", node_int_at(p->set->root, "metadata.generation", 0) }, { "replicas", n }, { "readyReplicas", ready },
		{ "availableReplicas", available }, { "currentReplicas", current }, { "updatedReplicas", updated },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		node_set(d, status, rows[i].field, node_int(d, rows[i].value));
	/* When every pod is of the new version and serves, it is the current one. */
	const struct object *now =
		updated == p->replicas && ready == p->replicas && n == p->replicas ? p->revisions.update : p->current;

	node_set(d, status, "currentRevision", node_str(d, now->name));
	node_set(d, status, "updateRevision", node_str(d, p->revisions.update->name));
	if (now != p->current)
		node_set(d, status, "currentReplicas", node_int(d, updated));
}

static int reread_pods(struct pass *p, struct err *err)
{
	object_list_free(&p->pods);
	return claim_objects(p->c, controller_informer(p->c, PODS), p->set, &p->pods, err);
}

static int write_status(struct pass *p, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *status = controller_status(d, p->set);

	put_counts(p, d, status);
	if (p->wait_ms)
		controller_queue_after(p->c, p->set->ns, p->set->name, p->wait_ms);
	return controller_put_status(p->c, SETS, p->set, status, NULL, err);
}

static bool is_used(const struct object *revision, void *arg)
{
	const struct pass *p = arg;

	return revision == p->current || revision_has_pods(revision, &p->pods);
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *set = informer_get(controller_informer(c, SETS), ns, name);
	AUTO(pass) p = { .c = c };

	if (!set)
		return 0;
	p.set = object_ref(set);
	TRY(read_set(&p, err));
	if (!meta_deleting(p.set->root))
		TRY(manage(&p, err));
	TRY(reread_pods(&p, err));
	TRY(write_status(&p, err));
	return template_revisions_trim(&p.revisions, node_int_at(p.spec, "revisionHistoryLimit", 10), is_used, &p, err);
}

static void map_nothing(struct controller *c, const struct object *o)
{
	(void)c;
	(void)o;
}

const struct controller_spec statefulset_controller = {
	.name = "statefulset-controller",
	.watches = (const struct controller_watch[]){
		[SETS] = { "apps/v1", "StatefulSet", NULL },
		[PODS] = { "v1", "Pod", claim_map },
		[REVISIONS] = { "apps/v1", "ControllerRevision", claim_map },
		[CLAIMS] = { "v1", "PersistentVolumeClaim", map_nothing },
		{ 0 },
	},
	.reconcile = reconcile,
};
