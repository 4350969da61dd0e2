/* orchestrator/analysis/analysis.h - AnalysisTemplates become AnalysisRuns; runs measure, and judge by their measurements. */
#pragma once

#include "kube/controller.h"

/* Fills spec (of an AnalysisRun, in d) with the metrics, args, dryRun and measurementRetention of the templates that refs
 * name, and of those that they name. args (name and value) fill in what templates leave open and override what they set.
 * ERR_NOT_FOUND: no such template; ERR_INVALID: two metrics of one name, an argument without value. */
MUST_CHECK int analysis_merge(struct client *c, const char *ns, const struct node *refs, const struct node *args, struct doc *d,
			      struct node *spec, struct err *err);

extern const struct controller_spec analysis_controller;
