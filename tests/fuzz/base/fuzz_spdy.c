/* A connection of SPDY that receives any bytes: in pieces of any size the same is answered. */
#include "base/spdy.h"
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

static int run(struct sv in, size_t step, bool client, struct str *answers)
{
	struct memory wire = memory_of(in, step);
	struct spdy *s = spdy_new(&wire.base, client);
	int r = spdy_run(s, NULL);

	spdy_free(&s);
	str_move(answers, &wire.out);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data, size };
	AUTO(str) whole = { 0 };
	AUTO(str) pieces = { 0 };
	AUTO(str) other = { 0 };

	if (run(in, size ? size : 1, false, &whole) != run(in, 3, false, &pieces))
		abort();
	if (!sv_eq(str_sv(&whole), str_sv(&pieces)))
		abort();
	(void)run(in, 100, true, &other);
	return 0;
}
