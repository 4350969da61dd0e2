/* operator/git/local.c - repositories on this machine, which others write at any time. */
#include "operator/git/remote.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/map.h"
#include "operator/git/git-internal.h"

#define LOOKS 10
#define REF_DEPTH 64                    /* slashes in a name; a path could not hold many more */

bool repo_has(git_repository *repo, const char *sha)
{
	AUTO_COMMIT commit = NULL;

	return repo_find_commit(repo, sha, &commit, NULL) == 0;
}

bool local_has(const char *dir, const char *sha)
{
	AUTO_REPOSITORY repo = NULL;

	return repo_open(dir, &repo, NULL) == 0 && repo_has(repo, sha);
}

bool ref_is_branch(const char *name) { return sv_starts(sv_c(name), SV("refs/heads/")); }

bool ref_is_name(const char *name)
{
	int valid = 0;

	return git_reference_name_is_valid(&valid, name) == 0 && valid;
}

/* ---- names ---- */

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static bool is_directory(DIR *dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Refs that have a file of their own. prefix: "refs/" and deeper. */
static int add_loose(git_repository *repo, const char *prefix, int depth, struct map *names, struct err *err)
{
	__attribute__((cleanup(close_dir))) DIR *dir = NULL;
	AUTO(str) path = { 0 };
	struct dirent *e;

	str_addf(&path, "%s%s", git_repository_commondir(repo), prefix);
	if (depth > REF_DEPTH || !(dir = opendir(str_c(&path))))
		return depth > REF_DEPTH || errno == ENOENT ? 0 : err_errno(err, "open '%s'", str_c(&path));
	while ((e = readdir(dir))) {
		AUTO(str) name = { 0 };

		if (*e->d_name == '.')
			continue;
		str_addf(&name, "%s%s", prefix, e->d_name);
		if (!is_directory(dir, e)) {
			map_put(names, str_sv(&name), names);
			continue;
		}
		str_add1(&name, '/');
		TRY(add_loose(repo, str_c(&name), depth + 1, names, err));
	}
	return 0;
}

/* The files first, then those that are packed: git moves refs from the first to the second place, and who looked the other
 * way round, or once, as libgit2's iterator does, would miss those that move meanwhile. */
static int add_names(git_repository *repo, struct map *names, struct err *err)
{
	AUTO_REFS it = NULL;
	const char *name;
	int r;

	TRY(add_loose(repo, "refs/", 0, names, err));
	if (git_reference_iterator_new(&it, repo) < 0)
		return git_fail(err, ERR_IO, "read its refs");
	while ((r = git_reference_next_name(&name, it)) == 0)
		map_put(names, sv_c(name), names);
	return r == GIT_ITEROVER ? 0 : git_fail(err, ERR_IO, "read its refs");
}

/* ---- what they lead to ---- */

/* Tags of files and trees are no revisions; but a branch that cannot be read is damage, and not a branch that has gone.
 * 1: there is no such ref. */
static int add_ref(git_repository *repo, const char *name, bool whole, struct git_refs *out, struct err *err)
{
	AUTO_OBJ obj = NULL;
	git_reference *ref = NULL;
	char sha[GIT_OID_HEXSZ + 1];
	int r;

	if (!ref_is_name(name))
		return 0;
	r = git_reference_lookup(&ref, repo, name);     /* the file, or else the packed one */
	if (r == GIT_ENOTFOUND)
		return 1;
	if (r >= 0)
		r = git_reference_peel(&obj, ref, GIT_OBJECT_COMMIT);
	git_reference_free(ref);
	if (r >= 0)
		git_refs_add(out, sv_c(name), git_oid_tostr(sha, sizeof sha, git_object_id(obj)));
	return r < 0 && whole && ref_is_branch(name) ? git_fail(err, ERR_IO, "'%s' cannot be read", name) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct revision *)a)->name, ((const struct revision *)b)->name);
}

/* *gone: how many were named, and not there a moment later. */
static int list_refs(git_repository *repo, bool whole, struct git_refs *out, size_t *gone, struct err *err)
{
	AUTO(map) names = { 0 };
	struct map_slot *s;
	size_t first = out->n;

	*gone = 0;
	TRY(add_names(repo, &names, err));
	map_each(s, &names) {
		int r = add_ref(repo, s->key, whole, out, err);

		TRY(r);
		*gone += (size_t)r;
	}
	if (out->n > first)
		qsort(out->v + first, out->n - first, sizeof *out->v, by_name);
	return 0;
}

static void add_head(git_repository *repo, struct git_refs *out)
{
	AUTO_OBJ obj = NULL;
	git_reference *head;
	char sha[GIT_OID_HEXSZ + 1];

	if (git_repository_head(&head, repo) < 0)
		return;
	if (git_reference_peel(&obj, head, GIT_OBJECT_COMMIT) == 0)
		git_refs_add(out, SV("HEAD"), git_oid_tostr(sha, sizeof sha, git_object_id(obj)));
	git_reference_free(head);
}

/* A branch that goes while we look is not named the next time. One that is named again and again and never there is a
 * damaged list (libgit2 searches packed-refs as if it were sorted). */
static int list(git_repository *repo, bool whole, struct git_refs *out, struct err *err)
{
	size_t gone = 1;

	for (int i = 0; gone && i < (whole ? LOOKS : 1); i++) {
		git_refs_free(out);
		add_head(repo, out);
		TRY(list_refs(repo, whole, out, &gone, err));
	}
	return gone && whole ? err_set(err, ERR_IO, "%zu of its refs are named, but not to be found", gone) : 0;
}

int local_list(const char *dir, bool whole, struct git_refs *out, struct err *err)
{
	AUTO_REPOSITORY repo = NULL;

	TRY(repo_open(dir, &repo, err));
	return err_wrap(err, list(repo, whole, out, err), "repository '%s'", dir);
}
