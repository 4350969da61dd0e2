/* orchestrator/controllers/rollout/rollout.h - one pass over one Rollout, shared by the files of its controller.
 *
 * A pass reads the Rollout and its ReplicaSets, builds the new status in a document of its own, acts (replicas, services,
 * traffic, analysis), and writes the status once at its end. Everything that must survive a restart is in that status. */
#pragma once

#include "orchestrator/controllers/family.h"
#include "orchestrator/controllers/rollout/names.h"
#include "orchestrator/controllers/rollout/replicas.h"

/* the watches of the row */
enum { ROLLOUTS, ROLLOUT_SETS, ROLLOUT_SERVICES, ROLLOUT_RUNS, ROLLOUT_PODS, ROLLOUT_TEMPLATES, ROLLOUT_CLUSTER_TEMPLATES,
	ROLLOUT_DEPLOYMENTS, ROLLOUT_POD_TEMPLATES, ROLLOUT_ENDPOINTS };

struct rollout {
	struct controller *c;
	struct object *object;                  /* with the template that spec.workloadRef names filled in */
	const struct node *spec, *old;          /* old: the status as it was read */
	const struct node *canary, *blue_green; /* spec.strategy.*; one of them is NULL */
	const struct node *steps;
	int64_t n_steps;
	struct rolling limits;
	struct family family;
	size_t current, stable;                 /* places, or FAMILY_NONE */
	struct doc *d;
	struct node *status;                    /* the new one */
	const char *progress_reason;            /* of condition Progressing; NULL: by the counts */
	char *progress_message;
};

static inline struct object *rollout_set(const struct rollout *r, size_t at)
{
	return at < r->family.sets.n ? r->family.sets.v[at] : NULL;
}
static inline bool rollout_promoted(const struct rollout *r) { return rollout_set(r, r->stable) && r->stable == r->current; }
static inline bool rollout_initial(const struct rollout *r) { return !rollout_set(r, r->stable); }
static inline bool rollout_flag(const struct rollout *r, const char *name) { return node_bool_at(r->status, name, false); }
static inline int64_t rollout_step(const struct rollout *r) { return node_int_at(r->status, "currentStepIndex", 0); }

/* rollout.c */
MUST_CHECK int rollout_reconcile(struct controller *c, const char *ns, const char *name, struct err *err);
struct rolling_set rollout_count(const struct rollout *r, size_t at);   /* zero for none */
MUST_CHECK int rollout_scale(struct rollout *r, size_t at, int64_t replicas, struct err *err);
void rollout_abort(struct rollout *r, const char *fmt, ...) PRINTF(2, 3);       /* fmt: why */
void rollout_promote(struct rollout *r);                                /* the current set is the stable one from now on */
void rollout_next_step(struct rollout *r);
void rollout_look_again(struct rollout *r, int64_t ms);
/* Has the current set enough available pods of those it is to have? By replicaProgressThreshold, else all of them. */
bool rollout_enough(const struct rollout *r, int64_t target);

/* strategies: everything but the status' counts */
MUST_CHECK int rollout_canary(struct rollout *r, struct err *err);
MUST_CHECK int rollout_blue_green(struct rollout *r, struct err *err);

/* pause.c */
bool rollout_is_paused(const struct rollout *r);                        /* by the spec, or waiting in a pause */
bool rollout_has_pause(const struct rollout *r, const char *reason);
void rollout_pause(struct rollout *r, const char *reason);
void rollout_clear_pauses(struct rollout *r);
/* In a pause of this reason: true once it is over, by its duration (seconds; -1: none) or because a person resumed it. */
bool rollout_pause_over(struct rollout *r, const char *reason, int64_t duration_s);

/* services.c; name NULL: nothing to do */
MUST_CHECK int rollout_point_service(struct rollout *r, const char *name, size_t at, struct err *err);
const char *rollout_service_hash(const struct rollout *r, const char *name);   /* where it points; NULL: nowhere in particular */
/* Of max_weight parts the set at `canary` gets so many, the stable one the rest. */
MUST_CHECK int rollout_split(struct rollout *r, const char *service, size_t canary, int64_t weight, int64_t max_weight, struct err *err);
bool rollout_names_service(const struct node *spec, const char *service);
/* Lets go of the Services that a Rollout has managed and its spec (NULL: it is gone) names no more. */
MUST_CHECK int rollout_release_services(struct controller *c, const char *ns, const char *name, const struct node *spec,
					struct err *err);

/* older.c */
MUST_CHECK int rollout_delay_scale_down(struct rollout *r, size_t at, int64_t delay_s, struct err *err);
/* The same for all sets that are neither the current nor the stable one, nor `but`; limit: how many of them may wait. */
MUST_CHECK int rollout_end_older(struct rollout *r, size_t but, int64_t delay_s, int64_t limit, struct err *err);
MUST_CHECK int rollout_keep(struct rollout *r, size_t at, struct err *err);     /* it is needed again: no deadline */

/* analysis.c */
#define INCONCLUSIVE "InconclusiveAnalysisRun"          /* the reason of a pause */
struct analysis { const char *type, *suffix, *field; const struct node *spec; };       /* "Step", "-1", "canary.currentStepAnalysisRunStatus" */
/* Starts the run when there is none for this revision. A bad one aborts; an unclear one pauses, until a person decides by going
 * on. *good: the update may go on. */
MUST_CHECK int rollout_judge(struct rollout *r, const struct analysis *a, bool *good, struct err *err);
/* The same for an analysis that nothing waits for; after an unclear one that a person has ended, another begins. */
MUST_CHECK int rollout_watch(struct rollout *r, const struct analysis *a, struct err *err);
/* A person who went on after an unclear run by raising the step has decided, and has not ended the pause of the next step. */
void rollout_end_undecided(struct rollout *r);
/* Fills the spec of a run. checking: what is known only later gets a value that is never wrong. */
MUST_CHECK int rollout_analysis_spec(const struct rollout *r, const struct node *analysis, bool checking, struct doc *d,
				     struct node *spec, struct err *err);

/* runs.c */
void rollout_end_analyses(struct rollout *r);                           /* none is at work any more */
bool rollout_uses_run(const struct rollout *r, const char *name);      /* the status names it */
MUST_CHECK int rollout_end_runs(struct rollout *r, struct err *err);   /* after the status is written: those that it does not name */

/* ephemeral.c, restart.c, history.c */
MUST_CHECK int rollout_put_metadata(struct rollout *r, struct err *err);
bool rollout_restarting(const struct rollout *r);                       /* spec.restartAt has come and is not done */
MUST_CHECK int rollout_restart(struct rollout *r, bool *evicted, struct err *err);
MUST_CHECK int rollout_trim_runs(struct rollout *r, struct err *err);   /* finished AnalysisRuns beyond spec.analysis' limits */

/* workload.c */
MUST_CHECK int rollout_resolve(struct rollout *r, struct err *err);     /* fills spec.template in; ERR_INVALID */
MUST_CHECK int rollout_scale_workload(struct rollout *r, struct err *err);
void rollout_map_workload(struct controller *c, const struct object *workload);

/* status.c, validate.c, validate-analysis.c */
void rollout_put_status(struct rollout *r);
MUST_CHECK int rollout_validate(const struct rollout *r, struct err *err);      /* ERR_INVALID: what is wrong with the spec */
MUST_CHECK int rollout_validate_analyses(const struct rollout *r, struct err *err);
MUST_CHECK int rollout_seconds(const struct node *duration, int64_t *out);     /* 30, "30s", "1h30m"; -code: not one */
