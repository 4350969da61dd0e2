/* What a supervisor's report means, in words. */
#include "runtime/container/container-internal.h"

#include <errno.h>

/* {subject} is what report.at points to, when a stage has one. */
enum subject { NOTHING, LAYER, STEP, SPACE, GROUP, PROGRAM };

static const struct { const char *text; enum subject subject;
} stages[STAGE_N] = {
	[STAGE_PLAN] = { "read its plan", NOTHING },
	[STAGE_LAYER] = { "use layer", LAYER },
	[STAGE_LOG] = { "open its log", NOTHING },
	[STAGE_PIPE] = { "create pipes", NOTHING },
	[STAGE_CLONE] = { "clone its first process", NOTHING },
	[STAGE_CGROUP] = { "enter the control group", GROUP },
	[STAGE_NAMESPACE] = { "enter", SPACE },
	[STAGE_HOSTNAME] = { "set its host name", NOTHING },
	[STAGE_LOOPBACK] = { "bring up its loopback interface", NOTHING },
	[STAGE_OVERLAY] = { "mount its root (an overlay: the data directory must be on ext4, xfs, btrfs or tmpfs)",
			    NOTHING },
	[STAGE_SOURCE] = { "open the source of the mount at", STEP },
	[STAGE_PIVOT] = { "change to its root", NOTHING },
	[STAGE_STEP] = { "prepare", STEP },
	[STAGE_ROOT] = { "make its root read-only", NOTHING },
	[STAGE_CWD] = { "enter its working directory", NOTHING },
	[STAGE_LIMIT] = { "set its limit of open files", NOTHING },
	[STAGE_OOM_SCORE] = { "set its oom_score_adj", NOTHING },
	[STAGE_STDIO] = { "connect its standard streams", NOTHING },
	[STAGE_SECCOMP] = { "load its system call filter", NOTHING },
	[STAGE_CAPS] = { "set its capabilities", NOTHING },
	[STAGE_USER] = { "become its user", NOTHING },
	[STAGE_NOT_FOUND] = { "exec", PROGRAM },
	[STAGE_EXEC] = { "exec", PROGRAM },
	[STAGE_STATE] = { "write its state", NOTHING },
};

static const char *slot(const struct plan *p, struct plan_array a, uint32_t i)
{
	return i < a.n ? PLAN_TEXT(p, PLAN_AT(p, a, plan_slot)[i].offset) : "?";
}

static const char *step(const struct plan *p, uint32_t i)
{
	return i < p->steps.n ? PLAN_TEXT(p, PLAN_AT(p, p->steps, struct plan_step)[i].target) : "?";
}

static const char *subject(const struct plan *p, const struct report *r, const char *program)
{
	static const char *const spaces[] = { "the network namespace", "the IPC namespace", "the UTS namespace",
		"a cgroup namespace", "a mount namespace", "the PID namespace", "the container's namespaces" };

	switch (stages[r->stage].subject) {
	case LAYER: return slot(p, p->layers, r->at);
	case STEP: return step(p, r->at);
	case SPACE: return r->at < sizeof spaces / sizeof *spaces ? spaces[r->at] : "a namespace";
	case GROUP: return r->at == ~0u ? PLAN_TEXT(p, p->cgroup_v2) : slot(p, p->cgroups, r->at);
	case PROGRAM: return program;
	case NOTHING: break;
	}
	return "";
}

int plan_failure(const struct plan *p, const struct report *r, const char *program, struct err *err)
{
	if (r->stage == STAGE_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH (%s)", program,
			       PLAN_TEXT(p, p->path));
	if (r->stage == STAGE_EXEC && r->error == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "exec: \"%s\": no such file, or its interpreter is missing",
			       program);
	if (!r->stage || r->stage >= STAGE_N || !stages[r->stage].text)
		return err_set(err, ERR_IO, "the supervisor answered nonsense (stage %u)", r->stage);
	const char *what = subject(p, r, program);
	errno = r->error;
	return err_errno(err, "%s%s%s", stages[r->stage].text, *what ? " " : "", what);
}
