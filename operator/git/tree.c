/* operator/git/tree.c - a commit's tree as a file view, straight from the object database. */
#include "operator/git/repo.h"

#include <git2.h>
#include "base/vec.h"
#include "operator/git/git-internal.h"

#define MAX_LINKS 40                    /* as the kernel */
#define MAX_LINK_TARGET 4096

struct tree_view { struct vfs vfs; git_repository *repo; git_tree *root; };

struct found { git_oid oid; git_filemode_t mode; };

static int absent(const char *path, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "%s: no such file or directory in the commit", *path ? path : ".");
}

static int submodule(const char *path, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "%s is a submodule, and submodules are not read: commit its files here, or name its "
		       "repository as a second source of the application", path);
}

static int link_target(struct tree_view *t, const char *path, const git_oid *oid, struct str *out, struct err *err)
{
	AUTO_BLOB blob = NULL;

	if (git_blob_lookup(&blob, t->repo, oid) < 0)
		return git_fail(err, ERR_IO, "read link %s", path);
	if (git_blob_rawsize(blob) > MAX_LINK_TARGET)
		return err_set(err, ERR_TOO_LARGE, "%s: the link's target is longer than %d bytes", path, MAX_LINK_TARGET);
	str_add(out, (struct sv){ git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob) });
	return 0;
}

/* Drops the last component; false: there is none. */
static bool up(struct str *at)
{
	if (!at->n)
		return false;
	while (at->n && at->p[at->n - 1] != '/')
		at->n--;
	str_cut(at, at->n ? at->n - 1 : 0);
	return true;
}

/* path holds no links and no dots; "" is the root. */
static int look_up(struct tree_view *t, const char *path, struct found *f, struct err *err)
{
	git_tree_entry *entry;

	*f = (struct found){ *git_tree_id(t->root), GIT_FILEMODE_TREE };
	if (!*path)
		return 0;
	if (git_tree_entry_bypath(&entry, t->root, path) < 0)
		return absent(path, err);
	*f = (struct found){ *git_tree_entry_id(entry), git_tree_entry_filemode(entry) };
	git_tree_entry_free(entry);
	return 0;
}

/* One component of a walk: at grows by it, a link puts its target in front of what is left. */
static int step(struct tree_view *t, struct sv name, struct str *at, struct str *left, int *links, struct err *err)
{
	AUTO(str) target = { 0 };
	struct found f;

	if (sv_eq_c(name, ".") || !name.n)
		return 0;
	if (sv_eq_c(name, ".."))
		return up(at) ? 0 : err_set(err, ERR_INVALID, "'..' leads out of the repository");
	if (at->n)
		str_add1(at, '/');
	str_add(at, name);
	TRY(look_up(t, str_c(at), &f, err));
	if (f.mode == GIT_FILEMODE_COMMIT && left->n)
		return submodule(str_c(at), err);
	if (f.mode != GIT_FILEMODE_LINK)
		return f.mode == GIT_FILEMODE_TREE || !left->n ? 0 : absent(str_c(at), err);
	if (++*links > MAX_LINKS)
		return err_set(err, ERR_INVALID, "%s: too many links that lead to links", str_c(at));
	TRY(link_target(t, str_c(at), &f.oid, &target, err));
	if (target.n && target.p[0] == '/')
		return err_set(err, ERR_INVALID, "%s: the link leads out of the repository (to %s)", str_c(at), str_c(&target));
	(void)up(at);
	if (left->n)
		str_addf(&target, "/%s", str_c(left));
	str_move(left, &target);
	return 0;
}

/* The path with every link followed, in at. */
static int walk(struct tree_view *t, const char *path, struct str *at, struct err *err)
{
	AUTO(str) left = { 0 };
	int links = 0;

	str_addc(&left, path);
	while (left.n) {
		AUTO(str) all = { 0 };
		struct sv name, rest = { "", 0 };

		str_move(&all, &left);
		(void)sv_cut(str_sv(&all), '/', &name, &rest);
		str_add(&left, rest);
		TRY(step(t, name, at, &left, &links, err));
	}
	return 0;
}

/* Most paths are plain: one look-up finds them. */
static int locate(struct tree_view *t, const char *path, struct found *f, struct err *err)
{
	AUTO(str) at = { 0 };

	if (!strstr(path, "..") && look_up(t, path, f, NULL) == 0 && f->mode != GIT_FILEMODE_LINK)
		return 0;
	TRY(walk(t, path, &at, err));
	return look_up(t, str_c(&at), f, err);
}

static int tree_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err)
{
	struct tree_view *t = (struct tree_view *)v;
	AUTO_BLOB blob = NULL;
	AUTO_ODB odb = NULL;
	struct found f;
	git_object_t type;
	size_t size;

	TRY(locate(t, path, &f, err));
	if (f.mode == GIT_FILEMODE_COMMIT)
		return submodule(path, err);
	if (f.mode == GIT_FILEMODE_TREE)
		return err_set(err, ERR_INVALID, "%s is a directory", *path ? path : ".");
	if (git_repository_odb(&odb, t->repo) < 0 || git_odb_read_header(&size, &type, odb, &f.oid) < 0)
		return git_fail(err, ERR_IO, "read %s", path);
	if (size > max)
		return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, max);
	if (git_blob_lookup(&blob, t->repo, &f.oid) < 0)
		return git_fail(err, ERR_IO, "read %s", path);
	str_add(out, (struct sv){ git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob) });
	return 0;
}

static enum vfs_type type_of(git_filemode_t mode)
{
	return mode == GIT_FILEMODE_TREE || mode == GIT_FILEMODE_COMMIT ? VFS_DIR :
	       mode == GIT_FILEMODE_LINK ? VFS_LINK : VFS_FILE;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vfs_entry *)a)->name, ((const struct vfs_entry *)b)->name);
}

static int tree_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err)
{
	struct tree_view *t = (struct tree_view *)v;
	AUTO_TREE tree = NULL;
	struct found f;

	TRY(locate(t, path, &f, err));
	if (f.mode == GIT_FILEMODE_COMMIT)
		return submodule(path, err);
	if (f.mode != GIT_FILEMODE_TREE)
		return err_set(err, ERR_INVALID, "%s is a file, not a directory", path);
	if (git_tree_lookup(&tree, t->repo, &f.oid) < 0)
		return git_fail(err, ERR_IO, "read %s", path);
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *e = git_tree_entry_byindex(tree, i);
		struct vfs_entry item = { strdup(git_tree_entry_name(e)), type_of(git_tree_entry_filemode(e)) };
		if (item.type == VFS_LINK) {
			AUTO(str) full = { 0 };
			struct found to;
			str_addf(&full, "%s%s%s", path, *path ? "/" : "", item.name);
			if (locate(t, str_c(&full), &to, NULL) == 0)
				item.type = type_of(to.mode);
		}
		vec_push(out, item);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_name);         /* git sorts directories as if they ended in a slash */
	return 0;
}

static int tree_stat(struct vfs *v, const char *path, enum vfs_type *type, struct str *id, struct err *err)
{
	struct found f;
	char hex[GIT_OID_HEXSZ + 1];

	TRY(locate((struct tree_view *)v, path, &f, err));
	*type = type_of(f.mode);
	if (id)
		str_addc(id, git_oid_tostr(hex, sizeof hex, &f.oid));
	return 0;
}

static int tree_real(struct vfs *v, const char *path, struct str *out, struct err *err)
{
	AUTO(str) at = { 0 };

	TRY(walk((struct tree_view *)v, path, &at, err));
	str_move(out, &at);
	return 0;
}

static void tree_free(struct vfs *v)
{
	struct tree_view *t = (struct tree_view *)v;

	git_tree_free(t->root);
	git_repository_free(t->repo);
	free(t);
}

static const struct vfs_ops tree_ops = { .read = tree_read, .list = tree_list, .stat = tree_stat, .real = tree_real, .free = tree_free };

int repo_open(const char *dir, git_repository **out, struct err *err)
{
	if (git_repository_open_ext(out, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) < 0)
		return git_fail(err, ERR_NOT_FOUND, "'%s' is not a git repository", dir);
	return 0;
}

int repo_find_commit(git_repository *repo, const char *sha, git_commit **out, struct err *err)
{
	AUTO_OBJ obj = NULL;
	git_oid oid;

	if (git_oid_fromstr(&oid, sha) < 0)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not a commit id", sha);
	if (git_object_lookup(&obj, repo, &oid, GIT_OBJECT_ANY) < 0 || git_object_peel((git_object **)out, obj, GIT_OBJECT_COMMIT) < 0)
		return err_set(err, ERR_NOT_FOUND, "commit %s is not in the repository", sha);
	return 0;
}

struct vfs *repo_vfs(const char *dir, const char *sha, struct err *err)
{
	AUTO_REPOSITORY repo = NULL;
	AUTO_COMMIT commit = NULL;
	git_tree *root;

	if (repo_open(dir, &repo, err) < 0 || repo_find_commit(repo, sha, &commit, err) < 0)
		return NULL;
	if (git_commit_tree(&root, commit) < 0) {
		(void)git_fail(err, ERR_IO, "read the tree of %s", sha);
		return NULL;
	}
	struct tree_view *t = calloc(1, sizeof *t);
	*t = (struct tree_view){ .vfs.ops = &tree_ops, .repo = TAKE(repo), .root = root };
	return &t->vfs;
}

int repo_commit_read(const char *dir, const char *sha, struct repo_commit *out, struct err *err)
{
	AUTO_REPOSITORY repo = NULL;
	AUTO_COMMIT commit = NULL;

	TRY(repo_open(dir, &repo, err));
	TRY(repo_find_commit(repo, sha, &commit, err));
	str_set(&out->author, git_commit_author(commit)->name);
	str_set(&out->subject, git_commit_summary(commit));
	out->time_ms = (int64_t)git_commit_time(commit) * 1000;
	return 0;
}

void repo_commit_free(struct repo_commit *c)
{
	str_free(&c->author);
	str_free(&c->subject);
}
