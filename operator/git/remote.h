/* operator/git/remote.h - one remote and its cache. These functions block: they run on a job's thread. */
#pragma once

#include "operator/git/repo.h"

struct remote_fetch {
	const char *url;
	const char *cache;                      /* a bare repository, made when absent */
	const struct repo_access *access;
	const char *revision, *tag_prefix;      /* revision NULL: only list */
	struct git_refs *refs;                 /* what is known of the remote's refs; renewed when it is asked */
	bool refs_fresh;                        /* refs may be used as they are */
	bool asked;                             /* out: refs were renewed */
	char sha[REVISION_SIZE];                /* out: the commit, which now is in the cache */
};

MUST_CHECK int remote_fetch(struct remote_fetch *f, struct err *err);
/* local.c: all refs of a repository on this machine. whole: a branch that cannot be read is an error, and not left out. */
MUST_CHECK int local_list(const char *dir, bool whole, struct git_refs *out, struct err *err);
/* Is this commit (or a tag of one) in the repository? */
bool local_has(const char *dir, const char *sha);
