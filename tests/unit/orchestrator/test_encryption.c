/* Values encrypted in the store: which, with which key, and after the keys have changed. */
#include "check.h"

#include "base/fiber.h"
#include "orchestrator/store/encryption.h"
#include "orchestrator/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KIND "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
#define ONE "MDEyMzQ1Njc4OWFiY2RlZg=="
#define TWO "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define SECRETS(providers) KIND "- {resources: [secrets], providers: [" providers "]}\n"
#define KEY(name, secret) "{name: " name ", secret: " secret "}"
#define GCM(keys) "{aesgcm: {keys: [" keys "]}}"
#define PLAIN "{identity: {}}"
static const char secret[] = "/registry/core/secrets/default/s", map[] = "/registry/core/configmaps/default/c";

static struct encryption *read_config(const char *text)
{
	AUTO(err) e = { 0 };
	struct encryption *out = encryption_read(text, &e);

	if (!out)
		fail_msg("%s", err_msg(&e));
	return out;
}

static void encryption_covers_what_it_names(void **state)
{
	struct encryption *e = read_config(KIND "- {resources: [secrets, deployments.apps, '*.acme.com'], providers: [" PLAIN "]}\n");
	struct encryption *core = read_config(KIND "- {resources: ['*.'], providers: [" PLAIN "]}\n");
	struct encryption *all = read_config(KIND "- {resources: ['*.*'], providers: [" PLAIN "]}\n");

	(void)state;
	assert_true(encryption_covers(e, secret));
	assert_false(encryption_covers(e, map));
	assert_true(encryption_covers(e, "/registry/apps/deployments/d/x"));
	assert_false(encryption_covers(e, "/registry/apps/daemonsets/d/x"));
	assert_false(encryption_covers(e, "/registry/acme.com.evil/secrets/d/x"));
	assert_true(encryption_covers(e, "/registry/acme.com/things/x"));
	assert_true(encryption_covers(core, map));
	assert_false(encryption_covers(core, "/registry/apps/deployments/d/x"));
	assert_true(encryption_covers(all, "/registry/apps/deployments/d/x"));
	assert_false(encryption_covers(all, "/other"));
	encryption_free(&e);
	encryption_free(&core);
	encryption_free(&all);
}

static void encryption_configuration_that_is_wrong_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "kind: X", "EncryptionConfiguration" },
		{ KIND " []", "no resources" },
		{ SECRETS("{aescbc: {keys: []}}"), "aescbc" },
		{ SECRETS(""), "want resources and providers" },
		{ SECRETS(GCM(KEY("a", "c2hvcnQ="))), "16, 24 or 32" },
		{ SECRETS(GCM(KEY("a", "'*'"))), "16, 24 or 32" },
		{ SECRETS(GCM(KEY("'a:b'", ONE))), "without ':'" },
		{ SECRETS(GCM(KEY("a", ONE) ", " KEY("a", TWO))), "two keys" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(err) e = { 0 };

		assert_null(encryption_read(bad[i][0], &e));
		if (!strstr(err_msg(&e), bad[i][1]))
			fail_msg("want '%s' in '%s'", bad[i][1], err_msg(&e));
	}
}

static void encryption_of_a_value_belongs_to_its_key(void **state)
{
	struct encryption *e = read_config(SECRETS(GCM(KEY("a", ONE)) ", " PLAIN));
	AUTO(str) stored = { 0 }, open = { 0 };
	AUTO(err) err = { 0 };
	bool stale;

	(void)state;
	assert_ok(encryption_seal(e, secret, SV("{\"kind\":\"Secret\"}"), &stored, &err), &err);
	assert_true(sv_starts(str_sv(&stored), SV("k8s:enc:aesgcm:v1:a:")));
	assert_null(memmem(stored.p, stored.n, "Secret", 6));
	assert_ok(encryption_open(e, secret, str_sv(&stored), &open, &stale, &err), &err);
	assert_string_equal(str_c(&open), "{\"kind\":\"Secret\"}");
	assert_false(stale);
	assert_err(encryption_open(e, "/registry/core/secrets/default/t", str_sv(&stored), &open, &stale, &err), &err, ERR_INVALID, "not this key");
	assert_err(encryption_open(e, secret, SV("k8s:enc:aesgcm:v1:b:xxx"), &open, &stale, &err), &err, ERR_INVALID, "key \"b\"");
	assert_err(encryption_open(e, secret, SV("k8s:enc:kms:v2:x"), &open, &stale, &err), &err, ERR_INVALID, "not known here");
	assert_ok(encryption_open(e, secret, SV("{}"), &open, &stale, &err), &err);
	assert_true(stale);
	encryption_free(&e);
}

/* ---- the store ---- */

static void note(void *arg, const struct store_event *e)
{
	str_addf(arg, "%s %s=" SV_FMT "\n", e->type == STORE_PUT ? "put" : "delete", strrchr(e->key, '/') + 1, SV_ARG(e->value));
}

static int note_kv(void *arg, const struct kv *kv)
{
	str_addf(arg, "%s=%s%s\n", strrchr(kv->key, '/') + 1, kv->value_n > 8 && !strncmp(kv->value, "k8s:enc:", 8) ? "sealed by " : "",
		 kv->value_n > 8 && !strncmp(kv->value, "k8s:enc:", 8) ? (char[]){ kv->value[18], '\0' } : kv->value);
	return 0;
}

static void write_one(struct store *st, const char *key, const char *value, struct str *trace)
{
	AUTO(err) e = { 0 };

	if (st->ops->put(st, key, -1, sv_c(value), NULL, &e) < 0)
		str_addf(trace, "%s\n", err_msg(&e));
}

struct run { const char *configs[4]; struct str trace; };

/* The first configuration's store is written to; each of the others is a restart with it. */
static int run(void *arg)
{
	struct run *r = arg;
	char path[] = "/tmp/cd-test-encryption-XXXXXX", *file;
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };

	if (!mkdtemp(path))
		return -1;
	file = str_fmt("%s/store.db", path);
	for (size_t i = 0; i < 4 && r->configs[i]; i++) {
		AUTO(err) e = { 0 };
		struct store *inner = store_sqlite(fiber_loop(), file, &e);
		struct store *st = inner ? store_encrypted(inner, encryption_read(r->configs[i], NULL)) : NULL;
		size_t n = 0;
		int64_t from = st ? st->ops->revision(st) : 0;

		if (!st) {
			str_addf(&r->trace, "%s\n", err_msg(&e));
			break;
		}
		if (store_encrypt_again(st, &n, &e) < 0)
			str_addf(&r->trace, "%s\n", err_msg(&e));
		str_addf(&r->trace, "again %zu\n", n);
		if (!i) {
			if (st->ops->subscribe(st, from, note, &r->trace, &e) < 0)
				str_addf(&r->trace, "%s\n", err_msg(&e));
			write_one(st, secret, "hidden", &r->trace);
			write_one(st, map, "open", &r->trace);
			st->ops->unsubscribe(st, note, &r->trace);
		}
		(void)!inner->ops->range(inner, "/registry/", 0, note_kv, &r->trace, NULL, NULL);
		if (st->ops->range(st, "/registry/", 0, note_kv, &r->trace, NULL, &e) < 0)
			str_addf(&r->trace, "%s\n", err_msg(&e));
		st->ops->free(st);
	}
	for (size_t i = 0; i < 4; i++) {
		char *name = str_fmt("%s%s", file, ends[i]);

		(void)unlink(name);
		free(name);
	}
	(void)rmdir(path);
	free(file);
	return 0;
}

static void expect(struct run r, const char *want)
{
	assert_int_equal(fiber_main(run, &r), 0);
	assert_string_equal(str_c(&r.trace), want);
	str_free(&r.trace);
}

static void encrypted_store_hides_secrets_and_shows_them(void **state)
{
	(void)state;
	expect((struct run){ .configs = { SECRETS(GCM(KEY("a", ONE)) ", " PLAIN) } },
	       "again 0\nput s=hidden\nput c=open\nc=open\ns=sealed by a\nc=open\ns=hidden\n");
}

static void encrypted_store_follows_its_keys(void **state)
{
	(void)state;
	expect((struct run){ .configs = { SECRETS(PLAIN), SECRETS(GCM(KEY("a", ONE)) ", " PLAIN),
					  SECRETS(GCM(KEY("b", TWO) ", " KEY("a", ONE))), SECRETS(GCM(KEY("b", TWO))) } },
	       "again 0\nput s=hidden\nput c=open\nc=open\ns=hidden\nc=open\ns=hidden\n"
	       "again 1\nc=open\ns=sealed by a\nc=open\ns=hidden\n"
	       "again 1\nc=open\ns=sealed by b\nc=open\ns=hidden\n"
	       "again 0\nc=open\ns=sealed by b\nc=open\ns=hidden\n");
}

static void encrypted_store_without_its_key_says_which_is_missing(void **state)
{
	(void)state;
	expect((struct run){ .configs = { SECRETS(GCM(KEY("a", ONE))), SECRETS(GCM(KEY("b", TWO) ", " KEY("c", ONE))),
					  SECRETS(GCM(KEY("a", TWO))) } },
	       "again 0\nput s=hidden\nput c=open\nc=open\ns=sealed by a\nc=open\ns=hidden\n"
	       "again 0\nc=open\ns=sealed by a\nc=open\n'/registry/core/secrets/default/s' is encrypted with key \"a\", which the encryption "
	       "configuration does not have\n"
	       "again 0\nc=open\ns=sealed by a\nc=open\n'/registry/core/secrets/default/s': decrypt: not this key, or the text was changed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(encryption_covers_what_it_names),
		TEST(encryption_configuration_that_is_wrong_is_refused),
		TEST(encryption_of_a_value_belongs_to_its_key),
		TEST(encrypted_store_hides_secrets_and_shows_them),
		TEST(encrypted_store_follows_its_keys),
		TEST(encrypted_store_without_its_key_says_which_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
