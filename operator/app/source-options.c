/* operator/app/source-options.c - how a source is rendered (operator semantics 3). */
#include "operator/app/source-options.h"

#include <stdlib.h>
#include "base/json.h"
#include "base/yaml.h"
#include "kube/patch/patch.h"
#include "operator/app/overlay.h"

#define OVERRIDE_MAX (1 << 20)
#define VALUES_MAX ((size_t)8 << 20)

static const char *keep(struct source_options *o, struct str *take)
{
	struct vfs_entry e = { str_take(take), VFS_FILE };

	vec_push(&o->texts, e);
	return e.name;
}

static void add_set(struct source_options *o, enum set_kind kind, struct str *take)
{
	struct render_set s = { kind, keep(o, take) };

	vec_push(&o->sets, s);
}

/* ---- override files ---- */

/* The file, when there is one, as a JSON merge patch over the source. What says where the source is stays. */
static int apply_override(struct source_options *o, struct vfs *view, const char *file, struct node **source, struct err *err)
{
	static const char *const fixed[] = { "repoURL", "path", "chart", "targetRevision" };
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	AUTO_DOC doc = NULL;

	TRY(vfs_join(&path, o->path, file, err));
	if (vfs_read(view, str_c(&path), OVERRIDE_MAX, &text, NULL) < 0)
		return 0;
	TRY(yaml_read(str_sv(&text), str_c(&path), 0, &doc, err));
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (node_get(doc_root(doc), fixed[i]))
			return err_set(err, ERR_INVALID, "%s may not change %s", str_c(&path), fixed[i]);
	*source = patch_merge(o->doc, *source, doc_root(doc));
	return 0;
}

static int apply_overrides(struct source_options *o, const struct app_spec *spec, struct vfs *view, struct node **source,
			   struct err *err)
{
	AUTO(str) own = { 0 };

	str_addf(&own, ".argocd-source-%s.yaml", spec->name);
	TRY(apply_override(o, view, ".argocd-source.yaml", source, err));
	return apply_override(o, view, str_c(&own), source, err);
}

/* ---- helm ---- */

/* Commas separate settings in --set: those of a value are its own, except in {lists}. */
static void add_escaped(struct str *out, struct sv value)
{
	bool list = value.n > 1 && value.p[0] == '{' && value.p[value.n - 1] == '}';

	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == ',' && !list && (!i || value.p[i - 1] != '\\'))
			str_add1(out, '\\');
		str_add1(out, value.p[i]);
	}
}

/* The view of the source that is called by `ref: NAME`. NULL: none is. */
static struct vfs *find_ref(const struct source_options *o, struct sv name)
{
	for (size_t i = 0; i < o->spec->sources.n; i++)
		if (*o->spec->sources.v[i].ref && sv_eq_c(name, o->spec->sources.v[i].ref))
			return o->views[i];
	return NULL;
}

/* "$REF/path" of another source, "/path" from the root of this one, "path" from its directory. */
static int find_file(const struct source_options *o, const char *file, struct vfs **view, struct str *path, struct err *err)
{
	struct sv name, rest;
	AUTO(str) below = { 0 };

	*view = o->view;
	if (file[0] != '$')
		return vfs_join(path, file[0] == '/' ? "" : o->path, file + (file[0] == '/'), err);
	(void)sv_cut(sv_c(file + 1), '/', &name, &rest);
	if (!(*view = find_ref(o, name)))
		return err_set(err, ERR_INVALID, "'%s': no source of the application has ref: " SV_FMT, file, SV_ARG(name));
	str_add(&below, rest);
	return vfs_join(path, "", str_c(&below), err);
}

static int read_file(void *arg, const char *file, struct str *out, struct err *err)
{
	const struct source_options *o = arg;
	struct vfs *view;
	AUTO(str) path = { 0 };

	TRY(find_file(o, file, &view, &path, err));
	return vfs_read(view, str_c(&path), OVERRIDE_MAX, out, err);
}

static int add_values_file(struct source_options *o, const char *file, bool missing_ok, struct err *err)
{
	struct vfs *view;
	AUTO(str) path = { 0 };
	struct str text = { 0 };
	int r = find_file(o, file, &view, &path, err);

	TRY(r);
	if (missing_ok && !vfs_exists(view, str_c(&path), VFS_FILE))
		return 0;
	if (view == o->view) {
		add_set(o, SET_VALUES_FILE, &path);
		return 0;
	}
	TRY(err_wrap(err, vfs_read(view, str_c(&path), VALUES_MAX, &text, err), "%s", file));
	add_set(o, SET_VALUES_TEXT, &text);
	str_free(&text);
	return 0;
}

static int helm_values(struct source_options *o, const struct node *helm, struct err *err)
{
	const struct node *it, *object = node_get(helm, "valuesObject");
	bool missing_ok = node_bool_at(helm, "ignoreMissingValueFiles", false);
	struct str text = { 0 };

	node_each(it, node_get(helm, "valueFiles"))
		TRY(add_values_file(o, node_text(it) ? node_text(it) : "", missing_ok, err));
	if (node_is(object, NODE_MAP))
		json_write(&text, object, 0);
	else
		str_addc(&text, node_str_or(helm, "values", ""));
	if (text.n)
		add_set(o, SET_VALUES_TEXT, &text);
	str_free(&text);
	return 0;
}

static int read_helm(struct source_options *o, const struct app_spec *spec, const struct node *helm, struct err *err)
{
	const struct node *it;

	o->render.release = node_str_or(helm, "releaseName", spec->name);
	o->render.ns = node_str_or(helm, "namespace", *spec->dest_ns ? spec->dest_ns : "default");
	o->render.include_crds = !node_bool_at(helm, "skipCrds", false);
	o->render.skip_tests = node_bool_at(helm, "skipTests", false);
	o->render.validate_schema_off = node_bool_at(helm, "skipSchemaValidation", false);
	o->render.in_cluster = true;
	o->render.kube_version = node_str_at(helm, "kubeVersion");
	node_each(it, node_get(helm, "apiVersions"))
		vec_push(&o->api_versions, node_text(it));
	if (o->api_versions.n) {
		vec_push(&o->api_versions, NULL);
		o->render.api_versions = o->api_versions.v;
	}
	TRY(helm_values(o, helm, err));
	node_each(it, node_get(helm, "fileParameters")) {
		struct str text = { 0 };
		str_addf(&text, "%s=%s", node_str_or(it, "name", ""), node_str_or(it, "path", ""));
		add_set(o, SET_FILE, &text);
	}
	node_each(it, node_get(helm, "parameters")) {
		struct str text = { 0 };
		str_addf(&text, "%s=", node_str_or(it, "name", ""));
		add_escaped(&text, node_sv(node_get(it, "value")));
		add_set(o, node_bool_at(it, "forceString", false) ? SET_STRING : SET_VALUE, &text);
	}
	return 0;
}

/* ---- kustomize: edits of the kustomization file, as `kustomize edit` would make them ---- */

/* "old=new:tag", "name:tag", "name@sha256:...", "old=new" as an entry of images. */
static struct node *image_entry(struct doc *d, struct sv text)
{
	struct node *entry = node_map(d);
	struct sv old, image = text, name, version = { "", 0 };
	bool renamed = sv_cut(text, '=', &old, &image), digest = memchr(image.p, '@', image.n) != NULL;

	name = image;
	if (digest) {
		(void)sv_cut(image, '@', &name, &version);
	} else if (sv_cut_last(image, ':', &name, &version) && memchr(version.p, '/', version.n)) {
		name = image;           /* the colon was a registry's port */
		version = (struct sv){ "", 0 };
	}
	node_set(d, entry, "name", node_strn(d, renamed ? old : name));
	if (renamed)
		node_set(d, entry, "newName", node_strn(d, name));
	if (version.n)
		node_set(d, entry, digest ? "digest" : "newTag", node_strn(d, version));
	return entry;
}

/* Replaces the item of the list that has the same name, or appends. */
static void put_named(struct doc *d, struct node *list, struct node *item)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(node_str_at(list->items[i], "name"), node_str_at(item, "name"))) {
			list->items[i] = item;
			return;
		}
	node_add(d, list, item);
}

static int merge_pairs(struct doc *d, struct node *root, const char *field, const struct node *pairs, bool force, struct err *err)
{
	struct member *m;

	node_members(m, pairs) {
		struct node *to = node_map_at(d, root, field);
		if (!force && node_getn(to, (struct sv){ m->key, m->key_n }))
			return err_set(err, ERR_INVALID, "kustomize.%s: '%s' is set in the kustomization already; set force%c%s to replace it",
				       field, m->key, field[0] - 32, field + 1);
		node_setn(d, to, (struct sv){ m->key, m->key_n }, node_copy(d, m->value));
	}
	return 0;
}

static int edit_kustomization(struct doc *d, struct node *root, const struct node *k, struct err *err)
{
	static const char *const plain[] = { "namePrefix", "nameSuffix", "namespace" };
	static const char *const lists[] = { "patches", "components" };
	const struct node *it;

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (*node_str_or(k, plain[i], ""))
			node_set(d, root, plain[i], node_copy(d, node_get(k, plain[i])));
	node_each(it, node_get(k, "images"))
		put_named(d, node_seq_at(d, root, "images"), image_entry(d, node_sv(it)));
	node_each(it, node_get(k, "replicas"))
		put_named(d, node_seq_at(d, root, "replicas"), node_copy(d, it));
	TRY(merge_pairs(d, root, "commonLabels", node_get(k, "commonLabels"), node_bool_at(k, "forceCommonLabels", false), err));
	TRY(merge_pairs(d, root, "commonAnnotations", node_get(k, "commonAnnotations"),
			node_bool_at(k, "forceCommonAnnotations", false), err));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		node_each(it, node_get(k, lists[i]))
			node_add(d, node_seq_at(d, root, lists[i]), node_copy(d, it));
	return 0;
}

static int read_kustomize(struct source_options *o, const struct node *k, struct err *err)
{
	static const char *const names[] = { "kustomization.yaml", "kustomization.yml", "Kustomization" };
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	AUTO_DOC doc = NULL;
	size_t i = 0;

	for (; i < sizeof names / sizeof *names; i++) {
		TRY(vfs_join(&path, o->path, names[i], err));
		if (vfs_exists(o->view, str_c(&path), VFS_FILE))
			break;
	}
	if (node_is_empty(k) || i == sizeof names / sizeof *names)
		return 0;
	TRY(vfs_read(o->view, str_c(&path), OVERRIDE_MAX, &text, err));
	TRY(yaml_read(str_sv(&text), str_c(&path), YAML_1_2, &doc, err));
	if (!node_is(doc_root(doc), NODE_MAP))
		doc_set_root(doc, node_map(doc));
	TRY(edit_kustomization(doc, doc_root(doc), k, err));
	str_cut(&text, 0);
	yaml_write(&text, doc_root(doc), 0);
	o->overlay = vfs_overlay(o->view, str_c(&path), str_sv(&text));
	o->view = o->overlay;
	return 0;
}

int source_options_read(struct source_options *o, const struct app_spec *spec, size_t i, struct vfs *const *views, struct err *err)
{
	struct vfs *view = views[i];
	const struct app_source *s = &spec->sources.v[i];
	struct node *source, *helm, *kustomize, *directory;

	*o = (struct source_options){ .view = view, .path = s->path, .spec = spec, .views = views, .doc = doc_new() };
	o->render.set_files = (struct render_files){ read_file, o };
	if (*s->path && !vfs_exists(view, s->path, VFS_DIR))
		return err_set(err, ERR_NOT_FOUND, "spec.source.path '%s' is not a directory of the repository", s->path);
	source = node_copy(o->doc, s->node);
	TRY(apply_overrides(o, spec, view, &source, err));
	helm = node_get(source, "helm");
	kustomize = node_get(source, "kustomize");
	directory = node_get(source, "directory");
	o->render.type = !node_is_empty(helm) ? RENDER_CHART : !node_is_empty(kustomize) ? RENDER_KUSTOMIZE :
			 !node_is_empty(directory) ? RENDER_PLAIN : RENDER_AUTO;
	o->render.enable_helm = true;           /* no program is started for it */
	o->render.recurse = node_bool_at(directory, "recurse", false);
	o->render.include = node_str_at(directory, "include");
	o->render.exclude = node_str_at(directory, "exclude");
	TRY(read_helm(o, spec, helm, err));
	o->render.sets = o->sets.v;
	o->render.n_sets = o->sets.n;
	return read_kustomize(o, kustomize, err);
}

void source_options_free(struct source_options *o)
{
	if (o->overlay)
		vfs_free(o->overlay);
	vec_free(&o->sets);
	vec_free(&o->api_versions);
	vfs_entries_free(&o->texts);
	doc_drop(&o->doc);
}
