#include "runtime/container/seccomp.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIT(c) (UINT64_C(1) << (c))

/* Names that this libseccomp or this processor does not know are passed over. */
static const char *const always[] = {
	"_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "arch_prctl", "bind", "brk",
	"capget", "capset", "chdir", "chmod", "chown", "chown32", "clock_adjtime", "clock_adjtime64",
	"clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
	"clock_nanosleep_time64", "close", "close_range", "connect", "copy_file_range", "creat", "dup", "dup2", "dup3",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait",
	"epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group", "faccessat", "faccessat2",
	"fadvise64", "fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchown",
	"fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr", "flistxattr", "flock", "fork",
	"fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "fsync", "ftruncate",
	"ftruncate64", "futex", "futex_time64", "futex_waitv", "futimesat",
	"get_robust_list", "get_thread_area", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "getegid32",
	"geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getitimer", "getpeername", "getpgid",
	"getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresgid32", "getresuid",
	"getresuid32", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday",
	"getuid", "getuid32", "getxattr", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
	"io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup", "io_submit",
	"ioctl", "ioprio_get", "ioprio_set", "ipc", "kill", "landlock_add_rule", "landlock_create_ruleset",
	"landlock_restrict_self", "lchown", "lchown32", "lgetxattr", "link", "linkat", "listen", "listxattr",
	"llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat", "lstat64", "madvise", 
	"membarrier", "memfd_create", "memfd_secret", "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock",
	"mlock2", "mlockall", "mmap", "mmap2", "modify_ldt", "mprotect", "mq_getsetattr", "mq_notify", "mq_open",
	"mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "mremap",
	"msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap", "name_to_handle_at",
	"nanosleep", "newfstatat", "open", "openat", "openat2", "pause", "pidfd_open", "pidfd_send_signal", "pipe",
	"pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl", "pread64",
	"preadv", "preadv2", "prlimit64", "process_mrelease", "process_vm_readv", "process_vm_writev", "pselect6",
	"pselect6_time64", "ptrace", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat",
	"readv", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "remap_file_pages", "removexattr",
	"rename", "renameat", "renameat2", "restart_syscall", "rmdir", "rseq", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_get_priority_max", "sched_get_priority_min",
	"sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
	"sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
	"sched_yield", "seccomp", "select", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64", "send",
	"sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "set_robust_list", "set_thread_area",
	"set_tid_address", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
	"setgroups32", "setitimer", "setpgid", "setpriority", "setregid", "setregid32", "setresgid", "setresgid32",
	"setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid", "setsockopt", "setuid", "setuid32",
	"setxattr", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd", "signalfd4",
	"sigprocmask", "sigreturn", "socketcall", "socketpair", "splice", "stat", "stat64", "statfs", "statfs64",
	"statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "sysinfo", "tee", "tgkill", "time",
	"timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime",
	"timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64", "times", "tkill", "truncate", "truncate64", "ugetrlimit", "umask", "uname", "unlink",
	"unlinkat", "utime", "utimensat", "utimensat_time64", "utimes", "vfork", "vmsplice", "wait4", "waitid",
	"waitpid", "write", "writev",
};

static const struct { uint64_t caps; const char *name; } guarded[] = {
	{ BIT(CAP_DAC_READ_SEARCH), "open_by_handle_at" },
	{ BIT(CAP_SYS_ADMIN) | BIT(CAP_BPF), "bpf" },
	{ BIT(CAP_SYS_ADMIN) | BIT(CAP_PERFMON), "perf_event_open" },
	{ BIT(CAP_SYS_ADMIN), "clone" }, { BIT(CAP_SYS_ADMIN), "clone3" }, { BIT(CAP_SYS_ADMIN), "fanotify_init" },
	{ BIT(CAP_SYS_ADMIN), "fsconfig" }, { BIT(CAP_SYS_ADMIN), "fsmount" }, { BIT(CAP_SYS_ADMIN), "fsopen" },
	{ BIT(CAP_SYS_ADMIN), "fspick" }, { BIT(CAP_SYS_ADMIN), "lookup_dcookie" }, { BIT(CAP_SYS_ADMIN), "mount" },
	{ BIT(CAP_SYS_ADMIN), "mount_setattr" }, { BIT(CAP_SYS_ADMIN), "move_mount" },
	{ BIT(CAP_SYS_ADMIN), "open_tree" }, { BIT(CAP_SYS_ADMIN), "pivot_root" }, { BIT(CAP_SYS_ADMIN), "quotactl" },
	{ BIT(CAP_SYS_ADMIN), "quotactl_fd" }, { BIT(CAP_SYS_ADMIN), "setdomainname" },
	{ BIT(CAP_SYS_ADMIN), "sethostname" }, { BIT(CAP_SYS_ADMIN), "setns" }, { BIT(CAP_SYS_ADMIN), "umount" },
	{ BIT(CAP_SYS_ADMIN), "umount2" }, { BIT(CAP_SYS_ADMIN), "unshare" },
	{ BIT(CAP_SYS_ADMIN) | BIT(CAP_SYSLOG), "syslog" },
	{ BIT(CAP_SYS_BOOT), "reboot" }, { BIT(CAP_SYS_CHROOT), "chroot" },
	{ BIT(CAP_SYS_MODULE), "delete_module" }, { BIT(CAP_SYS_MODULE), "finit_module" },
	{ BIT(CAP_SYS_MODULE), "init_module" }, { BIT(CAP_SYS_PACCT), "acct" },
	{ BIT(CAP_SYS_PTRACE), "kcmp" }, { BIT(CAP_SYS_PTRACE), "pidfd_getfd" },
	{ BIT(CAP_SYS_PTRACE), "process_madvise" },
	{ BIT(CAP_SYS_RAWIO), "iopl" }, { BIT(CAP_SYS_RAWIO), "ioperm" },
	{ BIT(CAP_SYS_TIME), "clock_settime" }, { BIT(CAP_SYS_TIME), "clock_settime64" },
	{ BIT(CAP_SYS_TIME), "settimeofday" }, { BIT(CAP_SYS_TIME), "stime" },
	{ BIT(CAP_SYS_TTY_CONFIG), "vhangup" },
	{ BIT(CAP_SYS_NICE), "get_mempolicy" }, { BIT(CAP_SYS_NICE), "mbind" }, { BIT(CAP_SYS_NICE), "set_mempolicy" },
	{ BIT(CAP_SYS_NICE), "set_mempolicy_home_node" },
};

/* Calls that libseccomp has no names for yet, by number: from 424 on they are the same on every processor. What the
 * kernel has learned since is answered with ENOSYS, so that programs fall back as on an older kernel; EPERM would end
 * them. */
#define FIRST_NEW 451
static const unsigned new_calls[] = {
	451 /* cachestat */,   452 /* fchmodat2 */,	453 /* map_shadow_stack */,
	454 /* futex_wake */,  455 /* futex_wait */,	456 /* futex_requeue */,
	462 /* mseal */,       463 /* setxattrat */,	464 /* getxattrat */,
	465 /* listxattrat */, 466 /* removexattrat */,
};
#define NEW_CALLS (sizeof new_calls / sizeof *new_calls)

uint64_t seccomp_key(uint64_t caps)
{
	uint64_t used = 0;

	for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++)
		used |= guarded[i].caps;
	return caps & used;
}

static int allow(scmp_filter_ctx f, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	return nr == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0);
}

/* clone() without new namespaces. clone3() has its flags in memory that a filter cannot read: ENOSYS sends every libc
 * back to clone(). */
static int allow_clone(scmp_filter_ctx f)
{
	const unsigned long spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
				     CLONE_NEWPID | CLONE_NEWNET;
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0));

	return r ? r : seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

/* Sockets to a hypervisor's host (AF_VSOCK) leave the container's network namespace: they are not for containers. */
static int allow_arguments(scmp_filter_ctx f)
{
	static const unsigned long personalities[] = { 0x0, 0x0008, 0x20000, 0x20008, 0xffffffff };
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_VSOCK));

	for (size_t i = 0; i < sizeof personalities / sizeof *personalities && !r; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
				     SCMP_A0(SCMP_CMP_EQ, personalities[i]));
	return r;
}

static int add_rules(scmp_filter_ctx f, uint64_t caps)
{
	int r = 0;

	for (size_t i = 0; i < sizeof always / sizeof *always && !r; i++)
		r = allow(f, always[i]);
	for (size_t i = 0; i < sizeof guarded / sizeof *guarded && !r; i++)
		if (caps & guarded[i].caps)
			r = allow(f, guarded[i].name);
	if (!r && !(caps & BIT(CAP_SYS_ADMIN)))
		r = allow_clone(f);
	return r ? r : allow_arguments(f);
}

/* A tree of comparisons: the kernel runs the filter for every number when it is loaded, and some for every call. */
static int shape(scmp_filter_ctx f)
{
	int r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);

	if (!r)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);
#ifdef __x86_64__
	if (!r)
		r = seccomp_arch_add(f, SCMP_ARCH_X86);
#endif
	return r;
}

static void add_instruction(struct str *bpf, uint16_t code, uint32_t k, size_t jump_true, size_t jump_false)
{
	struct sock_filter in = { code, (uint8_t)jump_true, (uint8_t)jump_false, k };

	str_add(bpf, (struct sv){ (const char *)&in, sizeof in });
}

/* Before the filter proper: new numbers are decided here. */
static void add_new_calls(struct str *bpf)
{
	add_instruction(bpf, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	add_instruction(bpf, BPF_JMP | BPF_JGE | BPF_K, FIRST_NEW, 0, NEW_CALLS + 2);
	for (size_t i = 0; i < NEW_CALLS; i++)
		add_instruction(bpf, BPF_JMP | BPF_JEQ | BPF_K, new_calls[i], NEW_CALLS - i, 0);
	add_instruction(bpf, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
	add_instruction(bpf, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static int export(scmp_filter_ctx f, struct str *bpf, struct err *err)
{
	AUTO_FD fd = memfd_create("seccomp", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : seccomp_export_bpf(f, fd);
	off_t size = r ? 0 : lseek(fd, 0, SEEK_END);

	add_new_calls(bpf);
	if (r || size <= 0 || pread(fd, str_room(bpf, (size_t)size), (size_t)size, 0) != size)
		return err_set(err, ERR_IO, "build the system call filter: %s", strerror(r ? -r : errno));
	bpf->n += (size_t)size;
	return 0;
}

int seccomp_build(uint64_t caps, struct str *bpf, struct err *err)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = f ? shape(f) : -ENOMEM;

	if (!r)
		r = add_rules(f, caps);
	r = r ? err_set(err, ERR_IO, "build the system call filter: %s", strerror(-r)) : export(f, bpf, err);
	seccomp_release(f);
	return r;
}
