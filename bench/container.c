/* bench/container - from a container's start to its end, beside its physical floor: the same namespaces, overlay, mounts,
 * three cgroups and program, by hand in one process; and beside crun, when it is installed. Interleaved rounds.
 * Arguments: [ROUNDS] [LAYER]: a directory with bin/busybox; without it, one is made from /bin/busybox. Needs root. */
#include "base/fiber.h"
#include "base/fs.h"
#include "runtime/container/container.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#define PARALLEL 8

static const char *const groups[] = { "memory", "cpu", "pids" };

struct bench { int rounds; struct str dir, layer; struct containers *cs; unsigned n; };

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/* ---- the floor ---- */

static void path_of(struct bench *b, const char *name, struct str *out)
{
	str_cut(out, 0);
	str_addf(out, "%s/floor/%s", str_c(&b->dir), name);
}

_Noreturn static void floor_child(const char *options, const char *root)
{
	static const char *const argv[] = { "true", NULL };

	for (size_t i = 0; i < 3; i++) {
		char path[128];

		snprintf(path, sizeof path, "/sys/fs/cgroup/%s/cd-bench-floor/cgroup.procs", groups[i]);
		int fd = open(path, O_WRONLY);
		(void)!write(fd, "0", 1);
		close(fd);
	}
	mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	must(!mount("overlay", root, "overlay", 0, options), "overlay");
	must(!chdir(root), root);
	mkdir("proc", 0755);
	mkdir("dev", 0755);
	mkdir("sys", 0755);
	must(!mount("proc", "proc", "proc", 0, NULL), "proc");
	must(!mount("tmpfs", "dev", "tmpfs", 0, "mode=755"), "dev");
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	mount("devpts", "dev/pts", "devpts", 0, "newinstance");
	mount("tmpfs", "dev/shm", "tmpfs", 0, NULL);
	mount("mqueue", "dev/mqueue", "mqueue", 0, NULL);
	mount("sysfs", "sys", "sysfs", MS_RDONLY, NULL);
	for (int i = 3; i < 10; i++) {
		char name[16];

		snprintf(name, sizeof name, "dev/d%d", i);
		mknod(name, S_IFCHR | 0666, makedev(1, (unsigned)i));
	}
	must(!syscall(SYS_pivot_root, ".", ".") && !umount2(".", MNT_DETACH), "pivot_root");
	sethostname("floor", 5);
	execve("/bin/busybox", (char *const *)argv, (char *[]){ NULL });
	_exit(127);
}

static double run_floor(struct bench *b)
{
	static const char *const parts[] = { "upper", "work", "root" };
	AUTO(str) options = { 0 };
	AUTO(str) path = { 0 };
	double begin = now_ms();

	for (size_t i = 0; i < 3; i++) {
		path_of(b, parts[i], &path);
		must(dir_make(str_c(&path), 0755, NULL) >= 0, "mkdir");
		str_cut(&path, 0);
		str_addf(&path, "/sys/fs/cgroup/%s/cd-bench-floor", groups[i]);
		(void)mkdir(str_c(&path), 0755);
	}
	str_addf(&options, "lowerdir=%s,upperdir=%s/floor/upper,workdir=%s/floor/work", str_c(&b->layer),
		 str_c(&b->dir), str_c(&b->dir));
	path_of(b, "root", &path);
	struct clone_args args = { .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET,
				   .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof args);
	int status;
	if (pid == 0)
		floor_child(str_c(&options), str_c(&path));
	must(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && status == 0, "floor");
	double took = now_ms() - begin;
	path_of(b, "", &path);
	(void)!tree_remove(str_c(&path), NULL);
	for (size_t i = 0; i < 3; i++) {
		str_cut(&path, 0);
		str_addf(&path, "/sys/fs/cgroup/%s/cd-bench-floor", groups[i]);
		(void)rmdir(str_c(&path));
	}
	return took;
}

/* ---- ours ---- */

struct one { struct bench *b; bool sleeps; double started_ms, ended_ms, removed_ms; };

static void wake(void *arg) { fiber_wake(arg); }

static void run_ours(struct one *o)
{
	static const char *const true_argv[] = { "/bin/busybox", "true", NULL }, *const env[] = { "PATH=/bin", NULL };
	const char *layers[] = { str_c(&o->b->layer), NULL };
	AUTO(str) dir = { 0 };
	AUTO(str) log = { 0 };
	AUTO(str) group = { 0 };
	struct err err = { 0 };
	struct container *c = NULL;
	struct container_status st;
	unsigned n = o->b->n++;
	double begin = now_ms();

	str_addf(&dir, "%s/c%u", str_c(&o->b->dir), n);
	str_addf(&log, "%s.log", str_c(&dir));
	str_addf(&group, "cd-bench/c%u", n);
	must(!mkdir(str_c(&dir), 0700), "mkdir");
	struct container_spec s = { .id = "bench",
				    .dir = str_c(&dir),
				    .layers = layers,
				    .argv = true_argv,
				    .env = env,
				    .hostname = "bench",
				    .cgroup = str_c(&group),
				    .log_path = str_c(&log),
				    .netns_fd = -1,
				    .ipcns_fd = -1,
				    .utsns_fd = -1,
				    .pidns_fd = -1,
				    .resources = { .memory_bytes = 256 << 20, .cpu_shares = 512, .pids = 100 } };
	if (container_start(o->b->cs, &s, &c, &err) < 0) {
		fprintf(stderr, "%s\n", err_msg(&err));
		exit(1);
	}
	o->started_ms = now_ms() - begin;
	container_on_exit(c, wake, fiber_self());
	for (container_get(c, &st); st.state == CONTAINER_RUNNING; container_get(c, &st))
		(void)fiber_park();
	container_on_exit(c, NULL, NULL);
	o->ended_ms = now_ms() - begin;
	must(st.exit_code == 0 && container_remove(&c, &err) >= 0, "container");
	o->removed_ms = now_ms() - begin;
}

static void run_in_fiber(void *arg) { run_ours(arg); }

/* All at once, PARALLEL at a time: containers a second, removal included. */
static double run_parallel(struct bench *b, int n)
{
	double begin = now_ms();

	for (int done = 0; done < n; done += PARALLEL) {
		struct one ones[PARALLEL];
		struct fiber_group group;

		fiber_group_init(&group, fiber_loop());
		for (int i = 0; i < PARALLEL; i++) {
			ones[i] = (struct one){ .b = b };
			fiber_group_start(&group, "container", run_in_fiber, &ones[i]);
		}
		fiber_group_join(&group);
	}
	return n / (now_ms() - begin) * 1e3;
}

/* ---- crun ---- */

static void write_bundle(struct bench *b)
{
	AUTO(str) text = { 0 };
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/bundle", str_c(&b->dir));
	must(dir_make(str_c(&path), 0755, NULL) >= 0, "mkdir");
	str_addf(&text,
		 "cd %s && crun spec && sed -i 's,\"terminal\": true,\"terminal\": false,; s,\"path\": "
		 "\"rootfs\",\"path\": \"%s\",; "
		 "s,\"sh\",\"/bin/busybox\"\\,\"true\",; s,1024,256,' config.json",
		 str_c(&path), str_c(&b->layer));
	pid_t pid = fork();
	if (pid == 0) {
		execlp("sh", "sh", "-c", str_c(&text), NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* crun refuses hybrid control groups: it gets a mount namespace without v2. -1: it did not work. */
static double run_crun(struct bench *b)
{
	AUTO(str) bundle = { 0 };
	AUTO(str) root = { 0 };
	int status;

	str_addf(&bundle, "%s/bundle", str_c(&b->dir));
	str_addf(&root, "%s/crun", str_c(&b->dir));
	double begin = now_ms();
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		(void)!unshare(CLONE_NEWNS);
		mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL);
		umount2("/sys/fs/cgroup/unified", MNT_DETACH);
		execlp("crun", "crun", "--root", str_c(&root), "--cgroup-manager", "cgroupfs", "run", "-b",
		       str_c(&bundle), "cd-bench", NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? now_ms() - begin : -1;
}

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double print_row(const char *name, double *v, int n, double base)
{
	qsort(v, (size_t)n, sizeof *v, compare);
	printf("%-42s %7.2f %7.2f %7.2f", name, v[0], v[n / 2], v[n * 95 / 100]);
	if (base > 0)
		printf("  %5.2f x floor", v[n / 2] / base);
	printf("\n");
	return v[n / 2];
}

static void make_layer(struct bench *b)
{
	AUTO(str) busybox = { 0 };
	AUTO(str) path = { 0 };

	str_addf(&b->layer, "%s/layer", str_c(&b->dir));
	str_addf(&path, "%s/bin", str_c(&b->layer));
	must(dir_make(str_c(&path), 0755, NULL) >= 0 && file_read("/bin/busybox", 16 << 20, &busybox, NULL) >= 0,
	     "/bin/busybox");
	str_addc(&path, "/busybox");
	must(file_write(str_c(&path), str_sv(&busybox), 0755, NULL) >= 0, "busybox");
	sync();
}

static int run(void *arg)
{
	struct bench *b = arg;
	int n = b->rounds;
	double *v = calloc((size_t)n * 5, sizeof *v), *floor_ms = v, *ended = v + n, *started = v + 2 * n,
	       *removed = v + 3 * n, *crun = v + 4 * n;
	bool with_crun = true;
	struct err err = { 0 };

	b->cs = containers_open(fiber_loop(), &err);
	must(b->cs != NULL, err_msg(&err));
	write_bundle(b);
	struct one warm = { .b = b };
	run_ours(&warm);
	(void)run_floor(b);
	for (int i = 0; i < n; i++) {
		struct one o = { .b = b };

		floor_ms[i] = run_floor(b);
		run_ours(&o);
		ended[i] = o.ended_ms;
		started[i] = o.started_ms;
		removed[i] = o.removed_ms - o.ended_ms;
		crun[i] = with_crun ? run_crun(b) : -1;
		with_crun = crun[i] >= 0;
	}
	printf("%-42s %7s %7s %7s  ms, %d rounds\n", "", "min", "median", "p95", n);
	double base = print_row("floor: by hand, start to reaped", floor_ms, n, 0);
	(void)print_row("container: start until it runs", started, n, base);
	(void)print_row("container: start to its end known", ended, n, base);
	(void)print_row("container: removed (groups, overlay)", removed, n, 0);
	if (with_crun)
		(void)print_row("crun run", crun, n, base);
	printf("%d at a time, removal included: %.0f containers a second\n", PARALLEL, run_parallel(b, 10 * PARALLEL));
	containers_close(&b->cs);
	free(v);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = { .rounds = argc > 1 ? atoi(argv[1]) : 50 };
	char dir[] = "/tmp/cd-bench-XXXXXX";

	if (geteuid() || !mkdtemp(dir)) {
		fprintf(stderr, "needs root\n");
		return 77;
	}
	str_addc(&b.dir, dir);
	if (argc > 2)
		str_addc(&b.layer, argv[2]);
	else
		make_layer(&b);
	(void)fiber_main(run, &b);
	(void)!tree_remove(dir, NULL);
	str_free(&b.dir);
	str_free(&b.layer);
	return 0;
}
