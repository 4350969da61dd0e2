/* kube/quantity.h - Kubernetes' quantities: "100m", "1.5", "128Mi", "1e3". Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

/* In thousandths, rounded up; what is too large becomes INT64_MAX. false: not a quantity. */
bool quantity_milli(struct sv text, int64_t *milli);
bool quantity_value(struct sv text, int64_t *value);    /* whole units, rounded up */
/* In billionths, the finest that there is, rounded up; exact up to what INT64_MAX whole units are. */
bool quantity_nano(struct sv text, __int128 *billionths);
