#include "check.h"

#include "base/encode.h"

static void expect_base64(const char *bytes, const char *text)
{
	AUTO(str) encoded = { 0 };
	AUTO(str) decoded = { 0 };
	AUTO(err) err = { 0 };

	base64_encode(&encoded, sv_c(bytes));
	assert_string_equal(str_c(&encoded), text);
	assert_ok(base64_decode(&decoded, sv_c(text), &err), &err);
	assert_string_equal(str_c(&decoded), bytes);
}

static void base64_rfc4648_vectors_round_trip(void **state)
{
	(void)state;
	expect_base64("", "");
	expect_base64("f", "Zg==");
	expect_base64("fo", "Zm8=");
	expect_base64("foo", "Zm9v");
	expect_base64("foob", "Zm9vYg==");
	expect_base64("fooba", "Zm9vYmE=");
	expect_base64("foobar", "Zm9vYmFy");
}

static void base64_decode_of_bad_text_names_the_byte(void **state)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_err(base64_decode(&out, SV("Zm9*"), &err), &err, ERR_INVALID, "byte 3");
	assert_err(base64_decode(&out, SV("Zm9vY"), &err), &err, ERR_INVALID, "cut off");
	assert_err(base64_decode(&out, SV("Zg==Zg"), &err), &err, ERR_INVALID, "byte 4");
}

static void base64url_is_strict_and_without_padding(void **state)
{
	AUTO(str) text = { 0 };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	base64url_encode(&text, SV("\xfb\xff\xbf?"));
	assert_string_equal(str_c(&text), "-_-_Pw");
	assert_ok(base64url_decode(&out, str_sv(&text), &err), &err);
	assert_string_equal(str_c(&out), "\xfb\xff\xbf?");
	assert_err(base64url_decode(&out, SV("-_-_Pw=="), &err), &err, ERR_INVALID, "byte 6");
	assert_err(base64url_decode(&out, SV("-_-_ Pw"), &err), &err, ERR_INVALID, "byte 4");
	assert_err(base64url_decode(&out, SV("+/"), &err), &err, ERR_INVALID, "byte 0");
	assert_err(base64url_decode(&out, SV("-_-_Px"), &err), &err, ERR_INVALID, "end on a byte");
	assert_err(base64url_decode(&out, SV("-_-_P"), &err), &err, ERR_INVALID, "cut off");
}

static void sha256_of_known_text_is_known(void **state)
{
	AUTO(str) out = { 0 };

	(void)state;
	sha256_hex(&out, SV("abc"));
	assert_string_equal(str_c(&out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hmac_of_rfc4231_case_two_is_known(void **state)
{
	unsigned char mac[32];
	AUTO(str) hex = { 0 };

	(void)state;
	hmac_sha256(mac, SV("Jefe"), SV("what do ya want for nothing?"));
	hex_encode(&hex, (struct sv){ (const char *)mac, sizeof mac });
	assert_string_equal(str_c(&hex), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(base64_rfc4648_vectors_round_trip),
		TEST(base64_decode_of_bad_text_names_the_byte),
		TEST(base64url_is_strict_and_without_padding),
		TEST(sha256_of_known_text_is_known),
		TEST(hmac_of_rfc4231_case_two_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
