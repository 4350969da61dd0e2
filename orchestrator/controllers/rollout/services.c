#include "orchestrator/controllers/rollout/rollout.h"

#include "base/json.h"
#include "base/vec.h"
#include "kube/traffic.h"

#include <stdlib.h>

/* A Service is pointed at one version by the hash label in its selector. */

struct pointing { const char *rollout, *hash; };

static const struct object *service_of(const struct rollout *r, const char *name)
{
	return name ? informer_get(controller_informer(r->c, ROLLOUT_SERVICES), r->object->ns, name) : NULL;
}

const char *rollout_service_hash(const struct rollout *r, const char *name)
{
	const struct object *s = service_of(r, name);

	return s ? node_text(node_get(node_at(s->root, "spec.selector"), ROLLOUT_HASH)) : NULL;
}

static int point(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct pointing *p = arg;
	struct node *selector = node_map_at(d, root, "spec.selector");

	(void)err;
	if (str_eq(node_text(node_get(selector, ROLLOUT_HASH)), p->hash) &&
	    str_eq(meta_annotation(root, ROLLOUT_MANAGED), p->rollout))
		return 0;
	node_set(d, selector, ROLLOUT_HASH, node_str(d, p->hash));
	meta_set_annotation(d, root, ROLLOUT_MANAGED, p->rollout);
	return 1;
}

static int modify_service(struct rollout *r, const char *name,
			  int (*change)(struct doc *, struct node *, void *, struct err *), void *arg, struct err *err)
{
	struct informer *services = controller_informer(r->c, ROLLOUT_SERVICES);
	AUTO_OBJECT now = NULL;

	TRY(client_modify(controller_client(r->c), informer_kind(services), r->object->ns, name, NULL, change, arg,
			  &now, err));
	return informer_wait_seen(services, now->revision, err);
}

int rollout_point_service(struct rollout *r, const char *name, size_t at, struct err *err)
{
	struct pointing p = { r->object->name, family_hash_of(&r->family, at) };
	const struct object *s = service_of(r, name);

	if (!s || !p.hash ||
	    (str_eq(rollout_service_hash(r, name), p.hash) &&
	     str_eq(meta_annotation(s->root, ROLLOUT_MANAGED), p.rollout)))
		return 0;
	controller_event(r->c, r->object, "Normal", "SwitchService", "Switched selector for service '%s' to '%s'", name,
			 p.hash);
	return modify_service(r, name, point, &p, err);
}

/* ---- weights ---- */

struct splitting { const char *rollout, *text; };

static bool is_split(const struct node *root, const struct splitting *s)
{
	return str_eq(meta_annotation(root, TRAFFIC_SPLIT), s->text) &&
	       str_eq(meta_annotation(root, ROLLOUT_MANAGED), s->rollout);
}

static int set_split(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct splitting *s = arg;

	(void)err;
	if (is_split(root, s))
		return 0;
	meta_set_annotation(d, root, TRAFFIC_SPLIT, s->text);
	meta_set_annotation(d, root, ROLLOUT_MANAGED, s->rollout);
	return 1;
}

static void write_split(struct rollout *r, size_t at, int64_t canary_weight, int64_t max_weight, struct str *out)
{
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d), *weights = node_map(d);
	const char *stable = family_hash_of(&r->family, r->stable), *canary = family_hash_of(&r->family, at);

	node_set(d, root, "label", node_str(d, ROLLOUT_HASH));
	node_set(d, root, "weights", weights);
	if (stable)
		node_set(d, weights, stable, node_int(d, max_weight - canary_weight));
	if (canary && at != r->stable)
		node_set(d, weights, canary, node_int(d, stable ? canary_weight : max_weight));
	json_write(out, root, 0);
}

int rollout_split(struct rollout *r, const char *service, size_t canary, int64_t weight, int64_t max_weight, struct err *err)
{
	const struct object *s = service_of(r, service);
	struct splitting split = { r->object->name, NULL };
	AUTO(str) text = { 0 };

	if (!s)
		return 0;
	write_split(r, canary, weight, max_weight, &text);
	split.text = str_c(&text);
	if (is_split(s->root, &split))
		return 0;
	controller_event(r->c, r->object, "Normal", "TrafficWeightUpdated",
			 "Traffic weight of '%s' updated to %lld of %lld", service, (long long)weight,
			 (long long)max_weight);
	return modify_service(r, service, set_split, &split, err);
}

/* ---- Services that the Rollout names no more, or that outlive it ---- */

bool rollout_names_service(const struct node *spec, const char *service)
{
	static const char *const places[] = { "strategy.canary.stableService", "strategy.canary.canaryService",
		"strategy.canary.trafficRouting.native.service", "strategy.blueGreen.activeService", "strategy.blueGreen.previewService" };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (str_eq(node_str_at(spec, places[i]), service))
			return true;
	return false;
}

struct search { const char *rollout; const struct node *spec; struct object_list found; };

static bool is_left_over(struct object *o, void *arg)
{
	struct search *s = arg;

	if (str_eq(meta_annotation(o->root, ROLLOUT_MANAGED), s->rollout) && !rollout_names_service(s->spec, o->name))
		vec_push(&s->found, object_ref(o));
	return true;
}

static int release(struct doc *d, struct node *root, void *arg, struct err *err)
{
	struct node *annotations = node_at(root, "metadata.annotations");

	(void)d;
	(void)arg;
	(void)err;
	bool changed = node_del(node_at(root, "spec.selector"), ROLLOUT_HASH);
	changed |= node_del(annotations, ROLLOUT_MANAGED);
	changed |= node_del(annotations, TRAFFIC_SPLIT);
	return changed;
}

int rollout_release_services(struct controller *c, const char *ns, const char *name, const struct node *spec,
			     struct err *err)
{
	struct search s = { .rollout = name, .spec = spec };
	int r = 0;

	informer_each(controller_informer(c, ROLLOUT_SERVICES), ns, is_left_over, &s);
	for (size_t i = 0; i < s.found.n && r >= 0; i++) {
		const struct object *o = s.found.v[i];

		r = client_modify(controller_client(c), o->kind, o->ns, o->name, NULL, release, NULL, NULL, err);
		if (r == -ERR_NOT_FOUND)
			r = 0;
	}
	object_list_free(&s.found);
	return r;
}
