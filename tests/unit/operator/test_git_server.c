/* tests/unit/operator/test_git_server.c - real git clients against the built-in server and a cluster in memory. */
#include "check.h"
#include "repo-fixture.h"

#include "base/encode.h"
#include "base/http.h"
#include "base/json.h"
#include "kube/fake-client.h"
#include "operator/operator.h"

static struct place place;

struct scene {
	struct client *c;
	struct operator *op;
	int port;
	void (*play)(struct scene *s);
	struct str failure;
};

static bool streams(struct http_request *rq, void *arg)
{
	(void)arg;
	return sv_starts(sv_c(http_path(rq)), SV("/git/"));
}

static void handle(struct http_request *rq, void *arg)
{
	struct scene *s = arg;

	if (streams(rq, NULL))
		operator_git(rq, s->op);
	else
		operator_webhook(rq, s->op);
}

static int stage(void *arg)
{
	struct scene *s = arg;
	AUTO(err) err = { 0 };
	struct kinds *kinds = kinds_new();
	struct informers *informers;

	s->c = fake_client(fiber_loop(), kinds);
	informers = informers_new(fiber_loop(), s->c);
	const struct operator_opts o = { .dir = place.dir, .client = s->c, .informers = informers, .poll_ms = 3600000,
					 .token = SV("secret") };
	s->op = operator_start(fiber_loop(), &o, &err);
	const struct http_server_opts h = { .listen = "127.0.0.1:0", .max_body = 100000, .handler = handle, .streams_body = streams,
					    .arg = s };
	struct http_server *server = http_server_start(fiber_loop(), &h, &err);
	if (s->op && server) {
		AUTO(str) url = { 0 };
		s->port = http_server_port(server);
		str_addf(&url, "http://127.0.0.1:%d", s->port);
		operator_set_url(s->op, str_c(&url));
		s->play(s);
	} else {
		str_addf(&s->failure, "%s", err_msg(&err));
	}
	http_server_stop(&server);
	operator_stop(&s->op);
	informers_free(&informers);
	client_free(&s->c);
	kinds_free(&kinds);
	return 0;
}

static void run_scene(void (*play)(struct scene *s))
{
	struct scene s = { .play = play };

	place_make(&place);
	setenv("GIT_TERMINAL_PROMPT", "0", 1);
	(void)fiber_main(stage, &s);
	place_remove(&place);
	if (s.failure.n)
		fail_msg("%s", str_c(&s.failure));
	str_free(&s.failure);
}

/* Runs a script with $URL set; all it printed is returned, whatever it exited with. */
static void shell(struct scene *s, const char *text, struct str *out)
{
	AUTO(str) all = { 0 };

	str_addf(&all, "URL=http://admin:secret@127.0.0.1:%d/git; BARE=http://127.0.0.1:%d; export LC_ALL=C\n{ %s\n} 2>&1 || echo EXIT $?",
		 s->port, s->port, text);
	str_cut(out, 0);
	place_run(&place, str_c(&all), out);
}

static void expect(struct scene *s, const struct str *got, const char *want)
{
	if (!s->failure.n && !strstr(str_c(got), want))
		str_addf(&s->failure, "want [%s] in:\n%s", want, str_c(got));
}

static void expect_not(struct scene *s, const struct str *got, const char *unwanted)
{
	if (!s->failure.n && strstr(str_c(got), unwanted))
		str_addf(&s->failure, "do not want [%s] in:\n%s", unwanted, str_c(got));
}

/* Its repository by the server's own URL, which is read in place as well as /git/team/web.git is. */
static void add_app(struct scene *s)
{
	AUTO(str) json = { 0 };

	str_addf(&json, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Application\",\"metadata\":{\"namespace\":\"cd\",\"name\":\"web\"},"
		       "\"spec\":{\"source\":{\"repoURL\":\"http://127.0.0.1:%d/git/team/web.git\",\"path\":\".\",\"targetRevision\":\"main\"},\"destination\":"
		       "{\"name\":\"in-cluster\",\"namespace\":\"shop\"},\"syncPolicy\":{\"automated\":{\"prune\":true,\"selfHeal\":true},"
		       "\"syncOptions\":[\"CreateNamespace=true\",\"PrunePropagationPolicy=background\"]}}}", s->port);
	(void)fake_add(s->c, str_c(&json));
}

#define REPOSITORY "git init -q -b main w; cd w; git remote add origin $URL/team/web.git\n" \
	"printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\ndata: {k: one}\\n' >a.yaml; git add -A; git commit -qm one\n"

static void play_push(struct scene *s)
{
	AUTO(str) out = { 0 };

	add_app(s);
	shell(s, REPOSITORY "git push origin main", &out);
	expect(s, &out, "remote: configmap/a created");
	expect(s, &out, "remote: web is healthy");
	expect(s, &out, "* [new branch]      main -> main");
	shell(s, "cd w; rm a.yaml; printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: b}\\n' >b.yaml; git add -A; git commit -qm two; "
	      "git push origin main", &out);
	expect(s, &out, "remote: ConfigMap/a pruned");
	expect(s, &out, "remote: configmap/b created");
	shell(s, "git clone -q $URL/team/web.git copy; ls copy", &out);
	expect(s, &out, "b.yaml");
}

static void push_creates_the_repository_and_shows_the_sync(void **state)
{
	(void)state;
	run_scene(play_push);
}

static void play_broken(struct scene *s)
{
	AUTO(str) out = { 0 };

	add_app(s);
	shell(s, REPOSITORY "printf 'kind: [\\n' >bad.yaml; printf 'apiVersion: v1\\nkind: X\\nmetadata: {\\n' >>bad.yaml; git add -A; "
	      "git commit -qm bad; git push origin main", &out);
	expect(s, &out, "bad.yaml:");
	expect(s, &out, "remote: FAILED: web.");
	expect(s, &out, "main -> main");
}

static void push_that_does_not_render_says_where(void **state)
{
	(void)state;
	run_scene(play_broken);
}

static void play_unfollowed(struct scene *s)
{
	AUTO(str) out = { 0 };

	add_app(s);
	shell(s, REPOSITORY "git push origin main:other", &out);
	expect(s, &out, "remote: no application follows what was pushed to /git/team/web.git");
	shell(s, "git clone -q $URL/team/web.git copy; ls copy", &out);
	expect(s, &out, "a.yaml");              /* HEAD names the branch that there is */
}

static void push_that_nobody_follows_says_so(void **state)
{
	(void)state;
	run_scene(play_unfollowed);
}

static void play_large(struct scene *s)
{
	AUTO(str) out = { 0 };

	add_app(s);
	/* larger than a request buffer of git's: it is sent in chunks, and what compresses is gzip'd */
	shell(s, REPOSITORY "head -c 3000000 /dev/urandom >noise; yes text | head -c 100000 >text; git add -A; git commit -qm large; "
	      "git push -q origin main; git clone -q $URL/team/web.git copy; cmp noise copy/noise && echo same", &out);
	expect(s, &out, "same");
}

static void push_of_megabytes_arrives_whole(void **state)
{
	(void)state;
	run_scene(play_large);
}

static void play_strangers(struct scene *s)
{
	AUTO(str) out = { 0 };

	shell(s, "curl -s -o /dev/null -w '%{http_code} ' \"$BARE/git/x.git/info/refs?service=git-receive-pack\"; "
	      "curl -s -o /dev/null -w '%{http_code} ' -u admin:wrong \"$BARE/git/x.git/info/refs?service=git-upload-pack\"; "
	      "curl -s -o /dev/null -w '%{http_code} ' -u admin:secret \"$BARE/git/x.git/info/refs?service=git-upload-pack\"; "
	      "curl -s -o /dev/null -w '%{http_code} ' --path-as-is -u admin:secret \"$BARE/git/../x.git/info/refs?service=git-upload-pack\"; "
	      "curl -s -o /dev/null -w '%{http_code} ' -u admin:secret \"$BARE/git/.x.git/info/refs?service=git-receive-pack\"; "
	      "curl -s -o /dev/null -w '%{http_code} ' -u admin:secret \"$BARE/git/x.git/HEAD\"; ls repos", &out);
	expect(s, &out, "401 401 404 404 404 404");
	expect_not(s, &out, "x.git");
}

static void strangers_and_odd_paths_get_nothing(void **state)
{
	(void)state;
	run_scene(play_strangers);
}

/* ---- the webhook over HTTP ---- */

static void play_webhook(struct scene *s)
{
	AUTO(str) out = { 0 };
	AUTO(str) key = { 0 };
	AUTO(str) json = { 0 };

	base64_encode(&key, SV("right"));
	str_addf(&json, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"namespace\":\"cd\",\"name\":\"argocd-secret\"},\"data\":"
		 "{\"webhook.github.secret\":\"%s\"}}", str_c(&key));
	(void)fake_add(s->c, str_c(&json));
	shell(s, "printf '{\"ref\":\"refs/heads/main\",\"repository\":{\"html_url\":\"https://example.org/a/b\"}}' >event; "
	      "sign() { openssl dgst -sha256 -hmac $1 event | sed 's/.* /sha256=/'; }; "
	      "post() { curl -s -o /dev/null -w '%{http_code} ' --data-binary @event \"$@\" $BARE/api/webhook; }; "
	      "post -H 'X-GitHub-Event: push' -H \"X-Hub-Signature-256: $(sign right)\"; "
	      "post -H 'X-GitHub-Event: push' -H \"X-Hub-Signature-256: $(sign wrong)\"; post -H 'X-GitHub-Event: push'; post; "
	      "curl -s -o /dev/null -w '%{http_code} ' $BARE/api/webhook; printf '{' >event; "
	      "post -H 'X-GitHub-Event: push' -H \"X-Hub-Signature-256: $(sign right)\"; "
	      "head -c 200000 /dev/zero >event; post -H Expect: -H 'X-GitHub-Event: push'", &out);
	expect(s, &out, "200 401 401 400 405 400 413");
}

static void webhook_answers_by_signature_and_shape(void **state)
{
	(void)state;
	run_scene(play_webhook);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(push_creates_the_repository_and_shows_the_sync),
		TEST(push_that_does_not_render_says_where),
		TEST(push_that_nobody_follows_says_so),
		TEST(push_of_megabytes_arrives_whole),
		TEST(strangers_and_odd_paths_get_nothing),
		TEST(webhook_answers_by_signature_and_shape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
