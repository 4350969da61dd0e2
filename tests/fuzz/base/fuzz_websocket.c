/* A WebSocket that receives any bytes, as a server: in pieces of any size the same messages. (Not the same
 * answers: a close that came with a ping may overtake the pong, and a bad reason of a close is not seen in single bytes.) */
#include "base/websocket.h"
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

static void run(struct sv in, size_t step, struct str *said)
{
	struct memory wire = memory_of(in, step);
	struct websocket *w = websocket_new(&wire.base, false);
	struct websocket_message m;

	while (websocket_read(w, &m, NULL) > 0) {
		str_addf(said, "%d %zu:", m.text, m.data.n);
		str_add(said, m.data);
	}
	websocket_free(&w);
	str_free(&wire.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data, size };
	AUTO(str) whole = { 0 };
	AUTO(str) pieces = { 0 };

	run(in, size ? size : 1, &whole);
	run(in, 1, &pieces);
	if (!sv_eq(str_sv(&whole), str_sv(&pieces)))
		abort();
	return 0;
}
