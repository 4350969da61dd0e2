#include "check.h"

#include "base/fs.h"
#include "kube/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char first[] =
	"apiVersion: v1\nkind: Config\ncurrent-context: home\n"
	"contexts:\n"
	"- {name: home, context: {cluster: c1, user: admin, namespace: shop}}\n"
	"- {name: files, context: {cluster: c2, user: reader}}\n"
	"- {name: helper, context: {cluster: c1, user: helper}}\n"
	"clusters:\n"
	"- {name: c1, cluster: {server: 'https://127.0.0.1:6443/', certificate-authority-data: Y2EgcGVt}}\n"
	"- {name: c2, cluster: {server: 'https://h', certificate-authority: ca.pem}}\n"
	"users:\n"
	"- {name: admin, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}}\n"
	"- {name: reader, user: {tokenFile: token}}\n"
	"- {name: helper, user: {exec: {command: login}}}\n";

static const char second[] =
	"current-context: away\n"
	"contexts:\n- {name: away, context: {cluster: c3, user: basic}}\n- {name: home, context: {cluster: c3}}\n"
	"clusters:\n- {name: c3, cluster: {server: 'https://away', insecure-skip-tls-verify: true}}\n"
	"users:\n- {name: basic, user: {username: u, password: p}}\n";

struct place { char dir[64], one[96], two[96]; };

static void put(const char *dir, const char *name, const char *text)
{
	AUTO(err) err = { 0 };
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_ok(file_write(path, sv_c(text), 0600, &err), &err);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	snprintf(p->dir, sizeof p->dir, "/tmp/cd-kubeconfig-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->one, sizeof p->one, "%s/one", p->dir);
	snprintf(p->two, sizeof p->two, "%s/two", p->dir);
	put(p->dir, "one", first);
	put(p->dir, "two", second);
	put(p->dir, "ca.pem", "from a file");
	put(p->dir, "token", "secret\n");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	int r = tree_remove(p->dir, NULL);

	free(p);
	return r;
}

static void kubeconfig_current_context_has_inline_certificates(void **state)
{
	struct place *p = *state;
	AUTO(kubeconfig) c = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(kubeconfig_load(&c, p->one, NULL, &err), &err);
	assert_string_equal(c.server, "https://127.0.0.1:6443");
	assert_string_equal(c.ns, "shop");
	assert_string_equal(str_c(&c.ca_pem), "ca pem");
	assert_string_equal(str_c(&c.cert_pem), "cert");
	assert_string_equal(str_c(&c.key_pem), "key");
	assert_null(c.token);
}

static void kubeconfig_files_are_beside_the_config(void **state)
{
	struct place *p = *state;
	AUTO(kubeconfig) c = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(kubeconfig_load(&c, p->one, "files", &err), &err);
	assert_string_equal(str_c(&c.ca_pem), "from a file");
	assert_string_equal(c.token, "secret");
	assert_null(c.ns);
}

static void kubeconfig_first_of_several_files_wins(void **state)
{
	struct place *p = *state;
	AUTO(kubeconfig) c = { 0 }, other = { 0 };
	AUTO(err) err = { 0 };
	char list[256];

	snprintf(list, sizeof list, "%s:/does/not/exist:%s", p->one, p->two);
	setenv("KUBECONFIG", list, 1);
	assert_ok(kubeconfig_load(&c, NULL, NULL, &err), &err);
	assert_string_equal(c.context, "home");
	assert_string_equal(c.ns, "shop");
	assert_ok(kubeconfig_load(&other, NULL, "away", &err), &err);
	assert_string_equal(other.userpwd, "u:p");
	assert_true(other.insecure);
	unsetenv("KUBECONFIG");
}

static void kubeconfig_unknown_context_is_named_with_its_file(void **state)
{
	struct place *p = *state;
	AUTO(kubeconfig) c = { 0 };
	AUTO(err) err = { 0 };

	assert_err(kubeconfig_load(&c, p->one, "nowhere", &err), &err, ERR_NOT_FOUND, "one: there is no context \"nowhere\"");
}

static void kubeconfig_helper_program_is_refused_with_a_way_out(void **state)
{
	struct place *p = *state;
	AUTO(kubeconfig) c = { 0 };
	AUTO(err) err = { 0 };

	assert_err(kubeconfig_load(&c, p->one, "helper", &err), &err, ERR_UNSUPPORTED, "use a token or a certificate");
}

static void kubeconfig_missing_says_where_one_comes_from(void **state)
{
	struct place *p = *state;
	AUTO(kubeconfig) c = { 0 };
	AUTO(err) err = { 0 };

	setenv("KUBECONFIG", "/does/not/exist", 1);
	(void)p;
	assert_err(kubeconfig_load(&c, NULL, NULL, &err), &err, ERR_NOT_FOUND, "admin.kubeconfig");
	unsetenv("KUBECONFIG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kubeconfig_current_context_has_inline_certificates),
		TEST(kubeconfig_files_are_beside_the_config),
		TEST(kubeconfig_first_of_several_files_wins),
		TEST(kubeconfig_unknown_context_is_named_with_its_file),
		TEST(kubeconfig_helper_program_is_refused_with_a_way_out),
		TEST(kubeconfig_missing_says_where_one_comes_from),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
