/* operator/git/repo.h - git repositories as sources: what a revision is now, and its tree as a file view.
 *
 * A remote has one bare cache below DIR/git that grows by what is asked for; repositories on this machine (file://, a
 * path, and those of the built-in server) are read where they are. Functions of struct repos park the calling fiber;
 * repo_vfs() and repo_commit_read() belong on a job's thread. */
#pragma once

#include "base/loop.h"
#include "base/vfs.h"
#include "operator/git/revision.h"

struct repos;

/* The texts of a repository Secret; NULL or "": none. Copied for the time of a call. */
struct repo_access {
	const char *username, *password;        /* https */
	const char *ssh_key;                    /* the private key itself */
	struct sv tls_cert, tls_key;            /* of a client, PEM; chart repositories and registries */
	bool plain_http;                        /* of a registry */
	bool insecure;                          /* neither certificates nor host keys are checked */
};

struct repo_want {
	const char *url;                        /* https, http, git, ssh, user@host:path, file, or an absolute path */
	const char *revision;                   /* see revision.h */
	const char *tag_prefix;                 /* NULL: none */
	const struct repo_access *access;       /* NULL: none */
	int64_t max_age_ms;                     /* how old may the knowledge of a remote's refs be; 0: ask it now */
};

struct repos *repos_new(struct loop *l, const char *dir);
void repos_free(struct repos **r);
/* URLs that begin with prefix (there may be several) are directories of this machine: "https://host/git/" + "web.git" is dir + "/web.git". */
void repos_serve(struct repos *r, const char *prefix, const char *dir);

/* The commit that the revision names, fetched when it is not here. ERR_NOT_FOUND: no such revision (the message says
 * which there are); ERR_UNAUTHORIZED; ERR_UNAVAILABLE: the remote cannot be reached, with git's reason. */
MUST_CHECK int repo_resolve(struct repos *r, const struct repo_want *w, char sha[static REVISION_SIZE], struct err *err);
/* All branches and tags, for generators. */
MUST_CHECK int repo_list(struct repos *r, const struct repo_want *w, struct git_refs *out, struct err *err);
/* The directory that holds the objects of url: for repo_vfs(). */
MUST_CHECK int repo_dir(const struct repos *r, const char *url, struct str *out, struct err *err);

/* A commit's tree, straight from the object database: content ids are git's object ids, symbolic links are followed
 * inside the tree, submodules are errors that say what to do. NULL on error. */
struct vfs *repo_vfs(const char *dir, const char *sha, struct err *err);

struct repo_commit { struct str author, subject; int64_t time_ms; };
MUST_CHECK int repo_commit_read(const char *dir, const char *sha, struct repo_commit *out, struct err *err);
void repo_commit_free(struct repo_commit *c);
