#include "orchestrator/api/quota-internal.h"

#include "base/log.h"
#include "kube/quantity.h"

#include <inttypes.h>
#include <string.h>

enum { WHOLE = 1000, SETTLE_MS = 50, LOOK_MS = 10000 };        /* amounts are in thousandths */

/* ---- what one object uses of a resource name ---- */

static bool is_core(const struct kind *k, const char *plural) { return !*k->group && !strcmp(k->plural, plural); }

static int64_t of_container(const struct node *container, const char *list, const char *name)
{
	const struct node *v = node_get(node_at(container, list), name);
	int64_t milli = 0;

	return v && quantity_milli(node_sv(v), &milli) ? milli : 0;
}

/* The containers run together, the init containers one after the other before them. */
static int64_t of_pod(const struct node *root, const char *list, const char *name)
{
	const char *phase = node_str_or(root, "status.phase", "");
	int64_t sum = 0, most = 0;
	const struct node *it;

	if (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))
		return 0;
	node_each(it, node_at(root, "spec.containers"))
		sum += of_container(it, list, name);
	node_each(it, node_at(root, "spec.initContainers")) {
		int64_t one = of_container(it, list, name);

		most = one > most ? one : most;
	}
	return sum > most ? sum : most;
}

static bool ended(const struct node *root)
{
	const char *phase = node_str_or(root, "status.phase", "");

	return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

static int64_t node_ports(const struct node *root)
{
	const char *type = node_str_or(root, "spec.type", "");

	if (strcmp(type, "NodePort") && strcmp(type, "LoadBalancer"))
		return 0;
	return (int64_t)node_n(node_at(root, "spec.ports"));
}

/* "count/secrets", "count/deployments.apps" */
static bool is_count_of(const char *name, const struct kind *k)
{
	char resource[192];

	return !strncmp(name, "count/", 6) && !strcmp(name + 6, kind_resource(k, resource));
}

static int64_t charge(const struct kind *k, const struct node *root, const char *name)
{
	static const char *const counted[] = { "services", "secrets", "configmaps", "persistentvolumeclaims",
					       "replicationcontrollers", "resourcequotas" };

	if (is_count_of(name, k))
		return WHOLE;
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
		if (!strcmp(name, counted[i]))
			return is_core(k, counted[i]) ? WHOLE : 0;
	if (is_core(k, "services") && !strcmp(name, "services.nodeports"))
		return node_ports(root) * WHOLE;
	if (is_core(k, "services") && !strcmp(name, "services.loadbalancers"))
		return str_eq(node_str_at(root, "spec.type"), "LoadBalancer") ? WHOLE : 0;
	if (is_core(k, "persistentvolumeclaims") && !strcmp(name, "requests.storage"))
		return of_container(root, "spec.resources.requests", "storage");
	if (!is_core(k, "pods"))
		return 0;
	if (!strcmp(name, "pods"))
		return ended(root) ? 0 : WHOLE;
	if (!strncmp(name, "limits.", 7))
		return of_pod(root, "resources.limits", name + 7);
	return of_pod(root, "resources.requests", !strncmp(name, "requests.", 9) ? name + 9 : name);
}

/* ---- what a namespace uses ---- */

static int64_t used_by(struct resource *r, const char *ns, const char *name)
{
	int64_t sum = 0;

	for (size_t i = resource_seek(r, ns, ""); i < r->items.n && !strcmp(r->items.v[i]->ns, ns); i++) {
		struct object *o = is_count_of(name, r->kind) ? NULL : item_object(r->items.v[i]);

		sum += charge(r->kind, o ? o->root : NULL, name);
	}
	return sum;
}

static int64_t used(struct api *a, const char *ns, const char *name)
{
	static const char *const sources[] = { "Pod", "Service", "PersistentVolumeClaim", "Secret", "ConfigMap",
					       "ReplicationController", "ResourceQuota" };
	int64_t sum = 0;

	if (!strncmp(name, "count/", 6)) {
		struct map_slot *s;

		map_each(s, &a->cache.resources) {
			struct resource *r = s->value;

			if (r->kind && is_count_of(name, r->kind))
				sum += used_by(r, ns, name);
		}
		return sum;
	}
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		const struct kind *k = kinds_find(a->kinds, "v1", sources[i]);

		if (k)
			sum += used_by(cache_resource(&a->cache, k), ns, name);
	}
	return sum;
}

static int64_t being_created(struct api *a, const char *ns, const char *name)
{
	int64_t sum = 0;

	for (const struct creating *c = a->creating; c; c = c->next)
		if (!strcmp(c->rq->ns, ns) &&
		    !resource_find(request_resource(c->rq), ns, node_str_or(c->root, "metadata.name", "")))
			sum += charge(c->rq->kind, c->root, name);
	return sum;
}

/* A whole number, or thousandths: "1500m". */
static void amount(struct str *out, int64_t milli)
{
	if (milli % WHOLE)
		str_addf(out, "%" PRId64 "m", milli);
	else
		str_addf(out, "%" PRId64, milli / WHOLE);
}

/* ---- admission ---- */

static struct resource *quotas(struct api *a)
{
	const struct kind *k = kinds_find(a->kinds, "v1", "ResourceQuota");

	return k ? cache_resource(&a->cache, k) : NULL;
}

static int check_one(const struct request *rq, const struct node *root, const struct object *quota,
		     const struct member *hard, struct err *err)
{
	int64_t want = charge(rq->kind, root, hard->key), limit = 0, have;
	AUTO(str) asked = { 0 }, now = { 0 };
	char resource[192];

	if (!want || !quantity_milli(node_sv(hard->value), &limit))
		return 0;
	have = used(rq->api, rq->ns, hard->key) + being_created(rq->api, rq->ns, hard->key);
	if (have + want <= limit)
		return 0;
	amount(&asked, want);
	amount(&now, have);
	return err_set(err, ERR_FORBIDDEN,
		       "%s \"%s\" is forbidden: exceeded quota: %s, requested: %s=%s, used: %s=%s, limited: %s=" SV_FMT,
		       kind_resource(rq->kind, resource), node_str_or(root, "metadata.name", ""), quota->name,
		       hard->key, str_c(&asked), hard->key, str_c(&now), hard->key, SV_ARG(node_sv(hard->value)));
}

int quota_admit(const struct request *rq, const struct node *root, struct err *err)
{
	struct resource *r = *rq->ns ? quotas(rq->api) : NULL;

	for (size_t i = r ? resource_seek(r, rq->ns, "") : 0; r && i < r->items.n && !strcmp(r->items.v[i]->ns, rq->ns);
	     i++) {
		struct object *quota = item_object(r->items.v[i]);
		struct member *m;

		node_members(m, quota ? node_at(quota->root, "spec.hard") : NULL)
			TRY(check_one(rq, root, quota, m, err));
	}
	return 0;
}

/* ---- status ---- */

static int make_status(void *arg, struct doc *d, const struct node *live, struct node **out, struct err *err)
{
	struct api *a = arg;
	struct node *root = node_copy(d, live), *total = node_map(d);
	const char *ns = node_str_or(live, "metadata.namespace", "");
	const struct node *hard = node_at(live, "spec.hard");
	struct member *m;

	(void)err;
	node_members(m, hard) {
		AUTO(str) text = { 0 };

		amount(&text, used(a, ns, m->key));
		node_setn(d, total, (struct sv){ m->key, m->key_n }, node_strn(d, str_sv(&text)));
	}
	node_put(d, root, "status.hard", hard ? node_copy(d, hard) : node_map(d));
	node_put(d, root, "status.used", total);
	*out = root;
	return 0;
}

static void refresh(struct api *a)
{
	static const struct caller self = { "system:quota", NULL, 0 };
	struct resource *r = quotas(a);

	for (size_t i = 0; r && i < r->items.n && !fiber_canceled(); i++) {
		AUTO_ITEM quota = item_ref(r->items.v[i]);
		struct request rq = { .api = a,
				      .caller = &self,
				      .kind = r->kind,
				      .ns = quota->ns,
				      .name = quota->name,
				      .subresource = "status",
				      .manager = "quota" };

		AUTO(err) err = { 0 };
		int result = write_object(&rq, make_status, a, NULL, &err);

		if (result < 0 && result != -ERR_NOT_FOUND && result != -ERR_CANCELED)
			log_event(LOG_WARN, "quota status not written", "quota", quota->name, "err", err_msg(&err),
				  NULL);
	}
}

void quota_keep(void *arg)
{
	struct api *a = arg;

	for (;;) {
		int r = fiber_wait_ms(&a->quota_changed, LOOK_MS);

		if (r == -ERR_CANCELED || fiber_sleep(SETTLE_MS))
			return;
		refresh(a);
	}
}
