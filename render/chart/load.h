/* render/chart/load.h - a chart as it stands in a file view, with the charts below it. */
#pragma once

#include "base/vec.h"
#include "base/vfs.h"
#include "base/yaml.h"

struct chart_file { char *path; struct str text; };            /* "templates/web.lua": relative to its chart */
struct chart_files { struct chart_file *v; size_t n, cap; };    /* in byte order of their paths */

struct chart {
	struct doc *meta, *values;              /* Chart.yaml and values.yaml; the roots are mappings */
	const char *name;                       /* borrowed from meta */
	char *path;                             /* "web", "web/charts/redis": how templates are named in errors */
	struct chart_files templates, files, crds;
	struct chart **deps;
	size_t n_deps, cap_deps;
	const struct chart *parent;             /* NULL: the chart that was asked for */
};

/* Errors name the file. A directory without a Chart.yaml is ERR_NOT_FOUND. */
MUST_CHECK int chart_load(struct vfs *v, const char *path, struct chart **out, struct err *err);
void chart_free(struct chart **c);
