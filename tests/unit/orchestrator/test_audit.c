/* Who did what: the rules of a policy, the files, and the events. */
#include "check.h"

#include "api-web.h"

#include "base/fs.h"
#include "orchestrator/api/audit-internal.h"

#include <dirent.h>
#include <stdio.h>

/* ---- the policy ---- */

#define POLICY "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
static const char rules[] = POLICY
	"omitStages: [RequestReceived]\n"
	"rules:\n"
	"- {level: None, users: ['system:kube-scheduler'], verbs: [watch]}\n"
	"- {level: None, nonResourceURLs: [/healthz*, /version]}\n"
	"- {level: RequestResponse, namespaces: [prod], resources: [{group: '', resources: [pods]}]}\n"
	"- {level: Request, resources: [{group: apps, resources: [deployments/*], resourceNames: [web]}]}\n"
	"- {level: Metadata, resources: [{group: '', resources: ['*/log', secrets]}, {group: batch}], omitStages: [ResponseStarted]}\n"
	"- {level: Metadata, userGroups: [devs]}\n";

static void expect_level(const struct audit_policy *p, struct action what, const char *user, const char *group, const char *want)
{
	const char *groups[] = { group };
	struct caller c = { .user = user, .groups = groups, .n_groups = 1 };
	struct audit_choice got = audit_choose(p, &c, &what);

	if (!str_eq(audit_level_name(got.level), want))
		fail_msg("%s %s%s%s of %s: %s, want %s", what.verb, what.resource, what.subresource, what.path, user,
			 audit_level_name(got.level), want);
}

#define ON(verb, group, resource, sub, name, ns) ((struct action){ verb, group, resource, sub, name, ns, "" })
#define AT(verb, path) ((struct action){ verb, "", "", "", "", "", path })

static void audit_first_rule_that_fits_decides(void **state)
{
	AUTO(err) e = { 0 };
	struct audit_policy *p = audit_policy_read(rules, &e);

	(void)state;
	assert_non_null(p);
	expect_level(p, ON("watch", "", "pods", "", "", "prod"), "system:kube-scheduler", "x", "None");
	expect_level(p, ON("list", "", "pods", "", "", "prod"), "system:kube-scheduler", "x", "RequestResponse");
	expect_level(p, ON("list", "", "pods", "", "", "dev"), "jane", "x", "None");
	expect_level(p, ON("list", "", "pods", "", "", "dev"), "jane", "devs", "Metadata");
	expect_level(p, ON("get", "", "pods", "log", "a", "prod"), "jane", "x", "Metadata");
	expect_level(p, ON("update", "apps", "deployments", "scale", "web", "d"), "jane", "x", "Request");
	expect_level(p, ON("update", "apps", "deployments", "", "web", "d"), "jane", "x", "None");
	expect_level(p, ON("update", "apps", "deployments", "scale", "other", "d"), "jane", "x", "None");
	expect_level(p, ON("get", "batch", "jobs", "status", "j", "d"), "jane", "x", "Metadata");
	expect_level(p, AT("get", "/healthz/ping"), "jane", "devs", "None");
	expect_level(p, AT("get", "/version"), "jane", "devs", "None");
	expect_level(p, AT("get", "/versions"), "jane", "devs", "Metadata");
	struct audit_choice c = audit_choose(p, &(struct caller){ .user = "jane" }, &ON("list", "", "secrets", "", "", "d"));
	assert_int_equal(c.omitted, STAGE_RECEIVED | STAGE_STARTED);
	audit_policy_free(&p);
}

static void audit_policy_that_is_wrong_names_the_line(void **state)
{
	static const char *const bad[][2] = {
		{ "kind: Policy\n", "audit.k8s.io/v1" },
		{ POLICY, "no rules" },
		{ POLICY "rules: [{level: All}]\n", "line 3: level \"All\"" },
		{ POLICY "rules:\n- {level: None, verb: [get]}\n", "line 4: unknown field \"verb\"" },
		{ POLICY "rules: [{level: None}]\nomitStages: [Never]\n", "stage \"Never\"" },
		{ POLICY "rules: [{level: None, nonResourceURLs: [/x], namespaces: [a]}]\n", "about resources or" },
		{ "a: [", "audit policy:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(err) e = { 0 };

		assert_null(audit_policy_read(bad[i][0], &e));
		if (!strstr(err_msg(&e), bad[i][1]))
			fail_msg("want '%s' in '%s'", bad[i][1], err_msg(&e));
	}
}

/* ---- files ---- */

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/cd-test-audit-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	(void)state;
	return tree_remove(dir, NULL);
}

static int write_log(void *arg)
{
	char *path = str_fmt("%s/audit.log", dir);
	AUTO(err) e = { 0 };
	struct audit_log *l = audit_log_open(fiber_loop(), path, 100, 2, &e);

	(void)arg;
	for (int i = 0; l && i < 50; i++) {
		AUTO(str) line = { 0 };

		str_addf(&line, "line %02d 0123456789012345", i);        /* 25 bytes with its end: four fill a file */
		audit_log_add(l, str_sv(&line));
	}
	audit_log_close(&l);
	free(path);
	return e.code;
}

static void audit_log_begins_a_new_file_when_one_is_full(void **state)
{
	AUTO(str) newest = { 0 }, path = { 0 };
	size_t files = 0;
	DIR *d;

	(void)state;
	assert_int_equal(fiber_main(write_log, NULL), 0);
	d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		AUTO(str) text = { 0 }, at = { 0 };

		if (*e->d_name == '.')
			continue;
		files++;
		str_addf(&at, "%s/%s", dir, e->d_name);
		assert_true(file_read(str_c(&at), 1000, &text, NULL) >= 0 && text.n <= 100 && text.n % 25 == 0);
	}
	closedir(d);
	assert_int_equal(files, 3);
	str_addf(&path, "%s/audit.log", dir);
	assert_true(file_read(str_c(&path), 1000, &newest, NULL) >= 0);
	assert_string_equal(str_c(&newest), "line 48 0123456789012345\nline 49 0123456789012345\n");
}

/* ---- events ---- */

static void acts(struct cluster *c)
{
	struct web w = web_open(c);

	ask(&w, "POST", "/api/v1/namespaces/default/configmaps", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
	ask(&w, "GET", "/api/v1/namespaces/default/configmaps/a", NULL);
	ask(&w, "GET", "/version", NULL);
	ask(&w, "GET", "/api/v1/namespaces/default/secrets", NULL);
	struct httpc_response r = { 0 };
	(void)call(&w, ASK("GET", "/api/v1/namespaces/default/secrets?limit=1", .as = "bob"), &r);
	httpc_response_free(&r);
	w.token = "wrong";
	ask(&w, "DELETE", "/api/v1/namespaces/default/configmaps/a", NULL);
	get(c, "secrets", "default", "none", "");
	str_cut(&c->trace, 0);
	web_close(&w);
}

/* The paths of every event, a line each. */
static void note_events(struct str *out, const char *path, const char *const *paths)
{
	AUTO(str) text = { 0 };
	AUTO(err) e = { 0 };
	struct sv rest, line;

	assert_ok(file_read(path, 1 << 20, &text, &e), &e);
	rest = str_sv(&text);
	while (rest.n) {
		AUTO_DOC d = NULL;

		(void)sv_cut(rest, '\n', &line, &rest);
		assert_ok(json_read(line, "event", 0, &d, &e), &e);
		for (size_t i = 0; paths[i]; i++) {
			const struct node *n = node_at(doc_root(d), paths[i]);

			if (n)
				json_write(out, n, JSON_SORTED);
			str_add1(out, ' ');
		}
		str_add1(out, '\n');
	}
}

static void audit_events_say_who_did_what_and_how_it_ended(void **state)
{
	static const char policy[] = POLICY "omitStages: [RequestReceived]\nrules:\n"
		"- {level: None, nonResourceURLs: ['*']}\n- {level: None, users: ['system:apiserver']}\n"
		"- {level: RequestResponse, verbs: [create], resources: [{group: '', resources: [configmaps]}]}\n- {level: Metadata}\n";
	char *path = str_fmt("%s/events.log", dir);
	struct cluster c = { .scenario = acts, .audit_path = path, .audit_policy = policy };
	AUTO(str) got = { 0 };

	(void)state;
	cluster_run(&c);
	assert_string_equal(str_c(&c.trace), "");
	note_events(&got, path, PATHS("level", "stage", "verb", "user.username", "impersonatedUser.username", "requestURI", "objectRef",
				      "responseStatus.code", "requestObject.data", "responseObject.kind"));
	assert_string_equal(str_c(&got),
		"\"RequestResponse\" \"ResponseComplete\" \"create\" \"admin\"  \"/api/v1/namespaces/default/configmaps\" "
		"{\"apiVersion\":\"v1\",\"namespace\":\"default\",\"resource\":\"configmaps\"} 201 {\"k\":\"v\"} \"ConfigMap\" \n"
		"\"Metadata\" \"ResponseComplete\" \"get\" \"admin\"  \"/api/v1/namespaces/default/configmaps/a\" "
		"{\"apiVersion\":\"v1\",\"name\":\"a\",\"namespace\":\"default\",\"resource\":\"configmaps\"} 200   \n"
		"\"Metadata\" \"ResponseComplete\" \"list\" \"admin\"  \"/api/v1/namespaces/default/secrets\" "
		"{\"apiVersion\":\"v1\",\"namespace\":\"default\",\"resource\":\"secrets\"} 200   \n"
		"\"Metadata\" \"ResponseComplete\" \"list\" \"admin\" \"bob\" \"/api/v1/namespaces/default/secrets?limit=1\" "
		"{\"apiVersion\":\"v1\",\"namespace\":\"default\",\"resource\":\"secrets\"} 403   \n"
		"\"Metadata\" \"ResponseComplete\" \"delete\"   \"/api/v1/namespaces/default/configmaps/a\" "
		"{\"apiVersion\":\"v1\",\"name\":\"a\",\"namespace\":\"default\",\"resource\":\"configmaps\"} 401   \n"
		"\"Metadata\" \"ResponseComplete\" \"get\" \"tester\"  \"/api/v1/namespaces/default/secrets/none\" "
		"{\"apiVersion\":\"v1\",\"name\":\"none\",\"namespace\":\"default\",\"resource\":\"secrets\"} 404   \n");
	str_free(&c.trace);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(audit_first_rule_that_fits_decides),
		TEST(audit_policy_that_is_wrong_names_the_line),
		TEST(audit_log_begins_a_new_file_when_one_is_full),
		TEST(audit_events_say_who_did_what_and_how_it_ended),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
