/* base/proc.h - child processes: started with an argument vector (never a shell), waited for by pidfd, in fibers.
 *
 * A child leads a process group of its own, which proc_kill() and proc_free() signal as a whole. Signals are back at
 * their defaults in it. */
#pragma once

#include <sys/types.h>
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

struct proc_opts {
	const char *const *argv;        /* argv[0] is looked up on PATH */
	const char *const *env;         /* "K=V", NULL-terminated; NULL: the caller's environment */
	const char *dir;                /* working directory or NULL */
	int in, out, err;               /* descriptors for 0, 1, 2; -1: /dev/null. All others are closed in the child */
};

struct proc;
struct proc *proc_start(const struct proc_opts *o, struct err *err);    /* NULL on error, also when exec failed */
pid_t proc_pid(const struct proc *p);
int proc_wait(struct proc *p);          /* parks; exit status, or 128 + signal; -ERR_CANCELED */
void proc_kill(struct proc *p, int signo);
void proc_free(struct proc **p);        /* kills what still runs, and reaps it */

/* Runs to the end with input, when there is any, as its stdin (else o->in); parks. Returns the exit status or -code.
 * More than max bytes of stdout are ERR_TOO_LARGE; of stderr the first max are kept. out and errors may be NULL. */
int proc_run(const struct proc_opts *o, struct sv input, size_t max, struct str *out, struct str *errors, struct err *err);
