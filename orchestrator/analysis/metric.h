/* orchestrator/analysis/metric.h - one metric of a run: when it is measured next, and what its measurements mean. Pure: the
 * result is a row of status.metricResults, built in a document; times are wall clock milliseconds. */
#pragma once

#include "orchestrator/analysis/expr.h"

enum phase { PHASE_PENDING, PHASE_RUNNING, PHASE_SUCCESSFUL, PHASE_INCONCLUSIVE, PHASE_ERROR, PHASE_FAILED };  /* good to bad */

const char *analysis_phase_name(enum phase p);                   /* "Successful" */
enum phase phase_of(const char *name);                  /* NULL and unknown ones: PHASE_PENDING */
static inline bool phase_over(enum phase p) { return p >= PHASE_SUCCESSFUL; }

/* Wrong numbers, durations and conditions. */
MUST_CHECK int metric_check(const struct node *metric, struct err *err);
bool metric_is_endless(const struct node *metric);     /* measured until the run is terminated */
/* By successCondition and failureCondition; an evaluation that fails is an error. */
MUST_CHECK int metric_judge(const struct node *metric, const struct value *v, enum phase *out, struct err *err);

/* Milliseconds until the next measurement: 0 now, -1 never. started_ms: of the run. */
int64_t metric_due(const struct node *metric, const struct node *result, int64_t started_ms, int64_t now_ms);
/* A measurement that is under way (a job that runs): NULL, there is none. */
struct node *metric_open(const struct node *result);
struct node *metric_begin(struct doc *d, struct node *result, int64_t now_ms);  /* a new measurement, open */
/* Ends the open measurement and counts it; value and message may be NULL. Keeps the last `keep` measurements. */
void metric_end(struct doc *d, struct node *result, enum phase p, const char *value, const char *message, size_t keep, int64_t now_ms);
/* What the metric is, by its limits; *why (empty, unless over for a reason): "failed (2) > failureLimit (1)". */
enum phase metric_assess(const struct node *metric, const struct node *result, bool terminating, struct str *why);
