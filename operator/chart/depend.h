/* operator/chart/depend.h - the dependencies of a chart in a directory of this machine: charts/ and Chart.lock. */
#pragma once

#include "base/doc.h"
#include "operator/chart/charts.h"

enum depend_how {
	DEPEND_UPDATE,          /* the newest versions in the ranges of Chart.yaml; writes Chart.lock */
	DEPEND_BUILD,           /* the versions of Chart.lock; an update when there is none */
};

struct depend {
	struct charts *charts;
	const char *dir;
	/* The address behind a repository of Chart.yaml ("@name", "alias:name", an address), and who to be there; what it gives
	 * lives until its next call. */
	int (*repository)(void *arg, const char *repository, const char **url, const struct chart_access **access, struct err *err);
	void (*say)(void *arg, const char *line);       /* may be NULL */
	void *arg;
	const char *now;        /* RFC 3339 */
};

/* Puts the packages into charts/, and takes away those of older runs. Parks. Nothing is changed when one cannot be had. */
MUST_CHECK int depend_run(const struct depend *d, enum depend_how how, struct err *err);
/* A list in doc: name, version, repository, status ("ok", "missing", "unpacked", "wrong version", "invalid version"). */
MUST_CHECK int depend_list(const char *dir, struct doc *doc, struct node **out, struct err *err);
