/* runtime/agent/backoff.h - how long a crashing container, or an image that cannot be pulled, waits. Pure. */
#pragma once

#include <stdint.h>

struct backoff { int64_t next_ms; };    /* { 0 }: the next failure is tried again at once */

/* Something failed after it had been well for ran_ms: how long to wait. 0, then 10 s doubling to 5 min; ten good
 * minutes make it the first time again. */
int64_t backoff_next(struct backoff *b, int64_t ran_ms);
