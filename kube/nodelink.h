/* kube/nodelink.h - what the API asks of a node beside objects: logs now, exec and port-forward later. */
#pragma once

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

struct log_opts {
	const char *container;          /* NULL: the only one, or an error that names them */
	bool follow, previous, timestamps;
	int64_t tail_lines;             /* -1: all */
	int64_t since_ms;               /* wall clock; 0: all */
	int64_t limit_bytes;            /* 0: all */
};

struct nodelink { const struct nodelink_ops *ops; };

struct nodelink_ops {
	/* Calls write() with pieces of the log, in the calling fiber, until the end (follow: until the container is gone);
	 * less than 0 from write() stops. Errors before the first write are the answer's status. */
	int (*logs)(struct nodelink *, const char *ns, const char *pod, const struct log_opts *,
		    int (*write)(void *arg, struct sv data), void *arg, struct err *);
};
