/* operator/git/revision.h - which commit a revision names, given a repository's refs. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define REVISION_SIZE 41                /* 40 hex digits and a NUL */

/* name: "refs/heads/main", "refs/tags/v1" with the commit's id also for annotated tags, "HEAD". */
struct revision { char *name; char sha[REVISION_SIZE]; };
struct git_refs { struct revision *v; size_t n, cap; };

void git_refs_add(struct git_refs *r, struct sv name, const char *sha);       /* "refs/tags/v1^{}" corrects refs/tags/v1 */
void git_refs_free(struct git_refs *r);
bool revision_is_sha(const char *revision);             /* 40 hex digits */

/* wanted: "" or HEAD, a full ref, a branch, a tag, or a range of versions over the tags that begin with tag_prefix
 * (may be NULL). ERR_NOT_FOUND names what there is. A commit id is the caller's to handle. */
MUST_CHECK int revision_pick(const struct git_refs *r, const char *wanted, const char *tag_prefix,
			     const struct revision **out, struct err *err);

/* A row of a push. sha "": deleted. */
struct ref_change { const char *name; const char *sha; };       /* "refs/heads/main" */
/* Is what the revision names one of the changed refs? head: the ref that HEAD names, "" when unknown. Never for a commit id. */
bool revision_follows(const char *revision, const char *tag_prefix, const struct ref_change *changes, size_t n, const char *head);
