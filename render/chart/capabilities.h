/* render/chart/capabilities.h - the cluster that a chart is rendered for: its version, and the API versions it serves. */
#pragma once

#include "render/render.h"

void capabilities_kube_version(const struct render_opts *o, struct str *out);   /* "v1.30.0": always with the v */
/* "apps/v1" and "apps/v1/Deployment"; the built-in ones and those of render_opts. */
bool capabilities_has(const struct render_opts *o, struct sv version);
const char *capabilities_at(const struct render_opts *o, size_t i);            /* NULL: after the last */
