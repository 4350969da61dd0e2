/* runtime/container/container.h - one container: clone3, overlay, cgroup, seccomp; a small supervisor; its exit.
 *
 * The daemon may die and come back: each container has a supervisor of its own (one small static process) that is its
 * parent, writes its log and, when it ends, its exit to the state directory. A restarted daemon reads that directory,
 * checks pid and start time, and goes on waiting. */
#pragma once

#include <sys/types.h>
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

struct mount_spec {                     /* into the container's tree */
	const char *source, *target;    /* source: host path for bind; "tmpfs" size options in data */
	const char *type;               /* "bind", "tmpfs", "proc", "sysfs", "mqueue", "cgroup", "devpts" */
	const char *data;
	bool read_only, recursive;
};

struct resources { int64_t cpu_millis, cpu_shares, memory_bytes, pids; };       /* limits; 0: none */

struct container_spec {
	const char *id;                         /* unique on the node: "<pod uid>_<name>_<attempt>" */
	/* state directory of this container, made by the caller: spec, pid, exit, rootfs */
	const char *dir;
	const char *const *layers;              /* overlay lowers, topmost first, NULL-terminated */
	const char *const *argv, *const *env;   /* NULL-terminated; argv[0] is looked up on the container's PATH */
	const char *cwd, *hostname;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t n_groups;
	const struct mount_spec *mounts;        /* after /proc, /dev, /sys, which are always there */
	size_t n_mounts;
	bool read_only_root, privileged, no_new_privs, tty, stdin_open, stdin_once;
	/* "NET_ADMIN", "ALL"; to and from the default set; NULL-terminated */
	const char *const *cap_add, *const *cap_drop;
	bool seccomp_unconfined;
	int netns_fd, ipcns_fd, utsns_fd, pidns_fd;     /* join; -1: a new one (net -1: none but loopback) */
	bool host_net, host_pid, host_ipc;
	const char *cgroup;                     /* "cd/pod<uid>/<name>": below every hierarchy, made here */
	struct resources resources;
	int oom_score_adj;
	/* tty: a terminal as 0, 1 and 2, all output is stdout. stdin_open: reading waits for who attaches instead of ending at
	 * once; stdin_once: it ends with the first of them. */
	const char *log_path;                   /* CRI format: "<time> stdout F <line>"; NULL: output is discarded */
	/* bytes; then log_path is renamed to log_path.1 (one is kept); 0: never */
	int64_t log_max;
};

/* What all containers of a process share: the cgroup layout of this machine, the supervisor's program, seccomp filters.
 */
struct containers;
struct containers *containers_open(struct loop *l, struct err *err);   /* outlives its containers' views */
void containers_close(struct containers **cs);

struct container;                               /* a running or ended one, as the daemon sees it */

enum container_state { CONTAINER_RUNNING, CONTAINER_EXITED };
struct container_status {
	enum container_state state;
	pid_t pid;
	int64_t started_ms, finished_ms;        /* wall clock */
	int exit_code, signal;
	bool oom_killed;
};

/* Parks; returns once the program was executed, or with the reason why not (ERR_NOT_FOUND: no such program). */
MUST_CHECK int container_start(struct containers *cs, const struct container_spec *s, struct container **out,
			       struct err *err);
/* After a restart of the daemon: from its state directory. ERR_NOT_FOUND: was never started. */
MUST_CHECK int container_adopt(struct containers *cs, const char *dir, struct container **out, struct err *err);
void container_get(const struct container *c, struct container_status *out);
/* on the loop; at once when it has ended */
void container_on_exit(struct container *c, void (*fn)(void *arg), void *arg);
int container_kill(struct container *c, int signo, struct err *err);
/* Sends stop_signal, waits up to grace_ms, then SIGKILL to everything in its cgroup; parks until it is gone. */
MUST_CHECK int container_stop(struct container *c, int stop_signal, int64_t grace_ms, struct err *err);

/* A program inside a running container, with its namespaces, groups, user, rights and environment. */
struct exec_spec {
	const char *const *argv;                /* NULL-terminated; argv[0] is looked up on the container's PATH */
	bool in, out, err, tty;                 /* which are wanted; tty: a terminal instead of pipes */
	bool together;                          /* err goes where out goes */
	int64_t timeout_ms;                     /* then it is killed; 0: never */
};
/* Our ends, which do not block and are the caller's to close; -1: not wanted. tty: in and out are two descriptors of its
 * terminal. */
struct exec_io { int in, out, err; };
struct container_exec;
/* Parks; returns once the program was executed, or with the reason why not. */
MUST_CHECK int exec_start(struct container *c, const struct exec_spec *s, struct exec_io *io, struct container_exec **out,
			  struct err *err);
int exec_wait(struct container_exec *x, struct err *err);       /* parks until it ends; exit status, or -code */
void exec_drop(struct container_exec **x);      /* parks; a program that runs is killed */
/* All of it: parks until the program ends; exit status, or -code. Output is collected up to max bytes. */
int container_exec(struct container *c, const char *const *argv, int64_t timeout_ms, size_t max, struct str *output,
		   struct err *err);

/* A socket of packets (plan.h, enum attach_message) to and from the container's own standard streams. */
MUST_CHECK int container_attach(struct container *c, int *out, struct err *err);
int container_usage(struct container *c, int64_t *cpu_ns, int64_t *memory_bytes, struct err *err);
/* Removes the overlay, the cgroup and the state; the container must have ended. Frees *c. */
MUST_CHECK int container_remove(struct container **c, struct err *err);
void container_forget(struct container **c);    /* frees the view; the container goes on */

/* The pod's sandbox: its net, ipc and uts namespaces, pinned under dir so that they outlive the daemon. */
struct sandbox_fds { int net, ipc, uts; };
MUST_CHECK int sandbox_create(const char *dir, const char *hostname, bool host_net, struct sandbox_fds *out,
			      struct err *err);
/* ERR_NOT_FOUND also when a namespace of it is missing: a crash left it half made, or a reboot ended it. */
MUST_CHECK int sandbox_open(const char *dir, struct sandbox_fds *out, struct err *err);
MUST_CHECK int sandbox_remove(const char *dir, struct err *err);
void sandbox_close(struct sandbox_fds *fds);
