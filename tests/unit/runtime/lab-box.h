/* tests/unit/runtime/lab-box.h - a scratch directory, a base layer with busybox, and containers that are run to their end. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "runtime/container/container.h"

struct lab { struct str dir, layer; unsigned n; int pid; };     /* n: containers so far */

int lab_open(void **state);     /* cmocka's setup and teardown of a group; exit 77 when this is not root with namespaces */
int lab_close(void **state);    /* fails when a control group, mount or process was left behind */

/* One container: what to change about the usual one, and what came of it. */
struct run {
	const char *script;                     /* sh -c; NULL: spec.argv */
	void (*edit)(struct container_spec *s);
	void (*during)(struct container *c, struct run *r);     /* in the fiber, after the start; NULL: wait for its end */
	void *arg;
	int result;                             /* of container_start() */
	struct err err;
	struct container_status status;
	struct str log;                         /* as written, with time stamps */
	struct str out;                         /* the lines of stdout */
};
void lab_run(struct lab *lab, struct run *r);
void run_free(struct run *r);

/* The pieces, for tests that do not fit: a spec with a directory of its own; valid until the next one. */
void lab_spec(struct lab *lab, struct container_spec *s);
int lab_wait(struct container *c);              /* parks until it has ended */
