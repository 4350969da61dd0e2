#include "render/chart/load.h"

#include "base/semver.h"
#include "render/chart/archive.h"
#include "render/chart/helmignore.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)5 << 20)
#define PACKAGE_MAX ((size_t)32 << 20)
#define DEPTH_MAX 8                     /* of charts in charts */

struct loader { struct vfs *v; const char *dir; struct chart *chart; struct helmignore *ignore; int depth; };

static int load_dir(struct vfs *v, const char *dir, int depth, struct chart **out, struct err *err);
static int load_package(struct vfs *v, const char *path, int depth, struct chart **out, struct err *err);

static void join(struct str *out, const char *dir, const char *name)
{
	str_cut(out, 0);
	str_addf(out, "%s%s%s", dir, *dir ? "/" : "", name);
}

/* ---- files ---- */

static int add_file(struct loader *l, const char *name, struct chart_files *to, struct err *err)
{
	struct chart_file f = { 0 };
	AUTO(str) path = { 0 };

	join(&path, l->dir, name);
	TRY(vfs_read(l->v, str_c(&path), FILE_MAX, &f.text, err));
	f.path = sv_dup(sv_c(name));
	vec_push(to, f);
	return 0;
}

/* Everything below a directory of the chart that is not ignored. */
static int add_tree(struct loader *l, const char *dir, struct chart_files *to, struct err *err)
{
	struct vfs_entries entries = { 0 };
	AUTO(str) path = { 0 };
	int r;

	join(&path, l->dir, dir);
	r = vfs_list(l->v, str_c(&path), &entries, err);
	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		AUTO(str) name = { 0 };

		join(&name, dir, entries.v[i].name);
		if (helmignore_matches(l->ignore, str_c(&name), entries.v[i].type == VFS_DIR))
			continue;
		r = entries.v[i].type == VFS_DIR ? add_tree(l, str_c(&name), to, err) : add_file(l, str_c(&name), to, err);
	}
	vfs_entries_free(&entries);
	return r;
}

/* A YAML file whose root is a mapping; an absent or empty one gives an empty mapping. */
static int read_map(struct loader *l, const char *name, bool required, struct doc **out, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	AUTO(err) absent = { 0 };

	join(&path, l->dir, name);
	int r = vfs_read(l->v, str_c(&path), FILE_MAX, &text, &absent);
	if (r < 0 && (required || r != -ERR_NOT_FOUND))
		return err_move(err, &absent);
	TRY(yaml_read(str_sv(&text), str_c(&path), YAML_FIRST, out, err));
	if (node_is(doc_root(*out), NODE_MAP))
		return 0;
	if (doc_root(*out) && !node_is(doc_root(*out), NODE_NULL))
		return err_set(err, ERR_INVALID, "%s: want a mapping, got %s", str_c(&path), node_type_name(doc_root(*out)));
	doc_set_root(*out, node_map(*out));
	return 0;
}

/* ---- Chart.yaml ---- */

/* Charts of version 1 name their dependencies in a file of their own. */
static int read_requirements(struct loader *l, struct err *err)
{
	struct chart *c = l->chart;
	AUTO_DOC requirements = NULL;

	if (node_get(doc_root(c->meta), "dependencies"))
		return 0;
	TRY(read_map(l, "requirements.yaml", false, &requirements, err));
	const struct node *list = node_get(doc_root(requirements), "dependencies");
	if (list)
		node_set(c->meta, doc_root(c->meta), "dependencies", node_copy(c->meta, list));
	return 0;
}

static int check_meta(const struct loader *l, struct err *err)
{
	const struct node *meta = doc_root(l->chart->meta);
	const char *name = node_get(meta, "name") ? node_sv(node_get(meta, "name")).p : NULL;   /* `name: y` is a boolean */
	struct sv version = node_sv(node_get(meta, "version"));
	struct semver unused;

	if (!name || !*name)
		return err_set(err, ERR_INVALID, "%s/Chart.yaml: name is required", l->dir);
	if (strchr(name, '/') || str_eq(name, ".") || str_eq(name, ".."))
		return err_set(err, ERR_INVALID, "%s/Chart.yaml: name '%s' is not a name of a directory", l->dir, name);
	if (!version.n || !semver_parse(version, &unused))
		return err_set(err, ERR_INVALID, "%s/Chart.yaml: version '" SV_FMT "' is not a semantic version", l->dir, SV_ARG(version));
	return 0;
}

static int read_meta(struct loader *l, struct err *err)
{
	struct chart *c = l->chart;

	TRY(read_map(l, "Chart.yaml", true, &c->meta, err));
	TRY(read_requirements(l, err));
	TRY(check_meta(l, err));
	chart_set_name(c, node_sv(node_get(doc_root(c->meta), "name")).p);
	if (!node_get(doc_root(c->meta), "apiVersion"))
		node_set(c->meta, doc_root(c->meta), "apiVersion", node_str(c->meta, "v1"));
	return read_map(l, "values.yaml", false, &c->values, err);
}

/* ---- charts/ ---- */

static void adopt(struct chart *c, struct chart *dep)
{
	dep->parent = c;
	c->deps = vec_room(c->deps, &c->cap_deps, c->n_deps + 1, sizeof *c->deps);
	c->deps[c->n_deps++] = dep;
}

static int add_dep(struct loader *l, const char *path, enum vfs_type type, struct err *err)
{
	struct chart *dep = NULL;

	TRY(type == VFS_DIR ? load_dir(l->v, path, l->depth + 1, &dep, err) : load_package(l->v, path, l->depth + 1, &dep, err));
	adopt(l->chart, dep);
	return 0;
}

/* Names that begin with a dot or an underscore are passed over, as Helm does; anything else must be a chart. */
static int add_deps(struct loader *l, struct err *err)
{
	struct vfs_entries entries = { 0 };
	AUTO(str) dir = { 0 };
	int r;

	join(&dir, l->dir, "charts");
	r = vfs_list(l->v, str_c(&dir), &entries, err);
	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		AUTO(str) path = { 0 };
		AUTO(str) name = { 0 };

		join(&path, str_c(&dir), entries.v[i].name);
		join(&name, "charts", entries.v[i].name);
		if (strchr("._", *entries.v[i].name) ||
		    helmignore_matches(l->ignore, str_c(&name), entries.v[i].type == VFS_DIR))
			continue;
		r = add_dep(l, str_c(&path), entries.v[i].type, err);
	}
	vfs_entries_free(&entries);
	return r;
}

/* ---- a chart ---- */

/* Not among .Files, as Helm has it; the last two of charts of version 1 are. */
static const char *const own_files[] = { "Chart.yaml", "Chart.lock", "values.yaml", "values.schema.json", NULL };
static const char *const old_files[] = { "requirements.yaml", "requirements.lock", NULL };

static bool is_among(const char *name, const char *const *names)
{
	while (*names && !str_eq(*names, name))
		names++;
	return *names;
}

static int add_entry(struct loader *l, const struct vfs_entry *e, struct err *err)
{
	bool old = str_eq(node_str_at(doc_root(l->chart->meta), "apiVersion"), "v1");

	if (e->type != VFS_DIR && (is_among(e->name, own_files) || (!old && is_among(e->name, old_files))))
		return 0;
	if (helmignore_matches(l->ignore, e->name, e->type == VFS_DIR))
		return 0;
	if (e->type != VFS_DIR)
		return add_file(l, e->name, &l->chart->files, err);
	if (str_eq(e->name, "templates"))
		return add_tree(l, e->name, &l->chart->templates, err);
	if (str_eq(e->name, "charts"))
		return add_deps(l, err);
	if (str_eq(e->name, "crds"))
		TRY(add_tree(l, e->name, &l->chart->crds, err));
	return add_tree(l, e->name, &l->chart->files, err);
}

static int read_optional(struct loader *l, const char *name, struct str *out, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(err) absent = { 0 };

	join(&path, l->dir, name);
	int r = vfs_read(l->v, str_c(&path), FILE_MAX, out, &absent);
	return r < 0 && r != -ERR_NOT_FOUND ? err_move(err, &absent) : 0;
}

static int fill(struct loader *l, struct err *err)
{
	AUTO(str) ignored = { 0 };
	struct vfs_entries entries = { 0 };
	int r;

	if (l->depth > DEPTH_MAX)
		return err_set(err, ERR_INVALID, "%s: more than %d charts in one another", l->dir, DEPTH_MAX);
	TRY(read_meta(l, err));
	TRY(read_optional(l, "values.schema.json", &l->chart->schema, err));
	TRY(read_optional(l, ".helmignore", &ignored, err));
	TRY(helmignore_parse(str_sv(&ignored), ".helmignore", &l->ignore, err));
	r = vfs_list(l->v, l->dir, &entries, err);
	for (size_t i = 0; r >= 0 && i < entries.n; i++)
		r = add_entry(l, &entries.v[i], err);
	vfs_entries_free(&entries);
	return r;
}

static int load_dir(struct vfs *v, const char *dir, int depth, struct chart **out, struct err *err)
{
	struct chart *c = calloc(1, sizeof *c);
	struct loader l = { .v = v, .dir = dir, .chart = c, .depth = depth };

	if (!c)
		abort();
	c->view = v;
	c->dir = sv_dup(sv_c(dir));
	int r = fill(&l, err);
	helmignore_free(&l.ignore);
	if (r < 0)
		chart_free(&c);
	*out = c;
	return r;
}

static int load_bytes(struct sv bytes, const char *path, int depth, struct chart **out, struct err *err)
{
	struct vfs *archive = chart_archive(bytes, path, err);

	if (!archive)
		return err ? -(int)err->code : -ERR_INVALID;
	int r = err_wrap(err, load_dir(archive, "", depth, out, err), "%s", path);
	if (r < 0)
		vfs_free(archive);
	else
		(*out)->archive = archive;
	return r;
}

static int load_package(struct vfs *v, const char *path, int depth, struct chart **out, struct err *err)
{
	AUTO(str) bytes = { 0 };

	TRY(vfs_read(v, path, PACKAGE_MAX, &bytes, err));
	return load_bytes(str_sv(&bytes), path, depth, out, err);
}

static int depth_of(const struct chart *c)
{
	int n = 0;

	for (; c; c = c->parent)
		n++;
	return n;
}

int chart_add_package(struct chart *parent, struct sv package, const char *name, struct err *err)
{
	struct chart *dep = NULL;

	TRY(load_bytes(package, name, depth_of(parent), &dep, err));
	adopt(parent, dep);
	return 0;
}

int chart_add_dir(struct chart *parent, const char *dir, struct err *err)
{
	struct chart *dep = NULL;

	TRY(load_dir(parent->view, dir, depth_of(parent), &dep, err));
	adopt(parent, dep);
	return 0;
}

int chart_load(struct vfs *v, const char *path, struct chart **out, struct err *err)
{
	enum vfs_type type;

	TRY(vfs_stat(v, path, &type, err));
	TRY(type == VFS_DIR ? load_dir(v, str_eq(path, ".") ? "" : path, 0, out, err) : load_package(v, path, 0, out, err));
	chart_set_paths(*out);
	return 0;
}

int chart_load_again(const struct chart *c, struct chart **out, struct err *err)
{
	TRY(load_dir(c->view, c->dir, 0, out, err));
	(*out)->parent = c->parent;
	return 0;
}

void chart_set_name(struct chart *c, const char *name)
{
	char *copy = sv_dup(sv_c(name));

	free(c->name);
	c->name = copy;
}

void chart_set_paths(struct chart *c)
{
	free(c->path);
	c->path = c->parent ? str_fmt("%s/charts/%s", c->parent->path, c->name) : sv_dup(sv_c(c->name));
	for (size_t i = 0; i < c->n_deps; i++) {
		c->deps[i]->parent = c;
		chart_set_paths(c->deps[i]);
	}
}

static void free_files(struct chart_files *files)
{
	struct chart_file *f;

	vec_each(f, files) {
		free(f->path);
		str_free(&f->text);
	}
	vec_free(files);
}

void chart_free(struct chart **cp)
{
	struct chart *c = TAKE(*cp);

	if (!c)
		return;
	for (size_t i = 0; i < c->n_deps; i++)
		chart_free(&c->deps[i]);
	free(c->deps);
	free_files(&c->templates);
	free_files(&c->files);
	free_files(&c->crds);
	doc_drop(&c->meta);
	doc_drop(&c->values);
	str_free(&c->schema);
	free(c->name);
	free(c->path);
	free(c->dir);
	if (c->archive)
		vfs_free(c->archive);
	free(c);
}
