/* kube/nodelink.h - what the API asks of a node beside objects: logs, programs in containers, connections to pods.
 *
 * All of it runs in the calling fiber, until it is over or that fiber is canceled. */
#pragma once

#include "base/duplex.h"
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

/* The client's side of a program's standard streams; NULL: not asked for. in is read; out and err are written, and ended by
 * the caller. size: JSON objects {"Width": columns, "Height": rows}, one behind the other. */
struct client_streams { struct duplex *in, *out, *err, *size; };

struct nodelink { const struct nodelink_ops *ops; };

struct nodelink_ops {
	/* Calls write() with pieces of the log, in the calling fiber, until the end (follow: until the container is gone);
	 * less than 0 from write() stops. Errors before the first write are the answer's status. */
	int (*logs)(struct nodelink *, const char *ns, const char *pod, const struct log_opts *,
		    int (*write)(void *arg, struct sv data), void *arg, struct err *);
	/* 0: the container runs on this node, and the next two can be tried. */
	int (*running)(struct nodelink *, const char *ns, const char *pod, const char *container, struct err *);
	/* Runs a program to its end: exit status, or -code. argv: NULL-terminated. tty: on a terminal of its own. */
	int (*exec)(struct nodelink *, const char *ns, const char *pod, const char *container, const char *const *argv,
		    bool tty, const struct client_streams *, struct err *);
	/* Joins the container's own streams until it ends. */
	int (*attach)(struct nodelink *, const char *ns, const char *pod, const char *container,
		      const struct client_streams *, struct err *);
	/* Connects to a port of the pod, as seen from inside, and copies both ways until both sides have ended. */
	int (*forward)(struct nodelink *, const char *ns, const char *pod, uint16_t port, struct duplex *client, struct err *);
};
