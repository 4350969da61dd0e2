#include "check.h"

#include "base/gzip.h"

#include <stdlib.h>
#include <zlib.h>

/* What zlib makes of it again. */
static void unpack(const struct str *packed, struct str *out)
{
	z_stream z = { .next_in = (Bytef *)packed->p, .avail_in = (uInt)packed->n };
	int r;

	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	do {
		z.next_out = (Bytef *)str_room(out, 1 << 16);
		z.avail_out = 1 << 16;
		r = inflate(&z, Z_NO_FLUSH);
		out->n += (1 << 16) - z.avail_out;
	} while (r == Z_OK);
	assert_int_equal(r, Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	inflateEnd(&z);
}

static void gzip_in_pieces_unpacks_to_the_whole(void **state)
{
	struct gzip *g = gzip_new();
	AUTO(str) whole = { 0 }, packed = { 0 }, again = { 0 };

	(void)state;
	for (unsigned i = 0, x = 7; i < 200000; i++) {
		AUTO(str) piece = { 0 };

		x = x * 1103515245 + 12345;
		str_addf(&piece, "%u,", i % 3 ? i : x);
		str_add(&whole, str_sv(&piece));
		gzip_add(g, str_sv(&piece), false, &packed);
	}
	gzip_add(g, SV(""), true, &packed);
	gzip_free(&g);
	assert_true(packed.n < whole.n);
	unpack(&packed, &again);
	assert_true(sv_eq(str_sv(&whole), str_sv(&again)));
}

static void gzip_of_nothing_is_whole(void **state)
{
	struct gzip *g = gzip_new();
	AUTO(str) packed = { 0 }, again = { 0 };

	(void)state;
	gzip_add(g, SV(""), true, &packed);
	gzip_free(&g);
	unpack(&packed, &again);
	assert_int_equal(again.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gzip_in_pieces_unpacks_to_the_whole),
		TEST(gzip_of_nothing_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
