/* operator/app/source-chart.h - charts of other repositories: a whole source, dependencies, helmCharts of kustomizations. */
#pragma once

#include "operator/app/spec.h"
#include "operator/chart/charts.h"
#include "operator/git/credentials.h"
#include "render/render.h"

bool source_is_chart(const struct app_source *s);
/* What a source asks for; all is borrowed. access may be NULL. */
struct chart_want source_chart_want(const struct app_source *s, const struct chart_access *access);
/* The texts of a Secret as a chart's repository takes them. NULL gives { 0 }. */
struct chart_access source_chart_access(const struct repo_access *a);

/* Gives a render the charts that it names, on a job's thread. Offline only what was fetched before is given; missed tells
 * that this was not enough. */
struct chart_giver {
	const char *dir;                        /* of the cache */
	struct credentials *credentials;        /* listed */
	bool online;
	bool missed, failed;                    /* out; failed: online, a chart could not be had */
};
int chart_giver_give(void *giver, const struct render_chart *want, struct str *package, struct err *err);
