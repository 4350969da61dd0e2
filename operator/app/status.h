/* operator/app/status.h - writing an Application's status (operator semantics 27). Pure: a document is edited. */
#pragma once

#include "operator/app/comparison.h"

/* status.sync, health, resources, summary, sourceType from a comparison. failed: the sources could not be read or rendered;
 * then only what still holds is written and the sync status is Unknown. */
void status_comparison(struct doc *d, struct node *root, const struct app_spec *spec, const struct comparison *c, bool failed,
		       int64_t now_ms);
/* Replaces the conditions that the controller owns; times change only with messages. */
void status_conditions(struct doc *d, struct node *root, const struct conditions *c, int64_t now_ms);
/* After a sync: {id, revision, source, deployedAt, deployStartedAt, initiatedBy}, oldest first, at most limit. */
void status_history(struct doc *d, struct node *root, int64_t limit, int64_t now_ms);
/* Was the last comparison of these sources and this destination? false: a change of the spec has not been looked at. */
bool status_compared_to(const struct node *root, const struct app_spec *spec);
void time_set(struct doc *d, struct node *map, const char *field, int64_t ms);
