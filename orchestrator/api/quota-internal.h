/* orchestrator/api/quota-internal.h - ResourceQuotas: refused at creation, told in their status. */
#pragma once

#include "orchestrator/api/api-internal.h"

/* An object that is on its way into the store; lives on the stack of the fiber that writes it. */
struct creating { const struct request *rq; const struct node *root; struct creating *next; };

/* ERR_FORBIDDEN "exceeded quota: ...". What others are creating at this moment counts. */
MUST_CHECK int quota_admit(const struct request *rq, const struct node *root, struct err *err);
void quota_keep(void *api);     /* a fiber: brings every quota's status up to date when something was made or removed */
