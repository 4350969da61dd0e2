/* render/chart/gotmpl/random.h - the "random" bytes of templates: a stream that a seed determines, so that a chart renders
 * to the same objects each time. The bytes are SHA-256(key, 0), SHA-256(key, 1), ... of the key SHA-256(seed). Whoever
 * knows the seed knows them all. */
#pragma once

#include "base/str.h"

struct random_stream {                  /* { 0 } is a stream too: that of no seed */
	unsigned char key[32], block[32];
	uint64_t counter;
	unsigned left;                  /* bytes of the block that were not given yet */
};

void random_stream_init(struct random_stream *s, struct sv seed);
void random_stream_read(struct random_stream *s, void *out, size_t n);
uint64_t random_stream_below(struct random_stream *s, uint64_t limit);  /* 0 to limit - 1, each as likely; limit > 0 */
