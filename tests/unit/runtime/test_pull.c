#include "check.h"
#include "base/encode.h"
#include "base/fiber.h"
#include "base/fs.h"
#include "base/http.h"
#include "runtime/image/image.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a registry with one image of two layers ---- */

enum auth { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

struct content { struct str path, type, body; };

struct registry {
	enum auth auth;
	int corrupt;                    /* which blob is sent with another byte; -1: none */
	struct content v[8];
	size_t n, blobs_sent, port;
	struct str manifest_digest;
};

static void digest_of(struct sv body, struct str *out)
{
	str_addc(out, "sha256:");
	sha256_hex(out, body);
}

static struct content *serve(struct registry *r, const char *kind, const char *reference, const char *type,
			     struct sv body)
{
	struct content *c = &r->v[r->n++];

	str_addf(&c->path, "/v2/team/app/%s/%s", kind, reference);
	str_addc(&c->type, type);
	str_add(&c->body, body);
	return c;
}

static la_ssize_t add_bytes(struct archive *a, void *arg, const void *bytes, size_t n)
{
	(void)a;
	str_add(arg, (struct sv){ bytes, n });
	return (la_ssize_t)n;
}

/* A layer with one file, compressed or not; its diff id is that of the plain archive. */
static void make_layer(const char *name, const char *text, bool gzip, struct str *out)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();

	archive_write_set_format_ustar(a);
	archive_write_set_bytes_in_last_block(a, 1);
	if (gzip) {
		archive_write_add_filter_gzip(a);
		archive_write_set_filter_option(a, "gzip", "timestamp", NULL);  /* the same bytes every time */
	}
	archive_write_open(a, out, NULL, add_bytes, NULL);
	archive_entry_set_pathname(e, name);
	archive_entry_set_mode(e, 0100644);
	archive_entry_set_size(e, (la_int64_t)strlen(text));
	archive_write_header(a, e);
	archive_write_data(a, text, strlen(text));
	archive_entry_free(e);
	archive_write_free(a);
}

static void add_layer(struct registry *r, const char *name, bool gzip, struct str *layers, struct str *ids)
{
	AUTO(str) plain = { 0 };
	AUTO(str) sent = { 0 };
	AUTO(str) digest = { 0 };

	make_layer(name, name, false, &plain);
	make_layer(name, name, gzip, &sent);
	digest_of(str_sv(&sent), &digest);
	str_addf(layers,
		 "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar%s\",\"digest\":\"%s\",\"size\":%zu}",
		 layers->n ? "," : "", gzip ? "+gzip" : "", str_c(&digest), sent.n);
	str_addc(ids, ids->n ? ",\"" : "\"");
	digest_of(str_sv(&plain), ids);
	str_addc(ids, "\"");
	serve(r, "blobs", str_c(&digest), "application/octet-stream", str_sv(&sent));
}

static void fill(struct registry *r)
{
	AUTO(str) layers = { 0 };
	AUTO(str) ids = { 0 };
	AUTO(str) config = { 0 };
	AUTO(str) config_digest = { 0 };
	AUTO(str) manifest = { 0 };
	AUTO(str) index = { 0 };

	r->corrupt = -1;
	add_layer(r, "below", true, &layers, &ids);
	add_layer(r, "above", false, &layers, &ids);
	str_addf(&config, "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/run\"]},"
		 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}", str_c(&ids));
	digest_of(str_sv(&config), &config_digest);
	serve(r, "blobs", str_c(&config_digest), "application/octet-stream", str_sv(&config));
	str_addf(&manifest,
		 "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
		 "vnd.oci.image.config.v1+json\",\"digest\":"
		 "\"%s\",\"size\":%zu},\"layers\":[%s]}",
		 str_c(&config_digest), config.n, str_c(&layers));
	digest_of(str_sv(&manifest), &r->manifest_digest);
	serve(r, "manifests", str_c(&r->manifest_digest), "application/vnd.oci.image.manifest.v1+json",
	      str_sv(&manifest));
	str_addf(&index, "{\"schemaVersion\":2,\"manifests\":["
		 "{\"digest\":\"sha256:%064d\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
		 "{\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
		 "{\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}}]}", 7,
		 str_c(&r->manifest_digest), manifest.n, str_c(&r->manifest_digest), manifest.n);
	serve(r, "manifests", "v1", "application/vnd.oci.image.index.v1+json; charset=utf-8", str_sv(&index));
}

static void registry_free(struct registry *r)
{
	for (size_t i = 0; i < r->n; i++) {
		str_free(&r->v[i].path);
		str_free(&r->v[i].type);
		str_free(&r->v[i].body);
	}
	str_free(&r->manifest_digest);
}

/* ---- its server ---- */

#define BASIC "Basic dXNlcjpwYXNzd29yZA=="     /* user:password */

static bool allowed(struct registry *r, struct http_request *rq)
{
	AUTO(str) challenge = { 0 };
	struct sv sent = http_header(rq, "Authorization");

	if (r->auth == AUTH_NONE || (r->auth == AUTH_BASIC && sv_eq_c(sent, BASIC)) ||
	    (r->auth == AUTH_BEARER && sv_eq_c(sent, "Bearer secret")))
		return true;
	if (r->auth == AUTH_BASIC)
		str_addc(&challenge, "Basic realm=\"registry\"");
	else
		str_addf(&challenge,
			 "Bearer "
			 "realm=\"http://127.0.0.1:%zu/token\",service=\"registry\",scope=\"repository:team/app:pull\"",
			 r->port);
	http_add_header(rq, "WWW-Authenticate", str_c(&challenge));
	http_reply(rq, 401, "application/json", SV("{}"));
	return false;
}

static void give_token(struct http_request *rq)
{
	bool ok = sv_eq_c(http_header(rq, "Authorization"), BASIC) &&
		  strstr(http_query(rq), "scope=repository:team/app:pull");

	http_reply(rq, ok ? 200 : 403, "application/json", ok ? SV("{\"token\":\"secret\"}") : SV("{}"));
}

static void handle(struct http_request *rq, void *arg)
{
	struct registry *r = arg;

	if (!strncmp(http_path(rq), "/token", 6)) {
		give_token(rq);
		return;
	}
	if (!allowed(r, rq))
		return;
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(str_c(&r->v[i].path), http_path(rq))) {
			AUTO(str) body = { 0 };

			str_add(&body, str_sv(&r->v[i].body));
			if (r->corrupt == (int)i)
				body.p[body.n / 2] ^= 1;
			r->blobs_sent += strstr(http_path(rq), "/blobs/") != NULL;
			http_reply(rq, 200, str_c(&r->v[i].type), str_sv(&body));
			return;
		}
	http_reply(rq, 404, "application/json", SV("{}"));
}

/* ---- one pull ---- */

struct pull {
	struct registry registry;
	const char *reference, *user, *password;
	char dir[64];
	struct image image;
	struct str said, name;
	int result, find_result;
	size_t blobs_again;
	struct err err;
};

static void hear(void *arg, const char *line) { str_addf(arg, "%s\n", line); }

static void pull_from(struct pull *p, struct http_server *server)
{
	struct images *i = images_open(fiber_loop(), p->dir, &p->err);
	const struct image_pull_opts opts = {
		.user = p->user, .password = p->password, .progress = hear, .arg = &p->said
	};

	p->registry.port = (size_t)http_server_port(server);
	str_addf(&p->name, "127.0.0.1:%zu/team/app%s", p->registry.port, p->reference);
	p->result = image_pull(i, str_c(&p->name), &opts, &p->err);
	if (p->result >= 0) {
		p->find_result = image_find(i, str_c(&p->name), &p->image, &p->err);
		p->registry.blobs_sent = 0;
		p->result = image_pull(i, str_c(&p->name), &opts, &p->err);
		p->blobs_again = p->registry.blobs_sent;
	}
	images_close(&i);
}

static int pull_fiber(void *arg)
{
	struct pull *p = arg;
	const struct http_server_opts opts = {
		.listen = "127.0.0.1:0", .max_body = 1 << 20, .handler = handle, .arg = &p->registry
	};
	struct http_server *server = http_server_start(fiber_loop(), &opts, &p->err);

	p->result = -ERR_IO;
	if (server)
		pull_from(p, server);
	http_server_stop(&server);
	return 0;
}

static char base[64];           /* holds every store, so that a failed test leaves nothing either */

static int open_base(void **state)
{
	(void)state;
	snprintf(base, sizeof base, "/tmp/cd-pull-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int close_base(void **state)
{
	(void)state;
	return tree_remove(base, NULL);
}

static void pull(struct pull *p)
{
	snprintf(p->dir, sizeof p->dir, "%.32s/store-XXXXXX", base);
	assert_non_null(mkdtemp(p->dir));
	(void)fiber_main(pull_fiber, p);
}

static void pull_free(struct pull *p)
{
	registry_free(&p->registry);
	image_free(&p->image);
	str_free(&p->said);
	str_free(&p->name);
	err_free(&p->err);
}

static void expect_image(struct pull *p)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	struct err err = { 0 };

	assert_ok(p->result, &p->err);
	assert_ok(p->find_result, &p->err);
	assert_string_equal(str_c(&p->image.digest), str_c(&p->registry.manifest_digest));
	assert_int_equal(p->image.layers.n, 2);
	str_addf(&path, "%s/above", p->image.layers.v[0]);      /* topmost first */
	assert_ok(file_read(str_c(&path), 100, &text, &err), &err);
	assert_string_equal(str_c(&text), "above");
	assert_int_equal(p->blobs_again, 0);
}

static void pull_chooses_this_platform_and_fetches_once(void **state)
{
	struct pull p = { .reference = ":v1" };

	(void)state;
	fill(&p.registry);
	pull(&p);
	expect_image(&p);
	assert_non_null(strstr(str_c(&p.said), " bytes\n"));
	pull_free(&p);
}

static void pull_by_digest_checks_the_manifest(void **state)
{
	struct pull p = { .registry = { 0 } };
	AUTO(str) reference = { 0 };

	(void)state;
	fill(&p.registry);
	str_addf(&reference, "@%s", str_c(&p.registry.manifest_digest));
	p.reference = str_c(&reference);
	pull(&p);
	expect_image(&p);
	pull_free(&p);
	p = (struct pull){ 0 };
	fill(&p.registry);                      /* packed at another second, it may have another digest */
	str_cut(&reference, 0);
	str_addf(&reference, "@%s", str_c(&p.registry.manifest_digest));
	p.reference = str_c(&reference);
	p.registry.corrupt = 3;
	pull(&p);
	assert_err(p.result, &p.err, ERR_INVALID, "the registry's manifest is sha256:");
	pull_free(&p);
}

static void pull_of_a_changed_layer_is_refused(void **state)
{
	struct pull p = { .reference = ":v1" };

	(void)state;
	fill(&p.registry);
	p.registry.corrupt = 1;
	pull(&p);
	assert_err(p.result, &p.err, ERR_INVALID, "not sha256:");
	pull_free(&p);
}

static void pull_of_what_is_not_there_says_so(void **state)
{
	struct pull p = { .reference = ":v2" };

	(void)state;
	fill(&p.registry);
	pull(&p);
	assert_err(p.result, &p.err, ERR_NOT_FOUND, "has no manifest \"v2\" of team/app");
	pull_free(&p);
}

static void pull_authenticates_as_the_registry_asks(void **state)
{
	(void)state;
	for (enum auth auth = AUTH_BASIC; auth <= AUTH_BEARER; auth++) {
		struct pull p = {
			.reference = ":v1", .user = "user", .password = "password", .registry = { .auth = auth }
		};

		fill(&p.registry);
		pull(&p);
		expect_image(&p);
		pull_free(&p);
	}
}

static void pull_without_credentials_is_denied(void **state)
{
	(void)state;
	for (enum auth auth = AUTH_BASIC; auth <= AUTH_BEARER; auth++) {
		struct pull p = { .reference = ":v1", .registry = { .auth = auth } };

		fill(&p.registry);
		pull(&p);
		assert_err(p.result, &p.err, ERR_UNAUTHORIZED, "no credentials were given");
		pull_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pull_chooses_this_platform_and_fetches_once),
		TEST(pull_by_digest_checks_the_manifest),
		TEST(pull_of_a_changed_layer_is_refused),
		TEST(pull_of_what_is_not_there_says_so),
		TEST(pull_authenticates_as_the_registry_asks),
		TEST(pull_without_credentials_is_denied),
	};

	if (geteuid()) {
		printf("needs root: layers keep their owners\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, open_base, close_base);
}
