#include "check.h"
#include "base/fs.h"
#include "runtime/container/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what is mounted ---- */

static void mounts_of_a_hybrid_machine_are_both_versions(void **state)
{
	struct cgroups cs;
	struct err err = { 0 };

	(void)state;
	assert_ok(cgroups_read(&cs, SV(
		"30 22 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
		"31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
		"32 30 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd\n"
		"33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup rw,cpu,cpuacct\n"
		"34 30 0:30 / /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n"
		"35 30 0:30 / /again rw - cgroup cgroup rw,memory\n"), &err), &err);
	assert_int_equal(cs.n_v1, 2);
	assert_string_equal(cgroup_v1_dir(&cs, "cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(cgroup_v1_dir(&cs, "cpu"), "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(cgroup_v1_dir(&cs, "memory"), "/sys/fs/cgroup/mem ory");
	assert_null(cgroup_v1_dir(&cs, "pids"));
	assert_string_equal(cs.v2, "/sys/fs/cgroup/unified");
	assert_false(cs.v2_limits);
	cgroups_free(&cs);
}

static void mounts_of_a_unified_machine_are_v2(void **state)
{
	struct cgroups cs;
	struct err err = { 0 };

	(void)state;
	assert_ok(cgroups_read(&cs,
			       SV("29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"),
			       &err),
		  &err);
	assert_int_equal(cs.n_v1, 0);
	assert_true(cs.v2_limits);
	cgroups_free(&cs);
	assert_err(cgroups_read(&cs, SV("29 22 0:26 / / rw - ext4 /dev/sda rw\n"), &err), &err, ERR_UNSUPPORTED,
		   "mount cgroup2");
	err_free(&err);
}

static void numbers_are_found_by_their_key(void **state)
{
	(void)state;
	assert_int_equal(cgroup_number(SV("low 1\noom 2\noom_kill 33\n"), "oom_kill"), 33);
	assert_int_equal(cgroup_number(SV("12345\n"), NULL), 12345);
	assert_int_equal(cgroup_number(SV("max\n"), NULL), -1);
	assert_int_equal(cgroup_number(SV("a 1\n"), "b"), -1);
}

/* ---- real groups ---- */

struct group { struct cgroups cs; char path[64]; };

static int open_group(void **state)
{
	static struct group g;
	AUTO(str) mounts = { 0 };
	struct err err = { 0 };

	if (geteuid() || file_read("/proc/self/mountinfo", 4 << 20, &mounts, &err) < 0 ||
	    cgroups_read(&g.cs, str_sv(&mounts), &err) < 0)
		return -1;
	snprintf(g.path, sizeof g.path, "cd-test-%d/a/b", (int)getpid());
	*state = &g;
	return 0;
}

static int close_group(void **state)
{
	struct group *g = *state;
	struct err err = { 0 };

	assert_ok(cgroup_remove(&g->cs, g->path, &err), &err);
	cgroups_free(&g->cs);
	return 0;
}

/* In the group by its v2 side alone: what happens is what v2 does. */
static void enter_v2(const struct group *g)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s/cgroup.procs", g->cs.v2, g->path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(99);
	close(fd);
}

static int child_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int try_device(unsigned major_n, unsigned minor_n)
{
	char path[64];

	snprintf(path, sizeof path, "/dev/cd-test-%d", (int)getpid());
	if (mknod(path, S_IFCHR | 0600, makedev(major_n, minor_n)))
		return 2;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

/* The program that stands for the missing controller: v2 in a machine that has its limits there. */
static void v2_device_filter_allows_what_containers_may_use(void **state)
{
	struct group *g = *state;
	struct cgroups v2 = { .v2 = g->cs.v2, .v2_limits = true };
	const struct resources none = { 0 };
	struct err err = { 0 };

	if (!g->cs.v2)
		skip();
	assert_ok(cgroup_v2.make(&v2, g->path, &none, false, &err), &err);
	for (int denied = 0; denied <= 1; denied++) {
		pid_t pid = fork();

		if (pid == 0) {
			enter_v2(g);
			_exit(denied ? try_device(1, 11) : try_device(1, 5));   /* kmsg, zero */
		}
		assert_int_equal(child_status(pid), denied);
	}
}

static void group_is_killed_at_once_and_removed(void **state)
{
	struct group *g = *state;
	struct err err = { 0 };
	const struct resources none = { 0 };
	int ends[2];
	char ready;

	if (!g->cs.v2)
		skip();
	assert_ok(cgroup_make(&g->cs, g->path, &none, true, &err), &err);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		enter_v2(g);
		(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &ready, 1), 1);
	assert_err(cgroup_remove(&g->cs, g->path, &err), &err, ERR_BUSY, "still has members");
	err_free(&err);
	assert_ok(cgroup_kill(&g->cs, g->path, &err), &err);
	assert_int_equal(child_status(pid), 128 + SIGKILL);
	close(ends[0]);
	close(ends[1]);
}

static void v1_group_without_v2_is_killed_by_its_freezer(void **state)
{
	struct group *g = *state;
	struct cgroups v1 = g->cs;
	struct err err = { 0 };
	const struct resources none = { 0 };
	const char *freezer = cgroup_v1_dir(&v1, "freezer");
	char path[256];

	if (!freezer)
		skip();
	v1.v2 = NULL;
	assert_ok(cgroup_make(&v1, g->path, &none, true, &err), &err);
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	snprintf(path, sizeof path, "%d", (int)pid);
	assert_ok(cgroup_write(freezer, g->path, "cgroup.procs", path, &err), &err);
	assert_ok(cgroup_kill(&v1, g->path, &err), &err);
	assert_int_equal(child_status(pid), 128 + SIGKILL);
	assert_ok(cgroup_remove(&v1, g->path, &err), &err);
}

static void group_that_is_gone_has_nobody_to_kill(void **state)
{
	struct group *g = *state;
	struct cgroups v1 = g->cs;
	struct err err = { 0 };

	assert_ok(cgroup_kill(&g->cs, "cd-test-none/x", &err), &err);
	v1.v2 = NULL;
	if (v1.n_v1)
		assert_ok(cgroup_kill(&v1, "cd-test-none/x", &err), &err);
	assert_ok(cgroup_remove(&g->cs, "cd-test-none/x", &err), &err);
}

int main(void)
{
	const struct CMUnitTest pure[] = {
		TEST(mounts_of_a_hybrid_machine_are_both_versions),
		TEST(mounts_of_a_unified_machine_are_v2),
		TEST(numbers_are_found_by_their_key),
	};
	const struct CMUnitTest real[] = {
		TEST(v2_device_filter_allows_what_containers_may_use),
		TEST(group_is_killed_at_once_and_removed),
		TEST(v1_group_without_v2_is_killed_by_its_freezer),
		TEST(group_that_is_gone_has_nobody_to_kill),
	};
	int failed = cmocka_run_group_tests(pure, NULL, NULL);

	if (failed)
		return failed;
	if (geteuid()) {
		printf("real groups need root\n");
		return 77;
	}
	return cmocka_run_group_tests(real, open_group, close_group);
}
