/* render/kustomize/kustomize.h - a directory with a kustomization to objects, as `kustomize build` makes them. */
#pragma once

#include "render/render.h"

MUST_CHECK int kustomize_render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err);
/* The names that a kustomization file may have. NULL ends the list. */
extern const char *const kustomization_file_names[];
