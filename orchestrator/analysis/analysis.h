/* orchestrator/analysis/analysis.h - AnalysisTemplates become AnalysisRuns; runs measure, and judge by their measurements. */
#pragma once

#include "kube/controller.h"

/* Fills spec (of an AnalysisRun, in d) with what an analysis of a Rollout says: the metrics, args, dryRun and
 * measurementRetention of its templates, and of those that they name. The analysis' args (value, or valueFrom as it stands)
 * fill in what templates leave open and override what they set. ERR_NOT_FOUND: no such template; ERR_INVALID: two metrics of
 * one name, an argument without value. */
MUST_CHECK int analysis_merge(struct client *c, const char *ns, const struct node *analysis, struct doc *d, struct node *spec,
			      struct err *err);
/* ERR_INVALID, ERR_BAD_REQUEST: what is wrong with the spec of a run. must_end: something waits for it, so every metric needs
 * an end. Values of Secrets are taken for right. Pure. */
MUST_CHECK int analysis_check(const struct node *spec, bool must_end, struct err *err);
/* The same of metrics with their arguments filled in. */
MUST_CHECK int analysis_check_metrics(const struct node *spec, const struct node *metrics, bool must_end, struct err *err);

extern const struct controller_spec analysis_controller;
