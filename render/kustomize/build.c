#include "render/kustomize/build.h"

#include "base/yaml.h"
#include "render/kustomize/near.h"
#include "render/kustomize/remote.h"

const char *build_show(struct build *b, const struct dir *d, const char *path)
{
	AUTO(str) shown = { 0 };

	if (d && d->vfs != b->vfs)
		return doc_text(b->arena, sv_c(path));
	vfs_relative(&shown, b->o->from ? b->o->from : "", path);
	return doc_text(b->arena, str_sv(&shown));
}

static struct openapi *own_openapi(struct build *b)
{
	if (!b->openapi)
		b->openapi = openapi_builtin();
	return b->openapi;
}

const struct openapi *build_openapi(struct build *b) { return own_openapi(b); }

int build_work(struct build *b, size_t n, struct err *err)
{
	b->work += n;
	if (b->work > BUILD_WORK_MAX)
		return err_set(err, ERR_TOO_LARGE, "this build looks at objects more than %d times: too many transformations of too many "
			       "objects; select with names that are no patterns, or put several changes into one", BUILD_WORK_MAX);
	return 0;
}

/* ---- directories and files ---- */

static bool is_below(const char *path, const char *root)
{
	size_t n = strlen(root);

	return !n || (!strncmp(path, root, n) && (!path[n] || path[n] == '/'));
}

/* A path that is named in a kustomization, from its directory; an absolute one is taken from the root of the view. */
static int resolve(const struct dir *d, const char *name, struct str *out, struct err *err)
{
	return name[0] == '/' ? vfs_join(out, "", name, err) : vfs_join(out, d->path, name, err);
}

static int count_bytes(struct build *b, size_t n, struct err *err)
{
	b->bytes += n;
	if (b->bytes > BUILD_READ_MAX)
		return err_set(err, ERR_TOO_LARGE, "this build reads more than %u MB; does a base include itself in several ways?",
			       BUILD_READ_MAX >> 20);
	return 0;
}

static int load_remote(const struct dir *d, const char *name, struct str *out, struct err *err)
{
	const struct render_opts *o = d->b->o;

	if (!o->http || !remote_is_file(name))
		return err_set(err, ERR_UNSUPPORTED, "'%s' is remote, and nothing here fetches it", name);
	TRY(o->http(o->remote_arg, name, out, err));
	return count_bytes(d->b, out->n, err);
}

/* Names what the directory of the path has that comes near. */
static int absent(const struct dir *d, const char *path, struct err *err)
{
	AUTO(vfs_entries) all = { 0 };
	AUTO(str) dir = { 0 };
	struct sv head, name;
	struct near near;

	if (sv_cut_last(sv_c(path), '/', &head, &name))
		str_add(&dir, head);
	else
		name = sv_c(path);
	near = near_to(name);
	if (vfs_list(d->vfs, str_c(&dir), &all, NULL) >= 0)
		for (size_t i = 0; i < all.n; i++)
			near_try(&near, all.v[i].name);
	return err_set(err, ERR_NOT_FOUND, "'%s' does not exist" NEAR_FMT, build_show(d->b, d, path), NEAR_ARG(near));
}

int dir_load(const struct dir *d, const char *name, struct str *out, const char **shown, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) real = { 0 };
	int r;

	if (shown)
		*shown = name;
	if (remote_is(name))
		return load_remote(d, name, out, err);
	TRY(resolve(d, name, &path, err));
	if (shown)
		*shown = build_show(d->b, d, str_c(&path));
	r = vfs_real(d->vfs, str_c(&path), &real, err);
	if (r == -ERR_NOT_FOUND)
		return absent(d, str_c(&path), err);
	TRY(r);
	if (!d->b->o->any_path && (!is_below(str_c(&real), d->path) || !strcmp(str_c(&real), d->path)))
		return err_set(err, ERR_FORBIDDEN,
			       "security; file '%s' is not in or below '%s' (--load-restrictor none allows it; a directory can be a "
			       "base instead)",
			       build_show(d->b, d, str_c(&real)), build_show(d->b, d, d->path));
	TRY(vfs_read(d->vfs, str_c(&path), BUILD_FILE_MAX, out, err));
	return count_bytes(d->b, out->n, err);
}

int dir_load_yaml(const struct dir *d, const char *name, unsigned flags, struct doc **out, struct err *err)
{
	AUTO(str) text = { 0 };
	const char *shown;

	TRY(dir_load(d, name, &text, &shown, err));
	TRY(yaml_read(str_sv(&text), shown, flags, out, err));
	vec_push(&d->b->files, *out);
	return 0;
}

/* `base - ../../other` is two list entries that a wrong indentation made one. */
static bool is_ambiguous(const char *name)
{
	struct sv rest = sv_c(name), part;

	while (rest.n) {
		sv_cut(rest, '/', &part, &rest);
		if (part.n > 2 && memmem(part.p, part.n, "..", 2))
			return true;
	}
	return false;
}

static int check_cycle(const struct dir *from, const char *path, struct err *err)
{
	for (const struct dir *d = from; d; d = d->parent)
		if (d->vfs == from->vfs && is_below(d->path, path))
			return err_set(err, ERR_INVALID, "cycle detected: candidate root '%s' contains visited root '%s'",
				       build_show(d->b, d, path), build_show(d->b, d, d->path));
	return 0;
}

static int enter_repository(const struct dir *from, const char *name, const struct remote *r, struct dir *out, struct err *err)
{
	const struct render_opts *o = from->b->o;
	AUTO(str) path = { 0 };

	*out = (struct dir){ .b = from->b, .parent = from };
	TRY(o->git(o->remote_arg, str_c(&r->url), str_c(&r->ref), &out->vfs, err));
	TRY(vfs_join(&path, "", str_c(&r->path), err));
	out->path = doc_text(from->b->arena, str_sv(&path));
	out->repo = doc_text(from->b->arena, str_sv(&r->url));
	out->ref = doc_text(from->b->arena, str_sv(&r->ref));
	for (const struct dir *d = from; d; d = d->parent)
		if (d->vfs == out->vfs && is_below(d->path, out->path))
			return err_set(err, ERR_INVALID, "cycle detected: '%s' is referenced by itself", name);
	return 0;
}

static int enter_remote(const struct dir *from, const char *name, struct dir *out, struct err *err)
{
	AUTO(remote) r = { 0 };

	if (!from->b->o->git)
		return err_set(err, ERR_UNSUPPORTED, "'%s' is remote, and nothing here fetches it", name);
	TRY(remote_parse(name, &r, err));
	return enter_repository(from, name, &r, out, err);
}

int dir_enter(const struct dir *from, const char *name, struct dir *out, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) real = { 0 };
	struct build *b = from->b;
	int r;

	if (++b->dirs > BUILD_DIRS_MAX)
		return err_set(err, ERR_TOO_LARGE, "this build reads more than %d directories; does a base include itself in several ways?",
			       BUILD_DIRS_MAX);
	if (!*name)
		return err_set(err, ERR_INVALID, "new root cannot be empty");
	if (remote_is(name))
		return enter_remote(from, name, out, err);
	if (name[0] == '/')
		return err_set(err, ERR_INVALID, "new root '%s' cannot be absolute", name);
	if (is_ambiguous(name))
		return err_set(err, ERR_INVALID, "path '%s' is ambiguous: check the indentation of the list that it stands in", name);
	TRY(vfs_join(&path, from->path, name, err));
	r = vfs_real(from->vfs, str_c(&path), &real, err);
	if (r == -ERR_NOT_FOUND)
		return absent(from, str_c(&path), err);
	TRY(r);
	if (!vfs_exists(from->vfs, str_c(&real), VFS_DIR))
		return err_set(err, ERR_INVALID, "'%s' must be a directory to be a root", build_show(b, from, str_c(&path)));
	TRY(check_cycle(from, str_c(&real), err));
	*out = (struct dir){ .b = b, .path = doc_text(b->arena, str_sv(&real)), .parent = from, .vfs = from->vfs };
	return 0;
}

/* ---- objects ---- */

static int check_object(const struct doc *d, const struct node *root, struct err *err)
{
	struct sv kind = node_sv(node_get(root, "kind"));
	char where[256];

	if (!node_is(root, NODE_MAP))
		return err_set(err, ERR_INVALID, "%s: an object is a mapping with apiVersion, kind and metadata; this is %s",
			       node_where(d, root, where), node_type_name(root));
	if (!kind.n)
		return err_set(err, ERR_INVALID, "%s: missing kind in object", node_where(d, root, where));
	if (!sv_ends(kind, SV("List")) && !node_sv(node_get(node_get(root, "metadata"), "name")).n)
		return err_set(err, ERR_INVALID, "%s: missing metadata.name in object of kind %.*s", node_where(d, root, where),
			       SV_ARG(kind));
	return 0;
}

/* Documents, and then the items of those that are Lists: each one's items come behind everything that is known so far. */
struct queue { struct queued { struct doc *doc; const struct node *root; } *v; size_t n, cap; };

static int queue_items(struct queue *q, struct doc *d, const struct node *items, struct err *err)
{
	struct node *item;
	char where[256];

	if (!node_is(items, NODE_SEQ) && !node_is(items, NODE_NULL))
		return err_set(err, ERR_INVALID, "%s: items of a List must be a list", node_where(d, items, where));
	node_each(item, items)
		vec_push(q, ((struct queued){ d, item }));
	return 0;
}

static int take_queued(struct queue *q, size_t at, struct set *out, struct err *err)
{
	struct queued one = q->v[at];
	const struct node *items = node_get(one.root, "items");
	struct doc *own;

	if (node_is(one.root, NODE_NULL) || (node_is(one.root, NODE_MAP) && !one.root->n))
		return 0;
	TRY(check_object(one.doc, one.root, err));
	if (items && sv_ends(node_sv(node_get(one.root, "kind")), SV("List")))
		return queue_items(q, one.doc, items, err);
	if (one.root == doc_root(one.doc)) {
		set_push(out, resource_new(doc_ref(one.doc)));
		return 0;
	}
	own = doc_new();
	doc_set_root(own, node_import(own, one.doc, one.root));
	set_push(out, resource_new(own));
	return 0;
}

int build_read_objects(struct build *b, struct sv text, const char *shown, struct set *out, struct err *err)
{
	__attribute__((cleanup(docs_free))) struct docs docs = { 0 };
	struct queue q = { 0 };
	int r = 0;

	TRY(yaml_read_all(text, shown, YAML_UNIQUE_KEYS | YAML_1_2 | YAML_AS_WRITTEN, &docs, err));
	if (memmem(text.p, text.n, "# {", 3) && memmem(text.p, text.n, "x-kubernetes-patch-strategy", 27))
		openapi_read_comments(own_openapi(b), text, shown);
	for (size_t i = 0; i < docs.n; i++)
		vec_push(&q, ((struct queued){ docs.v[i], doc_root(docs.v[i]) }));
	for (size_t i = 0; r >= 0 && i < q.n; i++)
		r = take_queued(&q, i, out, err);
	vec_free(&q);
	return r;
}
