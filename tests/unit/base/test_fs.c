#include "check.h"

#include "base/fs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

static const char *under(const char *name)
{
	static char path[8][256];
	static unsigned at;
	char *p = path[at++ % 8];

	snprintf(p, 256, "%s/%s", root, name);
	return p;
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/cd-test-fs-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(root, NULL);
}

static void file_write_then_read_gives_the_bytes(void **state)
{
	AUTO(str) text = { 0 };
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_ok(file_write(under("a"), (struct sv){ "x\0y", 3 }, 0600, &e), &e);
	assert_ok(file_write(under("a"), (struct sv){ "p\0qr", 4 }, 0640, &e), &e);
	assert_ok(file_read(under("a"), 4, &text, &e), &e);
	assert_true(sv_eq(str_sv(&text), (struct sv){ "p\0qr", 4 }));
	assert_int_equal(stat(under("a"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void file_read_above_the_bound_is_too_large(void **state)
{
	AUTO(str) text = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_ok(file_write(under("b"), SV("12345"), 0600, &e), &e);
	assert_err(file_read(under("b"), 4, &text, &e), &e, ERR_TOO_LARGE, "larger than 4 bytes");
	assert_int_equal(text.n, 0);
	err_free(&e);
}

static void file_read_of_nothing_is_not_found(void **state)
{
	AUTO(str) text = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_err(file_read(under("none"), 4, &text, &e), &e, ERR_NOT_FOUND, "none");
	err_free(&e);
}

static void file_write_that_fails_leaves_nothing_behind(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_ok(dir_make(under("busy/dir"), 0700, &e), &e);
	assert_true(file_write(under("busy/dir"), SV("x"), 0600, &e) < 0);
	err_free(&e);
	assert_ok(tree_remove(under("busy/dir"), &e), &e);
	assert_int_equal(rmdir(under("busy")), 0);      /* no temporary file */
}

static void dir_make_makes_parents_and_accepts_what_is_there(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_ok(dir_make(under("d/e/f"), 0700, &e), &e);
	assert_ok(dir_make(under("d/e/f/"), 0700, &e), &e);
	assert_true(path_exists(under("d/e/f")));
	assert_ok(file_write(under("d/file"), SV(""), 0600, &e), &e);
	assert_err(dir_make(under("d/file"), 0700, &e), &e, ERR_ALREADY_EXISTS, "not a directory");
	err_free(&e);
}

static void tree_remove_does_not_follow_links(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_ok(dir_make(under("keep"), 0700, &e), &e);
	assert_ok(file_write(under("keep/file"), SV("x"), 0600, &e), &e);
	assert_ok(dir_make(under("gone/sub"), 0700, &e), &e);
	assert_int_equal(symlink(under("keep"), under("gone/sub/link")), 0);
	assert_int_equal(symlink(under("keep"), under("link")), 0);
	assert_ok(tree_remove(under("gone"), &e), &e);
	assert_ok(tree_remove(under("link"), &e), &e);
	assert_false(path_exists(under("gone")));
	assert_false(path_exists(under("link")));
	assert_true(path_exists(under("keep/file")));
}

static void tree_remove_goes_deeper_than_descriptors_allow(void **state)
{
	struct err e = { 0 };
	int at = open(root, O_PATH);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(at, "deep", 0700), 0);
		int below = openat(at, "deep", O_PATH);
		assert_int_equal(close(at), 0);
		at = below;
	}
	assert_int_equal(close(at), 0);
	assert_ok(tree_remove(under("deep"), &e), &e);
	assert_false(path_exists(under("deep")));
}

static void tree_remove_of_nothing_is_fine(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_ok(tree_remove(under("absent/too"), &e), &e);
}

/* A process that takes the lock, has a child, says the child's number and waits. */
static pid_t start_holder(const char *path, pid_t *child)
{
	int talk[2], fd;
	pid_t holder;

	assert_int_equal(pipe(talk), 0);
	if (!(holder = fork())) {
		if (file_lock(path, &fd, NULL) < 0)
			_exit(1);
		pid_t inner = fork();
		if (inner && write(talk[1], &inner, sizeof inner) != sizeof inner)
			_exit(2);
		for (;;)
			pause();
	}
	close(talk[1]);
	assert_int_equal(read(talk[0], child, sizeof *child), sizeof *child);
	close(talk[0]);
	return holder;
}

static void file_lock_goes_with_its_process_and_not_with_the_children(void **state)
{
	const char *path = under("lock");
	AUTO(err) err = { 0 };
	int fd = -1;
	pid_t child, holder = start_holder(path, &child);

	(void)state;
	assert_err(file_lock(path, &fd, &err), &err, ERR_BUSY, "is locked by another process");
	assert_int_equal(fd, -1);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	assert_ok(file_lock(path, &fd, &err), &err);
	close(fd);
	kill(child, SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_write_then_read_gives_the_bytes),
		TEST(file_read_above_the_bound_is_too_large),
		TEST(file_read_of_nothing_is_not_found),
		TEST(file_write_that_fails_leaves_nothing_behind),
		TEST(file_lock_goes_with_its_process_and_not_with_the_children),
		TEST(dir_make_makes_parents_and_accepts_what_is_there),
		TEST(tree_remove_does_not_follow_links),
		TEST(tree_remove_goes_deeper_than_descriptors_allow),
		TEST(tree_remove_of_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
