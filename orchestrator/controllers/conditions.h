/* orchestrator/controllers/conditions.h - conditions as apps/v1 keeps them: with lastUpdateTime, and removable. */
#pragma once

#include "kube/object.h"

bool conditions_remove(struct node *status, const char *type);         /* false: was not there */
/* Sets a condition unless it already has this value and reason; `touch` writes it (and lastUpdateTime) even then. */
void conditions_put(struct doc *d, struct node *status, const char *type, const char *value, const char *reason,
		    const char *message, bool touch);
