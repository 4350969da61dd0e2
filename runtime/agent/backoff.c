#include "runtime/agent/backoff.h"

#define FIRST_MS 10000
#define MAX_MS   300000
#define GOOD_MS  600000

int64_t backoff_next(struct backoff *b, int64_t ran_ms)
{
	int64_t wait = ran_ms >= GOOD_MS ? 0 : b->next_ms;

	b->next_ms = wait ? wait * 2 : FIRST_MS;
	if (b->next_ms > MAX_MS)
		b->next_ms = MAX_MS;
	return wait;
}
