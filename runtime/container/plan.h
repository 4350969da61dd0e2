/* runtime/container/plan.h - what the daemon tells a supervisor: one file of fixed-width fields, offsets instead of
 * pointers.
 *
 * The daemon decides everything (plan.c); the supervisor carries it out, in the order of this structure, and knows no
 * defaults. The file stays in the container's state directory as `plan`: container_exec() reads it again.
 * This header is included by the freestanding supervisor: types and constants only. */
#pragma once

#include <stdint.h>

#define PLAN_MAGIC                                                                                                     \
	0x6e616c70u /* "plan"; the format may change with any version: a plan is never older than its program */
#define PLAN_MAX (1u << 20)

/* Descriptors of a supervisor at its start. */
enum plan_fd {
	FD_PLAN = 3, FD_STATUS, FD_LOCK, FD_DIR,        /* FD_LOCK: flock on DIR/lock, held for life */
	FD_NET, FD_IPC, FD_UTS, FD_PID,                 /* namespaces to join, when the plan says so */
	FD_ATTACH,                                      /* listens for those who attach: see attach_message */
	FD_N,
	/* Of an exec helper: pidfd of the container's first process, and what become 0, 1 and 2; those that are closed stay
	 * /dev/null. With a terminal FD_OUTPUT is a socket, which its other side is sent through. */
	FD_TARGET = FD_LOCK, FD_INPUT = FD_DIR, FD_OUTPUT = FD_NET, FD_ERROR = FD_IPC,
};

/* One packet between the supervisor and who is attached: this byte, then up to ATTACH_DATA bytes. */
enum attach_message {
	ATTACH_OUT, ATTACH_ERR,         /* from the supervisor: what the program writes, from now on */
	ATTACH_INPUT,                   /* what it reads */
	ATTACH_INPUT_END,               /* with PLAN_STDIN_ONCE its input ends */
	ATTACH_RESIZE,                  /* struct attach_size */
};
enum { ATTACH_DATA = 16 << 10, ATTACH_INPUT_MAX = 4096 };       /* a pipe takes the latter whole, or not at all */
struct attach_size { uint16_t rows, columns; };

enum plan_flag {
	PLAN_NEW_NET = 1, PLAN_NEW_IPC = 2, PLAN_NEW_UTS = 4, PLAN_NEW_PID = 8,
	PLAN_JOIN_NET = 16, PLAN_JOIN_IPC = 32, PLAN_JOIN_UTS = 64, PLAN_JOIN_PID = 128,
	PLAN_READ_ONLY_ROOT = 256, PLAN_NO_NEW_PRIVS = 512, PLAN_STDIN_OPEN = 1024, PLAN_TTY = 2048,
	PLAN_SINGLE_LAYERS = 4096,      /* overlay.h */
	PLAN_STDIN_ONCE = 8192,
};

struct plan_array { uint32_t at, n; };  /* offset of the first element, number of elements */

/* One step inside the new root, after pivot_root: no path can leave the container's tree. */
enum plan_op {
	OP_MOUNT,       /* a new file system of type at target */
	OP_BIND,        /* source (opened before pivot_root) at target */
	OP_DEVICE,      /* mknod target: mode, dev */
	OP_LINK,        /* symlink target -> source */
	OP_MASK,        /* hide target: a file becomes /dev/null, a directory empty; absent is fine */
	OP_READ_ONLY,   /* target becomes a read-only mount of itself; absent is fine */
};

struct plan_step {
	uint32_t op;
	uint32_t source, target, type, data;    /* offsets of strings; 0: none */
	uint32_t flags;                         /* OP_MOUNT: MS_*; OP_BIND: BIND_* */
	/* MOUNT_ATTR_* set on the mount (all of the tree, for a recursive bind) */
	uint32_t attributes;
	uint32_t mode, dev;                     /* OP_DEVICE; OP_MOUNT: mode of a directory that has to be made */
	int32_t tree;                           /* the supervisor's own: the opened source */
};

enum { BIND_RECURSIVE = 1 };

struct plan_limit { uint32_t resource; uint32_t pad; uint64_t soft, hard; };

struct plan {
	uint32_t magic, size, flags;
	uint32_t id, dir, log;                  /* strings; log 0: discarded */
	uint32_t hostname, cwd, path;           /* path: directories that are searched for argv[0] */
	uint32_t overlay;                       /* option text for mount(2), for kernels without lowerdir+ */
	uint32_t upper, work;
	int32_t oom_score_adj;
	uint32_t uid, gid, reserved;
	int64_t log_max;
	uint64_t caps;                          /* bounding, permitted and effective of the container */
	struct plan_array layers, argv, env;    /* slots of strings */
	struct plan_array cgroups;              /* slots: directories whose cgroup.procs is written */
	uint32_t cgroup_v2;                     /* directory for CLONE_INTO_CGROUP; 0: none */
	uint32_t cgroup_kill, oom_events;       /* files; 0: none */
	uint32_t cgroup;                        /* as in the spec: "cd/pod.../name" */
	struct plan_array groups;               /* uint32_t */
	struct plan_array steps;                /* struct plan_step */
	struct plan_array limits;               /* struct plan_limit */
	struct plan_array seccomp;              /* struct sock_filter; n 0: unconfined */
};

/* A slot holds an offset in the file and a pointer once plan_relocate() has run: argv and env go to execve() as they
 * are. */
typedef union { uint64_t offset; char *text; } plan_slot;

#define PLAN_TEXT(p, offset) ((offset) ? (char *)(p) + (offset) : (char *)0)
#define PLAN_AT(p, array, type) ((type *)(void *)((char *)(p) + (array).at))

/* What is reported on FD_STATUS: STAGE_STARTED, or where starting failed; then, by an exec helper, STAGE_EXITED. */
enum stage {
	STAGE_STARTED, STAGE_PLAN, STAGE_LAYER, STAGE_LOG, STAGE_PIPE, STAGE_CLONE, STAGE_CGROUP, STAGE_NAMESPACE,
	STAGE_HOSTNAME, STAGE_LOOPBACK, STAGE_OVERLAY, STAGE_SOURCE, STAGE_PIVOT, STAGE_STEP, STAGE_ROOT, STAGE_CWD,
	STAGE_LIMIT, STAGE_OOM_SCORE, STAGE_STDIO, STAGE_SECCOMP, STAGE_CAPS, STAGE_USER, STAGE_NOT_FOUND, STAGE_EXEC,
	STAGE_STATE, STAGE_EXITED, STAGE_N
};

struct report { uint32_t stage; int32_t error; uint32_t at; int32_t pid; };     /* at: index of a layer, step or limit;
	STAGE_EXITED: at is the exit status, error ETIMEDOUT when its time was up */
