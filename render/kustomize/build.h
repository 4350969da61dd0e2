/* render/kustomize/build.h - what one build shares: the file view, options, memory, and the directories being read. */
#pragma once

#include "render/kustomize/config.h"
#include "render/kustomize/kustomization.h"
#include "render/kustomize/openapi.h"
#include "render/kustomize/set.h"
#include "render/render.h"

#define BUILD_FILE_MAX (8u << 20)
#define BUILD_READ_MAX (64u << 20)      /* all files of a build together: a tree that includes itself in many ways ends here */
#define BUILD_DIRS_MAX 10000
#define BUILD_WORK_MAX 8000000          /* objects that all transformations together look at */

struct build {
	struct vfs *vfs;
	const struct render_opts *o;
	struct doc *arena;              /* texts and structs that live as long as the build */
	VEC(struct doc *) files;        /* documents that configuration was read from */
	struct openapi *openapi;        /* NULL: the built-in one was not needed yet */
	bool openapi_set;               /* the first kustomization that says so decides */
	struct str *warnings;
	bool explain;                   /* record who set what */
	size_t dirs, bytes, work;
};

/* A directory that a kustomization is read from. */
struct dir {
	struct build *b;
	const char *path;               /* in the view: cleaned, links followed */
	const struct dir *parent;       /* whose kustomization led here; NULL: the top */
	struct vfs *vfs;                /* the build's, or the one of a remote source */
	const char *repo, *ref;         /* of a remote source, where it was entered; else NULL */
};

/* How a path of the view is shown to people. */
const char *build_show(struct build *b, const struct dir *d, const char *path);
/* Reads a file named in the kustomization of a directory; *shown (may be NULL) is its name for messages, in the arena. */
MUST_CHECK int dir_load(const struct dir *d, const char *name, struct str *out, const char **shown, struct err *err);
/* Reads the documents of such a file as objects are read. */
MUST_CHECK int dir_load_yaml(const struct dir *d, const char *name, unsigned flags, struct doc **out, struct err *err);
/* The directory that a path leads to, checked against cycles. */
MUST_CHECK int dir_enter(const struct dir *from, const char *name, struct dir *out, struct err *err);

/* Counts n looks at an object. ERR_TOO_LARGE when there were too many. */
MUST_CHECK int build_work(struct build *b, size_t n, struct err *err);
const struct openapi *build_openapi(struct build *b);
/* Adds the objects of a text: Lists are taken apart, every one has a kind and a name; two may have the same. */
MUST_CHECK int build_read_objects(struct build *b, struct sv text, const char *shown, struct set *out, struct err *err);
