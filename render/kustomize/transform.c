#include "render/kustomize/transform.h"

#include "base/yaml.h"
#include "render/kustomize/plugin.h"
#include "render/kustomize/steps.h"

/* In the order in which a kustomization's own fields are applied; the last ones have no field. */
static const struct transformer *const transformers[] = {
	&transform_patch_strategic,
	&transform_patch,
	&transform_namespace,
	&transform_prefix,
	&transform_suffix,
	&transform_labels,
	&transform_annotations,
	&transform_patch_json,
	&transform_replicas,
	&transform_images,
	&transform_replacements,
	&transform_prefix_suffix,
	&transform_value_add,
	&transform_hash,
};
#define N_TRANSFORMERS (sizeof(transformers) / sizeof(*transformers))

const struct transformer *transformer_find(const char *kind)
{
	for (size_t i = 0; i < N_TRANSFORMERS; i++)
		if (str_eq(transformers[i]->kind, kind))
			return transformers[i];
	return NULL;
}

static void note_origin(struct set *s, const struct origin *o)
{
	for (size_t i = 0; o && i < s->n; i++) {
		if (s->v[i]->origin)
			vec_push(&s->v[i]->changes, o);
		else
			s->v[i]->origin = o;
	}
}

static int run(const struct transformation *x, const struct transformer *f, const void *config, const struct origin *o, struct err *err)
{
	int r = f->tells_renames ? 0 : build_work(x->t->b, x->set->n, err);

	if (r >= 0)
		r = f->run(x, config, err);
	if (r < 0)
		return err_wrap(err, r, "%s", x->where);
	if (!f->tells_renames)
		set_changed(x->set);
	note_origin(x->set, o);
	steps_note(x->t->b, x->set, f->kind, x->where);
	set_drop_deleted(x->set);
	return 0;
}

static int run_own(struct target *t, const struct transformer *f, struct err *err)
{
	size_t n = f->count ? f->count(t) : 0;
	struct transformation x = { t, &t->acc->set, t->k.doc, t->k.file };
	const struct origin *o = target_configured(t, f->kind);

	for (size_t i = 0; i < n; i++) {
		void *config = doc_alloc(t->b->arena, f->shape->size);
		int r = f->configure(t, i, config, err);
		const struct node *at = *(const struct node **)config;

		x.where = at ? target_where(t, at) : t->k.file;
		TRY(err_wrap(err, r, "%s", x.where));
		TRY(run(&x, f, config, o, err));
	}
	return 0;
}

static int run_plugins(struct target *t, const struct strs *names, const char *field, struct set *on, struct err *err)
{
	struct accumulated configs = { 0 };
	int r = plugins_load(t, names, field, &configs, err);

	for (size_t i = 0; r >= 0 && i < configs.set.n; i++) {
		struct plugin p;

		r = plugin_read(t, configs.set.v[i], &p, err);
		if (r >= 0 && !p.transformer)
			r = err_set(err, ERR_INVALID, "%s: plugin %s is not a transformer", p.where, p.kind);
		if (r >= 0)
			r = run(&(struct transformation){ t, on, p.doc, p.where }, p.transformer, p.config, p.origin, err);
	}
	accumulated_free(&configs);
	return r;
}

int transformers_run(struct target *t, struct err *err)
{
	for (size_t i = 0; i < N_TRANSFORMERS; i++)
		TRY(run_own(t, transformers[i], err));
	return run_plugins(t, &t->k.transformers, "transformers", &t->acc->set, err);
}

/* ---- validators: transformers that must leave everything as it is, but for one label ---- */

static bool same(struct resource *a, struct resource *b)
{
	node_del(node_get(node_get(b->root, "metadata"), "labels"), "validated-by");
	return node_eq(a->root, b->root);
}

int validators_run(struct target *t, struct err *err)
{
	struct set *set = &t->acc->set, before = { 0 };
	int r = 0;

	if (!t->k.validators.n)
		return 0;
	for (size_t i = 0; i < set->n; i++)
		set_push(&before, resource_copy(set->v[i]));
	r = run_plugins(t, &t->k.validators, "validators", set, err);
	if (r >= 0 && set->n != before.n)
		r = err_set(err, ERR_INVALID, "%s: a validator must not add or remove objects", t->k.file);
	for (size_t i = 0; r >= 0 && i < set->n; i++)
		if (!same(before.v[i], set->v[i]))
			r = err_set(err, ERR_INVALID, "%s: a validator must not change objects, and %s '%s' is another one now",
				    t->k.file, resource_id(set->v[i])->kind, resource_id(set->v[i])->name);
	set_free(&before);
	return r;
}

/* ---- scalars ---- */

int scalar_check(const struct node *n, struct err *err)
{
	if (n->type < NODE_SEQ)
		return 0;
	return err_set(err, ERR_INVALID, "wrong node kind: expected ScalarNode but got %s",
		       n->type == NODE_SEQ ? "SequenceNode" : "MappingNode");
}

/* The quotes stay; the file and the line of the old text do not. */
static void overwrite(struct node *n, const struct node *with)
{
	uint8_t quotes = with->type == NODE_STR ? n->flags & (NODE_DOUBLE | NODE_SINGLE) : 0;

	*n = *with;
	n->flags |= quotes;
}

void scalar_set(struct resource *r, struct node *n, struct sv text)
{
	if (n->type == NODE_STR && (n->flags & NODE_QUOTED)) {
		overwrite(n, node_strn(r->doc, text));
		n->flags |= NODE_QUOTED;
	} else {
		overwrite(n, yaml_plain(r->doc, text));
	}
}

void scalar_set_text(struct resource *r, struct node *n, const char *text)
{
	overwrite(n, node_str(r->doc, text));
	n->flags |= NODE_QUOTED;
}
