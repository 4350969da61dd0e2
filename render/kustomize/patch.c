/* PatchTransformer, PatchStrategicMergeTransformer, PatchJson6902Transformer. */
#include <stdlib.h>

#include "base/json.h"
#include "base/yaml.h"
#include "kube/patch/patch.h"
#include "render/kustomize/near.h"
#include "render/kustomize/openapi.h"
#include "render/kustomize/transform.h"

#define OBJECT_FLAGS (YAML_UNIQUE_KEYS | YAML_1_2 | YAML_AS_WRITTEN)

/* The lines of a text that stands in a configuration are counted from its start. */
static const char *inline_name(const struct transformation *x)
{
	AUTO(str) name = { 0 };

	str_addf(&name, "%s, patch", x->where);
	return doc_text(x->t->b->arena, str_sv(&name));
}

/* ---- strategic merge ---- */

static const struct type *type_of(const void *openapi, const char *api_version, const char *kind)
{
	return openapi_type(openapi, api_version, kind);
}

/* A block starts on the line after its key. */
static const struct field *field_at(const void *openapi, const struct doc *d, const struct node *list)
{
	const char *file = doc_source_name(d, list->source);
	const struct field *f = openapi_comment(openapi, file, list->line);

	return f || list->line < 2 ? f : openapi_comment(openapi, file, list->line - 1);
}

/* What a merge looks at: all of the object. */
static size_t count_nodes(const struct node *n)
{
	const struct member *m;
	const struct node *item;
	size_t all = 1;

	node_members(m, n)
		all += count_nodes(m->value);
	if (node_is(n, NODE_SEQ))
		node_each(item, n)
			all += count_nodes(item);
	return all;
}

static int merge_into(struct build *b, struct resource *r, const struct resource *patch, struct err *err)
{
	struct id id = *resource_id(r);
	struct node *root, *changes = node_import(r->doc, patch->doc, patch->root);
	const char *kind = doc_text(r->doc, sv_c(id.kind)), *name = doc_text(r->doc, sv_c(id.name));
	const char *ns = doc_text(r->doc, sv_c(id.ns));
	struct patch_schemas schemas = { build_openapi(b), type_of, field_at };

	TRY(build_work(b, 24 + count_nodes(r->root) / 2, err));
	if (patch->allow_name || patch->allow_kind)
		resource_remember(r);
	if (str_eq(node_text(node_get(changes, "$patch")), "replace"))
		return 0;               /* kustomize forgets the new object, and so the old one stays */
	TRY(patch_strategic_kustomize(r->doc, r->root, changes, &schemas, &root, err));
	r->root = root;
	doc_set_root(r->doc, root);
	if (!root || !node_n(root)) {
		r->root = NULL;
		return 0;
	}
	if (!patch->allow_kind)
		resource_set_kind(r, kind);
	if (!patch->allow_name)
		resource_set_name(r, name);
	resource_set_ns(r, ns);
	return 0;
}

static int merge_one(struct build *b, struct resource *r, struct resource *patch, struct err *err)
{
	char *name = id_text(resource_id(r)), where[256];
	int code = merge_into(b, r, patch, err);

	err_wrap(err, code, "%s: patch of %s", node_where(patch->doc, patch->root, where), name);
	free(name);
	return code;
}

static int no_target(struct set *s, struct resource *patch, bool several, struct err *err)
{
	const struct id *id = resource_id(patch);
	struct near near = near_to(sv_c(id->name));
	enum err_code code = several ? ERR_CONFLICT : ERR_NOT_FOUND;
	char *name = id_text(id), where[256];

	for (size_t i = 0; !several && i < s->n; i++) {
		struct id other = s->v[i]->root ? resource_original(s->v[i]) : *id;

		if (!strcmp(other.kind, id->kind))
			near_try(&near, other.name);
	}
	err_set(err, code, "%s: %s matches for Id %s; failed to find unique target for patch %s" NEAR_FMT,
		node_where(patch->doc, patch->root, where), several ? "multiple" : "no", name, name, NEAR_ARG(near));
	free(name);
	return -(int)code;
}

static int find_target(struct set *s, struct resource *patch, struct resource **out, struct err *err)
{
	const struct found *f = set_find_any(s, resource_id(patch));
	size_t n = 0;

	for (size_t i = 0; f && i < f->n; i++) {
		if (!s->v[f->v[i]]->root)
			continue;
		*out = s->v[f->v[i]];
		n++;
	}
	return n == 1 ? 0 : no_target(s, patch, n > 1, err);
}

/* The set finds objects by identity: it must know when one has got another, or is gone. */
static void note_identity(struct set *s, struct resource *r, const struct id *before)
{
	if (!r->root || !node_n(r->root))
		s->deletions = true;
	if (s->deletions || !id_eq(before, resource_id(r)))
		set_changed(s);
}

/* Each patch to the one object that it names. */
static int merge_named(const struct transformation *x, struct set *patches, struct err *err)
{
	for (size_t i = 0; i < patches->n; i++) {
		struct resource *r = NULL;
		struct id before;

		TRY(find_target(x->set, patches->v[i], &r, err));
		before = *resource_id(r);
		TRY(merge_one(x->t->b, r, patches->v[i], err));
		note_identity(x->set, r, &before);
	}
	return 0;
}

/* The positions of the selected objects. */
static int select_all(const struct transformation *x, const struct selection *sel, struct found *out, struct err *err)
{
	bool all;
	const struct found *some = selection_candidates(sel, x->set, &all);
	size_t n = all ? x->set->n : some ? some->n : 0;

	TRY(build_work(x->t->b, all ? 4 * n : n, err));
	for (size_t i = 0; i < n; i++) {
		size_t at = all ? i : some->v[i];
		int hit = x->set->v[at]->root ? selection_has(sel, x->set->v[at], err) : 0;

		TRY(hit);
		if (hit)
			vec_push(out, at);
	}
	return 0;
}

/* One patch to every object that is selected, as if it had their names. */
static int merge_each(const struct transformation *x, struct resource *patch, const struct found *at, struct err *err)
{
	const char *kind = doc_text(patch->doc, sv_c(resource_id(patch)->kind));
	const struct node *api;

	resource_settle_marks(patch);
	for (size_t i = 0; i < at->n; i++) {
		struct resource *r = x->set->v[at->v[i]];
		struct id before = *resource_id(r);

		api = node_get(r->root, "apiVersion");
		if (api)
			node_set(patch->doc, patch->root, "apiVersion", node_copy(patch->doc, api));
		else
			node_del(patch->root, "apiVersion");
		resource_set_kind(patch, kind);
		TRY(merge_one(x->t->b, r, patch, err));
		note_identity(x->set, r, &before);
	}
	return x->set->indexed ? 0 : set_check_unique(x->set, err);
}

static int merge_selected(const struct transformation *x, struct resource *patch, const struct selection *sel, struct err *err)
{
	struct found at = { 0 };
	int r = select_all(x, sel, &at, err);

	if (r >= 0)
		r = merge_each(x, patch, &at, err);
	vec_free(&at);
	return r;
}

/* ---- JSON patches ---- */

static int apply_to(const struct transformation *x, struct resource *r, const struct node *ops, bool remember, struct err *err)
{
	struct id before = *resource_id(r);
	struct node *out;
	char *name;
	int code;

	TRY(build_work(x->t->b, 16 + count_nodes(r->root) / 2, err));   /* it copies the object */
	if (remember)
		resource_remember(r);
	yaml_settle(r->doc, r->root);
	name = id_text(resource_id(r));
	code = err_wrap(err, patch_json(r->doc, r->root, ops, &out, err), "JSON patch of %s", name);
	free(name);
	TRY(code);
	r->root = out;
	doc_set_root(r->doc, out);
	note_identity(x->set, r, &before);
	return 0;
}

static int apply_ops(const struct transformation *x, const struct node *ops, const struct selection *sel, bool remember, struct err *err)
{
	struct found at = { 0 };
	int r = select_all(x, sel, &at, err);

	for (size_t i = 0; r >= 0 && i < at.n; i++)
		r = apply_to(x, x->set->v[at.v[i]], ops, remember, err);
	vec_free(&at);
	return r;
}

static int check_ops(const struct doc *d, const char *source, struct err *err)
{
	const struct node *op;
	char where[256];

	if (!node_is(doc_root(d), NODE_SEQ))
		return err_set(err, ERR_INVALID, "%s: a JSON patch is a list of operations", source);
	node_each(op, doc_root(d))
		if (!node_is(op, NODE_MAP) || !node_text(node_get(op, "op")))
			return err_set(err, ERR_INVALID, "%s: an operation of a JSON patch is a mapping with op, path and value",
				       node_where(d, op, where));
	return 0;
}

/* ---- PatchTransformer: either kind ---- */

struct loaded {
	struct str text;
	const char *shown;              /* for file and line */
	struct set merges;              /* strategic merge patches */
	struct doc *ops;                /* or a JSON patch */
};

static void loaded_free(struct loaded *l)
{
	str_free(&l->text);
	set_free(&l->merges);
	doc_drop(&l->ops);
}

/* The text of a patch that stands in a file, or in the configuration itself. */
static int load_text(const struct transformation *x, const char *path, const char *text, struct loaded *l, struct err *err)
{
	struct sv trimmed = sv_trim(sv_c(text));
	bool has_path = path && *path;

	if (!has_path && !trimmed.n)
		return err_set(err, ERR_INVALID, "must specify one of patch and path in a patch");
	if (has_path && trimmed.n)
		return err_set(err, ERR_INVALID, "patch and path can't be set at the same time");
	if (!has_path) {
		l->shown = inline_name(x);
		str_add(&l->text, trimmed);
		return 0;
	}
	return err_wrap(err, dir_load(&x->t->dir, path, &l->text, &l->shown, err), "failed to get the patch file from path(%s)", path);
}

/* What starts with a bracket is JSON, and nothing more lenient; the rest is YAML 1.1, where `y` is true. */
static int read_ops(struct loaded *l, struct err *err)
{
	__attribute__((cleanup(docs_free))) struct docs docs = { 0 };

	if (l->text.n && l->text.p[0] == '[') {
		TRY(json_read(str_sv(&l->text), l->shown, 0, &l->ops, err));
		return check_ops(l->ops, l->shown, err);
	}
	TRY(yaml_read_all(str_sv(&l->text), l->shown, 0, &docs, err));
	if (!docs.n)
		return 0;
	l->ops = doc_ref(docs.v[0]);
	return check_ops(l->ops, l->shown, err);
}

/* What the first document is tells which kind of patch it is. */
static int read_patch(struct build *b, struct loaded *l, struct err *err)
{
	__attribute__((cleanup(docs_free))) struct docs docs = { 0 };
	int r;

	r = yaml_read_all(str_sv(&l->text), l->shown, OBJECT_FLAGS, &docs, err);
	if (r >= 0 && !docs.n)
		return 0;
	if (r >= 0 && node_is(doc_root(docs.v[0]), NODE_SEQ))
		r = read_ops(l, err);
	else if (r >= 0)
		r = build_read_objects(b, str_sv(&l->text), l->shown, &l->merges, err);
	return err_wrap(err, r, "unable to parse SM or JSON patch from %s", l->shown);
}

static int apply_loaded(const struct transformation *x, const struct patch_spec *p, struct loaded *l, struct err *err)
{
	struct selection *sel = NULL;
	int r;

	if (!l->merges.n && !l->ops)
		return 0;
	for (size_t i = 0; p->options && i < l->merges.n; i++) {
		l->merges.v[i]->allow_name = p->options->allow_name;
		l->merges.v[i]->allow_kind = p->options->allow_kind;
		if (p->options->allow_name || p->options->allow_kind)
			resource_annotate(l->merges.v[i]);      /* which is where kustomize notes it */
	}
	if (!p->target && l->ops)
		return err_set(err, ERR_INVALID, "must specify a target for JSON patch %s", l->shown);
	if (!p->target)
		return merge_named(x, &l->merges, err);
	if (l->merges.n > 1)
		return err_set(err, ERR_INVALID, "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set "
			       "`patches.target` field: %s", l->shown);
	r = selection_new(p->target, &sel, err);
	if (r >= 0)
		r = l->ops ? apply_ops(x, doc_root(l->ops), sel, true, err) : merge_selected(x, l->merges.v[0], sel, err);
	selection_free(&sel);
	return r;
}

static int run_patch(const struct transformation *x, const void *config, struct err *err)
{
	const struct patch_spec *p = config;
	struct loaded l = { 0 };
	int r = load_text(x, p->path, p->patch, &l, err);

	if (r >= 0)
		r = read_patch(x->t->b, &l, err);
	if (r >= 0)
		r = apply_loaded(x, p, &l, err);
	loaded_free(&l);
	return r;
}

static size_t count_patches(const struct target *t) { return t->k.patches.n; }

static int configure_patch(struct target *t, size_t i, void *config, struct err *err)
{
	(void)err;
	*(struct patch_spec *)config = t->k.patches.v[i];
	return 0;
}

const struct transformer transform_patch = { "PatchTransformer", &patch_shape, count_patches, configure_patch, run_patch, true };

/* ---- PatchJson6902Transformer ---- */

struct json_patch { const struct node *at; struct selector_spec *target; const char *path, *ops; };

static const struct shape_field json_fields[] = {
	FIELD_IN(json_patch, target, "target", ONE, selector_shape),
	FIELD_OF(json_patch, path, "path", STR),
	FIELD_OF(json_patch, ops, "jsonOp", STR),
	{ 0 }
};
static const struct shape json_shape = { sizeof(struct json_patch), json_fields };

static int check_json(const struct json_patch *p, struct err *err)
{
	bool path = p->path && *p->path, ops = p->ops && *p->ops;

	if (!p->target || !p->target->name || !*p->target->name)
		return err_set(err, ERR_INVALID, "must specify the target name");
	if (!path && !ops)
		return err_set(err, ERR_INVALID, "empty file path and empty jsonOp");
	if (path && ops)
		return err_set(err, ERR_INVALID, "must specify a file path or jsonOp, not both");
	return 0;
}

static int run_json(const struct transformation *x, const void *config, struct err *err)
{
	const struct json_patch *p = config;
	struct selection *sel = NULL;
	struct loaded l = { 0 };
	int r = check_json(p, err);

	if (r >= 0)
		r = load_text(x, p->path, p->ops, &l, err);
	if (r >= 0)
		r = read_ops(&l, err);
	if (r >= 0 && (!l.ops || !node_n(doc_root(l.ops))))
		r = err_set(err, ERR_INVALID, "patch appears to be empty; file=%s", l.shown);
	if (r >= 0)
		r = selection_new(p->target, &sel, err);
	if (r >= 0)
		r = apply_ops(x, doc_root(l.ops), sel, false, err);
	selection_free(&sel);
	loaded_free(&l);
	return r;
}

static size_t count_json(const struct target *t) { return t->k.patches_json.n; }

static int configure_json(struct target *t, size_t i, void *config, struct err *err)
{
	const struct patch_spec *from = &t->k.patches_json.v[i];

	(void)err;
	*(struct json_patch *)config = (struct json_patch){ from->at, from->target, from->path, from->patch };
	return 0;
}

const struct transformer transform_patch_json = { "PatchJson6902Transformer", &json_shape, count_json, configure_json, run_json, true };

/* ---- PatchStrategicMergeTransformer ---- */

struct merges { const struct node *at; struct strs paths; const char *patches; };

static const struct shape_field merges_fields[] = {
	FIELD_OF(merges, paths, "paths", STRS),
	FIELD_OF(merges, patches, "patches", STR),
	{ 0 }
};
static const struct shape merges_shape = { sizeof(struct merges), merges_fields };

/* An entry is a patch itself if it reads as one, and else names a file. */
static int load_entry(const struct transformation *x, const char *entry, struct set *out, struct err *err)
{
	AUTO(str) text = { 0 };
	const char *shown;
	size_t before = out->n;

	if (build_read_objects(x->t->b, sv_c(entry), inline_name(x), out, NULL) >= 0)
		return 0;
	while (out->n > before)
		resource_drop(&out->v[--out->n]);
	TRY(dir_load(&x->t->dir, entry, &text, &shown, err));
	return build_read_objects(x->t->b, str_sv(&text), shown, out, err);
}

static int merge_all(const struct transformation *x, const struct merges *m, struct set *patches, struct err *err)
{
	if (!m->paths.n && (!m->patches || !*m->patches))
		return err_set(err, ERR_INVALID, "empty file path and empty patch content");
	for (size_t i = 0; i < m->paths.n; i++)
		TRY(load_entry(x, m->paths.v[i], patches, err));
	if (m->patches && *m->patches)
		TRY(build_read_objects(x->t->b, sv_c(m->patches), inline_name(x), patches, err));
	if (!patches->n)
		return err_set(err, ERR_INVALID, "patch appears to be empty");
	for (size_t i = 0; i < patches->n; i++) {
		resource_settle_marks(patches->v[i]);
		TRY(merge_named(x, &(struct set){ .v = &patches->v[i], .n = 1 }, err));
		set_drop_deleted(x->set);
		if (!x->set->indexed)
			TRY(set_check_unique(x->set, err));
	}
	return 0;
}

static int run_merges(const struct transformation *x, const void *config, struct err *err)
{
	struct set patches = { 0 };
	int r = merge_all(x, config, &patches, err);

	set_free(&patches);
	return r;
}

static size_t count_merges(const struct target *t) { return t->k.patches_strategic.n ? 1 : 0; }

static int configure_merges(struct target *t, size_t i, void *config, struct err *err)
{
	(void)i, (void)err;
	*(struct merges *)config = (struct merges){ node_get(t->k.at, "patchesStrategicMerge"), t->k.patches_strategic, NULL };
	return 0;
}

const struct transformer transform_patch_strategic = {
	"PatchStrategicMergeTransformer", &merges_shape, count_merges, configure_merges, run_merges, true,
};
