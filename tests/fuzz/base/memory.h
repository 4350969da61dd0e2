/* tests/fuzz/base/memory.h - the input of a fuzzer as a connection: reads give it in pieces, writes are kept. */
#pragma once

#include "base/duplex.h"

struct memory { struct duplex base; struct sv in; size_t step; struct str out; };

static int memory_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	struct memory *m = (struct memory *)d;

	(void)err;
	n = n < m->step ? n : m->step;
	n = n < m->in.n ? n : m->in.n;
	if (n)
		memcpy(buf, m->in.p, n);
	m->in = sv_drop(m->in, n);
	return (int)n;
}

static int memory_write(struct duplex *d, struct sv data, struct err *err)
{
	(void)err;
	str_add(&((struct memory *)d)->out, data);
	return 0;
}

static void memory_end(struct duplex *d) { (void)d; }

static inline struct memory memory_of(struct sv in, size_t step)
{
	static const struct duplex_ops ops = { memory_read, memory_write, memory_end };

	return (struct memory){ .base = { &ops }, .in = in, .step = step };
}
