#include "check.h"

#include "base/loop.h"
#include "base/tls-internal.h"

struct pki { struct str ca, ca_key, cert, key, client, client_key; };

static void pki_free(struct pki *p)
{
	str_free(&p->ca);
	str_free(&p->ca_key);
	str_free(&p->cert);
	str_free(&p->key);
	str_free(&p->client);
	str_free(&p->client_key);
}

static struct pki pki_new(void)
{
	static const char *const groups[] = { "system:masters", "ops" };
	struct pki p = { 0 };
	struct err e = { 0 };
	struct cert_request server = { .common_name = "api", .names = "localhost, 127.0.0.1,::1", .days = 10 };
	struct cert_request client = { .common_name = "admin", .organizations = groups, .n_organizations = 2, .days = 10 };

	assert_ok(ca_create("test CA", 100, &p.ca, &p.ca_key, &e), &e);
	assert_ok(ca_sign(str_sv(&p.ca), str_sv(&p.ca_key), &server, &p.cert, &p.key, &e), &e);
	assert_ok(ca_sign(str_sv(&p.ca), str_sv(&p.ca_key), &client, &p.client, &p.client_key, &e), &e);
	return p;
}

static SSL *side(struct tls *t, bool server, BIO *in, BIO *out)
{
	SSL *s = SSL_new(tls_context(t));

	SSL_set_bio(s, in, out);
	if (server)
		SSL_set_accept_state(s);
	else
		SSL_set_connect_state(s);
	return s;
}

struct pair { SSL *server, *client; };

/* Both sides over memory; true when both ends agree. */
static bool handshake(struct tls *server, struct tls *client, const char *host, bool ip, struct pair *out)
{
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());

	BIO_up_ref(up);
	BIO_up_ref(down);
	out->server = side(server, true, up, down);
	out->client = side(client, false, down, up);
	if (ip)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(out->client), host);
	else
		SSL_set1_host(out->client, host);
	SSL_set_alpn_protos(out->client, (const unsigned char *)"\10http/1.1\2h2", 12);
	for (int i = 0; i < 10; i++) {
		int c = SSL_do_handshake(out->client), s = SSL_do_handshake(out->server);

		if (c == 1 && s == 1)
			return true;
	}
	return false;
}

static void pair_free(struct pair *p)
{
	SSL_free(p->server);
	SSL_free(p->client);
}

static void tls_peer_is_name_and_groups_of_the_client(void **state)
{
	AUTO(pki) p = pki_new();
	struct err e = { 0 };
	struct tls *server = tls_server(str_sv(&p.cert), str_sv(&p.key), str_sv(&p.ca), &e);
	struct tls *client = tls_client(str_sv(&p.client), str_sv(&p.client_key), str_sv(&p.ca), &e);
	AUTO(pair) both;

	(void)state;
	assert_true(handshake(server, client, "localhost", false, &both));
	struct tls_peer *peer = tls_peer_of(both.server);
	assert_non_null(peer);
	assert_string_equal(peer->name, "admin");
	assert_int_equal(peer->n_groups, 2);
	assert_string_equal(peer->groups[1], "ops");
	tls_peer_free(&peer);
	tls_free(server);
	tls_free(client);
}

static void tls_server_prefers_h2(void **state)
{
	AUTO(pki) p = pki_new();
	struct tls *server = tls_server(str_sv(&p.cert), str_sv(&p.key), SV(""), NULL);
	struct tls *client = tls_client(SV(""), SV(""), str_sv(&p.ca), NULL);
	const unsigned char *name;
	unsigned n;
	AUTO(pair) both;

	(void)state;
	assert_true(handshake(server, client, "127.0.0.1", true, &both));
	SSL_get0_alpn_selected(both.server, &name, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(name, "h2", 2);
	assert_null(tls_peer_of(both.server));
	tls_free(server);
	tls_free(client);
}

static const struct { const char *host; bool ip, ok; } hosts[] = {
	{ "localhost", false, true }, { "127.0.0.1", true, true }, { "::1", true, true },
	{ "evil.example", false, false }, { "10.0.0.1", true, false },
};

static void tls_client_accepts_only_names_of_the_certificate(void **state)
{
	AUTO(pki) p = pki_new();
	struct tls *server = tls_server(str_sv(&p.cert), str_sv(&p.key), SV(""), NULL);
	struct tls *client = tls_client(SV(""), SV(""), str_sv(&p.ca), NULL);

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		AUTO(pair) both;

		assert_int_equal(handshake(server, client, hosts[i].host, hosts[i].ip, &both), hosts[i].ok);
	}
	tls_free(server);
	tls_free(client);
}

static void tls_server_refuses_a_certificate_of_another_ca(void **state)
{
	AUTO(pki) p = pki_new();
	AUTO(pki) other = pki_new();
	struct tls *server = tls_server(str_sv(&p.cert), str_sv(&p.key), str_sv(&p.ca), NULL);
	struct tls *client = tls_client(str_sv(&other.client), str_sv(&other.client_key), str_sv(&p.ca), NULL);
	AUTO(pair) both;

	(void)state;
	assert_false(handshake(server, client, "localhost", false, &both));
	assert_null(tls_peer_of(both.server));
	tls_free(server);
	tls_free(client);
}

static void tls_server_with_a_wrong_key_fails(void **state)
{
	AUTO(pki) p = pki_new();
	struct err e = { 0 };

	(void)state;
	assert_null(tls_server(str_sv(&p.cert), str_sv(&p.client_key), SV(""), &e));
	assert_err(-(int)e.code, &e, ERR_INVALID, "certificate and key: ");
	assert_null(tls_server(SV("nonsense"), str_sv(&p.key), SV(""), &e));
	assert_null(tls_client(SV(""), SV(""), SV("nonsense"), &e));
	assert_err(-(int)e.code, &e, ERR_INVALID, "CA certificate: ");
	err_free(&e);
}

static void ca_sign_refuses_names_that_would_inject(void **state)
{
	AUTO(pki) p = pki_new();
	AUTO(str) cert = { 0 };
	AUTO(str) key = { 0 };
	struct err e = { 0 };
	struct cert_request rq = { .common_name = "x", .names = "a;email:copy", .days = 1 };

	(void)state;
	assert_err(ca_sign(str_sv(&p.ca), str_sv(&p.ca_key), &rq, &cert, &key, &e), &e, ERR_INVALID, "a;email:copy");
	err_free(&e);
}

static void cert_expires_ms_is_days_from_now(void **state)
{
	AUTO(pki) p = pki_new();
	int64_t left = cert_expires_ms(str_sv(&p.cert)) - clock_ms();

	(void)state;
	assert_in_range(left, 10 * 86400000LL - 60000, 10 * 86400000LL + 60000);
	assert_int_equal(cert_expires_ms(SV("nonsense")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tls_peer_is_name_and_groups_of_the_client),
		TEST(tls_server_prefers_h2),
		TEST(tls_client_accepts_only_names_of_the_certificate),
		TEST(tls_server_refuses_a_certificate_of_another_ca),
		TEST(tls_server_with_a_wrong_key_fails),
		TEST(ca_sign_refuses_names_that_would_inject),
		TEST(cert_expires_ms_is_days_from_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
