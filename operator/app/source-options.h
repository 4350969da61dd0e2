/* operator/app/source-options.h - how a source is rendered: its helm, kustomize and directory blocks as options. */
#pragma once

#include "base/vec.h"
#include "operator/app/spec.h"
#include "render/render.h"

struct source_options {
	struct vfs *view;               /* the one that was given, or one over it */
	struct vfs *overlay;            /* owned; NULL: none */
	const char *path;
	const struct app_spec *spec;
	struct vfs *const *views;       /* of all sources: files of those with a ref are named $REF/PATH */
	struct render_opts render;      /* borrows this struct: it does not move */
	/* what render borrows */
	struct doc *doc;
	VEC(struct render_set) sets;
	VEC(const char *) api_versions;
	struct vfs_entries texts;       /* names only: strings made on the way */
};

/* Source i of the application, with the files .argocd-source.yaml and .argocd-source-NAME.yaml of its path merged over it.
 * views: of every source, by its place. */
MUST_CHECK int source_options_read(struct source_options *o, const struct app_spec *spec, size_t i, struct vfs *const *views,
				   struct err *err);
void source_options_free(struct source_options *o);
