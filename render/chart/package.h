/* render/chart/package.h - a chart's directory as a package (.tgz) that Helm and this program read. */
#pragma once

#include "base/vfs.h"

struct package_opts { const char *version, *app_version; };    /* NULL: as Chart.yaml has them */

/* Everything that .helmignore does not leave out, below a directory of the chart's name, in byte order, with fixed times,
 * owners and modes: the same files give the same bytes. name: "web-1.2.3". What Helm would not take as a chart is an error. */
MUST_CHECK int chart_package(struct vfs *v, const char *path, const struct package_opts *o, struct str *out, struct str *name,
			     struct err *err);
