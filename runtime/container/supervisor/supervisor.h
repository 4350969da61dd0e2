/* runtime/container/supervisor/supervisor.h - the parts of the supervisor: a static program, one per container.
 *
 * It clones the container's first process, which sets up its own world (init_*) and executes the program; then it only
 * copies output to the log and waits. See plan.h for what it is told and what it reports. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <poll.h>
#include "../plan.h"

struct context {
	struct plan *plan;
	int failure_fd;         /* of the clone: where init_fail() writes; closed by a successful exec */
	int in, out, err;       /* of the clone: what becomes 0, 1 and 2; -1: stays /dev/null */
	bool terminal;          /* they become a terminal, whose other side is sent through out, a socket */
	char **env;             /* 0: the plan's */
};

/* ---- in the clone: each returns only when it worked ---- */
_Noreturn void init_fail(struct context *c, enum stage stage, uint32_t at, long error);
void init_files(struct context *c);     /* closes all descriptors but the context's own: see files.c */
void init_world(struct context *c);     /* namespaces, cgroups, hostname, loopback */
void init_cgroups(struct context *c);   /* enters the v1 groups */
void init_root(struct context *c);      /* overlay, pivot_root, the plan's steps */
void init_cwd(struct context *c);
void init_identity(struct context *c);  /* limits, seccomp, capabilities, user */
_Noreturn void init_program(struct context *c, char **argv);    /* search and execve */

/* ---- in the supervisor ---- */
int supervise(struct plan *p);                  /* the whole life of a container; the supervisor's exit status */
/* terminal: see FD_OUTPUT */
int exec_help(struct plan *p, bool terminal, int64_t timeout_ms, char **argv);
int await_exec(struct context *c, int from, struct report *r);  /* 0: executed; else r says where it failed */
void report(const struct report *r);

struct child { int pid, pidfd; };
long child_start(struct child *ch, uint64_t flags, int cgroup_fd);      /* clone3; 0 in the child, or -errno */
int child_wait(const struct child *ch);         /* 0..255 as the program said, or 128 + signal */
uint64_t process_start_time(int pid);           /* clock ticks after boot, field 22 of /proc/PID/stat; 0: gone */

enum { STREAM_OUT, STREAM_ERR, STREAMS };

/* The log of a container, one record a line: "<RFC 3339 time> stdout F <line>". A line without an end (at the end of
 * the output, or longer than LOG_LINE) is a record with P instead of F. */
struct log;
struct log *log_open(const char *path, int64_t max);    /* path 0: output is discarded; 0: errno in log_error() */
long log_error(void);
/* Reads once: bytes read, 0 at the end, -errno. What was read is also given to attach_output(). */
long log_copy(struct log *l, int stream, int fd);

/* Who is attached to the container's standard streams. A container waits for one who is slow, but not for one who stopped. */
/* input: the container's, not blocking; ATTACH_TERMINAL: its terminal; -1: it has none. */
#define ATTACH_TERMINAL (-2)
void attach_start(int input, bool once);
void attach_output(int stream, const char *p, size_t n);
/* Fills in up to ATTACH_POLLS; how many. terminal: the other side of the container's, or -1. */
int attach_watch(struct pollfd *fds, int terminal);
/* What came in on those. */
void attach_handle(const struct pollfd *fds, int n, int terminal);
#define ATTACHED_MAX 8
#define ATTACH_POLLS (ATTACHED_MAX + 1)

int64_t now_ms(void);
int record_write(const char *name, const char *tmp, const char *text, size_t n);        /* in FD_DIR, by rename */
