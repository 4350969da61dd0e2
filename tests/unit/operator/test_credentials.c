/* tests/unit/operator/test_credentials.c - which Secret is for which URL. */
#include "check.h"

#include "base/encode.h"
#include "base/fiber.h"
#include "kube/fake-client.h"
#include "operator/git/credentials.h"

struct scene { const char *url; struct str username, password; bool found, insecure; };

static void add(struct client *c, const char *name, const char *type, const char *url, const char *user, const char *insecure)
{
	const char *const values[] = { url, user, "pw", insecure };
	static const char *const keys[] = { "url", "username", "password", "insecure" };
	AUTO(str) json = { 0 };

	str_addf(&json, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"namespace\":\"cd\",\"name\":\"%s\",\"labels\":{"
		 "\"argocd.argoproj.io/secret-type\":\"%s\"}},\"data\":{", name, type);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		AUTO(str) text = { 0 };
		base64_encode(&text, sv_c(values[i]));
		str_addf(&json, "%s\"%s\":\"%s\"", i ? "," : "", keys[i], str_c(&text));
	}
	str_addc(&json, "}}");
	(void)fake_add(c, str_c(&json));
}

static int stage(void *arg)
{
	struct scene *s = arg;
	struct kinds *kinds = kinds_new();
	struct client *c = fake_client(fiber_loop(), kinds);
	AUTO(credentials) found = { 0 };

	add(c, "all", "repo-creds", "https://example.org/", "everywhere", "false");
	add(c, "team", "repo-creds", "https://example.org/team/", "team", "false");
	add(c, "one", "repository", "https://example.org/team/web.git", "web", "true");
	add(c, "cluster", "cluster", "https://other.org/", "nobody", "false");
	const struct repo_access *a = credentials_find(&found, c, "cd", s->url);
	s->found = a != NULL;
	if (a) {
		str_set(&s->username, a->username);
		str_set(&s->password, a->password);
		s->insecure = a->insecure;
	}
	credentials_free(&found);
	client_free(&c);
	kinds_free(&kinds);
	return 0;
}

static void expect(const char *url, const char *username, bool insecure)
{
	struct scene s = { .url = url };

	(void)fiber_main(stage, &s);
	assert_int_equal(s.found, username != NULL);
	if (username) {
		assert_string_equal(str_c(&s.username), username);
		assert_string_equal(str_c(&s.password), "pw");
		assert_int_equal(s.insecure, insecure);
	}
	str_free(&s.username);
	str_free(&s.password);
}

static void credentials_of_the_most_exact_secret_count(void **state)
{
	(void)state;
	expect("https://example.org/a/b.git", "everywhere", false);
	expect("https://example.org/team/api", "team", false);
	expect("https://example.org/team/web", "web", true);
	expect("git@example.org:team/web.git", "web", true);
}

static void credentials_of_other_kinds_and_places_do_not(void **state)
{
	(void)state;
	expect("https://other.org/x", NULL, false);
	expect("https://elsewhere.org/x", NULL, false);
	expect("/git/web.git", NULL, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(credentials_of_the_most_exact_secret_count),
		TEST(credentials_of_other_kinds_and_places_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
