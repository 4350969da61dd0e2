/* cli/pod.h - for commands about one pod: which one, and which of its containers. */
#pragma once

#include "cli/cluster.h"

/* NAME (a pod), TYPE NAME, TYPE/NAME: the pod itself, or one of those that an owner or a Service selects. A choice among
 * several is told on stderr. */
MUST_CHECK int pod_named(struct cluster *c, const char *const *args, size_t n, struct object **out, struct err *err);
/* The container that was asked for, the annotated default one, or the first, which is told when there are more. Borrowed;
 * NULL: the pod has one. */
const char *pod_pick_container(const struct object *pod, const char *asked);
