/* runtime/agent/leftover.h - ending what lies in a pod's directory without knowing the pod. In a fiber. */
#pragma once

#include "base/vec.h"
#include "runtime/container/container.h"

struct leftover_attempts { int64_t *v; size_t n, cap; };
/* numbers of DIR/<n>, ascending; absent: none */
void leftover_list(const char *dir, struct leftover_attempts *out);
/* Ends the container of a state directory, and removes it. Absent or half made is fine. */
MUST_CHECK int leftover_clear(struct containers *cs, const char *dir, int64_t grace_ms, struct err *err);
/* Every DIR/<uid> that keep() does not want (keep NULL: every one), all at the same time: their containers, sandboxes,
 * volumes, directories. */
MUST_CHECK int leftover_pods(struct containers *cs, const char *dir, bool (*keep)(void *arg, const char *uid),
	void *arg,
			     struct err *err);
