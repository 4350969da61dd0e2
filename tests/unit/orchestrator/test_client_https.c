#include "check.h"

/* The client over HTTPS against the real API over TLS, with a client certificate from a kubeconfig. */

#include "base/encode.h"
#include "base/fiber.h"
#include "base/fs.h"
#include "base/http.h"
#include "base/json.h"
#include "base/log.h"
#include "kube/informer.h"
#include "orchestrator/api/api.h"

#include <stdio.h>
#include <stdlib.h>

struct server {
	struct kinds *kinds;
	struct store *store;
	struct api *api;
	struct tls *tls;
	struct http_server *http;
	struct str ca, ca_key, cert, key, client_cert, client_key;
	char dir[64], kubeconfig[96];
	struct client *client;
};

static int make_certificates(struct server *s, struct err *err)
{
	static const char *const admins[] = { "system:masters" };
	const struct cert_request server = { .common_name = "server", .names = "127.0.0.1", .days = 1 };
	const struct cert_request admin = { .common_name = "admin", .organizations = admins, .n_organizations = 1, .days = 1 };

	TRY(ca_create("test CA", 1, &s->ca, &s->ca_key, err));
	TRY(ca_sign(str_sv(&s->ca), str_sv(&s->ca_key), &server, &s->cert, &s->key, err));
	return ca_sign(str_sv(&s->ca), str_sv(&s->ca_key), &admin, &s->client_cert, &s->client_key, err);
}

static int write_kubeconfig(struct server *s, struct err *err)
{
	AUTO(str) text = { 0 }, ca = { 0 }, cert = { 0 }, key = { 0 };

	snprintf(s->dir, sizeof s->dir, "/tmp/cd-client-https-XXXXXX");
	if (!mkdtemp(s->dir))
		return err_errno(err, "mkdtemp");
	snprintf(s->kubeconfig, sizeof s->kubeconfig, "%s/config", s->dir);
	base64_encode(&ca, str_sv(&s->ca));
	base64_encode(&cert, str_sv(&s->client_cert));
	base64_encode(&key, str_sv(&s->client_key));
	str_addf(&text, "current-context: t\ncontexts: [{name: t, context: {cluster: c, user: u, namespace: shop}}]\n"
		 "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:%d', certificate-authority-data: %s}}]\n"
		 "users: [{name: u, user: {client-certificate-data: %s, client-key-data: %s}}]\n", http_server_port(s->http), str_c(&ca), str_c(&cert),
		 str_c(&key));
	return file_write(s->kubeconfig, str_sv(&text), 0600, err);
}

static int start(struct server *s, struct err *err)
{
	struct loop *l = fiber_loop();

	TRY(make_certificates(s, err));
	s->kinds = kinds_new();
	s->store = store_memory(l);
	s->api = api_new(l, &(struct api_opts){ .store = s->store, .kinds = s->kinds, .version = "test" }, err);
	s->tls = tls_server(str_sv(&s->cert), str_sv(&s->key), str_sv(&s->ca), err);
	if (!s->api || !s->tls)
		return -ERR_IO;
	s->http = http_server_start(l, &(struct http_server_opts){ .listen = "127.0.0.1:0", .tls = s->tls, .max_body = 1 << 20,
		.handler = api_handle, .arg = s->api }, err);
	if (!s->http)
		return -ERR_IO;
	TRY(write_kubeconfig(s, err));
	s->client = client_https(l, s->kubeconfig, NULL, err);
	return s->client ? 0 : -ERR_IO;
}

static void stop(struct server *s)
{
	struct str *const texts[] = { &s->ca, &s->ca_key, &s->cert, &s->key, &s->client_cert, &s->client_key };

	client_free(&s->client);
	http_server_stop(&s->http);
	api_free(&s->api);
	if (s->store)
		s->store->ops->free(s->store);
	tls_free(s->tls);
	kinds_free(&s->kinds);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		str_free(texts[i]);
	if (*s->dir)
		(void)!tree_remove(s->dir, NULL);
}

/* ---- scripts: 0, or an error that says what is wrong ---- */

static int wrong(struct err *err, const char *what) { return err_set(err, ERR_IO, "%s", what); }

static struct node *config_map(struct doc *d, struct client *c, const char *name)
{
	return object_start(d, kinds_find(c->kinds, "v1", "ConfigMap"), "shop", name);
}

static int add_namespace(struct client *c, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "Namespace");
	AUTO_DOC d = doc_new();

	return client_create(c, k, object_start(d, k, NULL, "shop"), NULL, NULL, err);
}

static int set_data(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)err;
	node_put(d, root, "data.a", node_str(d, arg));
	return 1;
}

static int verbs(struct client *c, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "ConfigMap");
	AUTO_DOC d = doc_new();
	AUTO_OBJECT one = NULL;
	AUTO_OBJECT two = NULL;
	AUTO_OBJECT three = NULL;
	AUTO(object_list) list = { 0 };
	struct node *root = config_map(d, c, "a"), *patch = node_map(d);

	if (strcmp(client_namespace(c), "shop") != 0)
		return wrong(err, "not the namespace of the context");
	TRY(add_namespace(c, err));
	meta_set_label(d, root, "tier", "front");
	TRY(client_create(c, k, root, NULL, &one, err));
	TRY(client_modify(c, k, "shop", "a", NULL, set_data, (void *)"x", &two, err));
	if (!str_eq(node_str_at(two->root, "data.a"), "x") || two->revision <= one->revision)
		return wrong(err, "the update does not show");
	node_put(d, patch, "data.b", node_str(d, "y"));
	TRY(client_patch(c, k, "shop", "a", PATCH_MERGE, patch, NULL, &three, err));
	if (!str_eq(node_str_at(three->root, "data.b"), "y"))
		return wrong(err, "the patch does not show");
	TRY(client_list(c, k, &(struct list_opts){ .ns = "shop", .labels = "tier in (front, back)" }, &list, err));
	if (list.n != 1 || list.revision < three->revision || !str_eq(node_str_at(list.v[0]->root, "kind"), "ConfigMap"))
		return wrong(err, "the list does not hold it");
	return client_delete(c, k, "shop", "a", &(struct delete_opts){ .grace_seconds = -1, .uid = three->uid }, err);
}

static int errors(struct client *c, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "ConfigMap");
	AUTO_DOC d = doc_new();
	AUTO(err) e = { 0 };
	struct node *root = config_map(d, c, "a");

	TRY(add_namespace(c, err));
	if (client_get(c, k, "shop", "none", NULL, &e) != -ERR_NOT_FOUND || strcmp(err_msg(&e), "configmaps \"none\" not found") != 0)
		return err_set(err, ERR_IO, "get of nothing: %s", err_msg(&e));
	TRY(client_create(c, k, root, NULL, NULL, err));
	if (client_create(c, k, root, NULL, NULL, &e) != -ERR_ALREADY_EXISTS)
		return err_set(err, ERR_IO, "a second create: %s", err_msg(&e));
	node_put(d, root, "metadata.resourceVersion", node_str(d, "1"));
	if (client_update(c, k, root, NULL, NULL, &e) != -ERR_CONFLICT)
		return err_set(err, ERR_IO, "an old version: %s", err_msg(&e));
	if (client_kind_named(c, "gizmos", &e) || !strstr(err_msg(&e), "gizmos"))
		return err_set(err, ERR_IO, "an unknown kind: %s", err_msg(&e));
	return 0;
}

static int watches(struct client *c, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "ConfigMap");
	struct informers *all = informers_new(c->loop, c);
	struct informer *f = informer_of(all, k);
	AUTO_DOC d = doc_new();
	AUTO_OBJECT made = NULL;
	AUTO_OBJECT changed = NULL;
	int r = add_namespace(c, err);

	if (r >= 0)
		r = informer_wait(f);
	if (r >= 0)
		r = client_create(c, k, config_map(d, c, "a"), NULL, &made, err);
	if (r >= 0)
		r = informer_wait_seen(f, made->revision, err);
	if (r >= 0)
		r = client_modify(c, k, "shop", "a", NULL, set_data, (void *)"x", &changed, err);
	if (r >= 0)
		r = informer_wait_seen(f, changed->revision, err);
	if (r >= 0 && !str_eq(node_str_at(informer_get(f, "shop", "a")->root, "data.a"), "x"))
		r = wrong(err, "the copy is not the live version");
	if (r >= 0)
		r = client_delete(c, k, "shop", "a", NULL, err);
	if (r >= 0)
		r = informer_wait_gone(f, made->uid, err);
	informers_free(&all);
	return r;
}

static int collect(void *arg, struct sv data)
{
	str_add(arg, data);
	return 0;
}

static int streams(struct client *c, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO(err) e = { 0 };

	TRY(client_stream(c, "/version", collect, &text, err));
	if (!strstr(str_c(&text), "gitVersion"))
		return wrong(err, str_c(&text));
	if (client_stream(c, "/api/v1/namespaces/none", collect, &text, &e) != -ERR_NOT_FOUND)
		return err_set(err, ERR_IO, "a stream of nothing: %s", err_msg(&e));
	return 0;
}

struct test { int (*script)(struct client *, struct err *); char *failure; };

static int run(void *arg)
{
	struct test *t = arg;
	struct server s = { 0 };
	AUTO(err) err = { 0 };
	int r = start(&s, &err);

	if (r >= 0)
		r = t->script(s.client, &err);
	if (r < 0)
		t->failure = sv_dup(sv_c(err_msg(&err)));
	stop(&s);
	return r;
}

static void run_script(int (*script)(struct client *, struct err *))
{
	struct test t = { script, NULL };

	log_set_level(LOG_ERROR);
	if (fiber_main(run, &t) < 0)
		fail_msg("%s", t.failure);
}

static void client_https_verbs_do_what_they_say(void **state) { (void)state; run_script(verbs); }
static void client_https_errors_keep_reason_and_message(void **state) { (void)state; run_script(errors); }
static void client_https_watch_keeps_a_copy_true(void **state) { (void)state; run_script(watches); }
static void client_https_streams_a_path(void **state) { (void)state; run_script(streams); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_https_verbs_do_what_they_say),
		TEST(client_https_errors_keep_reason_and_message),
		TEST(client_https_watch_keeps_a_copy_true),
		TEST(client_https_streams_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
