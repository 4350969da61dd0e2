/* Tokens: vectors of RFC 7515, and everything that must not be believed. */
#include "check.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/jwt.h"

#include <stdlib.h>

static struct doc *json(const char *text)
{
	struct doc *d = NULL;
	AUTO(err) err = { 0 };

	assert_ok(json_read(sv_c(text), "test", 0, &d, &err), &err);
	return d;
}

static struct jwt_key *jwk(const char *text)
{
	AUTO_DOC d = json(text);
	AUTO(err) err = { 0 };
	struct jwt_key *k = jwt_key_jwk(doc_root(d), &err);

	if (!k)
		fail_msg("%s", err_msg(&err));
	return k;
}

static bool holds(const char *token, const struct jwt_key *k)
{
	AUTO(jwt) t = { 0 };

	return jwt_read(sv_c(token), &t, NULL) >= 0 && jwt_verify(&t, k);
}

/* RFC 7515, A.2 and A.3 */
#define RSA_N "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define CLAIMS "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static const char rsa_key[] = "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}";
static const char rsa_token[] = "eyJhbGciOiJSUzI1NiJ9." CLAIMS ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
static const char ec_key[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static const char ec_token[] = "eyJhbGciOiJFUzI1NiJ9." CLAIMS ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static void jwt_rfc7515_vectors_verify(void **state)
{
	struct jwt_key *rsa = jwk(rsa_key), *ec = jwk(ec_key);

	(void)state;
	assert_true(holds(rsa_token, rsa));
	assert_true(holds(ec_token, ec));
	assert_false(holds(rsa_token, ec));
	assert_false(holds(ec_token, rsa));
	jwt_key_free(&rsa);
	jwt_key_free(&ec);
}

/* RFC 7638, 3.1 */
static void jwt_key_without_a_name_is_called_by_its_thumbprint(void **state)
{
	struct jwt_key *k = jwk("{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"
				"wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_R"
				"N5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91C"
				"bOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
				"kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\"}");

	(void)state;
	assert_string_equal(jwt_key_id(k), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	jwt_key_free(&k);
}

static void sign(const struct jwt_key *k, const char *claims, struct str *out)
{
	AUTO_DOC d = json(claims);
	AUTO(err) err = { 0 };

	assert_ok(jwt_sign(k, doc_root(d), out, &err), &err);
}

static void jwt_signed_token_verifies_with_the_published_key_alone(void **state)
{
	struct jwt_key *mine = jwt_key_generate(), *other = jwt_key_generate();
	AUTO(str) token = { 0 }, pem = { 0 };
	AUTO_DOC d = doc_new();
	AUTO(err) err = { 0 };

	(void)state;
	sign(mine, "{\"sub\":\"me\"}", &token);
	struct jwt_key *published = jwt_key_jwk(jwt_key_public(mine, d), &err);
	jwt_key_write(mine, &pem);
	struct jwt_key *again = jwt_key_pem(str_sv(&pem), &err);
	assert_non_null(published);
	assert_non_null(again);
	assert_true(holds(str_c(&token), published));
	assert_true(holds(str_c(&token), again));
	assert_string_equal(jwt_key_id(again), jwt_key_id(mine));
	assert_false(holds(str_c(&token), other));
	assert_err(jwt_sign(published, node_map(d), &token, &err), &err, ERR_IO, "cannot");
	jwt_key_free(&published);
	jwt_key_free(&again);
	jwt_key_free(&mine);
	jwt_key_free(&other);
}

static void expect_unreadable(const char *token, const char *why)
{
	AUTO(jwt) t = { 0 };
	AUTO(err) err = { 0 };

	assert_err(jwt_read(sv_c(token), &t, &err), &err, ERR_INVALID, why);
}

static void jwt_text_that_is_no_token_is_refused(void **state)
{
	(void)state;
	expect_unreadable("", "three parts");
	expect_unreadable("a.b", "three parts");
	expect_unreadable("a.b.c", "header");
	expect_unreadable("e30.W10.YQ", "payload");                     /* {} . [] */
	expect_unreadable("e30.e30.", "no signature");
	expect_unreadable("e30.e30.YQ.YQ", "no signature");             /* a fourth part */
	expect_unreadable("e30=.e30.YQ", "header");
	expect_unreadable("eyJjcml0IjpbImV4cCJdfQ.e30.YQ", "critical"); /* {"crit":["exp"]} */
	expect_unreadable("eyJhbGciOiJFUzI1NiIsImFsZyI6Im5vbmUifQ.e30.YQ", "header");   /* alg twice */
}

/* The header of a good token is replaced; the rest stays. */
static void replace_header(const char *token, const char *header, struct str *out)
{
	base64url_encode(out, sv_c(header));
	str_addc(out, strchr(token, '.'));
}

static void jwt_algorithm_is_the_keys_and_not_the_tokens(void **state)
{
	static const char *const headers[] = { "{\"alg\":\"none\"}",  "{\"alg\":\"None\"}",  "{\"alg\":\"\"}",
					       "{\"alg\":\"HS256\"}", "{\"alg\":\"RS256\"}", "{\"alg\":\"ES384\"}",
					       "{\"alg\":\"ES256 \"}", "{}", "{\"alg\":7}" };
	struct jwt_key *ec = jwk(ec_key), *only = jwk("{\"kty\":\"RSA\",\"alg\":\"RS512\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}");

	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		AUTO(str) forged = { 0 };

		replace_header(ec_token, headers[i], &forged);
		if (holds(str_c(&forged), ec))
			fail_msg("believed %s", headers[i]);
	}
	assert_false(holds(rsa_token, only));
	jwt_key_free(&ec);
	jwt_key_free(&only);
}

/* HMAC with the text of a public key as its secret: the classic confusion. */
static void jwt_public_key_is_no_secret(void **state)
{
	struct jwt_key *ec = jwk(ec_key);
	AUTO(str) token = { 0 };
	unsigned char mac[32];

	(void)state;
	base64url_encode(&token, SV("{\"alg\":\"HS256\"}"));
	str_addc(&token, ".e30");
	hmac_sha256(mac, sv_c(ec_key), str_sv(&token));
	str_add1(&token, '.');
	base64url_encode(&token, (struct sv){ (char *)mac, sizeof mac });
	assert_false(holds(str_c(&token), ec));
	jwt_key_free(&ec);
}

/* Every single character that is changed breaks the token. */
static void jwt_changed_anywhere_is_refused(void **state)
{
	struct jwt_key *k = jwt_key_generate();
	AUTO(str) token = { 0 };

	(void)state;
	sign(k, "{\"sub\":\"me\",\"exp\":1}", &token);
	for (size_t i = 0; i < token.n; i++) {
		char was = token.p[i];

		token.p[i] = was == 'A' ? 'B' : was == '.' ? '-' : 'A';
		if (holds(str_c(&token), k))
			fail_msg("byte %zu does not matter", i);
		token.p[i] = was;
	}
	assert_true(holds(str_c(&token), k));
	jwt_key_free(&k);
}

static void jwt_signature_of_nothing_is_refused(void **state)
{
	struct jwt_key *k = jwt_key_generate();
	AUTO(str) token = { 0 }, zero = { 0 };
	char *dot;

	(void)state;
	sign(k, "{}", &token);
	dot = strrchr(token.p, '.');
	str_cut(&token, (size_t)(dot - token.p) + 1);
	memset(str_room(&zero, 64), 0, 64);     /* r = s = 0 */
	zero.n = 64;
	base64url_encode(&token, str_sv(&zero));
	assert_false(holds(str_c(&token), k));
	jwt_key_free(&k);
}

static void expect_no_key(const char *text, enum err_code code, const char *why)
{
	AUTO_DOC d = json(text);
	AUTO(err) err = { 0 };
	struct jwt_key *k = jwt_key_jwk(doc_root(d), &err);

	assert_null(k);
	assert_int_equal(err.code, code);
	if (!strstr(err_msg(&err), why))
		fail_msg("want '%s' in '%s'", why, err_msg(&err));
}

static void jwt_keys_that_cannot_be_trusted_are_refused(void **state)
{
	(void)state;
	expect_no_key("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}", ERR_UNSUPPORTED, "want RSA or EC");
	expect_no_key("{}", ERR_UNSUPPORTED, "want RSA or EC");
	expect_no_key("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", ERR_UNSUPPORTED, "2048");
	expect_no_key("{\"kty\":\"RSA\",\"n\":\"*\",\"e\":\"AQAB\"}", ERR_INVALID, "\"n\"");
	expect_no_key("{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}", ERR_UNSUPPORTED, "enc");
	expect_no_key("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", ERR_UNSUPPORTED, "P-256");
	expect_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", ERR_INVALID, "32 bytes");
	expect_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
		      "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}", ERR_INVALID, "not a point");
}

static int check_time(const char *claims, int64_t now_s, int64_t leeway_s, struct err *err)
{
	AUTO_DOC d = json(claims);

	return jwt_check_time(doc_root(d), now_s * 1000, leeway_s * 1000, err);
}

static void jwt_times_bound_a_token_on_both_sides(void **state)
{
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(check_time("{\"exp\":100,\"nbf\":50,\"iat\":50}", 99, 0, &err), &err);
	assert_ok(check_time("{\"exp\":100.5}", 100, 0, &err), &err);
	assert_ok(check_time("{\"exp\":100}", 104, 5, &err), &err);
	assert_err(check_time("{\"exp\":100}", 100, 0, &err), &err, ERR_UNAUTHORIZED, "expired");
	assert_err(check_time("{\"exp\":100,\"nbf\":50}", 49, 0, &err), &err, ERR_UNAUTHORIZED, "nbf");
	assert_err(check_time("{\"exp\":100,\"iat\":50}", 40, 5, &err), &err, ERR_UNAUTHORIZED, "iat");
	assert_err(check_time("{\"exp\":100,\"nbf\":\"0\"}", 49, 0, &err), &err, ERR_UNAUTHORIZED, "nbf");
	assert_err(check_time("{}", 1, 0, &err), &err, ERR_UNAUTHORIZED, "when it expires");
	assert_err(check_time("{\"exp\":\"100\"}", 1, 0, &err), &err, ERR_UNAUTHORIZED, "when it expires");
	assert_err(check_time("{\"exp\":1e300}", 1, 0, &err), &err, ERR_UNAUTHORIZED, "when it expires");
}

static bool is_for(const char *claims, const char *audience)
{
	AUTO_DOC d = json(claims);

	return jwt_is_for(doc_root(d), audience);
}

static void jwt_audience_is_matched_whole(void **state)
{
	(void)state;
	assert_true(is_for("{\"aud\":\"a\"}", "a"));
	assert_true(is_for("{\"aud\":[\"b\",\"a\"]}", "a"));
	assert_false(is_for("{\"aud\":[\"b\",\"aa\"]}", "a"));
	assert_false(is_for("{\"aud\":[]}", "a"));
	assert_false(is_for("{\"aud\":{\"a\":\"a\"}}", "a"));
	assert_false(is_for("{}", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(jwt_rfc7515_vectors_verify),
		TEST(jwt_key_without_a_name_is_called_by_its_thumbprint),
		TEST(jwt_signed_token_verifies_with_the_published_key_alone),
		TEST(jwt_text_that_is_no_token_is_refused),
		TEST(jwt_algorithm_is_the_keys_and_not_the_tokens),
		TEST(jwt_public_key_is_no_secret),
		TEST(jwt_changed_anywhere_is_refused),
		TEST(jwt_signature_of_nothing_is_refused),
		TEST(jwt_keys_that_cannot_be_trusted_are_refused),
		TEST(jwt_times_bound_a_token_on_both_sides),
		TEST(jwt_audience_is_matched_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
