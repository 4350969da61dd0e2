#include "check.h"
#include "lab-box.h"
#include "base/fiber.h"
#include "base/fs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a daemon that dies ---- */

struct daemon { struct lab *lab; const char *script; int tell; char dir[256], group[64]; };

static int be_daemon(void *arg)
{
	struct daemon *d = arg;
	const char *argv[] = { "sh", "-c", d->script, NULL };
	struct err err = { 0 };
	struct containers *cs = containers_open(fiber_loop(), &err);
	struct container *c = NULL;
	struct container_spec s;

	lab_spec(d->lab, &s);
	s.argv = argv;
	char ok = cs && container_start(cs, &s, &c, &err) >= 0 ? '1' : '0';
	(void)!write(d->tell, &ok, 1);
	while (fiber_park() == 0)
		;
	return 0;
}

/* Starts a container from a process that is then killed with SIGKILL; its state directory stays. */
static void orphan(struct lab *lab, const char *script, struct daemon *d)
{
	struct container_spec s;
	int ends[2];
	char ok = 0;

	*d = (struct daemon){ .lab = lab, .script = script };
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		d->tell = ends[1];
		_exit(fiber_main(be_daemon, d) < 0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &ok, 1), 1);
	assert_int_equal(ok, '1');
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
	lab_spec(lab, &s);              /* the same numbers as the child had */
	snprintf(d->dir, sizeof d->dir, "%s", s.dir);
	snprintf(d->group, sizeof d->group, "%s", s.cgroup);
}

/* ---- what the next daemon does with it ---- */

struct adoption {
	const char *dir;
	void (*during)(struct container *c, struct adoption *a);
	int result, remove_result, exec_result;
	struct container_status at_first, status;
	struct str out;
	struct err err;
};

static int be_next(void *arg)
{
	struct adoption *a = arg;
	struct containers *cs = containers_open(fiber_loop(), &a->err);
	struct container *c = NULL;

	a->result = container_adopt(cs, a->dir, &c, &a->err);
	if (a->result >= 0) {
		container_get(c, &a->at_first);
		if (a->during)
			a->during(c, a);
		(void)lab_wait(c);
		container_get(c, &a->status);
		a->remove_result = container_remove(&c, &a->err);
	}
	containers_close(&cs);
	return 0;
}

static void stop_it(struct container *c, struct adoption *a)
{
	const char *const argv[] = { "cat", "/mark", NULL };

	a->exec_result = container_exec(c, argv, 10000, 100, &a->out, &a->err);
	(void)!container_stop(c, SIGTERM, 0, NULL);
}

static void adopt(struct adoption *a)
{
	(void)fiber_main(be_next, a);
	assert_ok(a->result, &a->err);
	assert_ok(a->remove_result, &a->err);
	assert_false(path_exists(a->dir));
}

static void container_outlives_a_killed_daemon_and_is_adopted(void **state)
{
	struct daemon d;
	orphan(*state, "echo alive > /mark; sleep 600; true", &d);
	struct adoption a = { .dir = d.dir, .during = stop_it };

	adopt(&a);
	assert_int_equal(a.at_first.state, CONTAINER_RUNNING);
	assert_true(a.at_first.pid > 0);
	assert_true(a.at_first.started_ms > 0);
	assert_int_equal(a.exec_result, 0);
	assert_string_equal(str_c(&a.out), "alive\n");
	assert_int_equal(a.status.exit_code, 137);
	str_free(&a.out);
}

/* The end of the container while no daemon is there: waited for by its exit record. */
static void container_that_ended_meanwhile_has_its_exit_code(void **state)
{
	struct daemon d;
	char path[300];

	orphan(*state, "exit 9", &d);
	snprintf(path, sizeof path, "%s/lock", d.dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);        /* its supervisor is gone */
	close(fd);
	struct adoption a = { .dir = d.dir };
	adopt(&a);
	assert_int_equal(a.at_first.state, CONTAINER_EXITED);
	assert_int_equal(a.status.exit_code, 9);
	assert_int_equal(a.status.signal, 0);
	assert_true(a.status.finished_ms >= a.status.started_ms);
}

static pid_t supervisor_of(const char *dir)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };
	struct err err = { 0 };
	int pid = 0;

	str_addf(&path, "%s/state", dir);
	assert_ok(file_read(str_c(&path), 4096, &text, &err), &err);
	assert_int_equal(sscanf(str_c(&text), "supervisor %d ", &pid), 1);
	return pid;
}

static void kill_supervisor(const char *dir)
{
	pid_t pid = supervisor_of(dir);
	char path[300];

	assert_int_equal(kill(pid, SIGKILL), 0);
	snprintf(path, sizeof path, "%s/lock", dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	close(fd);
}

static void container_whose_supervisor_was_killed_has_ended(void **state)
{
	struct daemon d;

	orphan(*state, "sleep 600; true", &d);
	kill_supervisor(d.dir);
	struct adoption a = { .dir = d.dir };
	adopt(&a);
	assert_int_equal(a.at_first.state, CONTAINER_EXITED);
	assert_int_equal(a.status.exit_code, 137);
}

/* As a crash between the first file and the start leaves it. */
static void container_that_was_half_started_is_cleaned_up(void **state)
{
	struct daemon d;
	char path[300];

	orphan(*state, "sleep 600; true", &d);
	kill_supervisor(d.dir);
	snprintf(path, sizeof path, "%s/state", d.dir);
	assert_int_equal(unlink(path), 0);
	struct adoption a = { .dir = d.dir };
	(void)fiber_main(be_next, &a);
	assert_err(a.result, &a.err, ERR_NOT_FOUND, "was never started");
	snprintf(path, sizeof path, "%s/upper", d.dir);
	assert_false(path_exists(path));
	snprintf(path, sizeof path, "/sys/fs/cgroup/memory/%s", d.group);
	assert_false(path_exists(path));
	err_free(&a.err);
}

static void container_damaged_state_is_an_ended_container(void **state)
{
	struct daemon d;
	char path[300];
	struct err err = { 0 };

	orphan(*state, "sleep 600; true", &d);
	kill_supervisor(d.dir);
	snprintf(path, sizeof path, "%s/exit", d.dir);
	assert_ok(file_write(path, SV("cod"), 0600, &err), &err);
	struct adoption a = { .dir = d.dir };
	adopt(&a);
	assert_int_equal(a.status.exit_code, 137);
}

/* ---- many at once ---- */

#define MANY 10

struct many { struct lab *lab; struct containers *cs; struct container *c[MANY]; int failed, pss_kb; struct err err; };

static int pss_of(pid_t pid)
{
	AUTO(str) text = { 0 };
	char path[64];
	int kb = 0;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	const char *at = file_read(path, 1 << 16, &text, NULL) < 0 ? NULL : strstr(str_c(&text), "\nPss:");
	return at && sscanf(at, "\nPss: %d", &kb) == 1 ? kb : -1;
}

static int run_many(void *arg)
{
	struct many *m = arg;
	char dirs[MANY][256];

	m->cs = containers_open(fiber_loop(), &m->err);
	for (int i = 0; i < MANY; i++) {
		const char *argv[] = { "sleep", "600", NULL };
		struct container_spec s;

		lab_spec(m->lab, &s);
		snprintf(dirs[i], sizeof dirs[i], "%s", s.dir);
		s.argv = argv;
		m->failed += container_start(m->cs, &s, &m->c[i], &m->err) < 0;
	}
	for (int i = 0; i < MANY && !m->failed; i++)
		m->pss_kb += pss_of(supervisor_of(dirs[i]));
	for (int i = 0; i < MANY; i++) {
		m->failed += m->c[i] && container_stop(m->c[i], SIGKILL, 0, &m->err) < 0;
		m->failed += m->c[i] && container_remove(&m->c[i], &m->err) < 0;
	}
	containers_close(&m->cs);
	return 0;
}

static void supervisor_takes_little_memory(void **state)
{
	struct many m = { .lab = *state };

	(void)fiber_main(run_many, &m);
	assert_ok(-m.failed, &m.err);
	print_message("a supervisor: %d kB PSS\n", m.pss_kb / MANY);
	assert_in_range(m.pss_kb / MANY, 1, 100);
}

/* ---- locks ---- */

struct locks { struct lab *lab; int layer_locked, second; struct err err; };

static void try_locks(struct container *c, struct run *r)
{
	struct locks *l = r->arg;
	int fd = open(str_c(&l->lab->layer), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	l->layer_locked = flock(fd, LOCK_EX | LOCK_NB) < 0;
	close(fd);
	(void)container_kill(c, SIGKILL, NULL);
}

static void container_holds_its_layers(void **state)
{
	struct locks l = { .lab = *state };
	struct run r = { .script = "sleep 600; true", .during = try_locks, .arg = &l };

	lab_run(*state, &r);
	assert_ok(r.result, &r.err);
	assert_true(l.layer_locked);
	run_free(&r);
	int fd = open(str_c(&l.lab->layer), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

static int start_twice(void *arg)
{
	struct locks *l = arg;
	const char *argv[] = { "sleep", "600", NULL };
	struct containers *cs = containers_open(fiber_loop(), &l->err);
	struct container *c = NULL, *other = NULL;
	struct container_spec s;

	lab_spec(l->lab, &s);
	s.argv = argv;
	int r = container_start(cs, &s, &c, &l->err);
	if (r >= 0) {
		l->second = container_start(cs, &s, &other, &l->err);
		(void)!container_stop(c, SIGKILL, 0, NULL);
		r = container_remove(&c, NULL);
	}
	containers_close(&cs);
	return r;
}

static void container_started_twice_is_a_conflict(void **state)
{
	struct locks l = { .lab = *state };

	assert_int_equal(fiber_main(start_twice, &l), 0);
	assert_err(l.second, &l.err, ERR_CONFLICT, "belongs to a running container");
	err_free(&l.err);
}

/* ---- sandboxes ---- */

struct pod { struct lab *lab; char dir[256]; struct sandbox_fds fds; struct str out; int result; struct err err; };
static struct sandbox_fds shared;

static void in_sandbox(struct container_spec *s)
{
	s->netns_fd = shared.net;
	s->ipcns_fd = shared.ipc;
	s->utsns_fd = shared.uts;
}

static int create(void *arg)
{
	struct pod *p = arg;

	p->result = sandbox_create(p->dir, "pod-1", false, &p->fds, &p->err);
	sandbox_close(&p->fds);
	return 0;
}

static int open_again(void *arg)
{
	struct pod *p = arg;

	p->result = sandbox_open(p->dir, &p->fds, &p->err);
	return 0;
}

static int remove_it(void *arg)
{
	struct pod *p = arg;

	p->result = sandbox_remove(p->dir, &p->err);
	return 0;
}

static void sandbox_is_shared_by_containers_and_outlives_its_maker(void **state)
{
	struct pod p = { .lab = *state };
	struct run one = {
		.script = "hostname; for n in net ipc uts; do readlink /proc/self/ns/$n; done; ls /sys/class/net",
		.edit = in_sandbox
	};
	struct run two = { .script = one.script, .edit = in_sandbox };

	snprintf(p.dir, sizeof p.dir, "%s/sandbox", str_c(&p.lab->dir));
	(void)fiber_main(create, &p);
	assert_ok(p.result, &p.err);
	(void)fiber_main(open_again, &p);
	assert_ok(p.result, &p.err);
	shared = p.fds;
	lab_run(p.lab, &one);
	lab_run(p.lab, &two);
	sandbox_close(&p.fds);
	(void)fiber_main(remove_it, &p);
	assert_ok(p.result, &p.err);
	assert_ok(one.result, &one.err);
	assert_string_equal(str_c(&one.out), str_c(&two.out));
	assert_int_equal(strncmp(str_c(&one.out), "pod-1\nnet:[", 11), 0);
	(void)fiber_main(open_again, &p);
	assert_err(p.result, &p.err, ERR_NOT_FOUND, "open the sandbox");
	err_free(&p.err);
	run_free(&one);
	run_free(&two);
}

static void sandbox_without_one_of_its_namespaces_is_none_and_made_anew(void **state)
{
	static const char *const spaces[] = { "net", "ipc", "uts" };
	struct pod p = { .lab = *state };

	snprintf(p.dir, sizeof p.dir, "%s/sandbox", str_c(&p.lab->dir));
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		char path[300];

		assert_int_equal(fiber_main(create, &p), 0);
		assert_ok(p.result, &p.err);
		snprintf(path, sizeof path, "%s/%s", p.dir, spaces[i]);
		assert_int_equal(umount(path), 0);
		assert_int_equal(fiber_main(open_again, &p), 0);
		assert_err(p.result, &p.err, ERR_NOT_FOUND, spaces[i]);
		err_free(&p.err);
	}
	assert_int_equal(fiber_main(remove_it, &p), 0);
	assert_ok(p.result, &p.err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(container_outlives_a_killed_daemon_and_is_adopted),
		TEST(container_that_ended_meanwhile_has_its_exit_code),
		TEST(container_whose_supervisor_was_killed_has_ended),
		TEST(container_that_was_half_started_is_cleaned_up),
		TEST(container_damaged_state_is_an_ended_container),
		TEST(supervisor_takes_little_memory),
		TEST(container_holds_its_layers),
		TEST(container_started_twice_is_a_conflict),
		TEST(sandbox_is_shared_by_containers_and_outlives_its_maker),
		TEST(sandbox_without_one_of_its_namespaces_is_none_and_made_anew),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
