/* operator/app/normalize.c - one form for objects that mean the same. */
#include "operator/app/normalize.h"

#include <inttypes.h>
#include <stdlib.h>
#include "base/encode.h"
#include "base/vec.h"
#include "kube/object.h"
#include "kube/quantity.h"

#define DEPTH 64

/* Optional fields that are not pointers in Kubernetes' types: their zero value is not written. Everywhere else false and 0
 * are not the same as nothing. */
static const char *const zero_is_absent[] = {
	"hostIPC", "hostNetwork", "hostPID", "hostPort", "minReadySeconds", "nodePort", "paused", "publishNotReadyAddresses",
	"readOnly", "stdin", "stdinOnce", "tty", "unschedulable",
};
/* Optional strings that are pointers: empty means something. */
static const char *const empty_counts[] = { "ingressClassName", "loadBalancerClass", "storageClassName", "volumeAttributesClassName" };

static int by_text(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

#define LISTED(list, name) (bsearch((name), (list), sizeof(list) / sizeof *(list), sizeof *(list), by_text) != NULL)

static bool is_zero(const struct node *v)
{
	double n;

	if (v->type == NODE_BOOL)
		return !v->b;
	return (v->type == NODE_INT || v->type == NODE_FLOAT) && node_to_double(v, &n) && n == 0;
}

/* Would the field not be written at all? */
static bool is_absent(const struct field *f, const struct node *v)
{
	if (v->type == NODE_NULL)
		return true;
	if (f->flags & FIELD_REQUIRED)
		return false;
	if (v->type == NODE_STR)
		return !v->n && f->container == FIELD_ONE && f->type == FIELD_STR && !LISTED(empty_counts, f->name);
	if ((v->type == NODE_SEQ || v->type == NODE_MAP) && !v->n)
		return f->container != FIELD_ONE;       /* {} is a value: emptyDir, podSelector */
	return is_zero(v) && LISTED(zero_is_absent, f->name);
}

static void normalize_type(struct doc *d, struct node *map, const struct type *t, int depth);

static struct node *quantity(struct doc *d, struct node *v)
{
	int64_t milli;

	if (!quantity_milli(node_sv(v), &milli) || milli == INT64_MAX)
		return v;
	return milli % 1000 ? node_strf(d, "%" PRId64 "m", milli) : node_strf(d, "%" PRId64, milli / 1000);
}

static struct node *normalize_value(struct doc *d, struct node *v, const struct field *f, int depth)
{
	if (f->type == FIELD_QUANTITY && v->type != NODE_SEQ && v->type != NODE_MAP)
		return quantity(d, v);
	if (f->type == FIELD_OBJECT && f->of)
		normalize_type(d, v, f->of, depth + 1);
	return v;
}

static void normalize_field(struct doc *d, struct node *v, const struct field *f, int depth)
{
	struct member *m;

	if (f->container == FIELD_LIST && v->type == NODE_SEQ)
		for (size_t i = 0; i < v->n; i++)
			v->items[i] = normalize_value(d, v->items[i], f, depth);
	if (f->container == FIELD_MAP)
		node_members(m, v)
			m->value = normalize_value(d, m->value, f, depth);
}

static void normalize_type(struct doc *d, struct node *map, const struct type *t, int depth)
{
	if (!node_is(map, NODE_MAP) || depth > DEPTH)
		return;
	for (size_t i = map->n; i-- > 0;) {
		struct member *m = &map->members[i];
		const struct field *f = type_field(t, (struct sv){ m->key, m->key_n });

		if (!f)
			continue;
		if (f->container == FIELD_ONE)
			m->value = normalize_value(d, m->value, f, depth);
		else
			normalize_field(d, m->value, f, depth);
		if (is_absent(f, m->value))
			(void)node_deln(map, (struct sv){ m->key, m->key_n });
	}
}

/* ---- kinds with rules of their own ---- */

static void secret(struct doc *d, struct node *root)
{
	struct node *plain = node_get(root, "stringData"), *data;
	struct member *m;

	if (node_is(plain, NODE_MAP) && plain->n) {
		data = node_map_at(d, root, "data");
		node_members(m, plain) {
			AUTO(str) text = { 0 };
			if (m->value->type == NODE_STR)
				base64_encode(&text, node_sv(m->value));
			node_setn(d, data, (struct sv){ m->key, m->key_n },
				  m->value->type == NODE_STR ? node_strn(d, str_sv(&text)) : m->value);
		}
	}
	(void)node_del(root, "stringData");
	node_members(m, node_get(root, "data"))
		if (m->value->type == NODE_NULL)
			m->value = node_str(d, "");
}

static void role(struct node *root, bool ignore_aggregated)
{
	if (node_is_empty(node_get(root, "rules")) || (ignore_aggregated && node_get(root, "aggregationRule")))
		(void)node_del(root, "rules");
}

static bool is(const struct node *root, const char *group, const char *kind)
{
	struct sv own, version;

	api_version_split(node_str_at(root, "apiVersion"), &own, &version);
	return sv_eq_c(own, group) && str_eq(node_str_at(root, "kind"), kind);
}

const struct type *normal_pod_spec(const struct kinds *kinds)
{
	static const char *const path[] = { "spec", "template", "spec" };
	const struct kind *k = kinds_find(kinds, "apps/v1", "Deployment");
	const struct type *t = k ? k->type : NULL;

	for (size_t i = 0; t && i < sizeof path / sizeof *path; i++) {
		const struct field *f = type_field(t, sv_c(path[i]));
		t = f ? f->of : NULL;
	}
	return t;
}

void normalize(struct doc *d, struct node *root, const struct normal *n)
{
	(void)node_del(node_get(root, "metadata"), "creationTimestamp");
	(void)node_del(node_get(root, "metadata"), "managedFields");
	if (is(root, "", "Secret"))
		secret(d, root);
	if (is(root, "rbac.authorization.k8s.io", "Role") || is(root, "rbac.authorization.k8s.io", "ClusterRole"))
		role(root, n->ignore_aggregated_roles);
	if (n->kind && n->kind->type)
		normalize_type(d, root, n->kind->type, 0);
	else if (n->pod_spec && is(root, "argoproj.io", "Rollout"))
		normalize_type(d, node_at(root, "spec.template.spec"), n->pod_spec, 0);
}

void keep_fields_of(struct node *live, const struct node *original)
{
	if (node_is(live, NODE_MAP) && node_is(original, NODE_MAP)) {
		for (size_t i = live->n; i-- > 0;) {
			struct member *m = &live->members[i];
			const struct node *o = node_getn(original, (struct sv){ m->key, m->key_n });
			if (o)
				keep_fields_of(m->value, o);
			else
				(void)node_deln(live, (struct sv){ m->key, m->key_n });
		}
	} else if (node_is(live, NODE_SEQ) && node_is(original, NODE_SEQ)) {
		for (size_t i = 0; i < live->n && i < original->n; i++)
			keep_fields_of(live->items[i], original->items[i]);
	}
}
