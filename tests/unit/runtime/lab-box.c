#include "check.h"
#include "lab-box.h"
#include "base/fiber.h"
#include "base/fs.h"
#include "runtime/container/container-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *const applets[] = { "sh",	"sleep",    "cat",     "echo", "true", "false", "id",	    "env",
				       "mount", "umount",   "unshare", "ls",   "dd",   "kill",	"hostname", "touch",
				       "stat",	"readlink", "mknod",   "head", "tail", "grep",	"mkdir",    "chroot",
				       "tr",	"wc",	    "date",    "seq",  "ps",   "pwd",	"cp",	    "rm",
				       "chmod", "ln",	    "sed",     "awk",  "find", "sort" };

static void copy_busybox(const char *to)
{
	AUTO(str) text = { 0 };
	struct err err = { 0 };

	assert_ok(file_read("/bin/busybox", 16 << 20, &text, &err), &err);
	assert_ok(file_write(to, str_sv(&text), 0755, &err), &err);
}

static bool have_namespaces(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS | CLONE_NEWPID) ? 1 : 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void write_text(const char *dir, const char *name, const char *text)
{
	AUTO(str) path = { 0 };
	struct err err = { 0 };

	str_addf(&path, "%s/%s", dir, name);
	assert_ok(file_write(str_c(&path), sv_c(text), 0644, &err), &err);
}

static void make_layer(struct lab *lab)
{
	AUTO(str) path = { 0 };
	struct err err = { 0 };

	str_addf(&path, "%s/bin", str_c(&lab->layer));
	assert_ok(dir_make(str_c(&path), 0755, &err), &err);
	str_addc(&path, "/busybox");
	copy_busybox(str_c(&path));
	for (size_t i = 0; i < sizeof applets / sizeof *applets; i++) {
		str_cut(&path, lab->layer.n + 5);
		str_addc(&path, applets[i]);
		assert_int_equal(symlink("busybox", str_c(&path)), 0);
	}
	str_cut(&path, lab->layer.n);
	str_addc(&path, "/etc");
	assert_ok(dir_make(str_c(&path), 0755, &err), &err);
	write_text(str_c(&path), "passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n");
	write_text(str_c(&path), "group", "root:x:0:\nweb:x:1000:\nextra:x:2000:web\n");
	str_cut(&path, lab->layer.n);
	str_addc(&path, "/tmp");
	assert_ok(dir_make(str_c(&path), 01777, &err), &err);
	assert_int_equal(chmod(str_c(&path), 01777), 0);
}

int lab_open(void **state)
{
	struct lab *lab = calloc(1, sizeof *lab);
	char template[] = "/tmp/cd-lab-XXXXXX", *dir;

	if (geteuid() || !have_namespaces() || !path_exists("/bin/busybox")) {
		printf("needs root, mount and PID namespaces, and /bin/busybox\n");
		exit(77);
	}
	dir = mkdtemp(template);
	assert_non_null(dir);
	assert_int_equal(chmod(dir, 0755), 0);
	str_addc(&lab->dir, dir);
	lab->pid = (int)getpid();
	str_addf(&lab->layer, "%s/layer", dir);
	make_layer(lab);
	*state = lab;
	return 0;
}

/* Groups are named after the test's process: nobody else's are seen. */
static size_t count_groups(const struct lab *lab)
{
	static const char *const roots[] = { "",      "/cpu",	  "/cpuacct", "/memory",
					     "/pids", "/devices", "/freezer", "/unified" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof path, "/sys/fs/cgroup%s/cd-lab-%d", roots[i], lab->pid);
		n += path_exists(path);
	}
	return n;
}

/* What a failed test left running ends here, so that nothing outlives the program. */
static void end_leftovers(const struct lab *lab)
{
	AUTO(str) mounts = { 0 };
	struct cgroups cs;

	if (file_read("/proc/self/mountinfo", 4 << 20, &mounts, NULL) < 0 ||
	    cgroups_read(&cs, str_sv(&mounts), NULL) < 0)
		return;
	for (unsigned i = 1; i <= lab->n; i++) {
		char path[64];

		snprintf(path, sizeof path, "cd-lab-%d/pod/lab%u", lab->pid, i);
		(void)!cgroup_destroy(&cs, path, NULL);
	}
	cgroups_free(&cs);
}

int lab_close(void **state)
{
	struct lab *lab = *state;
	AUTO(str) mounts = { 0 };
	struct err err = { 0 };
	size_t left = count_groups(lab);

	if (left)
		end_leftovers(lab);
	assert_int_equal(left, 0);
	assert_ok(file_read("/proc/self/mountinfo", 4 << 20, &mounts, &err), &err);
	assert_null(strstr(str_c(&mounts), str_c(&lab->dir)));
	assert_ok(tree_remove(str_c(&lab->dir), &err), &err);
	str_free(&lab->dir);
	str_free(&lab->layer);
	free(lab);
	return 0;
}

/* ---- one container ---- */

void lab_spec(struct lab *lab, struct container_spec *s)
{
	static char dir[PATH_MAX], log[PATH_MAX], group[64], id[32];
	static const char *layers[2], *env[] = { "PATH=/bin", "GREETING=hello", NULL };
	struct err err = { 0 };

	snprintf(id, sizeof id, "lab%u", ++lab->n);
	snprintf(dir, sizeof dir, "%s/%s", str_c(&lab->dir), id);
	snprintf(log, sizeof log, "%s/%s.log", str_c(&lab->dir), id);
	snprintf(group, sizeof group, "cd-lab-%d/pod/%s", lab->pid, id);
	layers[0] = str_c(&lab->layer);
	(void)!dir_make(dir, 0700, &err);
	*s = (struct container_spec){ .id = id,
				      .dir = dir,
				      .layers = layers,
				      .env = env,
				      .cgroup = group,
				      .log_path = log,
				      .hostname = "lab",
				      .netns_fd = -1,
				      .ipcns_fd = -1,
				      .utsns_fd = -1,
				      .pidns_fd = -1 };
}

static void wake(void *arg) { fiber_wake(arg); }

int lab_wait(struct container *c)
{
	struct container_status st;
	int r = 0;

	container_on_exit(c, wake, fiber_self());
	for (container_get(c, &st); st.state == CONTAINER_RUNNING && !r; container_get(c, &st))
		r = fiber_park();
	container_on_exit(c, NULL, NULL);
	return r;
}

/* The text of the records of one stream. */
static void stdout_of(struct sv log, struct str *out)
{
	struct sv line, time, stream, tag;

	for (bool more = true; more;) {
		more = sv_cut(log, '\n', &line, &log);
		if (!sv_cut(line, ' ', &time, &line) || !sv_cut(line, ' ', &stream, &line) ||
		    !sv_cut(line, ' ', &tag, &line))
			continue;
		if (sv_eq_c(stream, "stdout"))
			str_add(out, line);
		if (sv_eq_c(stream, "stdout") && sv_eq_c(tag, "F"))
			str_add1(out, '\n');
	}
}

struct call { struct lab *lab; struct run *run; };

static int run_one(void *arg)
{
	struct call *call = arg;
	struct run *r = call->run;
	const char *argv[] = { "sh", "-c", r->script, NULL };
	struct containers *cs = containers_open(fiber_loop(), &r->err);
	struct container *c = NULL;
	struct container_spec s;

	lab_spec(call->lab, &s);
	s.argv = argv;
	if (r->edit)
		r->edit(&s);
	r->result = cs ? container_start(cs, &s, &c, &r->err) : -ERR_IO;
	if (r->result >= 0) {
		if (r->during)
			r->during(c, r);
		(void)lab_wait(c);
		container_get(c, &r->status);
		if (container_remove(&c, &r->err) < 0)
			r->result = -ERR_IO;
	}
	if (s.log_path && file_read(s.log_path, 16 << 20, &r->log, NULL) >= 0)
		stdout_of(str_sv(&r->log), &r->out);
	containers_close(&cs);
	return 0;
}

void lab_run(struct lab *lab, struct run *r)
{
	struct call call = { lab, r };

	fiber_main(run_one, &call);
}

void run_free(struct run *r)
{
	err_free(&r->err);
	str_free(&r->log);
	str_free(&r->out);
}
