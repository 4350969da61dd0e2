/* operator/app/managed.h - what an application would change: its objects as they are, and as a sync would leave them. */
#pragma once

#include "operator/app/app.h"

/* Argo CD's answer to /api/v1/applications/NAME/managed-resources as JSON: items of group, kind, namespace, name, targetState,
 * liveState, normalizedLiveState, predictedLiveState (each JSON text, "null" when there is none), hook, modified. Values of
 * Secrets are masked, equal ones alike. Parks. */
MUST_CHECK int apps_managed_resources(struct apps *a, const char *ns, const char *name, struct str *out, struct err *err);
