/* base/metrics.h - numbers that others read: counters, gauges and histograms, in the text format of Prometheus (0.0.4).
 *
 * A family is a constant; its series are made when they are first touched, one for each list of label values. */
#pragma once

#include "base/map.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_LABELS_MAX = 10 };

struct metric_family {
	const char *name, *help;
	enum metric_type type;
	const char *labels[METRIC_LABELS_MAX + 1];      /* ended by NULL */
	const double *buckets;                          /* upper bounds, ascending, ended by 0; of histograms */
};

struct metrics { struct map families; };                /* { 0 } is empty: name -> struct metric_series_list * */

/* values: one for each label. A counter and a gauge are added to (less than 0 for gauges only), a histogram counts v. */
void metric_add(struct metrics *m, const struct metric_family *f, const char *const *values, double v);
void metric_set(struct metrics *m, const struct metric_family *f, const char *const *values, double v);
double metric_get(const struct metrics *m, const struct metric_family *f, const char *const *values);   /* a histogram's sum; 0: none */
void metrics_write(const struct metrics *m, struct str *out);   /* families by name, series as they came */
void metrics_free(struct metrics *m);
#define METRIC_VALUES(...) ((const char *const[]){ __VA_ARGS__, NULL })
