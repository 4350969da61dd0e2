/* runtime/network/service.h - the Services that the kernel holds, and the smallest transaction to the wanted ones. */
#pragma once

#include "base/map.h"
#include "runtime/network/network.h"
#include "runtime/network/rules.h"

/* struct service by key; known: the kernel holds exactly these */
struct services { struct map by_key; bool known; };

void services_free(struct services *s);
/* One transaction; on an error nothing has changed. */
MUST_CHECK int services_apply(struct services *s, const struct rules_plan *p, const struct service_port *v, size_t n_v,
	struct err *err);
