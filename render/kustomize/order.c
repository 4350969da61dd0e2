#include "render/kustomize/order.h"

#include <stdlib.h>

static const char *const default_first[] = {
	"Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy", "Role",
	"ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service", "LimitRange",
	"PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget",
};
static const char *const default_last[] = { "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration" };

struct entry { struct resource *r; long rank; char *kind_key, *name_key; bool core_namespace, namespace; size_t at; };

static long rank(const char *kind, const struct strs *first, const struct strs *last)
{
	long at = 0;

	for (size_t i = 0; i < first->n; i++)
		if (str_eq(first->v[i], kind))
			at = (long)i - (long)first->n;
	for (size_t i = 0; i < last->n; i++)
		if (str_eq(last->v[i], kind))
			at = (long)i + 1;
	return at;
}

static int compare(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int kinds = strcmp(a->kind_key, b->kind_key);

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	/* A Namespace of the core group comes before one of another group. */
	if (kinds && a->namespace && b->namespace && (a->core_namespace || b->core_namespace))
		return -kinds;
	if (kinds)
		return kinds;
	kinds = strcmp(a->name_key, b->name_key);
	return kinds ? kinds : a->at < b->at ? -1 : a->at > b->at;
}

static struct entry entry_of(struct resource *r, size_t at, const struct strs *first, const struct strs *last)
{
	const struct id *id = resource_id(r);
	struct entry e = { .r = r, .at = at };

	e.rank = rank(id->kind, first, last);
	e.namespace = !strcmp(id->kind, "Namespace");
	e.core_namespace = e.namespace && !*id->group;
	e.kind_key = str_fmt("%s_%s_%s", *id->group ? id->group : "~G", *id->version ? id->version : "~V", *id->kind ? id->kind : "~K");
	e.name_key = str_fmt("%s|%s", *id->ns ? id->ns : "~X", *id->name ? id->name : "~N");
	return e;
}

static void sort(struct set *s, const struct strs *first, const struct strs *last)
{
	struct entry *all = calloc(s->n + 1, sizeof(*all));

	if (!all)
		abort();
	for (size_t i = 0; i < s->n; i++)
		all[i] = entry_of(s->v[i], i, first, last);
	qsort(all, s->n, sizeof(*all), compare);
	for (size_t i = 0; i < s->n; i++) {
		s->v[i] = all[i].r;
		free(all[i].kind_key);
		free(all[i].name_key);
	}
	free(all);
	set_changed(s);
}

int order_apply(struct set *s, const struct sort_spec *spec, const char *reorder, struct err *err)
{
	struct strs first = { (const char **)default_first, sizeof(default_first) / sizeof(*default_first) };
	struct strs last = { (const char **)default_last, sizeof(default_last) / sizeof(*default_last) };
	const char *order = spec ? spec->order ? spec->order : "" : str_eq(reorder, "none") ? "fifo" : "legacy";

	if (strcmp(order, "fifo") != 0 && strcmp(order, "legacy") != 0)
		return err_set(err, ERR_INVALID, "the field 'sortOptions.order' must be one of [fifo, legacy], and is '%s'", order);
	if (!strcmp(order, "fifo") && spec && spec->legacy)
		return err_set(err, ERR_INVALID, "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', "
			       "not 'legacy'");
	if (!strcmp(order, "fifo"))
		return 0;
	if (spec && spec->legacy) {
		first = spec->legacy->first;
		last = spec->legacy->last;
	}
	sort(s, &first, &last);
	return set_check_unique(s, err);
}
