/* operator/app/engine-internal.h - one pass over an operation: its steps, and what runs them. */
#pragma once

#include "operator/app/app-internal.h"
#include "operator/app/plan.h"

enum step_state { PENDING, RUNNING, GOOD, BAD };

struct step {
	const struct row *row;
	const char *name;
	struct node *result;            /* in status.operationState.syncResult.resources; NULL: none yet */
	enum step_state state;
};

/* One pass over the operation. */
struct op {
	struct pass *p;
	struct app_spec spec;           /* with a rollback's sources */
	struct comparison c;
	struct plan plan;               /* tasks[i].row is an index into steps */
	VEC(struct step) steps;
	VEC(char *) names;              /* made up */
	bool multi, hooks;
};

void op_make_steps(struct op *o);               /* from o->c and the results so far */
void op_clear(struct op *o);                    /* steps and comparison; the spec stays */
void op_put(struct op *o, struct node *map, const char *key, const char *value);
struct node *op_state(struct op *o);            /* status.operationState */
struct node *op_sync(struct op *o);             /* its operation.sync */
void op_result(struct op *o, struct step *s, enum phase phase, const struct applied *a);        /* records, and tells listeners */
void op_look_at(struct op *o, struct step *s);  /* a running step: has it ended, and how? */
struct object *op_live(struct op *o, const struct step *s);

/* How many objects the cluster would refuse; their results are recorded. Parks. */
size_t op_dry_run(struct op *o);
/* Leftovers of earlier runs of the hooks in [from, to) go first. Returns how many are not gone yet. Parks. */
size_t op_delete_leftovers(struct op *o, size_t from, size_t to);
/* Prunes first, then the rest in order, objects of a kind side by side. Parks. */
MUST_CHECK int op_run_wave(struct op *o, size_t from, size_t to, struct err *err);
