#include "render/chart/load.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)5 << 20)
#define DEPTH_MAX 8                     /* of charts in charts */

static int add_file(struct vfs *v, const char *path, const char *name, struct chart_files *to, struct err *err)
{
	struct chart_file f = { 0 };

	TRY(vfs_read(v, path, FILE_MAX, &f.text, err));
	f.path = sv_dup(sv_c(name));
	vec_push(to, f);
	return 0;
}

/* Everything below dir, recursively; name is dir as seen from the chart. */
static int add_tree(struct vfs *v, const char *dir, const char *name, struct chart_files *to, struct err *err)
{
	struct vfs_entries entries = { 0 };
	int r = vfs_list(v, dir, &entries, err);

	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		AUTO(str) path = { 0 };
		AUTO(str) as = { 0 };

		str_addf(&path, "%s/%s", dir, entries.v[i].name);
		str_addf(&as, "%s/%s", name, entries.v[i].name);
		if (entries.v[i].type == VFS_DIR)
			r = add_tree(v, str_c(&path), str_c(&as), to, err);
		else
			r = add_file(v, str_c(&path), str_c(&as), to, err);
	}
	vfs_entries_free(&entries);
	return r;
}

/* A YAML file whose root is a mapping; an absent or empty one gives an empty mapping. */
static int read_map(struct vfs *v, const char *path, bool required, struct doc **out, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO(err) absent = { 0 };
	int r = vfs_read(v, path, FILE_MAX, &text, &absent);

	if (r < 0 && (required || r != -ERR_NOT_FOUND))
		return err_move(err, &absent);
	TRY(yaml_read(str_sv(&text), path, 0, out, err));
	if (node_is(doc_root(*out), NODE_MAP))
		return 0;
	if (doc_root(*out) && !node_is(doc_root(*out), NODE_NULL))
		return err_set(err, ERR_INVALID, "%s: want a mapping, got %s", path, node_type_name(doc_root(*out)));
	doc_set_root(*out, node_map(*out));
	return 0;
}

static int load(struct vfs *v, const char *path, const struct chart *parent, int depth, struct chart **out, struct err *err);

static int load_dep(struct vfs *v, const char *path, struct chart *c, int depth, struct err *err)
{
	struct chart *dep = NULL;

	TRY(load(v, path, c, depth + 1, &dep, err));
	c->deps = vec_room(c->deps, &c->cap_deps, c->n_deps + 1, sizeof *c->deps);
	c->deps[c->n_deps++] = dep;
	return 0;
}

static int load_deps(struct vfs *v, const char *dir, struct chart *c, int depth, struct err *err)
{
	struct vfs_entries entries = { 0 };
	int r = vfs_list(v, dir, &entries, err);

	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		AUTO(str) path = { 0 };

		str_addf(&path, "%s/%s", dir, entries.v[i].name);
		if (entries.v[i].type == VFS_DIR)
			r = load_dep(v, str_c(&path), c, depth, err);
	}
	vfs_entries_free(&entries);
	return r;
}

static int load_entry(struct vfs *v, const char *path, const char *name, enum vfs_type type, struct chart *c, int depth,
		      struct err *err)
{
	if (type != VFS_DIR)
		return add_file(v, path, name, &c->files, err);
	if (str_eq(name, "templates"))
		return add_tree(v, path, name, &c->templates, err);
	if (str_eq(name, "crds"))
		return add_tree(v, path, name, &c->crds, err);
	if (str_eq(name, "charts"))
		return load_deps(v, path, c, depth, err);
	return add_tree(v, path, name, &c->files, err);
}

static int fill(struct vfs *v, const char *path, struct chart *c, int depth, struct err *err)
{
	AUTO(str) file = { 0 };
	struct vfs_entries entries = { 0 };
	int r;

	str_addf(&file, "%s%sChart.yaml", path, *path ? "/" : "");
	TRY(read_map(v, str_c(&file), true, &c->meta, err));
	c->name = node_str_at(doc_root(c->meta), "name");
	if (!c->name || !*c->name)
		return err_set(err, ERR_INVALID, "%s: name is required", str_c(&file));
	c->path = c->parent ? str_fmt("%s/charts/%s", c->parent->path, c->name) : sv_dup(sv_c(c->name));
	str_cut(&file, 0);
	str_addf(&file, "%s%svalues.yaml", path, *path ? "/" : "");
	TRY(read_map(v, str_c(&file), false, &c->values, err));
	r = vfs_list(v, path, &entries, err);
	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		AUTO(str) at = { 0 };

		str_addf(&at, "%s%s%s", path, *path ? "/" : "", entries.v[i].name);
		r = load_entry(v, str_c(&at), entries.v[i].name, entries.v[i].type, c, depth, err);
	}
	vfs_entries_free(&entries);
	return r;
}

static int load(struct vfs *v, const char *path, const struct chart *parent, int depth, struct chart **out, struct err *err)
{
	struct chart *c = calloc(1, sizeof *c);
	int r;

	if (!c)
		abort();
	c->parent = parent;
	r = depth > DEPTH_MAX ? err_set(err, ERR_INVALID, "%s: more than %d charts in one another", path, DEPTH_MAX)
			      : fill(v, path, c, depth, err);
	if (r < 0)
		chart_free(&c);
	*out = c;
	return r;
}

int chart_load(struct vfs *v, const char *path, struct chart **out, struct err *err)
{
	return load(v, str_eq(path, ".") ? "" : path, NULL, 0, out, err);
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
	free(c->path);
	free(c);
}
