/* orchestrator/analysis/rules.h - dryRun and measurementRetention: rules for the metrics whose names match a pattern. Pure. */
#pragma once

#include "base/doc.h"
#include "base/err.h"

/* The first rule of a list for this metric; NULL: none. metricName is a regular expression for the whole name. */
const struct node *rule_for(const struct node *list, const char *metric);
/* ERR_INVALID: a rule of spec's list matches none of the metrics. */
MUST_CHECK int rules_check(const struct node *spec, const char *list, const struct node *metrics, struct err *err);
