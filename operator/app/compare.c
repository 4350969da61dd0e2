/* operator/app/compare.c - is a live object what its manifest wants? */
#include "operator/app/compare.h"

#include "base/json.h"
#include "kube/object.h"
#include "kube/patch/patch.h"
#include "kube/schema/schema.h"
#include "operator/app/normalize.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* Of manifests: where an object is, and annotations that hold nothing, are no difference. */
static void drop_place(struct node *root)
{
	struct node *meta = node_get(root, "metadata");

	(void)node_del(meta, "namespace");
	if (node_is_empty(node_get(meta, "annotations")))
		(void)node_del(meta, "annotations");
}

/* What was applied the last time, normalised; NULL: unknown. */
static struct node *last_applied(struct doc *d, const struct node *live, const struct normal *n)
{
	const char *text = meta_annotation(live, LAST_APPLIED);
	AUTO_DOC doc = NULL;
	struct node *root;

	if (!text || json_read(sv_c(text), LAST_APPLIED, 0, &doc, NULL) < 0 || !node_is(doc_root(doc), NODE_MAP))
		return NULL;
	root = node_copy(d, doc_root(doc));
	normalize(d, root, n);
	return root;
}

/* Claims' templates are defaulted deeply by the server: only what was asked for counts. */
static void reduce_claims(struct node *live, const struct node *original, const struct kind *kind)
{
	if (str_eq(kind->kind, "StatefulSet") && str_eq(kind->group, "apps"))
		keep_fields_of(node_at(live, "spec.volumeClaimTemplates"), node_at(original, "spec.volumeClaimTemplates"));
}

static int predict_known(struct doc *d, const struct node *original, const struct node *target, struct node *live,
			 const struct normal *n, struct node **out, struct err *err)
{
	TRY(patch_three_way(d, original, target, live, n->kind->type, out, err));
	*out = node_copy(d, *out);
	schema_default(d, *out, n->kind);
	schema_default(d, live, n->kind);
	normalize(d, *out, n);
	normalize(d, live, n);
	return 0;
}

/* Of a live object, a null is nothing; in a manifest it takes the field away. */
static void drop_nulls(struct node *n)
{
	if (node_is(n, NODE_MAP))
		for (size_t i = n->n; i-- > 0;) {
			if (n->members[i].value->type == NODE_NULL)
				(void)node_deln(n, (struct sv){ n->members[i].key, n->members[i].key_n });
			else
				drop_nulls(n->members[i].value);
		}
	for (size_t i = 0; node_is(n, NODE_SEQ) && i < n->n; i++)
		drop_nulls(n->items[i]);
}

static int predict_unknown(struct doc *d, const struct node *original, const struct node *target, const struct node *live,
			   struct node **out, struct err *err)
{
	struct node *reduced = node_copy(d, live), *wanted, *patch;

	keep_fields_of(reduced, original);
	TRY(patch_three_way(d, original, target, reduced, NULL, &wanted, err));
	patch = patch_merge_diff(d, reduced, wanted);
	*out = patch ? patch_merge(d, live, patch) : node_copy(d, live);
	return 0;
}

int compare(struct doc *d, const struct node *target, const struct node *live, const struct kind *kind,
	    const struct compare_opts *o, struct compared *out, struct err *err)
{
	const struct normal n = { kind, normal_pod_spec(o->kinds), o->ignore_aggregated_roles };
	struct node *t = node_copy(d, target), *l = node_copy(d, live), *original, *predicted;

	normalize(d, t, &n);
	normalize(d, l, &n);
	original = last_applied(d, live, &n);
	TRY(ignore_differences(t, l, o->ignore, node_at(live, "metadata.managedFields"), err));
	if (original)
		TRY(ignore_differences(original, NULL, o->ignore, NULL, err));
	else
		original = node_copy(d, t);
	drop_place(original);
	drop_place(t);
	/* of the annotation itself only what it leads to counts */
	(void)node_del(node_at(l, "metadata.annotations"), LAST_APPLIED);
	(void)node_del(node_at(original, "metadata.annotations"), LAST_APPLIED);
	(void)node_del(node_at(t, "metadata.annotations"), LAST_APPLIED);
	if (kind && kind->type) {
		reduce_claims(l, original, kind);
		TRY(predict_known(d, original, t, l, &n, &predicted, err));
	} else {
		drop_nulls(l);
		TRY(predict_unknown(d, original, t, l, &predicted, err));
	}
	*out = (struct compared){ .modified = !node_eq(predicted, l), .live = l, .predicted = predicted };
	return 0;
}
