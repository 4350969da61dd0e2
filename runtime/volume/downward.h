/* runtime/volume/downward.h - what a pod may know of itself: fieldRef and resourceFieldRef, in volumes and
 * environments. Pure. */
#pragma once

#include "base/doc.h"

struct pod_facts {                      /* what the node knows before the object says it */
	const struct node *pod;
	const char *pod_ip, *host_ip, *node_name;       /* "" as long as they are not known */
	int64_t cpu_milli, memory_bytes;                /* the node's, for containers without a limit */
};

/* Appends the value; ERR_INVALID names the field that is not offered. */
MUST_CHECK int downward_field(const struct pod_facts *f, const char *path, struct str *out, struct err *err);
/* ref: containerName, resource, divisor. container is used when ref names none. */
MUST_CHECK int downward_resource(const struct pod_facts *f, const struct node *ref, const char *container,
	struct str *out,
				 struct err *err);
const struct node *pod_container(const struct node *pod, const char *name);     /* init containers too; NULL: none */
