/* The state directory of a container: lock, plan, state, exit, upper, work, rootfs. */
#include "base/fs.h"
#include "runtime/container/container-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define RECORD_MAX 4096

static void path_of(struct str *out, const char *dir, const char *name)
{
	str_cut(out, 0);
	str_addf(out, "%s/%s", dir, name);
}

static int record_read(const char *dir, const char *name, struct str *out, struct err *err)
{
	AUTO(str) path = { 0 };

	path_of(&path, dir, name);
	return file_read(str_c(&path), RECORD_MAX, out, err);
}

static struct sv field(struct sv text, const char *key)
{
	struct sv line, name, value;

	for (bool more = true; more;) {
		more = sv_cut(text, '\n', &line, &text);
		if (sv_cut(line, ' ', &name, &value) && sv_eq_c(name, key))
			return value;
	}
	return (struct sv){ "", 0 };
}

static bool number(struct sv text, const char *key, int64_t *out) { return sv_to_i64(field(text, key), out); }

static bool process(struct sv text, const char *key, struct process *p)
{
	struct sv pid, time;
	int64_t n, t;

	if (!sv_cut(field(text, key), ' ', &pid, &time) || !sv_to_i64(pid, &n) || !sv_to_i64(time, &t) || n <= 0)
		return false;
	*p = (struct process){ (pid_t)n, (uint64_t)t };
	return true;
}

int state_read(const char *dir, struct state *st, struct err *err)
{
	AUTO(str) text = { 0 };

	TRY(record_read(dir, "state", &text, err));
	if (!process(str_sv(&text), "supervisor", &st->supervisor) ||
	    !process(str_sv(&text), "container", &st->container) ||
	    !number(str_sv(&text), "started_ms", &st->started_ms))
		return err_set(err, ERR_INVALID, "%s/state is damaged", dir);
	return 0;
}

int exit_read(const char *dir, struct exit_record *x, struct err *err)
{
	AUTO(str) text = { 0 };
	int64_t code, oom;

	TRY(record_read(dir, "exit", &text, err));
	if (!number(str_sv(&text), "code", &code) || !number(str_sv(&text), "oom", &oom) ||
	    !number(str_sv(&text), "finished_ms", &x->finished_ms))
		return err_set(err, ERR_INVALID, "%s/exit is damaged", dir);
	x->code = (int)code;
	x->oom = oom != 0;
	return 0;
}

/* Field 22 of /proc/PID/stat, in clock ticks after boot: a number that was reused has another one. */
static uint64_t start_time(pid_t pid)
{
	char path[32];
	AUTO(str) text = { 0 };
	const char *at;
	int field_n = 2;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (file_read(path, RECORD_MAX, &text, NULL) < 0 || !(at = strrchr(str_c(&text), ')')))
		return 0;
	for (; *at && field_n < 22; at++)
		field_n += *at == ' ';
	return strtoull(at, NULL, 10);
}

int process_open(const struct process *p, struct err *err)
{
	AUTO_FD fd = (int)syscall(SYS_pidfd_open, p->pid, 0);

	if (fd < 0 && errno != ESRCH)
		return err_errno(err, "open process %d", (int)p->pid);
	if (fd < 0 || start_time(p->pid) != p->start_time)      /* asked after the open: fd cannot change its process */
		return err_set(err, ERR_NOT_FOUND, "process %d is gone", (int)p->pid);
	int taken = fd;
	fd = -1;
	return taken;
}

/* ---- the lock: whoever has it is the supervisor, or knows that there is none ---- */

static int lock(const char *dir, int flags, struct err *err)
{
	AUTO(str) path = { 0 };

	path_of(&path, dir, "lock");
	AUTO_FD fd = open(str_c(&path), O_RDWR | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return err_errno(err, "open '%s'", str_c(&path));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return err_set(err, ERR_CONFLICT, "'%s' belongs to a running container", dir);
	int taken = fd;
	fd = -1;
	return taken;
}

int state_lock(const char *dir, struct err *err) { return lock(dir, 0, err); }

static int make_dirs(const char *dir, struct err *err)
{
	static const char *const names[] = { "upper", "work", "rootfs" };
	AUTO(str) path = { 0 };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		path_of(&path, dir, names[i]);
		if (mkdir(str_c(&path), 0755) || chmod(str_c(&path), 0755))     /* upper's mode is that of / inside */
			return err_errno(err, "create '%s'", str_c(&path));
	}
	return 0;
}

int state_make(const char *dir, struct err *err)
{
	AUTO_FD fd = lock(dir, O_CREAT, err);

	TRY(fd);
	TRY(make_dirs(dir, err));
	int taken = fd;
	fd = -1;
	return taken;
}

int state_remove(const char *dir, struct err *err)
{
	static const char *const names[] = { "upper", "work",	  "rootfs", "state", "state.new",
					     "exit",  "exit.new", "plan",   "lock",
					     "attach" };
	AUTO(str) path = { 0 };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		path_of(&path, dir, names[i]);
		TRY(tree_remove(str_c(&path), err));
	}
	return 0;
}

int state_plan(const char *dir, struct str *plan, struct err *err)
{
	AUTO(str) path = { 0 };

	path_of(&path, dir, "plan");
	TRY(file_read(str_c(&path), PLAN_MAX, plan, err));
	return plan_check(plan) ? 0 : err_set(err, ERR_INVALID, "%s is damaged", str_c(&path));
}
