/* kube/quantity.h - Kubernetes' quantities: "100m", "1.5", "128Mi", "1e3". Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

/* In thousandths, rounded up; what is too large becomes INT64_MAX. false: not a quantity. */
bool quantity_milli(struct sv text, int64_t *milli);
bool quantity_value(struct sv text, int64_t *value);    /* whole units, rounded up */
