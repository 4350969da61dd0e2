/* runtime/container/caps.h - which capabilities a container's program gets. Pure but for reading our own bounding set.
 */
#pragma once

#include <stdint.h>
#include "base/err.h"
#include "runtime/container/container.h"

/* The default set plus cap_add minus cap_drop ("NET_ADMIN", "CAP_NET_ADMIN"); "ALL" in either changes what the named
 * ones are added to and dropped from: drop ALL + add X is X, add ALL + drop X is all but X. A privileged container has
 * all. What this process does not have itself cannot be given and is left out. ERR_INVALID: there is no such
 * capability. */
MUST_CHECK int caps_for(const struct container_spec *s, uint64_t *mask, struct err *err);
