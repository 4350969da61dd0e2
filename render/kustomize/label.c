/* LabelTransformer and AnnotationsTransformer: pairs that are put into every place of a list. */
#include "render/kustomize/transform.h"

struct marks { const struct node *at; struct pairs labels, annotations; MANY(struct fieldspec) fields; };

static const struct shape_field label_fields[] = {
	FIELD_OF(marks, labels, "labels", PAIRS),
	FIELD_IN(marks, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape_field annotation_fields[] = {
	FIELD_OF(marks, annotations, "annotations", PAIRS),
	FIELD_IN(marks, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape label_shape = { sizeof(struct marks), label_fields };
static const struct shape annotation_shape = { sizeof(struct marks), annotation_fields };

/* The places of one object that get a pair share its value, as in kustomize: what changes it in one of them later (a patch,
 * an overlay's label) changes it in all. Selectors follow a Deployment's label by this. */
struct put { const char *key; struct node *value; };

static int set_pair(struct resource *r, struct node *n, void *arg, struct err *err)
{
	const struct put *p = arg;
	struct node *old;

	if (node_is(n, NODE_NULL))
		*n = *node_map(r->doc);
	if (!node_is(n, NODE_MAP))
		return err_set(err, ERR_INVALID, "wrong node kind: expected MappingNode but got %s", node_type_name(n));
	if ((old = node_get(n, p->key)))
		*old = *p->value;
	else
		node_set(r->doc, n, p->key, p->value);
	return 0;
}

static int put_pair(struct resource *r, const struct pair *p, struct fieldspecs at, struct err *err)
{
	struct put put = { p->key, node_str(r->doc, p->value) };

	put.value->flags |= NODE_QUOTED;
	return fieldspecs_walk(r, at, MAKE_MAP, set_pair, &put, err);
}

static int put_pairs(const struct transformation *x, const struct pairs *pairs, struct fieldspecs at, struct err *err)
{
	TRY(build_work(x->t->b, 8 * x->set->n * pairs->n * (at.n / 8 + 1), err));
	for (size_t i = 0; i < x->set->n; i++)
		for (size_t p = 0; p < pairs->n; p++)
			TRY(put_pair(x->set->v[i], &pairs->v[p], at, err));
	return 0;
}

static int run(const struct transformation *x, const void *config, struct err *err)
{
	const struct marks *m = config;
	struct fieldspecs at = { m->fields.v, m->fields.n };

	TRY(put_pairs(x, &m->labels, at, err));
	return put_pairs(x, &m->annotations, at, err);
}

/* ---- labels: one run for each entry, and a last one for commonLabels ---- */

static size_t count_labels(const struct target *t)
{
	return t->k.labels.n || t->k.common_labels.n ? t->k.labels.n + 1 : 0;
}

static int merge_list(struct target *t, struct fieldspecs *all, enum config_list list, struct err *err)
{
	const struct fieldspecs *from = &t->acc->config.lists[list];

	for (size_t i = 0; i < from->n; i++)
		TRY(fieldspecs_merge(t->b->arena, all, &from->v[i], err));
	return 0;
}

static int label_places(struct target *t, const struct label_spec *l, struct fieldspecs *all, struct err *err)
{
	static const struct fieldspec metadata = { .path = "metadata/labels", .create = true };

	*all = (struct fieldspecs){ l->fields.v, l->fields.n };
	TRY(merge_list(t, all, CONFIG_LABELS, err));
	if (l->selectors)
		return merge_list(t, all, CONFIG_COMMON_LABELS, err);
	if (l->templates)
		TRY(merge_list(t, all, CONFIG_TEMPLATE_LABELS, err));
	if (l->claims)
		TRY(merge_list(t, all, CONFIG_CLAIM_LABELS, err));
	return fieldspecs_merge(t->b->arena, all, &metadata, err);
}

static int configure_labels(struct target *t, size_t i, void *config, struct err *err)
{
	const struct label_spec *l = i < t->k.labels.n ? &t->k.labels.v[i] : NULL;
	struct marks *m = config;
	struct fieldspecs all = t->acc->config.lists[CONFIG_COMMON_LABELS];

	m->at = l ? l->at : node_get(t->k.at, "commonLabels");
	m->labels = l ? l->pairs : t->k.common_labels;
	if (l)
		TRY(err_wrap(err, label_places(t, l, &all, err), "failed to merge labels"));
	m->fields.v = (struct fieldspec *)all.v;
	m->fields.n = all.n;
	return 0;
}

static size_t count_annotations(const struct target *t) { return t->k.common_annotations.n ? 1 : 0; }

static int configure_annotations(struct target *t, size_t i, void *config, struct err *err)
{
	struct fieldspecs all = t->acc->config.lists[CONFIG_COMMON_ANNOTATIONS];
	struct marks *m = config;

	(void)i, (void)err;
	m->at = node_get(t->k.at, "commonAnnotations");
	m->annotations = t->k.common_annotations;
	m->fields.v = (struct fieldspec *)all.v;
	m->fields.n = all.n;
	return 0;
}

const struct transformer transform_labels = { "LabelTransformer", &label_shape, count_labels, configure_labels, run, true };
const struct transformer transform_annotations = {
	"AnnotationsTransformer", &annotation_shape, count_annotations, configure_annotations, run, true,
};
