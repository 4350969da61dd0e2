/* render/chart/deps.h - which of the charts below a chart take part, under which names, and what they export
 * (Helm's chartutil/dependencies.go). */
#pragma once

#include "render/chart/load.h"

/* Whether an entry of Chart.yaml's dependencies is about a chart: by name and range of versions. */
bool dep_is_about(const struct node *entry, const struct chart *dep);

/* Applies conditions, tags and aliases, by the values said by the user laid over the charts' own, then import-values.
 * A dependency that Chart.yaml names and charts/ does not hold is ERR_NOT_FOUND. */
MUST_CHECK int deps_process(struct chart *c, const struct node *said, struct err *err);
