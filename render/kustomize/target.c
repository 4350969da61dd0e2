#include "render/kustomize/target.h"

#include "render/kustomize/generator.h"
#include "render/kustomize/kustomize.h"
#include "render/kustomize/origin.h"
#include "render/kustomize/remote.h"
#include "render/kustomize/steps.h"
#include "render/kustomize/transform.h"
#include "render/kustomize/var.h"

const char *const kustomization_file_names[] = { "kustomization.yaml", "kustomization.yml", "Kustomization", NULL };

void accumulated_free(struct accumulated *a)
{
	set_free(&a->set);
	vec_free(&a->vars);
}

const char *target_where(const struct target *t, const struct node *at)
{
	char where[256];

	node_where(t->k.doc, at, where);
	return doc_text(t->b->arena, sv_c(*where ? where : t->k.file));
}

const struct origin *target_configured(const struct target *t, const char *plugin_kind)
{
	const char *slash = strrchr(t->k.file, '/');

	return t->origin ? origin_configured(t->b->arena, t->origin, slash ? slash + 1 : t->k.file, "builtin", plugin_kind, NULL, NULL) :
			   NULL;
}

/* ---- the file ---- */

static int find_file(const struct target *t, struct str *path, struct err *err)
{
	const struct dir *d = &t->dir;
	size_t found = 0;

	for (size_t i = 0; kustomization_file_names[i]; i++) {
		AUTO(str) candidate = { 0 };

		TRY(vfs_join(&candidate, d->path, kustomization_file_names[i], err));
		if (!vfs_exists(d->vfs, str_c(&candidate), VFS_FILE))
			continue;
		found++;
		str_move(path, &candidate);
	}
	if (found > 1)
		return err_set(err, ERR_INVALID, "Found multiple kustomization files under: %s (keep one of kustomization.yaml, "
			       "kustomization.yml and Kustomization)", build_show(t->b, d, d->path));
	if (found)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
		       "directory '%s'", build_show(t->b, d, d->path));
}

static int load_schema(struct target *t, struct err *err)
{
	const struct openapi_spec *spec = t->k.openapi;
	struct build *b = t->b;
	struct doc *d;

	if (!spec || b->openapi_set)
		return 0;
	if (spec->version && spec->path)
		return err_set(err, ERR_INVALID, "%s: builtin version and custom schema provided, cannot use both",
			       target_where(t, spec->at));
	if (spec->version && *spec->version && strcmp(spec->version, "v1.21.2") != 0 && strcmp(spec->version, "v1.20.4") != 0)
		return err_set(err, ERR_INVALID, "%s: the specified OpenAPI version is not built in: %s", target_where(t, spec->at),
			       spec->version);
	b->openapi_set = spec->version || spec->path;
	if (!spec->path)
		return 0;
	TRY(dir_load_yaml(&t->dir, spec->path, 0, &d, err));
	openapi_free(&b->openapi);
	/* Below the top, the built-in kinds have been looked at already, and stay. */
	return openapi_custom(d, t->dir.parent != NULL, &b->openapi, err);
}

int target_load(struct target *t, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	const char *shown;

	TRY(find_file(t, &path, err));
	shown = build_show(t->b, &t->dir, str_c(&path));
	TRY(vfs_read(t->dir.vfs, str_c(&path), BUILD_FILE_MAX, &text, err));
	TRY(kustomization_read(str_sv(&text), shown, t->b->arena, t->b->warnings, &t->k, err));
	return load_schema(t, err);
}

/* ---- resources ---- */

static int merge_accumulated(struct target *t, struct accumulated *to, struct accumulated *from, struct err *err)
{
	TRY(set_add_all(&to->set, &from->set, err));
	TRY(config_merge(t->b->arena, &to->config, &from->config, err));
	for (size_t i = 0; i < from->vars.n; i++)
		TRY(vars_declare(to, from->vars.v[i].var, from->vars.v[i].doc, err));
	return 0;
}

static int run_directory(struct target *sub, bool component, struct accumulated *into, struct err *err)
{
	struct accumulated own = { 0 };
	int r;

	if (component != str_eq(sub->k.kind, "Component"))
		return err_set(err, ERR_INVALID, component ? "expected kind 'Component' in %s, and it is a Kustomization: name it in resources" :
			       "expected kind != 'Component' for path '%s': name it in components, not in resources",
			       component ? sub->k.file : build_show(sub->b, &sub->dir, sub->dir.path));
	sub->acc = component ? into : &own;
	r = target_accumulate(sub, err);
	if (r >= 0 && !component)
		r = merge_accumulated(sub, into, &own, err);
	accumulated_free(&own);
	return r;
}

static int add_directory(struct target *t, struct accumulated *a, const char *name, bool component, struct err *err)
{
	struct target sub = { .b = t->b };
	int r;

	TRY(dir_enter(&t->dir, name, &sub.dir, err));
	if (t->origin)
		sub.origin = sub.dir.repo ? origin_remote(t->b->arena, sub.dir.repo, sub.dir.ref, sub.dir.path) :
					    origin_below(t->b->arena, t->origin, name);
	sub.chart_ns = t->k.ns && *t->k.ns ? t->k.ns : t->chart_ns;
	r = target_load(&sub, err);
	/* Only what the top asks for counts. */
	sub.k.build_metadata = t->k.build_metadata;
	if (r >= 0)
		r = run_directory(&sub, component, a, err);
	if (sub.k.doc)
		vec_push(&t->b->files, TAKE(sub.k.doc));
	return r;
}

static int add_file(struct target *t, struct accumulated *a, const char *name, struct err *err)
{
	struct set read = { 0 };
	AUTO(str) text = { 0 };
	const char *shown = name;
	int r;

	TRY(dir_load(&t->dir, name, &text, &shown, err));
	r = build_read_objects(t->b, str_sv(&text), shown, &read, err);
	for (size_t i = 0; r >= 0 && i < read.n; i++) {
		if (t->origin)
			read.v[i]->origin = origin_below(t->b->arena, t->origin, name);
		steps_start(t->b, read.v[i]);
	}
	if (r >= 0)
		r = set_add_all(&a->set, &read, err);
	set_free(&read);
	return r;
}

/* A path that leads to a directory, or a git repository, is a base. */
static bool is_directory(const struct target *t, const char *name)
{
	AUTO(str) path = { 0 };

	if (remote_is(name))
		return !remote_is_file(name);
	return vfs_join(&path, name[0] == '/' ? "" : t->dir.path, name, NULL) >= 0 && vfs_exists(t->dir.vfs, str_c(&path), VFS_DIR);
}

/* The line of an entry of a list; resources may also stand in bases. */
static const char *entry_where(const struct target *t, const char *field, const char *name)
{
	const struct node *lists[] = { node_get(t->k.at, field), node_get(t->k.at, "bases") }, *item;

	for (size_t i = 0; i < 2; i++)
		node_each(item, lists[i])
			if (str_eq(node_text(item), name))
				return target_where(t, item);
	return t->k.file;
}

int target_add_resources(struct target *t, struct accumulated *a, const struct strs *paths, const char *field, struct err *err)
{
	for (size_t i = 0; i < paths->n; i++) {
		const char *name = paths->v[i];
		int r = is_directory(t, name) ? add_directory(t, a, name, false, err) : add_file(t, a, name, err);

		TRY(err_wrap(err, r, "%s: accumulating %s from '%s'", entry_where(t, field, name), field, name));
	}
	return 0;
}

static int add_components(struct target *t, struct err *err)
{
	for (size_t i = 0; i < t->k.components.n; i++)
		TRY(err_wrap(err, add_directory(t, t->acc, t->k.components.v[i], true, err), "%s: accumulating components from '%s'",
			     entry_where(t, "components", t->k.components.v[i]), t->k.components.v[i]));
	return 0;
}

/* ---- configuration ---- */

static int read_configs(struct target *t, const struct strs *files, bool crds, struct config *out, struct err *err)
{
	struct build *b = t->b;
	struct config one;
	struct doc *d;

	for (size_t i = 0; i < files->n; i++) {
		TRY(dir_load_yaml(&t->dir, files->v[i], 0, &d, err));
		TRY((crds ? config_read_crds : config_read)(b->arena, d, &one, err));
		TRY(err_wrap(err, config_merge(b->arena, out, &one, err), "merging %s", files->v[i]));
	}
	return 0;
}

static int add_configs(struct target *t, struct err *err)
{
	struct doc *arena = t->b->arena;
	struct config own = config_builtin, files = { 0 }, crds = { 0 };

	TRY(read_configs(t, &t->k.configurations, false, &files, err));
	TRY(config_merge(arena, &own, &files, err));
	TRY(config_merge(arena, &t->acc->config, &own, err));
	TRY(read_configs(t, &t->k.crds, true, &crds, err));
	return config_merge(arena, &t->acc->config, &crds, err);
}

int target_accumulate(struct target *t, struct err *err)
{
	TRY(target_add_resources(t, t->acc, &t->k.resources, "resources", err));
	TRY(add_configs(t, err));
	TRY(generators_run(t, err));
	TRY(add_components(t, err));
	TRY(transformers_run(t, err));
	TRY(validators_run(t, err));
	return vars_merge(t, err);
}
