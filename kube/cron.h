/* kube/cron.h - schedules: minute hour day month weekday, as cron has them (CronJobs, sync windows). Pure; times are UTC. */
#pragma once

#include <stdint.h>
#include "base/err.h"

struct cron {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays;         /* bit i: at i; weekday 0 is Sunday */
	bool any_day, any_weekday;                      /* written as `*`: when both are not, either one suffices */
};

/* Lists, ranges, steps, names (jan, MON), `?`, and @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
 * ERR_INVALID names the field. */
MUST_CHECK int cron_parse(const char *text, struct cron *out, struct err *err);
/* The first time after after_ms, at a whole minute; -1: there is none within five years (30 February). */
int64_t cron_next(const struct cron *c, int64_t after_ms);
