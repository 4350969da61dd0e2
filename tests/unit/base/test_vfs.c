/* Views of files: a directory, memory, a part of one, and one that remembers. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/vfs.h"

static void expect_join(const char *dir, const char *rel, const char *want)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(vfs_join(&out, dir, rel, &err), &err);
	assert_string_equal(str_c(&out), want);
}

static void join_cleans_the_path(void **state)
{
	(void)state;
	expect_join("a/b", "../c", "a/c");
	expect_join("", "./a//b/.", "a/b");
	expect_join("a", "..", "");
	expect_join("a", "b/../../c", "c");
}

static void join_above_the_root_is_refused(void **state)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_err(vfs_join(&out, "a", "../../b", &err), &err, ERR_INVALID, "leaves the tree");
}

static void expect_relative(const char *from, const char *path, const char *want)
{
	AUTO(str) out = { 0 };

	vfs_relative(&out, from, path);
	assert_string_equal(str_c(&out), want);
}

static void relative_goes_up_and_down(void **state)
{
	(void)state;
	expect_relative("a/b", "a/c/d", "../c/d");
	expect_relative("a/b", "a/b", ".");
	expect_relative("", "a", "a");
	expect_relative("a", "", "..");
	expect_relative("a/bc", "a/b", "../b");
}

static struct vfs *sample(void)
{
	struct vfs *v = vfs_memory();

	vfs_memory_add(v, "base/deploy.yaml", SV("kind: Deployment\n"));
	vfs_memory_add(v, "base/svc.yaml", SV("kind: Service\n"));
	vfs_memory_add(v, "overlay/kustomization.yaml", SV("resources: [../base]\n"));
	return v;
}

static void memory_reads_and_lists(void **state)
{
	struct vfs *v = sample();
	AUTO(vfs_entries) all = { 0 };
	AUTO(str) text = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(vfs_read(v, "overlay/../base/svc.yaml", 100, &text, &err), &err);
	assert_string_equal(str_c(&text), "kind: Service\n");
	assert_ok(vfs_list(v, "base", &all, &err), &err);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.v[0].name, "deploy.yaml");
	assert_true(vfs_exists(v, "base", VFS_DIR));
	assert_err(vfs_read(v, "base", 100, &text, &err), &err, ERR_INVALID, "directory");
	assert_err(vfs_read(v, "nope", 100, &text, &err), &err, ERR_NOT_FOUND, "'nope' does not exist");
	assert_err(vfs_read(v, "base/svc.yaml", 3, &text, &err), &err, ERR_TOO_LARGE, "14 bytes");
	vfs_free(v);
}

static void sub_stops_at_its_root(void **state)
{
	struct vfs *v = sample(), *sub = vfs_sub(v, "overlay");
	AUTO(str) text = { 0 };
	AUTO(str) real = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(vfs_read(sub, "kustomization.yaml", 100, &text, &err), &err);
	assert_err(vfs_read(sub, "../base/svc.yaml", 100, &text, &err), &err, ERR_INVALID, "leaves the tree");
	assert_ok(vfs_real(sub, "./kustomization.yaml", &real, &err), &err);
	assert_string_equal(str_c(&real), "kustomization.yaml");
	vfs_free(sub);
	vfs_free(v);
}

/* What changes after a trace of: one file read, one directory listed, one name looked up in vain. */
static void expect_changed(const char *path, const char *content, bool want)
{
	struct vfs *v = sample(), *trace = vfs_trace(v);
	AUTO(vfs_reads) reads = { 0 };
	AUTO(vfs_entries) all = { 0 };
	AUTO(str) text = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(vfs_read(trace, "overlay/kustomization.yaml", 100, &text, &err), &err);
	assert_ok(vfs_list(trace, "base", &all, &err), &err);
	assert_false(vfs_exists(trace, "overlay/Kustomization", VFS_FILE));
	vfs_trace_take(trace, &reads);
	assert_false(vfs_reads_changed(&reads, v));
	vfs_memory_add(v, path, sv_c(content));
	assert_int_equal(vfs_reads_changed(&reads, v), want);
	vfs_free(trace);
	vfs_free(v);
}

static void trace_sees_what_it_read_and_nothing_else(void **state)
{
	(void)state;
	expect_changed("overlay/kustomization.yaml", "other", true);
	expect_changed("overlay/Kustomization", "now there", true);
	expect_changed("base/new.yaml", "a new name in a listed directory", true);
	expect_changed("base/svc.yaml", "content of a file that was only listed", false);
	expect_changed("elsewhere/x", "x", false);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void dir_follows_links_inside_and_refuses_the_others(void **state)
{
	char root[] = "/tmp/timonier-vfs-XXXXXX", path[256];
	AUTO(vfs_entries) all = { 0 };
	AUTO(str) text = { 0 };
	AUTO(str) real = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(root));
	put(root, "a.yaml", "one");
	snprintf(path, sizeof(path), "%s/b.yaml", root);
	assert_int_equal(symlink("a.yaml", path), 0);
	snprintf(path, sizeof(path), "%s/out", root);
	assert_int_equal(symlink("/etc/hostname", path), 0);

	struct vfs *v = vfs_dir(root, &err);
	assert_non_null(v);
	assert_ok(vfs_read(v, "b.yaml", 100, &text, &err), &err);
	assert_string_equal(str_c(&text), "one");
	assert_ok(vfs_real(v, "b.yaml", &real, &err), &err);
	assert_string_equal(str_c(&real), "a.yaml");
	assert_err(vfs_read(v, "out", 100, &text, &err), &err, ERR_INVALID, "leaves the tree");
	assert_err(vfs_read(v, "a.yaml", 2, &text, &err), &err, ERR_TOO_LARGE, "3 bytes");
	assert_ok(vfs_list(v, "", &all, &err), &err);
	assert_int_equal(all.n, 3);
	assert_int_equal(all.v[1].type, VFS_FILE);
	assert_int_equal(all.v[2].type, VFS_LINK);
	vfs_free(v);

	for (size_t i = 0; i < all.n; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, all.v[i].name);
		unlink(path);
	}
	rmdir(root);
}

static void missing_dir_is_an_error(void **state)
{
	AUTO(err) err = { 0 };

	(void)state;
	assert_null(vfs_dir("/nonexistent/timonier", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(join_cleans_the_path),
		TEST(join_above_the_root_is_refused),
		TEST(relative_goes_up_and_down),
		TEST(memory_reads_and_lists),
		TEST(sub_stops_at_its_root),
		TEST(trace_sees_what_it_read_and_nothing_else),
		TEST(dir_follows_links_inside_and_refuses_the_others),
		TEST(missing_dir_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
