/* The head and chunk parsers over any bytes: views stay inside, pieces of any size give the same result. */
#include "base/http/h1-parse.h"

#include <stdlib.h>

static void inside(struct sv whole, struct sv part)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n) && !sv_eq_c(part, "/"))
		abort();
}

static void check_head(struct sv in)
{
	struct h1_head h;
	size_t scanned = 0;
	const char *why = NULL;
	int n = h1_head_end(in, &scanned, &why);

	if (n <= 0)
		return;
	int r = h1_head_parse((struct sv){ in.p, (size_t)n }, &h);
	if (!r && (!h.path.n || (h.chunked && h.content_length >= 0)))
		abort();
	if (!r)
		inside(in, h.path);
	for (size_t i = 0; i < h.fields.n; i++) {
		inside(in, h.fields.v[i].name);
		inside(in, h.fields.v[i].value);
	}
	if (r && !h.why)
		abort();
	h1_head_free(&h);
}

/* Reads the body in pieces of step bytes. */
static int read_chunks(struct sv in, size_t step, struct str *body)
{
	struct h1_chunks c = { 0 };
	int r = H1_CHUNK_MORE;

	while (in.n && r == H1_CHUNK_MORE) {
		struct sv piece = { in.p, in.n < step ? in.n : step }, data;

		in = sv_drop(in, piece.n);
		while ((r = h1_chunks_next(&c, &piece, &data)) == H1_CHUNK_DATA)
			str_add(body, data);
	}
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data, size };
	AUTO(str) whole = { 0 };
	AUTO(str) pieces = { 0 };

	check_head(in);
	int a = read_chunks(in, size ? size : 1, &whole), b = read_chunks(in, 1, &pieces);
	if (a != b || !sv_eq(str_sv(&whole), str_sv(&pieces)))
		abort();
	return 0;
}
