/* runtime/agent/log-lines.h - a container's log file, a line "<time> <stream> <F|P> <text>" each, as its reader
 * wants it. Pure. */
#pragma once

#include "kube/nodelink.h"

struct log_lines {
	const struct log_opts *opts;
	int64_t sent;           /* bytes handed out */
	bool full;              /* limit_bytes is reached: nothing more will come */
	bool inside;            /* the last line was a piece (P): the next one goes on with it */
};

/* Takes whole lines off the front of text and appends what of them is to be shown to out. Returns the bytes taken. */
size_t log_lines_take(struct log_lines *l, struct sv text, struct str *out);
/* Where the last n lines of text begin. *missing: how many lines there are too few. */
size_t log_lines_tail(struct sv text, int64_t n, int64_t *missing);
