/* Plans are read off JSON; files are made in a directory of the test's own, in a mount namespace of its own. */
#include "check.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/json.h"
#include "runtime/volume/volume.h"

static char dir[64];
static bool mounts;     /* may mount here */

static struct doc *read_json(const char *text)
{
	struct doc *d = NULL;
	AUTO(err) err = { 0 };

	assert_ok(json_read(sv_c(text), "test", 0, &d, &err), &err);
	return d;
}

/* The cluster: one ConfigMap "conf" and one Secret "sec"; what they hold is given by the test. */
struct cluster { struct doc *conf, *sec; };

static const struct str token = { .p = (char[]){ "a token" }, .n = 7 };

static const struct str *token_of(void *arg, const char *audience, int64_t seconds)
{
	(void)arg;
	return str_eq(audience, "vault") && seconds == 600 ? &token : NULL;
}

static const struct node *lookup(void *arg, const char *kind, const char *name)
{
	struct cluster *c = arg;

	if (str_eq(kind, "ConfigMap") && str_eq(name, "conf"))
		return c->conf ? doc_root(c->conf) : NULL;
	return str_eq(kind, "Secret") && str_eq(name, "sec") && c->sec ? doc_root(c->sec) : NULL;
}

#define CONF(data) "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"conf\"},\"data\":" data "}"
#define SEC(data) "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"sec\"},\"data\":" data "}"
#define POD(volume) "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"labels\":{\"app\":\"web\",\"x/y\":\"a\\\"b\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"limits\":{\"cpu\":\"250m\",\"memory\":\"64Mi\"}}}]," \
	"\"volumes\":[" volume "]}}"

static int plan(const char *pod, const char *conf, const char *sec, struct volume_plans *out, struct err *err)
{
	AUTO_DOC p = read_json(pod);
	AUTO_DOC c = conf ? read_json(conf) : NULL;
	AUTO_DOC s = sec ? read_json(sec) : NULL;
	struct cluster cluster = { c, s };
	struct pod_facts facts = { doc_root(p), "10.0.0.2", "10.0.0.1", "node-1", 2000, 1 << 30 };

	return volumes_plan(&facts, &(struct volume_lookup){ lookup, &cluster, token_of }, out, err);
}

static void make(const char *pod, const char *conf, const char *sec, struct volume_owner owner)
{
	struct volume_plans p = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(plan(pod, conf, sec, &p, &err), &err);
	for (size_t i = 0; i < p.n; i++)
		p.v[i].memory = p.v[i].memory && mounts;
	assert_ok(volumes_make(dir, &p, owner, &err), &err);
	volume_plans_free(&p);
}

static void assert_file(const char *name, const char *want)
{
	AUTO(str) path = { 0 };
	AUTO(str) data = { 0 };
	AUTO(err) err = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	assert_ok(file_read(str_c(&path), 1 << 20, &data, &err), &err);
	assert_string_equal(str_c(&data), want);
}

static mode_t mode_of(const char *name)
{
	AUTO(str) path = { 0 };
	struct stat st;

	str_addf(&path, "%s/%s", dir, name);
	assert_int_equal(stat(str_c(&path), &st), 0);
	return st.st_mode & 07777;
}

static bool there(const char *name)
{
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	return path_exists(str_c(&path));
}

static const struct volume_owner nobody = { 0 };

static int fresh(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/cd-test-volume-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int clean(void **state)
{
	(void)state;
	return volumes_remove(dir, NULL) < 0 || tree_remove(dir, NULL) < 0;
}

static void config_map_becomes_files(void **state)
{
	(void)state;
	make(POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\"}}"), CONF("{\"a\":\"1\",\"b.txt\":\"two\"}"), NULL, nobody);
	assert_file("volumes/v/a", "1");
	assert_file("volumes/v/b.txt", "two");
	assert_int_equal(mode_of("volumes/v/a"), 0644);
}

static void changed_config_map_is_swapped_as_a_whole(void **state)
{
	const char *pod = POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\"}}");
	char before[256] = "", after[256] = "";
	AUTO(str) data = { 0 };

	(void)state;
	str_addf(&data, "%s/volumes/v/..data", dir);
	make(pod, CONF("{\"a\":\"1\",\"b\":\"2\"}"), NULL, nobody);
	assert_true(readlink(str_c(&data), before, sizeof before - 1) > 0);
	make(pod, CONF("{\"a\":\"1\",\"b\":\"2\"}"), NULL, nobody);
	assert_true(readlink(str_c(&data), after, sizeof after - 1) > 0);
	assert_string_equal(before, after);     /* nothing to do, nothing done */
	make(pod, CONF("{\"a\":\"one\",\"c\":\"3\"}"), NULL, nobody);
	memset(after, 0, sizeof after);
	assert_true(readlink(str_c(&data), after, sizeof after - 1) > 0);
	assert_string_not_equal(before, after);
	assert_file("volumes/v/a", "one");
	assert_file("volumes/v/c", "3");
	assert_false(there("volumes/v/b"));
	str_cut(&data, data.n - strlen("..data"));
	str_addc(&data, before);
	assert_false(path_exists(str_c(&data)));        /* the old directory is gone */
}

/* What a daemon leaves that is killed between the swap and the links. */
static void half_made_config_map_is_completed(void **state)
{
	const char *pod = POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\"}}"), *conf = CONF("{\"a\":\"1\",\"b\":\"2\"}");
	AUTO(str) at = { 0 };

	(void)state;
	make(pod, conf, NULL, nobody);
	str_addf(&at, "%s/volumes/v/..2001_01_01_01_01_01.0000", dir);
	assert_int_equal(mkdir(str_c(&at), 0755), 0);
	str_cut(&at, 0);
	str_addf(&at, "%s/volumes/v/b", dir);
	assert_int_equal(unlink(str_c(&at)), 0);
	make(pod, conf, NULL, nobody);
	assert_file("volumes/v/a", "1");
	assert_file("volumes/v/b", "2");
	assert_false(there("volumes/v/..2001_01_01_01_01_01.0000"));
}

static void items_choose_paths_and_modes(void **state)
{
	(void)state;
	make(POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\",\"items\":[{\"key\":\"a\",\"path\":\"x/y/z\",\"mode\":256}]}}"),
	     CONF("{\"a\":\"1\",\"b\":\"2\"}"), NULL, nobody);
	assert_file("volumes/v/x/y/z", "1");
	assert_int_equal(mode_of("volumes/v/x/y/z"), 0400);
	assert_false(there("volumes/v/b"));
}

static void secret_is_decoded_and_group_owned(void **state)
{
	(void)state;
	make(POD("{\"name\":\"v\",\"secret\":{\"secretName\":\"sec\",\"defaultMode\":256}}"), NULL, SEC("{\"k\":\"aGk=\"}"),
	     (struct volume_owner){ true, getgid() });
	assert_file("volumes/v/k", "hi");
	assert_int_equal(mode_of("volumes/v/k"), 0440);
}

static void missing_objects_wait_unless_optional(void **state)
{
	static const char *const bad[][2] = {
		{ POD("{\"name\":\"v\",\"configMap\":{\"name\":\"gone\"}}"), "configmap \"gone\" not found" },
		{ POD("{\"name\":\"v\",\"secret\":{\"secretName\":\"gone\"}}"), "secret \"gone\" not found" },
		{ POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\",\"items\":[{\"key\":\"no\",\"path\":\"p\"}]}}"), "has no key \"no\"" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct volume_plans p = { 0 };
		AUTO(err) err = { 0 };
		int r = plan(bad[i][0], CONF("{}"), NULL, &p, &err);

		assert_err(r, &err, ERR_NOT_FOUND, bad[i][1]);
		assert_non_null(p.v[0].missing);
		volume_plans_free(&p);
	}
	make(POD("{\"name\":\"v\",\"configMap\":{\"name\":\"gone\",\"optional\":true}}"), NULL, NULL, nobody);
	assert_true(there("volumes/v"));
}

static void wrong_volumes_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{ POD("{\"name\":\"v\",\"nfs\":{\"server\":\"x\"}}"), "volumes of type nfs are not offered" },
		{ POD("{\"name\":\"..\",\"emptyDir\":{}}"), "is no name of a volume" },
		{ POD("{\"name\":\"v\",\"hostPath\":{\"path\":\"etc\"}}"), "must be an absolute path" },
		{ POD("{\"name\":\"v\",\"hostPath\":{\"path\":\"/a/../b\"}}"), "must not contain '..'" },
		{ POD("{\"name\":\"v\",\"emptyDir\":{\"medium\":\"Gold\"}}"), "medium 'Gold' is not offered" },
		{ POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\",\"items\":[{\"key\":\"a\",\"path\":\"../x\"}]}}"), "no path inside a volume" },
		{ POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\",\"items\":[{\"key\":\"a\",\"path\":\"/x\"}]}}"), "no path inside a volume" },
		{ POD("{\"name\":\"v\",\"configMap\":{\"name\":\"conf\",\"items\":[{\"key\":\"a\",\"path\":\"..data\"}]}}"), "no path inside a volume" },
		{ POD("{\"name\":\"v\",\"downwardAPI\":{\"items\":[{\"path\":\"p\",\"fieldRef\":{\"fieldPath\":\"spec.x\"}}]}}"), "'spec.x' is not offered" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct volume_plans p = { 0 };
		AUTO(err) err = { 0 };

		assert_err(plan(bad[i][0], CONF("{\"a\":\"1\"}"), NULL, &p, &err), &err, ERR_INVALID, bad[i][1]);
		volume_plans_free(&p);
	}
}

static void projected_volume_holds_all_its_sources(void **state)
{
	(void)state;
	make(POD("{\"name\":\"v\",\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"conf\"}},{\"secret\":{\"name\":\"sec\"}},"
		 "{\"downwardAPI\":{\"items\":[{\"path\":\"labels\",\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}},"
		 "{\"path\":\"app\",\"fieldRef\":{\"fieldPath\":\"metadata.labels['app']\"}},"
		 "{\"path\":\"cpu\",\"resourceFieldRef\":{\"containerName\":\"c\",\"resource\":\"limits.cpu\",\"divisor\":\"1m\"}},"
		 "{\"path\":\"mem\",\"resourceFieldRef\":{\"containerName\":\"c\",\"resource\":\"requests.memory\",\"divisor\":\"1Mi\"}}]}}]}}"),
	     CONF("{\"a\":\"1\"}"), SEC("{\"s\":\"Mg==\"}"), nobody);
	assert_file("volumes/v/a", "1");
	assert_file("volumes/v/s", "2");
	assert_file("volumes/v/labels", "app=\"web\"\nx/y=\"a\\\"b\"");
	assert_file("volumes/v/app", "web");
	assert_file("volumes/v/cpu", "250");
	assert_file("volumes/v/mem", "64");
}

#define TOKEN(audience) \
	"{\"name\":\"v\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"audience\":\"" audience \
	"\",\"expirationSeconds\":600,\"path\":\"t/token\"}}]}}"

static void projected_token_is_that_of_its_audience(void **state)
{
	struct volume_plans p = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	make(POD(TOKEN("vault")), NULL, NULL, nobody);
	assert_file("volumes/v/t/token", "a token");
	assert_err(plan(POD(TOKEN("other")), NULL, NULL, &p, &err), &err, ERR_NOT_FOUND, "no token of the service account \"default\"");
	volume_plans_free(&p);
}

static void references_of_volumes_are_found(void **state)
{
	AUTO_DOC pod = read_json(POD("{\"name\":\"a\",\"configMap\":{\"name\":\"one\"}},{\"name\":\"b\",\"secret\":{\"secretName\":\"two\"}},"
				     "{\"name\":\"c\",\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"three\"}},{\"secret\":{\"name\":\"four\"}}]}}"));
	const struct node *p = doc_root(pod);

	(void)state;
	assert_true(volumes_refer(p, "ConfigMap", "one") && volumes_refer(p, "ConfigMap", "three"));
	assert_true(volumes_refer(p, "Secret", "two") && volumes_refer(p, "Secret", "four"));
	assert_false(volumes_refer(p, "Secret", "one") || volumes_refer(p, "ConfigMap", "two") || volumes_refer(p, "ConfigMap", "five"));
}

static void host_paths_are_checked_and_made(void **state)
{
	AUTO(str) pod = { 0 };
	struct volume_plans p = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	str_addf(&pod, "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"%s/made/deep\",\"type\":\"DirectoryOrCreate\"}}]}}", dir);
	make(str_c(&pod), NULL, NULL, nobody);
	assert_true(there("made/deep"));
	str_cut(&pod, 0);
	str_addf(&pod, "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"%s/made\",\"type\":\"File\"}}]}}", dir);
	assert_ok(plan(str_c(&pod), NULL, NULL, &p, &err), &err);
	assert_err(volumes_make(dir, &p, nobody, &err), &err, ERR_INVALID, "is not a File");
	volume_plans_free(&p);
}

static void empty_dir_in_memory_is_bounded(void **state)
{
	(void)state;
	if (!mounts)
		skip();
	make(POD("{\"name\":\"v\",\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"64Ki\"}}"), NULL, NULL, nobody);
	make(POD("{\"name\":\"v\",\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"64Ki\"}}"), NULL, NULL, nobody);
	AUTO(str) path = { 0 };
	static char big[128 << 10];

	str_addf(&path, "%s/volumes/v/f", dir);
	AUTO(err) err = { 0 };
	assert_err(file_write(str_c(&path), (struct sv){ big, sizeof big }, 0644, &err), &err, ERR_FULL, "write");
	assert_int_equal(mode_of("volumes/v"), 0777);
}

static int subpath(const char *sub, struct err *err)
{
	AUTO(str) root = { 0 };
	AUTO(str) out = { 0 };

	str_addf(&root, "%s/root", dir);
	return volume_subpath(dir, "c-0", str_c(&root), sub, &out, err);
}

static void write_at(const char *name, const char *text)
{
	AUTO(str) path = { 0 };
	AUTO(err) err = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	assert_ok(file_write(str_c(&path), sv_c(text), 0644, &err), &err);
}

static void subpath_binds_inside_and_never_outside(void **state)
{
	AUTO(err) err = { 0 };
	AUTO(str) path = { 0 };

	(void)state;
	if (!mounts)
		skip();
	str_addf(&path, "%s/root/a", dir);
	assert_ok(dir_make(str_c(&path), 0755, &err), &err);
	write_at("root/a/f", "inside");
	write_at("secret", "outside");
	assert_ok(subpath("a/f", &err), &err);
	assert_file("subpaths/c-0", "inside");
	assert_ok(volumes_remove(dir, &err), &err);
	str_addc(&path, "/link");
	assert_int_equal(symlink("../../secret", str_c(&path)), 0);     /* leads out, were it not for the root */
	assert_true(subpath("a/link", &err) < 0);
	write_at("root/secret", "the root's own");
	assert_ok(subpath("a/link", &err), &err);
	assert_file("subpaths/c-0", "the root's own");
	assert_ok(volumes_remove(dir, &err), &err);
	assert_err(subpath("../secret", &err), &err, ERR_INVALID, "must be relative");
	assert_ok(subpath("new/deep", &err), &err);
	assert_true(there("root/new/deep"));
	assert_ok(volumes_remove(dir, &err), &err);
	assert_false(there("subpaths"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(config_map_becomes_files, fresh, clean),
		cmocka_unit_test_setup_teardown(changed_config_map_is_swapped_as_a_whole, fresh, clean),
		cmocka_unit_test_setup_teardown(half_made_config_map_is_completed, fresh, clean),
		cmocka_unit_test_setup_teardown(half_made_config_map_is_completed, fresh, clean),
		cmocka_unit_test_setup_teardown(items_choose_paths_and_modes, fresh, clean),
		cmocka_unit_test_setup_teardown(secret_is_decoded_and_group_owned, fresh, clean),
		cmocka_unit_test_setup_teardown(missing_objects_wait_unless_optional, fresh, clean),
		cmocka_unit_test_setup_teardown(wrong_volumes_are_refused, fresh, clean),
		cmocka_unit_test_setup_teardown(projected_volume_holds_all_its_sources, fresh, clean),
		cmocka_unit_test_setup_teardown(projected_token_is_that_of_its_audience, fresh, clean),
		TEST(references_of_volumes_are_found),
		cmocka_unit_test_setup_teardown(host_paths_are_checked_and_made, fresh, clean),
		cmocka_unit_test_setup_teardown(empty_dir_in_memory_is_bounded, fresh, clean),
		cmocka_unit_test_setup_teardown(subpath_binds_inside_and_never_outside, fresh, clean),
	};

	mounts = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
