#include "render/kustomize/kustomize.h"

#include "base/yaml.h"
#include "render/kustomize/nameref.h"
#include "render/kustomize/order.h"
#include "render/kustomize/origin.h"
#include "render/kustomize/steps.h"
#include "render/kustomize/transform.h"
#include "render/kustomize/var.h"

#define LOCAL_CONFIG "config.kubernetes.io/local-config"
#define MANAGED_BY "app.kubernetes.io/managed-by"
#define ORIGIN "config.kubernetes.io/origin"
#define TRANSFORMATIONS "alpha.config.kubernetes.io/transformations"

/* Annotations that are notes between tools, and never part of the output. */
static const char *const internal_annotations[] = {
	"internal.config.kubernetes.io/previousKinds", "internal.config.kubernetes.io/previousNames",
	"internal.config.kubernetes.io/prefixes", "internal.config.kubernetes.io/suffixes",
	"internal.config.kubernetes.io/previousNamespaces", "internal.config.kubernetes.io/allowNameChange",
	"internal.config.kubernetes.io/allowKindChange", "internal.config.kubernetes.io/refBy",
	"internal.config.kubernetes.io/generatorBehavior", "internal.config.kubernetes.io/needsHashSuffix",
	"internal.config.kubernetes.io/path", "internal.config.kubernetes.io/index", "internal.config.kubernetes.io/seqindent",
	"internal.config.kubernetes.io/id", "internal.config.kubernetes.io/annotations-migration-resource-id",
	"internal.config.kubernetes.io/helm-generated", "config.kubernetes.io/path", "config.kubernetes.io/index",
	"config.k8s.io/id",
};

/* Hashes, names, variables: once, when everything is there. */
static int finish(struct target *t, struct err *err)
{
	struct accumulated *a = t->acc;
	struct transformation x = { t, &a->set, t->k.doc, t->k.file };

	TRY(transform_hash.run(&x, NULL, err));
	set_changed(&a->set);
	steps_note(t->b, &a->set, "hash of the content", t->k.file);
	TRY(namerefs_fix(t->b, &a->set, &a->config, err));
	steps_note(t->b, &a->set, "name reference", t->k.file);
	TRY(vars_resolve(t->b, a, err));
	steps_note(t->b, &a->set, "variable", t->k.file);
	return 0;
}

static void drop_local(struct set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct node *local = node_get(resource_annotations(s->v[i]), LOCAL_CONFIG);

		if (local && !sv_eq_c(node_sv(local), "false"))
			s->v[i]->root = NULL;
	}
	s->deletions = true;
	set_drop_deleted(s);
}

static int add_managed_by(struct target *t)
{
	if (!kustomization_wants(&t->k, "managedByLabel"))
		return 0;
	for (size_t i = 0; i < t->acc->set.n; i++) {
		struct resource *r = t->acc->set.v[i];
		struct node *labels = node_map_at(r->doc, resource_metadata(r), "labels");

		node_set(r->doc, labels, MANAGED_BY, node_str(r->doc, "timonier-" CD_VERSION));
	}
	return 0;
}

static void clean_annotations(struct target *t, struct resource *r)
{
	struct node *all = resource_annotations(r) ? resource_annotate(r) : NULL;

	for (size_t i = 0; all && i < sizeof(internal_annotations) / sizeof(*internal_annotations); i++)
		node_del(all, internal_annotations[i]);
	if (all && !kustomization_wants(&t->k, "originAnnotations"))
		node_del(all, ORIGIN);
	if (all && !kustomization_wants(&t->k, "transformerAnnotations"))
		node_del(all, TRANSFORMATIONS);
	if (all && !all->n)
		node_del(node_get(r->root, "metadata"), "annotations");
}

static void hand_out(struct target *t, struct rendered *out)
{
	struct set *s = &t->acc->set;

	origins_annotate(s, kustomization_wants(&t->k, "originAnnotations"), kustomization_wants(&t->k, "transformerAnnotations"));
	for (size_t i = 0; i < s->n; i++) {
		struct resource *r = s->v[i];

		clean_annotations(t, r);
		yaml_settle(r->doc, r->root);
		doc_set_root(r->doc, r->root);
		vec_push(&out->objects, doc_ref(r->doc));
		if (t->b->explain)
			vec_push(&out->trails, TAKE(r->trail));
	}
}

static int run(struct target *t, struct rendered *out, struct err *err)
{
	struct origin *top = doc_alloc(t->b->arena, sizeof(*top));

	TRY(target_load(t, err));
	if (t->k.build_metadata.n)
		t->origin = top;
	TRY(target_accumulate(t, err));
	TRY(finish(t, err));
	drop_local(&t->acc->set);
	TRY(order_apply(&t->acc->set, t->k.sort, t->b->o->reorder, err));
	TRY(add_managed_by(t));
	hand_out(t, out);
	return 0;
}

static void build_free(struct build *b)
{
	for (size_t i = 0; i < b->files.n; i++)
		doc_drop(&b->files.v[i]);
	vec_free(&b->files);
	openapi_free(&b->openapi);
	doc_drop(&b->arena);
}

int kustomize_render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err)
{
	struct build b = { .vfs = v, .o = o, .arena = doc_new(), .warnings = &out->warnings, .explain = o->explain };
	struct accumulated a = { 0 };
	struct target t = { .b = &b, .acc = &a };
	AUTO(str) real = { 0 };
	int r;

	out->type = RENDER_KUSTOMIZE;
	r = vfs_real(v, path, &real, err);
	if (r >= 0) {
		t.dir = (struct dir){ .b = &b, .path = doc_text(b.arena, str_sv(&real)), .vfs = v };
		r = run(&t, out, err);
	}
	accumulated_free(&a);
	kustomization_free(&t.k);
	build_free(&b);
	return r;
}
