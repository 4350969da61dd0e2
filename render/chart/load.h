/* render/chart/load.h - a chart as it stands in a file view, with the charts below it. */
#pragma once

#include "base/vec.h"
#include "base/vfs.h"
#include "base/yaml.h"

struct chart_file { char *path; struct str text; };            /* "templates/web.lua": relative to its chart */
struct chart_files { struct chart_file *v; size_t n, cap; };    /* in byte order of their paths */

struct chart {
	struct doc *meta, *values;              /* Chart.yaml (with requirements.yaml's dependencies) and values.yaml: mappings */
	struct str schema;                      /* values.schema.json; empty: none */
	char *name;                             /* of Chart.yaml, or the alias that a dependency gives it */
	char *path;                             /* "web", "web/charts/redis": how templates are named in errors and output */
	struct chart_files templates, files, crds;      /* crds are among files, too, as Helm has it */
	struct chart **deps;
	size_t n_deps, cap_deps;
	const struct chart *parent;             /* NULL: the chart that was asked for */
	struct vfs *view;                       /* borrowed: where it was read from, and from which directory */
	char *dir;
	struct vfs *archive;                    /* owned: the view of a packaged chart */
};

/* path: a directory with a Chart.yaml, or a package. Errors name the file. The view must outlive the chart. */
MUST_CHECK int chart_load(struct vfs *v, const char *path, struct chart **out, struct err *err);
/* A package as another chart of parent's charts/; name is what errors call it. The chart belongs to parent afterwards. */
MUST_CHECK int chart_add_package(struct chart *parent, struct sv package, const char *name, struct err *err);
/* A directory of parent's view, likewise. */
MUST_CHECK int chart_add_dir(struct chart *parent, const char *dir, struct err *err);
/* The same chart again, as another dependency of its parent (an alias). */
MUST_CHECK int chart_load_again(const struct chart *c, struct chart **out, struct err *err);
void chart_set_name(struct chart *c, const char *name);
void chart_set_paths(struct chart *c);          /* after names and parents are settled, for it and all below it */
void chart_free(struct chart **c);
