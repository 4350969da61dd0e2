/* OpenID Connect against a provider of the test's own, over TLS on loopback. */
#include "check.h"

#include "base/fiber.h"
#include "base/http.h"
#include "base/json.h"
#include "base/log.h"
#include "orchestrator/api/auth-internal.h"
#include "orchestrator/api/oidc-internal.h"

#include <stdlib.h>

struct provider {
	struct http_server *server;
	struct tls *tls;
	struct str ca, url;
	struct jwt_key *key, *other, *published;        /* published: what the key set holds */
	const char *says_issuer, *says_keys;            /* instead of its own; NULL: the truth */
	int asked;                                      /* for keys */
	struct str trace;
	void (*scenario)(struct provider *p);
};

/* ---- the provider ---- */

static void answer(struct http_request *rq, const struct node *n)
{
	AUTO(str) out = { 0 };

	json_write(&out, n, 0);
	http_reply(rq, 200, "application/json", str_sv(&out));
}

static void handle(struct http_request *rq, void *arg)
{
	struct provider *p = arg;
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d);

	if (strstr(http_path(rq), "openid-configuration")) {
		node_set(d, root, "issuer", node_str(d, p->says_issuer ? p->says_issuer : str_c(&p->url)));
		node_set(d, root, "jwks_uri", node_strf(d, "%s/keys", p->says_keys ? p->says_keys : str_c(&p->url)));
	} else {
		p->asked++;
		node_add(d, node_seq_at(d, root, "keys"), jwt_key_public(p->published, d));
		node_add(d, node_seq_at(d, root, "keys"), node_map(d));         /* of no use to us */
	}
	answer(rq, root);
}

static int provide(void *arg)
{
	struct provider *p = arg;
	AUTO(str) ca_key = { 0 }, cert = { 0 }, key = { 0 };
	AUTO(err) e = { 0 };
	struct cert_request rq = { .common_name = "provider", .names = "127.0.0.1", .days = 1 };

	if (ca_create("ca", 1, &p->ca, &ca_key, &e) < 0 || ca_sign(str_sv(&p->ca), str_sv(&ca_key), &rq, &cert, &key, &e) < 0 ||
	    !(p->tls = tls_server(str_sv(&cert), str_sv(&key), SV(""), &e)) ||
	    !(p->server = http_server_start(fiber_loop(), &(struct http_server_opts){ .listen = "127.0.0.1:0", .tls = p->tls,
							    .max_body = 1024, .handler = handle, .arg = p }, &e))) {
		str_addf(&p->trace, "%s", err_msg(&e));
	} else {
		str_addf(&p->url, "https://127.0.0.1:%d", http_server_port(p->server));
		p->scenario(p);
	}
	http_server_stop(&p->server);
	tls_free(p->tls);
	str_free(&p->ca);
	str_free(&p->url);
	return 0;
}

static void expect(void (*scenario)(struct provider *), const char *want)
{
	struct provider p = { .scenario = scenario, .key = jwt_key_generate(), .other = jwt_key_generate() };

	log_set_level(LOG_ERROR);
	p.published = p.key;
	(void)fiber_main(provide, &p);
	assert_string_equal(str_c(&p.trace), want);
	str_free(&p.trace);
	jwt_key_free(&p.key);
	jwt_key_free(&p.other);
}

/* ---- steps ---- */

static struct oidc *open_with(struct provider *p, struct oidc_opts o)
{
	AUTO(err) e = { 0 };

	o.issuer = o.issuer ? o.issuer : str_c(&p->url);
	o.client_id = "kubectl";
	o.signing_algs = o.signing_algs ? o.signing_algs : "ES256";
	o.ca = str_sv(&p->ca);
	struct oidc *x = oidc_new(fiber_loop(), &o, &e);
	if (!x)
		str_addf(&p->trace, "%s\n", err_msg(&e));
	return x;
}

static struct oidc *open_plain(struct provider *p)
{
	return open_with(p, (struct oidc_opts){ .username_prefix = "-", .groups_claim = "groups" });
}

/* Logs in with claims (after iss, aud and exp, which are good unless the claims say otherwise) and notes who it is. */
static void enter_with(struct provider *p, struct oidc *o, const struct jwt_key *key, const char *claims)
{
	AUTO(str) text = { 0 }, token = { 0 };
	AUTO(login) who = { 0 };
	AUTO(err) e = { 0 };
	AUTO(jwt) t = { 0 };
	AUTO_DOC d = NULL;

	str_addf(&text, "{\"iss\":\"%s\",\"aud\":\"kubectl\",\"exp\":99999999999,%s}", str_c(&p->url), claims);
	if (json_read(str_sv(&text), "claims", 0, &d, &e) < 0 || jwt_sign(key, doc_root(d), &token, &e) < 0 ||
	    jwt_read(str_sv(&token), &t, &e) < 0 || !oidc_issued(o, &t) || oidc_login(o, &t, &who, &e) < 0) {
		str_addf(&p->trace, "%s\n", e.msg ? e.msg : "not of this issuer");
		return;
	}
	str_addf(&p->trace, "%s", who.caller.user);
	for (size_t i = 0; i < who.caller.n_groups; i++)
		str_addf(&p->trace, " %s", who.caller.groups[i]);
	str_add1(&p->trace, '\n');
}

static void enter(struct provider *p, struct oidc *o, const char *claims) { enter_with(p, o, p->key, claims); }

/* ---- scenarios ---- */

static void claims(struct provider *p)
{
	struct oidc *o = open_plain(p);

	enter(p, o, "\"sub\":\"jane\",\"groups\":[\"a\",\"b\",7]");
	enter(p, o, "\"sub\":\"jane\",\"groups\":\"a\"");
	enter(p, o, "\"sub\":\"jane\",\"groups\":[\"system:masters\",\"a\"]");
	enter(p, o, "\"sub\":\"system:admin\"");
	enter(p, o, "\"name\":\"jane\"");
	enter(p, o, "\"sub\":7");
	enter(p, o, "\"sub\":\"jane\",\"exp\":1");
	enter(p, o, "\"sub\":\"jane\",\"nbf\":99999999998");
	enter(p, o, "\"sub\":\"jane\",\"aud\":[\"other\"]");
	enter(p, o, "\"sub\":\"jane\",\"iss\":\"https://elsewhere\"");
	str_addf(&p->trace, "keys read %d times\n", p->asked);
	oidc_free(&o);
}

static void oidc_claims_make_a_user(void **state)
{
	(void)state;
	expect(claims, "jane a b system:authenticated\njane a system:authenticated\njane a system:authenticated\n"
		       "the name \"system:admin\" is reserved\nthe token has no claim \"sub\"\nthe token has no claim \"sub\"\n"
		       "the token has expired\nthe token is not valid yet (nbf)\nthe token is not for \"kubectl\"\n"
		       "not of this issuer\nkeys read 1 times\n");
}

static void options(struct provider *p)
{
	static const char *const required[] = { "hd=example.org" };
	struct oidc *plain = open_with(p, (struct oidc_opts){ 0 });
	struct oidc *mail = open_with(p, (struct oidc_opts){ .username_claim = "email", .groups_claim = "roles", .groups_prefix = "oidc:",
							     .required = required, .n_required = 1 });
	struct oidc *rsa = open_with(p, (struct oidc_opts){ .signing_algs = "RS256,RS512" });
	struct oidc *bad = open_with(p, (struct oidc_opts){ .issuer = "http://127.0.0.1" });
	size_t from = p->trace.n;
	char *at;

	enter(p, plain, "\"sub\":\"jane\"");
	if ((at = strstr(p->trace.p + from, str_c(&p->url))))        /* the port is any */
		memmove(at, at + p->url.n, strlen(at + p->url.n) + 1), p->trace.n -= p->url.n;
	enter(p, mail, "\"email\":\"jane@example.org\",\"hd\":\"example.org\",\"email_verified\":true,\"roles\":[\"system:masters\"]");
	enter(p, mail, "\"email\":\"jane@example.org\",\"hd\":\"example.org\",\"email_verified\":false");
	enter(p, mail, "\"email\":\"jane@example.org\",\"hd\":\"example.com\"");
	enter(p, mail, "\"email\":\"jane@example.org\"");
	enter(p, rsa, "\"sub\":\"jane\"");
	oidc_free(&plain);
	oidc_free(&mail);
	oidc_free(&rsa);
	oidc_free(&bad);
}

static void oidc_options_prefix_and_restrict(void **state)
{
	(void)state;
	expect(options, "--oidc-issuer-url 'http://127.0.0.1': want a URL that begins with https://\n"
			"#jane system:authenticated\njane@example.org oidc:system:masters system:authenticated\n"
			"the address \"jane@example.org\" is not verified\nclaim \"hd\" is not \"example.org\"\n"
			"claim \"hd\" is not \"example.org\"\nthe token is signed by 'ES256', and only RS256,RS512 is allowed\n");
}

static void keys(struct provider *p)
{
	struct oidc *o = open_plain(p);

	enter_with(p, o, p->other, "\"sub\":\"eve\"");
	enter_with(p, o, p->other, "\"sub\":\"eve\"");         /* not asked again at once */
	enter(p, o, "\"sub\":\"jane\"");
	str_addf(&p->trace, "keys read %d times\n", p->asked);
	oidc_free(&o);
	p->published = p->other;        /* the provider has changed its key */
	o = open_plain(p);
	enter(p, o, "\"sub\":\"jane\"");
	enter_with(p, o, p->other, "\"sub\":\"eve\"");
	oidc_free(&o);
	p->published = p->key;
}

static void oidc_keys_are_the_providers_and_seldom_asked_for(void **state)
{
	(void)state;
	expect(keys, "the token is not signed by a key of its issuer\nthe token is not signed by a key of its issuer\n"
		     "jane system:authenticated\nkeys read 1 times\n"
		     "the token is not signed by a key of its issuer\neve system:authenticated\n");
}

static void documents(struct provider *p)
{
	struct oidc *o = open_plain(p);

	p->says_issuer = "https://elsewhere";
	AUTO(err) e = { 0 };
	AUTO(str) token = { 0 };
	AUTO(login) who = { 0 };
	AUTO(jwt) t = { 0 };
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d);
	node_set(d, root, "aud", node_str(d, "kubectl"));
	node_set(d, root, "exp", node_int(d, 99999999999));
	node_set(d, root, "sub", node_str(d, "jane"));
	if (jwt_sign(p->key, root, &token, &e) < 0 || jwt_read(str_sv(&token), &t, &e) < 0)
		str_addf(&p->trace, "%s\n", err_msg(&e));
	str_addf(&p->trace, "%s ", oidc_login(o, &t, &who, &e) == -ERR_UNAVAILABLE && strstr(err_msg(&e), "elsewhere") ? "refused" : err_msg(&e));
	oidc_free(&o);
	o = open_plain(p);
	p->says_issuer = NULL;
	p->says_keys = "http://127.0.0.1";
	str_addf(&p->trace, "%s\n", oidc_login(o, &t, &who, &e) == -ERR_UNAVAILABLE && strstr(err_msg(&e), "no https://") ? "refused" : err_msg(&e));
	oidc_free(&o);
}

static void oidc_discovery_must_be_the_issuers_and_over_tls(void **state)
{
	(void)state;
	expect(documents, "refused refused\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(oidc_claims_make_a_user),
		TEST(oidc_options_prefix_and_restrict),
		TEST(oidc_keys_are_the_providers_and_seldom_asked_for),
		TEST(oidc_discovery_must_be_the_issuers_and_over_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
