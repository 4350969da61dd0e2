/* render/chart/capabilities.h - the cluster that a chart is rendered for: its version, and the API versions it serves. */
#pragma once

#include "render/render.h"

void capabilities_kube_version(const struct render_opts *o, struct str *out);   /* "v1.30.0": always with the v */
/* The version against a chart's kubeVersion. When nobody said which it is, it becomes one that most charts take; otherwise one
 * that does not fit is ERR_INVALID. */
MUST_CHECK int capabilities_fit(struct render_opts *o, struct sv range, struct err *err);
/* "apps/v1" and "apps/v1/Deployment"; the built-in ones and those of render_opts. */
bool capabilities_has(const struct render_opts *o, struct sv version);
const char *capabilities_at(const struct render_opts *o, size_t i);            /* NULL: after the last */
