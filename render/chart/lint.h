/* render/chart/lint.h - what is wrong with a chart, before anybody installs it. */
#pragma once

#include "render/render.h"

enum lint_severity { LINT_INFO, LINT_WARNING, LINT_ERROR };
const char *lint_severity_name(enum lint_severity s);           /* "INFO" */

struct lint_message { enum lint_severity severity; char *path, *text; };       /* path: "Chart.yaml", "templates/web.lua" */
struct lint_messages { struct lint_message *v; size_t n, cap; };
void lint_messages_free(struct lint_messages *m);

/* Chart.yaml, values against their schema, dependencies, and what the templates give with these options: its syntax, its
 * fields against the tables of Kubernetes' kinds, its names. What stops one check does not stop the others. */
void chart_lint_check(struct vfs *v, const char *path, const struct render_opts *o, struct lint_messages *out);
