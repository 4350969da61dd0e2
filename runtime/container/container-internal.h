/* runtime/container/container-internal.h - what the files of this folder share. */
#pragma once

#include "base/fiber.h"
#include "base/map.h"
#include "base/str.h"
#include "runtime/container/cgroup.h"
#include "runtime/container/container.h"
#include "runtime/container/plan.h"

struct containers {
	struct loop *loop;
	struct cgroups cgroups;
	int program;                    /* memfd with the supervisor */
	struct map filters;             /* seccomp_key() as text -> struct str * */
};

/* ---- plan.c: a spec as a plan. Everything is copied. ---- */
MUST_CHECK int plan_build(struct containers *cs, const struct container_spec *s, struct sv seccomp, struct str *out,
			  struct err *err);
/* A plan that was read from a file, checked so that its offsets may be followed. NULL: it is not one. */
struct plan *plan_check(struct str *text);
/* what a report means */
int plan_failure(const struct plan *p, const struct report *r, const char *program, struct err *err);

/* ---- spawn.c: a supervisor or an exec helper. May block for some ms: in a job. ---- */
struct spawn { int fds[FD_N]; const char *const *argv; };       /* fds[FD_PLAN...]: -1 is left closed */
MUST_CHECK int spawn_supervisor(const struct containers *cs, const struct spawn *sp, pid_t *pid, struct err *err);
MUST_CHECK int program_open(struct err *err);                   /* the memfd */

/* ---- state.c: the files of a state directory ---- */
struct process { pid_t pid; uint64_t start_time; };
struct state { struct process supervisor, container; int64_t started_ms; };
struct exit_record { int code; bool oom; int64_t finished_ms; };
MUST_CHECK int state_read(const char *dir, struct state *st, struct err *err);
MUST_CHECK int exit_read(const char *dir, struct exit_record *x, struct err *err);
/* a pidfd of exactly this process; ERR_NOT_FOUND: it is gone */
int process_open(const struct process *p, struct err *err);
/* the locked descriptor; ERR_CONFLICT: a supervisor lives */
MUST_CHECK int state_lock(const char *dir, struct err *err);
MUST_CHECK int state_make(const char *dir, struct err *err);    /* what a start needs; the lock's descriptor */
MUST_CHECK int state_remove(const char *dir, struct err *err);  /* everything that was made here; not dir */
MUST_CHECK int state_plan(const char *dir, struct str *plan, struct err *err);

/* ---- attach.c ---- */
/* A socket that listens in a state directory; dir: its descriptor */
MUST_CHECK int attach_listen(int dir, struct err *err);

/* ---- container.c ---- */
struct container {
	struct containers *cs;
	struct str dir, cgroup;
	struct state state;
	struct container_status status;
	int supervisor_fd, init_fd;             /* pidfds; -1 once ended */
	struct poller *poller;
	struct fiber_cond ended;
	void (*on_exit)(void *arg);
	void *arg;
};
struct container *container_new(struct containers *cs, const char *dir, const char *cgroup);
MUST_CHECK int container_watch(struct container *c, struct err *err);   /* opens its processes, and waits for its end */

/* Kills what is left in the group and removes it, waiting until its members are gone. May block: in a job. */
MUST_CHECK int cgroup_destroy(const struct cgroups *cs, const char *path, struct err *err);
