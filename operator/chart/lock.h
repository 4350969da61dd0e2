/* operator/chart/lock.h - Chart.lock: which versions the dependencies of a chart were found to be. Pure. */
#pragma once

#include "base/doc.h"

/* "sha256:..." over what was asked for and what was found, as Helm computes it; both are lists of dependencies. */
void lock_digest(const struct node *asked, const struct node *found, struct str *out);
/* The text of a lock; now: RFC 3339. */
void lock_write(const struct node *asked, const struct node *found, const char *now, struct str *out);
/* Does a lock belong to these dependencies? */
bool lock_is_current(const struct node *lock, const struct node *asked);
