/* render/plain.h - a directory of manifests, or one file: every YAML and JSON file in it, in byte order of paths. */
#pragma once

#include "render/render.h"

MUST_CHECK int plain_render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err);
