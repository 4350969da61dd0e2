/* orchestrator/controllers/deployment.h - one pass over one Deployment: shared by its controller and its status. */
#pragma once

#include "orchestrator/controllers/family.h"
#include "orchestrator/controllers/rolling.h"

enum { DEPLOYMENTS, DEPLOYMENT_SETS, DEPLOYMENT_PODS };         /* the watches of the row */

struct deployment {
	struct controller *c;
	struct object *object;
	const struct node *spec;
	bool recreate, paused;
	struct rolling limits;
	struct family family;
	size_t current;                 /* place of the set for the template as it is, or FAMILY_NONE */
	int64_t collisions;             /* -1: none yet */
	const char *value, *reason;     /* what this pass has to say about Progressing; NULL: nothing */
	char *message;
};

/* Notes it for the status that is written at the end of the pass. */
void deployment_note(struct deployment *p, const char *value, const char *reason, const char *fmt, ...) PRINTF(4, 5);
/* Counts, conditions and the next look at the deadline. */
MUST_CHECK int deployment_write_status(struct deployment *p, struct err *err);
bool deployment_complete(const struct deployment *p);           /* by the sets' counts: all replicas are new and available */

static inline struct object *deployment_current(const struct deployment *p)
{
	return p->current < p->family.sets.n ? p->family.sets.v[p->current] : NULL;
}
