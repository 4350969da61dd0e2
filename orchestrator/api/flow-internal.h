/* orchestrator/api/flow-internal.h - fair queueing: who asks for much waits behind their own requests, not others'.
 *
 * A flow is a user, or a service account's namespace. So many requests run at once; when all seats are taken, requests wait
 * in their flow's line, and a seat that becomes free goes to the flows in turn. A line that is too long, and a wait that is,
 * end in 429 with Retry-After. Administrators do not wait. */
#pragma once

#include "base/fiber.h"
#include "base/map.h"
#include "orchestrator/api/auth-internal.h"

enum { FLOW_WAIT_MS = 15000, FLOW_LINE_MAX = 128, FLOW_WAITING_MAX = 4096 };

/* Parks. 0: a seat is taken, to be given back with flow_leave(); 1: this caller needs none. ERR_BUSY, ERR_CANCELED. */
MUST_CHECK int flow_enter(struct flows *f, const struct caller *c, struct err *err);
void flow_leave(struct flows *f);
void flows_free(struct flows *f);       /* nobody waits any more */
