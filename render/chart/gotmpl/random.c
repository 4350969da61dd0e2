#include "render/chart/gotmpl/random.h"

#include "base/encode.h"

void random_stream_init(struct random_stream *s, struct sv seed)
{
	*s = (struct random_stream){ 0 };
	sha256(s->key, seed);
}

static void next_block(struct random_stream *s)
{
	unsigned char in[sizeof s->key + 8];

	memcpy(in, s->key, sizeof s->key);
	for (int i = 0; i < 8; i++)
		in[sizeof s->key + (size_t)i] = (unsigned char)(s->counter >> (56 - 8 * i));
	s->counter++;
	sha256(s->block, (struct sv){ (const char *)in, sizeof in });
	s->left = sizeof s->block;
}

void random_stream_read(struct random_stream *s, void *out, size_t n)
{
	unsigned char *to = out;

	for (size_t i = 0; i < n; i++) {
		if (!s->left)
			next_block(s);
		to[i] = s->block[sizeof s->block - s->left--];
	}
}

uint64_t random_stream_below(struct random_stream *s, uint64_t limit)
{
	uint64_t least = (0 - limit) % limit;   /* 2^64 mod limit: what lies below would make small numbers likelier */

	for (;;) {
		unsigned char bytes[8];
		uint64_t n = 0;

		random_stream_read(s, bytes, sizeof bytes);
		for (size_t i = 0; i < sizeof bytes; i++)
			n = n << 8 | bytes[i];
		if (n >= least)
			return n % limit;
	}
}
