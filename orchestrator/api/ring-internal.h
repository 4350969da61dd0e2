/* orchestrator/api/ring-internal.h - the writing side of a resource's ring of changes; for the cache only. */
#pragma once

#include "orchestrator/api/cache-internal.h"

const struct change *ring_add(struct ring *r, struct change take); /* takes over the references; forgets the oldest */
void ring_free(struct ring *r);
