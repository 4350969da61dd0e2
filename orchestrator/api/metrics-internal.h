/* orchestrator/api/metrics-internal.h - what the API counts: kube-apiserver's names where it has an equal. */
#pragma once

#include "base/metrics.h"
#include "orchestrator/api/http-internal.h"
#include "orchestrator/api/rbac-internal.h"

int64_t metrics_now(void);                      /* nanoseconds of a clock that only goes forward */
void metrics_begin(struct api *a, const struct action *what);           /* a request that is under way */
void metrics_end(struct api *a, const struct action *what);
/* An answered one: the HTTP status, and nanoseconds (less than 0: it is one that lasts). */
void metrics_request(struct api *a, const struct action *what, const struct route *rt, bool known, int status, int64_t took);
void metrics_watch(struct api *a, const struct kind *k, int more);      /* one begins (1), one ends (-1) */
