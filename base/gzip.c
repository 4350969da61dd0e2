#include "base/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { STEP = 64 << 10, WITH_GZIP_HEADER = 16 };

struct gzip { z_stream z; };

struct gzip *gzip_new(void)
{
	struct gzip *g = calloc(1, sizeof *g);

	if (!g || deflateInit2(&g->z, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + WITH_GZIP_HEADER, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();        /* without memory */
	return g;
}

void gzip_free(struct gzip **gp)
{
	struct gzip *g = TAKE(*gp);

	if (!g)
		return;
	(void)deflateEnd(&g->z);
	free(g);
}

static void run(struct gzip *g, int flush, struct str *out)
{
	do {
		g->z.next_out = (Bytef *)str_room(out, STEP);
		g->z.avail_out = STEP - 1;
		(void)deflate(&g->z, flush);
		out->n += STEP - 1 - g->z.avail_out;
		out->p[out->n] = '\0';
	} while (!g->z.avail_out);
}

void gzip_add(struct gzip *g, struct sv in, bool last, struct str *out)
{
	while (in.n > INT_MAX) {
		gzip_add(g, (struct sv){ in.p, INT_MAX }, false, out);
		in = sv_drop(in, INT_MAX);
	}
	g->z.next_in = (Bytef *)(uintptr_t)in.p;
	g->z.avail_in = (uInt)in.n;
	run(g, last ? Z_FINISH : Z_NO_FLUSH, out);
}
