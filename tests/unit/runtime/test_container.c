#include "check.h"
#include "lab-box.h"
#include "base/fiber.h"
#include "base/fs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a script to its end and compares its exit code and what it wrote to stdout. */
static void expect(struct lab *lab, void (*edit)(struct container_spec *s), const char *script, int code,
		   const char *out)
{
	struct run r = { .script = script, .edit = edit };

	lab_run(lab, &r);
	assert_ok(r.result, &r.err);
	if (out && strcmp(str_c(&r.out), out))
		print_message("%s\n", str_c(&r.log));
	if (out)
		assert_string_equal(str_c(&r.out), out);
	assert_int_equal(r.status.exit_code, code);
	run_free(&r);
}

/* ---- the program ---- */

static void container_exit_code_is_the_programs(void **state)
{
	expect(*state, NULL, "echo hello; exit 7", 7, "hello\n");
	expect(*state, NULL, "true", 0, "");
}

static void no_program(struct container_spec *s)
{
	static const char *const argv[] = { "nonexistent", NULL };

	s->argv = argv;
}

static void container_without_program_says_what_is_missing(void **state)
{
	struct run r = { .edit = no_program };

	lab_run(*state, &r);
	assert_err(r.result, &r.err, ERR_NOT_FOUND, "exec: \"nonexistent\": executable file not found in $PATH");
	run_free(&r);
}

static void not_executable(struct container_spec *s)
{
	static const char *const argv[] = { "/etc/passwd", NULL };

	s->argv = argv;
}

static void container_with_a_file_that_is_no_program_is_refused(void **state)
{
	struct run r = { .edit = not_executable };

	lab_run(*state, &r);
	assert_err(r.result, &r.err, ERR_FORBIDDEN, "exec /etc/passwd: Permission denied");
	run_free(&r);
}

static void no_layer(struct container_spec *s)
{
	static const char *const layers[] = { "/nonexistent/layer", NULL };

	s->layers = layers;
}

static void container_without_its_layer_names_it(void **state)
{
	struct run r = { .script = "true", .edit = no_layer };

	lab_run(*state, &r);
	assert_err(r.result, &r.err, ERR_NOT_FOUND, "/nonexistent/layer");
	run_free(&r);
}

/* ---- what it sees ---- */

static void in_tmp_as_web(struct container_spec *s)
{
	static const gid_t groups[] = { 2000, 3000 };

	s->cwd = "/srv/made/on/the/way";
	s->uid = 1000;
	s->gid = 1000;
	s->groups = groups;
	s->n_groups = 2;
}

static void container_has_environment_directory_and_user(void **state)
{
	expect(*state, in_tmp_as_web, "echo $GREETING $HOME $HOSTNAME; pwd; id -u; id -g; id -G; hostname", 0,
	       "hello / lab\n/srv/made/on/the/way\n1000\n1000\n1000 2000 3000\nlab\n");
}

static void container_sees_only_itself(void **state)
{
	expect(*state, NULL, "echo $$; ls /proc | grep -c '^[0-9]'; ls /sys/class/net; cat /proc/1/comm; true", 0,
	       "1\n3\nlo\nsh\n");
	expect(*state, NULL, "cat /proc/self/cgroup | grep -v :/$ | wc -l", 0, "0\n");
}

static void container_has_default_devices(void **state)
{
	expect(*state, NULL,
	       "cd /dev; ls -d null zero full random urandom tty ptmx pts shm mqueue fd stdin stdout stderr | wc -l;"
	       "head -c 3 /dev/zero | wc -c; echo x > /dev/null && echo ok; echo y > /dev/stdout; stat -c %a /dev/null "
	       "/dev/shm",
	       0, "14\n3\nok\ny\n666\n1777\n");
}

static void container_as_another_user_may_reopen_stdout(void **state)
{
	expect(*state, in_tmp_as_web, "echo out > /dev/stdout; echo err > /proc/self/fd/2", 0, "out\n");
}

static void container_may_not_open_devices_that_it_makes(void **state)
{
	expect(*state, NULL, "mknod /dev/disk b 254 0 && echo made; cat /dev/disk", 1, "made\n");
	expect(*state, NULL, "mknod /dev/kmsg2 c 1 11; cat /dev/kmsg2", 1, "");
}

static void container_kernel_files_are_masked_or_read_only(void **state)
{
	expect(*state, NULL,
	       "wc -c < /proc/interrupts; ls /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/printk; echo $?", 0,
	       "0\n0\n1\n");
	expect(*state, NULL,
	       "touch /sys/fs/cgroup/x 2>/dev/null; echo b > /proc/sysrq-trigger; mkdir /sys/fs/cgroup/memory/x", 1,
	       "");
}

static void read_only(struct container_spec *s) { s->read_only_root = true; }

static void container_root_read_only_refuses_writes(void **state)
{
	expect(*state, read_only, "touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo scratch", 0,
	       "refused\nscratch\n");
}

static void container_writes_stay_its_own(void **state)
{
	expect(*state, NULL, "echo changed > /etc/passwd; rm /bin/false; cat /etc/passwd", 0, "changed\n");
	expect(*state, NULL, "grep -c root /etc/passwd; ls /bin/false", 0, "1\n/bin/false\n");
}

/* ---- mounts ---- */

static char volume[256], volume_file[256];

static void with_mounts(struct container_spec *s)
{
	static struct mount_spec mounts[4];

	mounts[0] = (struct mount_spec){
		.type = "bind", .source = volume_file, .target = "/data/sub/one.conf", .read_only = true
	};
	mounts[1] = (struct mount_spec){ .type = "bind", .source = volume, .target = "/data", .recursive = true };
	mounts[2] = (struct mount_spec){ .type = "tmpfs", .target = "/scratch", .data = "size=1m,mode=0700" };
	mounts[3] = (struct mount_spec){ .type = "bind", .source = volume, .target = "/ro", .read_only = true };
	s->mounts = mounts;
	s->n_mounts = 4;
}

static void container_mounts_are_ordered_and_read_only_as_asked(void **state)
{
	struct lab *lab = *state;
	struct err err = { 0 };

	snprintf(volume, sizeof volume, "%s/volume", str_c(&lab->dir));
	snprintf(volume_file, sizeof volume_file, "%s/one", str_c(&lab->dir));
	assert_ok(dir_make(volume, 0755, &err), &err);
	assert_ok(file_write(volume_file, SV("conf"), 0644, &err), &err);
	expect(lab, with_mounts,
	       "cat /data/sub/one.conf; echo; echo x > /data/file; cat /ro/file; touch /ro/no || echo ro;"
	       "echo y > /data/sub/one.conf || echo ro; grep -c scratch /proc/mounts; dd if=/dev/zero of=/scratch/f "
	       "bs=1k count=2048",
	       1, "conf\nx\nro\nro\n1\n");
}

static void through_a_link(struct container_spec *s)
{
	static const struct mount_spec mount = { .type = "tmpfs", .target = "/escape/etc" };
	static const char *layers[3];
	static char dir[256], evil[300];

	snprintf(dir, sizeof dir, "%s-evil", s->dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(evil, sizeof evil, "%s/escape", dir);
	assert_int_equal(symlink("../../../../../../", evil), 0);
	layers[0] = dir;
	layers[1] = s->layers[0];
	s->layers = layers;
	s->mounts = &mount;
	s->n_mounts = 1;
}

static void container_mount_through_a_link_stays_inside(void **state)
{
	expect(*state, through_a_link, "grep -c ' /etc ' /proc/mounts; ls /etc | wc -l", 0, "1\n0\n");
	assert_true(path_exists("/etc/passwd"));
}

static char fd_path[64];

static void cwd_of_a_descriptor(struct container_spec *s) { s->cwd = fd_path; }

static void link_to_a_descriptor(struct container_spec *s)
{
	static const struct mount_spec mount = { .type = "tmpfs", .target = "/escape/made-by-escape" };
	static const char *layers[3];
	static char dir[256], evil[300];

	snprintf(dir, sizeof dir, "%s-fd", s->dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(evil, sizeof evil, "%s/escape", dir);
	assert_int_equal(symlink(fd_path, evil), 0);
	layers[0] = dir;
	layers[1] = s->layers[0];
	s->layers = layers;
	s->mounts = &mount;
	s->n_mounts = 1;
}

/* What setting up a container has open is named /proc/self/fd/N too, until it is closed. */
static void container_paths_do_not_reach_the_hosts_descriptors(void **state)
{
	struct lab *lab = *state;
	AUTO(str) made = { 0 };

	str_addf(&made, "%s/made-by-escape", str_c(&lab->layer));
	for (int fd = 3; fd < 24; fd++) {
		struct run cwd = { .script = "cd ..; ls -d layer lab1 cpu", .edit = cwd_of_a_descriptor };
		struct run mount = { .script = "true", .edit = link_to_a_descriptor };

		snprintf(fd_path, sizeof fd_path, "/proc/self/fd/%d", fd);
		lab_run(lab, &cwd);
		assert_true(cwd.result < 0);
		lab_run(lab, &mount);
		assert_true(mount.result < 0);
		assert_false(path_exists(str_c(&made)));
		run_free(&cwd);
		run_free(&mount);
	}
}

static void bad_mount(struct container_spec *s)
{
	static const struct mount_spec mount = { .type = "bind", .source = "/nonexistent", .target = "/x" };

	s->mounts = &mount;
	s->n_mounts = 1;
}

static void container_with_a_mount_of_nothing_names_it(void **state)
{
	struct run r = { .script = "true", .edit = bad_mount };

	lab_run(*state, &r);
	assert_err(r.result, &r.err, ERR_NOT_FOUND, "the source of the mount at /x");
	run_free(&r);
}

/* ---- what it may do ---- */

#define CAPS "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)|NoNew|^Seccomp:' /proc/self/status | tr -s '\\t ' ' '"

static void container_capabilities_are_the_default_set(void **state)
{
	expect(*state, NULL, CAPS, 0, "CapInh: 0000000000000000\nCapPrm: 00000000a80425fb\nCapEff: 00000000a80425fb\n"
	       "CapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\nNoNewPrivs: 0\nSeccomp: 2\n");
	expect(*state, in_tmp_as_web, CAPS, 0,
	       "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"
	       "CapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\nNoNewPrivs: 0\nSeccomp: 2\n");
}

static void one_capability(struct container_spec *s)
{
	static const char *const add[] = { "NET_ADMIN", NULL }, *const drop[] = { "ALL", NULL };

	s->cap_add = add;
	s->cap_drop = drop;
	s->no_new_privs = true;
}

static void container_capabilities_can_be_changed(void **state)
{
	expect(*state, one_capability, CAPS, 0,
	       "CapInh: 0000000000000000\nCapPrm: 0000000000001000\nCapEff: 0000000000001000\n"
	       "CapBnd: 0000000000001000\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n");
}

static void unknown_capability(struct container_spec *s)
{
	static const char *const add[] = { "FLY", NULL };

	s->cap_add = add;
}

static void container_with_an_unknown_capability_is_refused(void **state)
{
	struct run r = { .script = "true", .edit = unknown_capability };

	lab_run(*state, &r);
	assert_err(r.result, &r.err, ERR_INVALID, "unknown capability \"FLY\"");
	run_free(&r);
}

static void container_may_not_mount_or_unshare(void **state)
{
	expect(*state, NULL,
	       "mount -t tmpfs none /tmp 2>/dev/null || echo no mount; unshare -U true 2>/dev/null || echo no user;"
	       "unshare -m true 2>/dev/null || echo no mnt; chroot / true && echo chroot",
	       0, "no mount\nno user\nno mnt\nchroot\n");
}

static void privileged(struct container_spec *s) { s->privileged = true; }

static void container_privileged_may(void **state)
{
	expect(*state, privileged,
	       "mount -t tmpfs none /tmp && echo mount; unshare -m true && echo mnt; grep Seccomp: /proc/self/status",
	       0, "mount\nmnt\nSeccomp:\t0\n");
}

/* ---- limits ---- */

static void small_memory(struct container_spec *s) { s->resources.memory_bytes = 8 << 20; }

static void container_out_of_memory_is_killed_and_says_so(void **state)
{
	struct run r = { .edit = small_memory, .script = "tail /dev/zero" };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_int_equal(r.status.exit_code, 137);
	assert_int_equal(r.status.signal, SIGKILL);
	assert_true(r.status.oom_killed);
	run_free(&r);
}

static void container_within_memory_is_not_oom(void **state)
{
	struct run r = { .edit = small_memory, .script = "exit 137" };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_false(r.status.oom_killed);
	run_free(&r);
}

static void few_processes(struct container_spec *s) { s->resources.pids = 4; }

static void container_pids_are_limited(void **state)
{
	expect(*state, few_processes, "for i in 1 2 3 4 5 6; do sleep 60 & done", 2, "");
}

static void shares(struct container_spec *s)
{
	s->resources =
		(struct resources){ .cpu_millis = 250, .cpu_shares = 512, .memory_bytes = 64 << 20, .pids = 100 };
}

static void container_sees_its_limits(void **state)
{
	if (path_exists("/sys/fs/cgroup/memory"))
		expect(*state, shares,
		       "cd /sys/fs/cgroup; cat cpu/cpu.cfs_quota_us cpu/cpu.shares memory/memory.limit_in_bytes "
		       "pids/pids.max",
		       0, "25000\n512\n67108864\n100\n");
	else
		expect(*state, shares, "cd /sys/fs/cgroup; cat cpu.max cpu.weight memory.max pids.max", 0,
		       "25000 100000\n20\n67108864\n100\n");
}

/* ---- output ---- */

static void container_log_has_a_record_for_each_line(void **state)
{
	struct run r = { .script = "echo one; echo two >&2; printf three" };
	int records = 0;

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_non_null(strstr(str_c(&r.log), " stdout F one\n"));
	assert_non_null(strstr(str_c(&r.log), " stderr F two\n"));
	assert_non_null(strstr(str_c(&r.log), " stdout P three\n"));
	for (const char *at = str_c(&r.log); (at = strstr(at, "Z std")); at++)
		records++;
	assert_int_equal(records, 3);
	struct sv line = { str_c(&r.log), 30 };
	assert_int_equal(line.p[10], 'T');      /* 2026-01-02T03:04:05.678901234Z */
	assert_int_equal(line.p[19], '.');
	assert_int_equal(line.p[29], 'Z');
	run_free(&r);
}

static void container_long_line_is_cut_into_partial_records(void **state)
{
	struct run r = { .script = "head -c 40000 /dev/zero | tr '\\0' x; echo end" };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_int_equal(r.out.n, 40000 + strlen("end\n"));
	assert_non_null(strstr(str_c(&r.log), " stdout P xxx"));
	run_free(&r);
}

static char rotated[512];

static void small_log(struct container_spec *s)
{
	s->log_max = 20000;
	snprintf(rotated, sizeof rotated, "%s.1", s->log_path);
}

static void container_log_is_rotated_at_its_size(void **state)
{
	struct run r = { .edit = small_log, .script = "seq 1 2000" };
	struct stat st;

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_int_equal(r.status.exit_code, 0);
	assert_in_range(r.log.n, 1, 20000);
	assert_non_null(strstr(str_c(&r.log), " stdout F 2000\n"));
	assert_int_equal(stat(rotated, &st), 0);
	assert_in_range(st.st_size, 1, 20000);
	run_free(&r);
}

static void with_terminal(struct container_spec *s) { s->tty = true; }

static void container_with_a_terminal_has_one(void **state)
{
	expect(*state, with_terminal,
	       "test -t 0 && test -t 1 && test -t 2 && echo terminal $TERM; readlink /proc/self/fd/0;"
	       "echo error >&2; echo x > /dev/console; exit 6",
	       6, "terminal xterm\r\n/dev/pts/0\r\nerror\r\nx\r\n");
}

static void with_open_stdin(struct container_spec *s) { s->stdin_open = true; }

static void container_stdin_is_empty_or_waits(void **state)
{
	expect(*state, NULL, "busybox timeout 5 cat; echo $?", 0, "0\n");
	expect(*state, with_open_stdin, "busybox timeout 0.1 cat; echo $?", 0, "143\n");
}

/* ---- signals and stopping ---- */

static void kill_it(struct container *c, struct run *r) { r->result = container_kill(c, SIGKILL, &r->err); }

static void container_killed_reports_the_signal(void **state)
{
	struct run r = { .script = "sleep 60", .during = kill_it };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_int_equal(r.status.exit_code, 137);
	assert_int_equal(r.status.signal, SIGKILL);
	assert_false(r.status.oom_killed);
	run_free(&r);
}

struct stopping { int64_t grace_ms, took_ms; };

static void wait_until_ready(struct container *c)
{
	static const char *const look[] = { "sh", "-c", "until test -e /ready; do :; done", NULL };

	(void)container_exec(c, look, 20000, 0, NULL, NULL);
}

static void stop_it(struct container *c, struct run *r)
{
	struct stopping *s = r->arg;

	wait_until_ready(c);
	int64_t before = clock_ms();
	r->result = container_stop(c, SIGTERM, s->grace_ms, &r->err);
	s->took_ms = clock_ms() - before;
}

static void container_stop_lets_it_end_by_itself(void **state)
{
	struct stopping s = { .grace_ms = 30000 };
	struct run r = { .script = "trap 'echo bye; exit 3' TERM; touch /ready; while :; do sleep 0.02; done",
			 .during = stop_it,
			 .arg = &s };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_int_equal(r.status.exit_code, 3);
	assert_string_equal(str_c(&r.out), "bye\n");
	assert_true(s.took_ms < 20000);
	run_free(&r);
}

static void container_stop_kills_after_the_grace_time(void **state)
{
	struct stopping s = { .grace_ms = 50 };
	struct run r = { .script = "trap '' TERM; touch /ready; while :; do sleep 0.02; done",
			 .during = stop_it,
			 .arg = &s };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_int_equal(r.status.exit_code, 137);
	assert_true(s.took_ms >= 50);
	run_free(&r);
}

static void host_pids(struct container_spec *s) { s->host_pid = true; }

static void container_in_the_hosts_pid_namespace_leaves_nobody(void **state)
{
	expect(*state, host_pids, "sleep 600 >/dev/null 2>&1 & echo started", 0, "started\n");
}

/* ---- exec ---- */

struct execution { const char *script; int64_t timeout_ms; int result; struct str out; struct err err; };

static void exec_it(struct container *c, struct run *r)
{
	struct execution *x = r->arg;
	const char *const argv[] = { "sh", "-c", x->script, NULL };

	wait_until_ready(c);
	x->result = container_exec(c, argv, x->timeout_ms, 1000, &x->out, &x->err);
	(void)container_kill(c, SIGKILL, NULL);
}

static void execute(struct lab *lab, struct execution *x, void (*edit)(struct container_spec *s))
{
	struct run r = { .script = "touch /tmp/mark /ready 2>/dev/null; sleep 60; true",
			 .edit = edit,
			 .during = exec_it,
			 .arg = x };

	lab_run(lab, &r);
	assert_ok(r.result, &r.err);
	run_free(&r);
}

static void exec_runs_inside_with_the_same_rights(void **state)
{
	struct execution x = { .script = "ls /tmp; hostname; " CAPS "; cat /proc/1/comm; exit 5" };

	execute(*state, &x, one_capability);
	assert_string_equal(str_c(&x.out),
			    "mark\nlab\nCapInh: 0000000000000000\nCapPrm: 0000000000001000\nCapEff: 0000000000001000\n"
			    "CapBnd: 0000000000001000\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\nsh\n");
	assert_int_equal(x.result, 5);
	str_free(&x.out);
}

static void exec_that_takes_too_long_is_killed(void **state)
{
	struct execution x = { .script = "echo begun; sleep 600", .timeout_ms = 2000 };

	execute(*state, &x, NULL);
	assert_err(x.result, &x.err, ERR_TIMEOUT, "not finished after 2000 ms");
	assert_string_equal(str_c(&x.out), "begun\n");
	str_free(&x.out);
	err_free(&x.err);
}

static void exec_output_is_bounded(void **state)
{
	struct execution x = { .script = "head -c 100000 /dev/zero | tr '\\0' y; exit 4" };

	execute(*state, &x, NULL);
	assert_int_equal(x.result, 4);
	assert_int_equal(x.out.n, 1000);
	str_free(&x.out);
}

static void exec_nothing(struct container *c, struct run *r)
{
	const char *const argv[] = { "nothing", NULL };

	r->result = container_exec(c, argv, 0, 100, NULL, &r->err);
	(void)container_kill(c, SIGKILL, NULL);
}

static void exec_of_a_missing_program_says_so(void **state)
{
	struct run r = { .script = "sleep 60", .during = exec_nothing };

	lab_run(*state, &r);
	assert_err(r.result, &r.err, ERR_NOT_FOUND, "exec: \"nothing\": executable file not found");
	run_free(&r);
}

/* ---- use ---- */

struct use { int64_t cpu_ns, memory_bytes; };

static void use_it(struct container *c, struct run *r)
{
	struct use *u = r->arg;

	wait_until_ready(c);
	r->result = container_usage(c, &u->cpu_ns, &u->memory_bytes, &r->err);
	(void)container_kill(c, SIGKILL, NULL);
}

static void container_usage_counts_processor_and_memory(void **state)
{
	struct use u = { 0 };
	struct run r = { .script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; touch /ready; sleep 60",
			 .during = use_it,
			 .arg = &u };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_true(u.cpu_ns > 1000000);
	assert_in_range(u.memory_bytes, 10000, 64 << 20);
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(container_exit_code_is_the_programs),
		TEST(container_without_program_says_what_is_missing),
		TEST(container_with_a_file_that_is_no_program_is_refused),
		TEST(container_without_its_layer_names_it),
		TEST(container_has_environment_directory_and_user),
		TEST(container_sees_only_itself),
		TEST(container_has_default_devices),
		TEST(container_as_another_user_may_reopen_stdout),
		TEST(container_may_not_open_devices_that_it_makes),
		TEST(container_kernel_files_are_masked_or_read_only),
		TEST(container_root_read_only_refuses_writes),
		TEST(container_writes_stay_its_own),
		TEST(container_mounts_are_ordered_and_read_only_as_asked),
		TEST(container_mount_through_a_link_stays_inside),
		TEST(container_paths_do_not_reach_the_hosts_descriptors),
		TEST(container_with_a_mount_of_nothing_names_it),
		TEST(container_capabilities_are_the_default_set),
		TEST(container_capabilities_can_be_changed),
		TEST(container_with_an_unknown_capability_is_refused),
		TEST(container_may_not_mount_or_unshare),
		TEST(container_privileged_may),
		TEST(container_out_of_memory_is_killed_and_says_so),
		TEST(container_within_memory_is_not_oom),
		TEST(container_pids_are_limited),
		TEST(container_sees_its_limits),
		TEST(container_log_has_a_record_for_each_line),
		TEST(container_long_line_is_cut_into_partial_records),
		TEST(container_log_is_rotated_at_its_size),
		TEST(container_with_a_terminal_has_one),
		TEST(container_stdin_is_empty_or_waits),
		TEST(container_killed_reports_the_signal),
		TEST(container_stop_lets_it_end_by_itself),
		TEST(container_stop_kills_after_the_grace_time),
		TEST(container_in_the_hosts_pid_namespace_leaves_nobody),
		TEST(exec_runs_inside_with_the_same_rights),
		TEST(exec_that_takes_too_long_is_killed),
		TEST(exec_output_is_bounded),
		TEST(exec_of_a_missing_program_says_so),
		TEST(container_usage_counts_processor_and_memory),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
