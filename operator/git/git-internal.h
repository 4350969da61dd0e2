/* operator/git/git-internal.h - what the files of this folder share: libgit2's errors and scope cleanup of its handles. */
#pragma once

#include <git2.h>
#include "base/err.h"
#include "base/str.h"

#define HANDLE(name, type) static inline void name##_clean(type **p) { name##_free(*p); *p = NULL; }
HANDLE(git_blob, git_blob)
HANDLE(git_odb, git_odb)
HANDLE(git_tree, git_tree)
HANDLE(git_object, git_object)
HANDLE(git_commit, git_commit)
HANDLE(git_remote, git_remote)
HANDLE(git_repository, git_repository)
HANDLE(git_reference_iterator, git_reference_iterator)
#undef HANDLE
#define AUTO_BLOB __attribute__((cleanup(git_blob_clean))) git_blob *
#define AUTO_ODB __attribute__((cleanup(git_odb_clean))) git_odb *
#define AUTO_TREE __attribute__((cleanup(git_tree_clean))) git_tree *
#define AUTO_OBJ __attribute__((cleanup(git_object_clean))) git_object *
#define AUTO_COMMIT __attribute__((cleanup(git_commit_clean))) git_commit *
#define AUTO_REMOTE __attribute__((cleanup(git_remote_clean))) git_remote *
#define AUTO_REPOSITORY __attribute__((cleanup(git_repository_clean))) git_repository *
#define AUTO_REFS __attribute__((cleanup(git_reference_iterator_clean))) git_reference_iterator *

/* "what: libgit2's reason". Returns -code. */
int git_fail(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

MUST_CHECK int repo_open(const char *dir, git_repository **out, struct err *err);
bool repo_has(git_repository *repo, const char *sha);          /* a commit, or a tag of one */
bool ref_is_branch(const char *name);
/* As git would take it: "refs/heads/../../etc" can be written into a file or an answer, but is no name. */
bool ref_is_name(const char *name);
MUST_CHECK int repo_find_commit(git_repository *repo, const char *sha, git_commit **out, struct err *err);

void ssh_register(void);                /* the transport that runs the ssh program; once, after git_libgit2_init() */
