#include "check.h"

#include <stdlib.h>

#include "base/seal.h"

static struct sv key = { "0123456789abcdef0123456789abcdef", 32 };

static void seal_opens_with_its_key_at_its_place(void **state)
{
	AUTO(str) sealed = { 0 }, open = { 0 };
	AUTO(err) e = { 0 };

	(void)state;
	assert_ok(seal(&sealed, key, SV("/a"), SV("a text"), &e), &e);
	assert_int_equal(sealed.n, 6 + 12 + 16);
	assert_null(memmem(sealed.p, sealed.n, "a text", 6));
	assert_ok(seal_open(&open, key, SV("/a"), str_sv(&sealed), &e), &e);
	assert_string_equal(str_c(&open), "a text");
	assert_err(seal_open(&open, key, SV("/b"), str_sv(&sealed), &e), &e, ERR_INVALID, "not this key");
	assert_err(seal_open(&open, (struct sv){ key.p, 16 }, SV("/a"), str_sv(&sealed), &e), &e, ERR_INVALID, "not this key");
	assert_string_equal(str_c(&open), "a text");
}

static void seal_changed_anywhere_does_not_open(void **state)
{
	AUTO(str) sealed = { 0 }, open = { 0 };

	(void)state;
	assert_true(seal(&sealed, key, SV("/a"), SV("a text"), NULL) >= 0);
	for (size_t i = 0; i < sealed.n; i++) {
		sealed.p[i] ^= 1;
		assert_true(seal_open(&open, key, SV("/a"), str_sv(&sealed), NULL) < 0);
		sealed.p[i] ^= 1;
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_true(seal_open(&open, key, SV("/a"), (struct sv){ sealed.p, n }, NULL) < 0);
	assert_int_equal(open.n, 0);
}

static void seal_of_the_same_text_is_another_each_time(void **state)
{
	AUTO(str) a = { 0 }, b = { 0 }, empty = { 0 }, open = { 0 };
	AUTO(err) e = { 0 };

	(void)state;
	assert_true(seal(&a, key, SV(""), SV("x"), NULL) >= 0 && seal(&b, key, SV(""), SV("x"), NULL) >= 0);
	assert_false(sv_eq(str_sv(&a), str_sv(&b)));
	assert_ok(seal(&empty, key, SV(""), SV(""), &e), &e);
	assert_ok(seal_open(&open, key, SV(""), str_sv(&empty), &e), &e);
	assert_int_equal(open.n, 0);
	assert_err(seal(&a, SV("short"), SV(""), SV("x"), &e), &e, ERR_IO, "5 bytes");
}

static void add_hex(struct str *out, const char *hex)
{
	for (; *hex; hex += 2)
		str_add1(out, (char)strtol((char[]){ hex[0], hex[1], '\0' }, NULL, 16));
}

/* Test case 16 of McGrew and Viega: AES-256 with additional data. */
static void seal_of_the_specification_opens(void **state)
{
	AUTO(str) k = { 0 }, about = { 0 }, text = { 0 }, sealed = { 0 }, open = { 0 };
	AUTO(err) e = { 0 };

	(void)state;
	add_hex(&k, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
	add_hex(&about, "feedfacedeadbeeffeedfacedeadbeefabaddad2");
	add_hex(&text, "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
	add_hex(&sealed, "cafebabefacedbaddecaf888"
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
		"76fc6ece0f4e1768cddf8853bb2d551b");
	assert_ok(seal_open(&open, str_sv(&k), str_sv(&about), str_sv(&sealed), &e), &e);
	assert_true(sv_eq(str_sv(&open), str_sv(&text)));
	assert_true(seal_key_is_good(key) && !seal_key_is_good(SV("")) && !seal_key_is_good((struct sv){ key.p, 31 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(seal_opens_with_its_key_at_its_place),
		TEST(seal_changed_anywhere_does_not_open),
		TEST(seal_of_the_same_text_is_another_each_time),
		TEST(seal_of_the_specification_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
