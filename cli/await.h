/* cli/await.h - waiting for an object to become as wished, by watching it. */
#pragma once

#include "cli/cluster.h"

/* Parks until done() says 1 for the object's state (root NULL: it does not exist), or less than 0, which is returned.
 * timeout_ms less than 0: for ever. ERR_TIMEOUT. */
MUST_CHECK int await_object(struct client *c, const struct kind *k, const char *ns, const char *name, int64_t timeout_ms,
			    int (*done)(const struct node *root, void *arg, struct err *err), void *arg, struct err *err);
