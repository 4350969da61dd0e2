#include "render/plain.h"

#include <fnmatch.h>

#define FILE_MAX (8u << 20)
#define DEPTH_MAX 64
#define OBJECTS_MAX 200000

struct reading { struct vfs *v; const struct render_opts *o; const char *root; struct rendered *out; struct err *err; };

/* "{a,b}/x*": one of the alternatives in braces, then a shell pattern. */
static bool glob_matches(const char *glob, const char *path)
{
	const char *open = strchr(glob, '{'), *close = open ? strchr(open, '}') : NULL;
	struct sv rest, one;
	AUTO(str) plain = { 0 };

	if (!close)
		return !fnmatch(glob, path, 0);
	rest = (struct sv){ open + 1, (size_t)(close - open - 1) };
	do {
		sv_cut(rest, ',', &one, &rest);
		str_cut(&plain, 0);
		str_addf(&plain, "%.*s%.*s%s", (int)(open - glob), glob, SV_ARG(one), close + 1);
		if (glob_matches(str_c(&plain), path))
			return true;
	} while (rest.n);
	return false;
}

static bool is_manifest(const char *name)
{
	return sv_ends(sv_c(name), SV(".yaml")) || sv_ends(sv_c(name), SV(".yml")) || sv_ends(sv_c(name), SV(".json"));
}

/* include and exclude look at the path below the directory that is rendered. */
static bool is_wanted(const struct reading *r, const char *path)
{
	size_t root = strlen(r->root);
	const char *below = path + root + (root && path[root] == '/');

	if (r->o->exclude && *r->o->exclude && glob_matches(r->o->exclude, below))
		return false;
	return !r->o->include || !*r->o->include || glob_matches(r->o->include, below);
}

static int take(struct reading *r, struct doc *d, const struct node *root)
{
	const struct node *items = node_get(root, "items"), *item;
	const char *kind = node_text(node_get(root, "kind"));
	char where[256];

	if (!node_is(root, NODE_MAP))
		return err_set(r->err, ERR_INVALID, "%s: an object is a mapping with apiVersion, kind and metadata; this is %s",
			       node_where(d, root, where), node_type_name(root));
	if (!root->n)
		return 0;
	if (!kind || !node_text(node_get(root, "apiVersion")))
		return err_set(r->err, ERR_INVALID, "%s: an object needs %s", node_where(d, root, where), kind ? "apiVersion" : "kind");
	if (r->out->objects.n >= OBJECTS_MAX)
		return err_set(r->err, ERR_TOO_LARGE, "more than %d objects", OBJECTS_MAX);
	if (!items || !sv_ends(sv_c(kind), SV("List"))) {
		if (root != doc_root(d)) {
			struct doc *own = doc_new();

			doc_set_root(own, node_import(own, d, root));
			vec_push(&r->out->objects, own);
		} else {
			vec_push(&r->out->objects, doc_ref(d));
		}
		return 0;
	}
	node_each(item, items)
		TRY(take(r, d, item));
	return 0;
}

static int read_file(struct reading *r, const char *path)
{
	__attribute__((cleanup(docs_free))) struct docs docs = { 0 };
	AUTO(str) text = { 0 };
	AUTO(str) shown = { 0 };

	TRY(vfs_read(r->v, path, FILE_MAX, &text, r->err));
	vfs_relative(&shown, r->o->from ? r->o->from : "", path);
	TRY(yaml_read_all(str_sv(&text), str_c(&shown), 0, &docs, r->err));
	for (size_t i = 0; i < docs.n; i++)
		TRY(take(r, docs.v[i], doc_root(docs.v[i])));
	return 0;
}

static int read_dir(struct reading *r, const char *path, int depth)
{
	AUTO(vfs_entries) all = { 0 };
	AUTO(str) below = { 0 };

	if (depth > DEPTH_MAX)
		return err_set(r->err, ERR_TOO_LARGE, "'%s' is more than %d directories deep", path, DEPTH_MAX);
	TRY(vfs_list(r->v, path, &all, r->err));
	for (size_t i = 0; i < all.n; i++) {
		TRY(vfs_join(&below, path, all.v[i].name, r->err));
		if (all.v[i].type == VFS_DIR && r->o->recurse)
			TRY(read_dir(r, str_c(&below), depth + 1));
		else if (all.v[i].type == VFS_FILE && is_manifest(all.v[i].name) && is_wanted(r, str_c(&below)))
			TRY(read_file(r, str_c(&below)));
	}
	return 0;
}

int plain_render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err)
{
	AUTO(str) clean = { 0 };
	struct reading r = { v, o, NULL, out, err };
	enum vfs_type type;

	out->type = RENDER_PLAIN;
	TRY(vfs_join(&clean, "", path, err));
	TRY(vfs_stat(v, str_c(&clean), &type, err));
	r.root = str_c(&clean);
	return type == VFS_DIR ? read_dir(&r, str_c(&clean), 0) : read_file(&r, str_c(&clean));
}
