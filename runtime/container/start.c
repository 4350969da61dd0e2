/* Starting a container: decide on the loop, work in a job. */
#include "base/fs.h"
#include "runtime/container/caps.h"
#include "runtime/container/container-internal.h"
#include "runtime/container/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define START_TIMEOUT_MS 60000
#define REMOVE_TRIES 200        /* with 5 ms between: members that were killed need a moment to go */

struct start {
	const struct containers *cs;
	const struct container_spec *spec;      /* the caller is parked: it stays */
	struct str plan;
	pid_t pid;
	int result;
	struct err err;
};

/* ---- the filter, built once for each set of capabilities that changes it ---- */

struct filter_job { uint64_t caps; struct str bpf; int result; struct err err; };

static void build_filter(void *arg)
{
	struct filter_job *j = arg;

	j->result = seccomp_build(j->caps, &j->bpf, &j->err);
}

static int filter_for(struct containers *cs, const struct container_spec *s, struct sv *bpf, struct err *err)
{
	struct filter_job job = { 0 };
	struct str *kept;
	char key[32];

	*bpf = (struct sv){ "", 0 };
	if (s->privileged || s->seccomp_unconfined)
		return 0;
	TRY(caps_for(s, &job.caps, err));
	snprintf(key, sizeof key, "%" PRIx64, seccomp_key(job.caps));
	if (!(kept = map_get(&cs->filters, sv_c(key)))) {
		fiber_job(build_filter, &job);
		if (job.result < 0)
			return err_move(err, &job.err);
		if ((kept = map_get(&cs->filters, sv_c(key)))) {        /* another fiber was faster */
			str_free(&job.bpf);
		} else {
			kept = calloc(1, sizeof *kept);
			if (!kept)
				abort();
			str_move(kept, &job.bpf);
			(void)map_put(&cs->filters, sv_c(key), kept);
		}
	}
	*bpf = str_sv(kept);
	return 0;
}

/* ---- the job ---- */

static int write_plan(const char *dir, struct sv plan, struct err *err)
{
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/plan", dir);
	AUTO_FD fd = open(str_c(&path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, plan.p, plan.n) != (ssize_t)plan.n)
		return err_errno(err, "write '%s'", str_c(&path));
	int taken = fd;
	fd = -1;
	return taken;
}

/* One report, or the supervisor's death without one. */
static int await_report(struct start *st, int fd, struct report *r, struct err *err)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n = -1;

	if (poll(&p, 1, START_TIMEOUT_MS) == 1)
		n = read(fd, r, sizeof *r);
	if (n == sizeof *r && r->stage == STAGE_STARTED)
		return 0;
	if (n != sizeof *r)
		(void)kill(st->pid, SIGKILL);
	(void)waitpid(st->pid, NULL, 0);
	if (n == sizeof *r)
		return plan_failure((const struct plan *)(const void *)st->plan.p, r, st->spec->argv[0], err);
	return n < 0 ? err_set(err, ERR_TIMEOUT, "starting took more than %d s", START_TIMEOUT_MS / 1000)
		     : err_set(err, ERR_IO, "its supervisor died while starting it (out of memory?)");
}

static int spawn_and_wait(struct start *st, int lock, int plan, struct err *err)
{
	const struct container_spec *s = st->spec;
	const char *argv[] = { "cd-supervisor", s->id ? s->id : s->dir, NULL };
	int ends[2];
	struct report r;

	AUTO_FD dir = open(s->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || pipe2(ends, O_CLOEXEC))
		return err_errno(err, "open '%s'", s->dir);
	AUTO_FD from = ends[0];
	AUTO_FD to = ends[1];
	AUTO_FD attach = attach_listen(dir, err);
	TRY(attach);
	struct spawn sp = { .argv = argv, .fds = { [FD_PLAN] = plan, [FD_STATUS] = to, [FD_LOCK] = lock, [FD_DIR] = dir,
		[FD_NET] = s->netns_fd, [FD_IPC] = s->ipcns_fd, [FD_UTS] = s->utsns_fd, [FD_PID] = s->pidns_fd,
		[FD_ATTACH] = attach } };
	TRY(spawn_supervisor(st->cs, &sp, &st->pid, err));
	fd_close(&to);
	return await_report(st, from, &r, err);
}

/* The plan first: it names the groups, so that whoever finds a half-made container can take them down. */
static int start_steps(struct start *st, struct err *err)
{
	const struct container_spec *s = st->spec;
	AUTO_FD lock = state_make(s->dir, err);
	TRY(lock);
	AUTO_FD plan = write_plan(s->dir, str_sv(&st->plan), err);
	TRY(plan);
	TRY(cgroup_make(&st->cs->cgroups, s->cgroup, &s->resources, s->privileged, err));
	return spawn_and_wait(st, lock, plan, err);
}

static void start_job(void *arg)
{
	struct start *st = arg;

	st->result = start_steps(st, &st->err);
	if (st->result >= 0 || st->result == -ERR_CONFLICT)     /* somebody else's: not ours to clean */
		return;
	/* the reason of the failure is what counts */
	(void)!cgroup_destroy(&st->cs->cgroups, st->spec->cgroup, NULL);
	(void)!state_remove(st->spec->dir, NULL);
}

int cgroup_destroy(const struct cgroups *cs, const char *path, struct err *err)
{
	int r = -ERR_BUSY;

	(void)cgroup_kill(cs, path, NULL);
	for (int tries = 0; tries < REMOVE_TRIES && r == -ERR_BUSY; tries++) {
		struct timespec moment = { 0, tries ? 5000000 : 0 };

		nanosleep(&moment, NULL);
		r = cgroup_remove(cs, path, tries == REMOVE_TRIES - 1 ? err : NULL);
	}
	return r == -ERR_BUSY || r >= 0 ? r : cgroup_remove(cs, path, err);
}

int container_start(struct containers *cs, const struct container_spec *s, struct container **out, struct err *err)
{
	struct start st = { .cs = cs, .spec = s };
	struct sv bpf;
	int r;

	TRY(filter_for(cs, s, &bpf, err));
	TRY(plan_build(cs, s, bpf, &st.plan, err));
	fiber_job(start_job, &st);
	str_free(&st.plan);
	if (st.result < 0) {
		r = err_move(err, &st.err);
		return err_wrap(err, r, "container %s", s->id ? s->id : s->dir);
	}
	struct container *c = container_new(cs, s->dir, s->cgroup);
	r = state_read(s->dir, &c->state, err);
	if (r >= 0)
		r = container_watch(c, err);
	if (r < 0) {
		container_forget(&c);
		return r;
	}
	*out = c;
	return 0;
}
