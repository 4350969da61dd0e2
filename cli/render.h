/* cli/render.h - what the files of `cd render` share: where a tree is read from. */
#pragma once

#include "render/render.h"

/* A directory of this machine, or of a commit: "overlays/prod", "overlays/prod@v1.2". */
struct render_place {
	struct vfs *vfs;
	char *path;                     /* in the view */
	char *from;                     /* what messages are relative to; NULL: the view's root */
};
MUST_CHECK int render_place_open(struct render_place *p, const char *text, struct err *err);
void render_place_free(struct render_place *p);

/* What render_opts.git and .http are here: repositories in a cache of this user, files over HTTP. */
struct render_remotes;
struct render_remotes *render_remotes_new(void);
int render_git(void *remotes, const char *url, const char *revision, struct vfs **view, struct err *err);
int render_http(void *remotes, const char *url, struct str *content, struct err *err);
void render_remotes_free(struct render_remotes **r);

/* Calls again() whenever something changes that the last call has read. Returns only on an error. */
MUST_CHECK int render_watch(struct vfs *v, int (*again)(void *arg, struct vfs *traced), void *arg, struct err *err);

/* The objects of the cluster that have the identities of these, as applying these would make them. */
MUST_CHECK int render_live(const struct docs *want, const char *kubeconfig, const char *context, struct docs *live, struct docs *applied,
			   struct err *err);

/* `cd render --expr TEMPLATE` and `cd render --expr-batch`: the template language by itself. */
bool render_expr_asked(int argc, char **argv);
int render_expr(int argc, char **argv);

/* ---- charts ---- */

/* Every object is of a kind that the orchestrator has, or that a CustomResourceDefinition among them adds. */
MUST_CHECK int render_check_kinds(const struct rendered *r, struct err *err);
/* DIR/[RELEASE/]web/templates/x.yaml: all documents of a template in one file. release may be NULL. */
MUST_CHECK int render_write_sources(const struct rendered *r, const char *dir, const char *release, struct err *err);
/* A render is short and makes many small things: a heap that grows once, of large pages where there are any, spares it most of
 * its page faults. Memory that is not touched is not used. */
void render_prepare_heap(void);
