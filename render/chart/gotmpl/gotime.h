/* render/chart/gotmpl/gotime.h - Go's times and durations as text (package time). All times are UTC: a render knows no zone. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* "26h3m4s", "1.5s", "0s". */
void go_duration_text(int64_t ns, struct str *out);
bool go_duration_parse(struct sv text, int64_t *ns);            /* "1h15m30.5s", "-5m"; false: not one */
/* By a layout that writes the time "Mon Jan 2 15:04:05 2006" as wanted. */
void go_time_format(int64_t seconds, int64_t ns, struct sv layout, struct str *out);
bool go_time_parse(struct sv text, struct sv layout, int64_t *seconds);
