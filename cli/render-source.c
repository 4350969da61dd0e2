/* Where `cd render` reads from: directories of this machine, and commits. */
#include "cli/render.h"

#include <git2.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "operator/git/repo.h"

void render_place_free(struct render_place *p)
{
	vfs_free(p->vfs);
	free(p->path);
	free(p->from);
	*p = (struct render_place){ 0 };
}

/* The whole machine is the view, so that bases may lie beside the directory; links are followed. */
static int open_dir(struct render_place *p, const char *path, struct err *err)
{
	char *real = realpath(path, NULL), cwd[PATH_MAX];

	if (!real)
		return err_errno(err, "open '%s'", path);
	p->path = sv_dup(sv_drop(sv_c(real), 1));
	free(real);
	p->from = getcwd(cwd, sizeof(cwd)) ? sv_dup(sv_drop(sv_c(cwd), 1)) : NULL;
	p->vfs = vfs_dir("/", err);
	return p->vfs ? 0 : -ERR_IO;
}

static int git_failed(struct err *err, const char *what)
{

	return err_set(err, ERR_NOT_FOUND, "%s: %s", what, git_error_last() ? git_error_last()->message : "unknown");
}

static int resolve(git_repository *repo, const char *rev, char sha[static GIT_OID_HEXSZ + 1], struct err *err)
{
	git_object *object = NULL, *commit = NULL;
	int r = git_revparse_single(&object, repo, rev);

	if (!r)
		r = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	if (!r)
		git_oid_tostr(sha, GIT_OID_HEXSZ + 1, git_object_id(commit));
	git_object_free(commit);
	git_object_free(object);
	return r ? git_failed(err, rev) : 0;
}

/* The directory of the repository that the path is in, as a path below its root. */
static int below_root(git_repository *repo, const char *dir, char **out, struct err *err)
{
	const char *root = git_repository_workdir(repo);
	char *real = realpath(dir, NULL);
	size_t n = root ? strlen(root) : 0;
	int r = 0;

	if (!root)
		*out = sv_dup(sv_c(""));
	else if (real && !strncmp(real, root, n - 1) && (!real[n - 1] || real[n - 1] == '/'))
		*out = sv_dup(sv_drop(sv_c(real), n));
	else
		r = err_set(err, ERR_NOT_FOUND, "'%s' is not in the work tree of a git repository", dir);
	free(real);
	return r;
}

static int open_commit(struct render_place *p, const char *dir, const char *rev, struct err *err)
{
	char sha[GIT_OID_HEXSZ + 1];
	git_repository *repo = NULL;
	int r;

	git_libgit2_init();
	if (git_repository_open_ext(&repo, dir, 0, NULL))
		return git_failed(err, dir);
	r = resolve(repo, rev, sha, err);
	if (r >= 0)
		r = below_root(repo, dir, &p->path, err);
	if (r >= 0 && !(p->vfs = repo_vfs(git_repository_commondir(repo), sha, err)))
		r = -ERR_NOT_FOUND;
	git_repository_free(repo);
	return r;
}

int render_place_open(struct render_place *p, const char *text, struct err *err)
{
	const char *at = strrchr(text, '@');
	char *dir;
	int r;

	*p = (struct render_place){ 0 };
	if (!at || !access(text, F_OK))
		return open_dir(p, text, err);
	dir = at == text ? sv_dup(sv_c(".")) : sv_dup((struct sv){ text, (size_t)(at - text) });
	r = open_commit(p, dir, at + 1, err);
	free(dir);
	return r;
}
