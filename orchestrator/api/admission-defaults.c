/* The plugins Priority and DefaultStorageClass: values that follow from objects of the cluster. */
#include "orchestrator/api/admission-internal.h"

#include <inttypes.h>
#include <string.h>

static struct resource *all(const struct admission *a, const char *api_version, const char *kind)
{
	const struct kind *k = kinds_find(a->rq->api->kinds, api_version, kind);

	return k ? cache_resource(&a->rq->api->cache, k) : NULL;
}

/* ---- priorities ---- */

/* By name; NULL: the default of all. NULL: there is none. */
static const struct object *priority_class(const struct admission *a, const char *name)
{
	struct resource *r = all(a, "scheduling.k8s.io/v1", "PriorityClass");
	const struct object *found = NULL;

	for (size_t i = 0; r && i < r->items.n; i++) {
		struct object *o = item_object(r->items.v[i]);

		if (!o || (name ? strcmp(o->name, name) != 0 : !node_bool_at(o->root, "globalDefault", false)))
			continue;
		if (!found || node_int_at(o->root, "value", 0) < node_int_at(found->root, "value", 0))
			found = o; /* of several defaults the lowest */
	}
	return found;
}

int priority_of_pod(struct admission *a, struct err *err)
{
	struct node *spec = node_get(a->root, "spec");
	const char *name = node_str_or(spec, "priorityClassName", "");
	const struct object *class;

	if (a->before || !a->root || *a->rq->subresource)
		return 0;
	class = priority_class(a, *name ? name : NULL);
	if (*name && !class)
		return admission_forbidden(a, err, "no PriorityClass with name %s was found", name);
	int64_t value = class ? node_int_at(class->root, "value", 0) : 0;
	if (node_get(spec, "priority") && node_int_at(spec, "priority", 0) != value)
		return admission_forbidden(
			a, err,
			"the integer value of priority (%" PRId64
			") must not be provided in pod spec; priority admission controller computed %" PRId64
			" from the given PriorityClass name",
			node_int_at(spec, "priority", 0), value);
	const char *policy =
		class ? node_str_or(class->root, "preemptionPolicy", "PreemptLowerPriority") : "PreemptLowerPriority";
	if (node_get(spec, "preemptionPolicy") && !str_eq(node_str_at(spec, "preemptionPolicy"), policy))
		return admission_forbidden(
			a, err,
			"the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority "
			"admission controller computed %s from the given PriorityClass name",
			node_str_or(spec, "preemptionPolicy", ""), policy);
	if (class && !*name)
		node_set(a->d, spec, "priorityClassName", node_str(a->d, class->name));
	node_set(a->d, spec, "priority", node_int(a->d, value));
	node_set(a->d, spec, "preemptionPolicy", node_str(a->d, policy));
	return 0;
}

int priority_of_class(struct admission *a, struct err *err)
{
	struct resource *r = all(a, "scheduling.k8s.io/v1", "PriorityClass");

	for (size_t i = 0; r && node_bool_at(a->root, "globalDefault", false) && i < r->items.n; i++) {
		struct object *o = item_object(r->items.v[i]);

		if (o && node_bool_at(o->root, "globalDefault", false) && strcmp(o->name, admission_name(a)) != 0)
			return admission_forbidden(
				a, err, "PriorityClass %s is already marked as default. Only one default can exist",
				o->name);
	}
	return 0;
}

/* ---- storage classes ---- */

static bool is_default(const struct object *o)
{
	return str_eq(meta_annotation(o->root, "storageclass.kubernetes.io/is-default-class"), "true") ||
	       str_eq(meta_annotation(o->root, "storageclass.beta.kubernetes.io/is-default-class"), "true");
}

/* Of several defaults the newest. */
int storage_class_of_claim(struct admission *a, struct err *err)
{
	struct resource *r = all(a, "storage.k8s.io/v1", "StorageClass");
	const struct object *newest = NULL;

	(void)err;
	if (a->before || !a->root || node_at(a->root, "spec.storageClassName") ||
	    meta_annotation(a->root, "volume.beta.kubernetes.io/storage-class"))
		return 0;
	for (size_t i = 0; r && i < r->items.n; i++) {
		struct object *o = item_object(r->items.v[i]);

		if (o && is_default(o) &&
		    (!newest || strcmp(node_str_or(o->root, "metadata.creationTimestamp", ""),
				       node_str_or(newest->root, "metadata.creationTimestamp", "")) > 0))
			newest = o;
	}
	if (newest)
		node_put(a->d, a->root, "spec.storageClassName", node_str(a->d, newest->name));
	return 0;
}
