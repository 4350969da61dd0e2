/* render/kustomize/remote.h - names of bases that are git repositories elsewhere. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct remote {
	struct str url;                 /* of the repository */
	struct str path;                /* of the directory in it; "" is its root */
	struct str ref;                 /* branch, tag or commit; "" is its HEAD */
};

bool remote_is(const char *name);                       /* not a path of this tree */
bool remote_is_file(const char *name);                  /* a file that is read over HTTP */
/* "https://host/org/repo//dir?ref=v1", "github.com/org/repo/dir", "git@host:org/repo.git//dir", "file:///srv/repo//dir". */
MUST_CHECK int remote_parse(const char *name, struct remote *out, struct err *err);
void remote_free(struct remote *r);
