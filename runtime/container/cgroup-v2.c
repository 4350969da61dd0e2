/* Control groups v2: one hierarchy. Beside v1 it has no controllers and serves the life cycle alone. */
#include "runtime/container/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPU_PERIOD_US 100000
#define DEVICE_PROGRAM_MAX 128

/* ---- devices: v2 has no controller for them, but a program that is asked at every open ---- */

struct program { struct bpf_insn v[DEVICE_PROGRAM_MAX]; size_t n; };

static void emit(struct program *p, uint8_t code, int dst, int src, int16_t off, int32_t imm)
{
	p->v[p->n++] = (struct bpf_insn){ .code = code, .dst_reg = (uint8_t)(dst & 15), .src_reg = (uint8_t)(src & 15),
					  .off = off, .imm = imm };
}

static int32_t access_bits(const char *access)
{
	return (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0) | (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0) |
	       (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0);
}

/* r2 type, r3 wanted access, r4 major, r5 minor: a rule that matches ends the program with "allowed". */
static void emit_rule(struct program *p, const struct cgroup_device *d)
{
	int after = 1 + 3 + (d->major >= 0) + (d->minor >= 0) + 2;      /* instructions of this rule */
	size_t end = p->n + (size_t)after;

#define SKIP_IF(op, reg, value) emit(p, BPF_JMP32 | (op) | BPF_K, reg, 0, (int16_t)(end - p->n - 1), value)
	SKIP_IF(BPF_JNE, BPF_REG_2, d->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
	emit(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, ~access_bits(d->access));
	SKIP_IF(BPF_JNE, BPF_REG_1, 0);
	if (d->major >= 0)
		SKIP_IF(BPF_JNE, BPF_REG_4, d->major);
	if (d->minor >= 0)
		SKIP_IF(BPF_JNE, BPF_REG_5, d->minor);
#undef SKIP_IF
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void device_program(struct program *p)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, 0, 0);         /* access_type: access << 16 | type */
	emit(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1, 4, 0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_5, BPF_REG_1, 8, 0);
	for (size_t i = 0; i < cgroup_devices_n; i++)
		emit_rule(p, &cgroup_devices[i]);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int allow_devices(const struct cgroups *cs, const char *path, struct err *err)
{
	struct program p = { .n = 0 };
	AUTO(str) dir = { 0 };

	device_program(&p);
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insn_cnt = (uint32_t)p.n,
				.insns = (uint64_t)(uintptr_t)p.v, .license = (uint64_t)(uintptr_t)"Apache-2.0",
				.prog_name = "cd_devices" };
	AUTO_FD program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
	if (program < 0)
		return err_errno(err, "load the device filter");
	str_addf(&dir, "%s/%s", cs->v2, path);
	AUTO_FD group = open(str_c(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr attach = { .target_fd = (uint32_t)group, .attach_bpf_fd = (uint32_t)program,
				  .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };
	if (group < 0 || syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) < 0)
		return err_errno(err, "attach the device filter to '%s'", str_c(&dir));
	return 0;
}

/* ---- limits ---- */

/* Controllers are handed down level by level; one that the kernel lacks shows later, when a limit is written to it. */
static void enable_controllers(const struct cgroups *cs, const char *path)
{
	static const char *const wanted[] = { "+cpu", "+memory", "+pids", "+io" };
	AUTO(str) level = { 0 };

	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		str_cut(&level, 0);
		str_add(&level, (struct sv){ path, (size_t)(slash - path) });
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			(void)!cgroup_write(cs->v2, str_c(&level), "cgroup.subtree_control", wanted[i], NULL);
	}
}

/* v1's shares (2..262144, default 1024) on v2's scale (1..10000, default 100), as the OCI runtimes convert them. */
static int64_t weight_of(int64_t shares)
{
	if (!shares)
		return 0;
	shares = shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
	return 1 + (shares - 2) * 9999 / 262142;
}

static int limit(const struct cgroups *cs, const char *path, const char *file, int64_t value, struct err *err)
{
	char text[24];

	if (!value)
		return 0;
	snprintf(text, sizeof text, "%" PRId64, value);
	return cgroup_write(cs->v2, path, file, text, err);
}

static int set_limits(const struct cgroups *cs, const char *path, const struct resources *rs, struct err *err)
{
	char quota[48];

	TRY(limit(cs, path, "cpu.weight", weight_of(rs->cpu_shares), err));
	snprintf(quota, sizeof quota, "%" PRId64 " %d", rs->cpu_millis * (CPU_PERIOD_US / 1000), CPU_PERIOD_US);
	if (rs->cpu_millis)
		TRY(cgroup_write(cs->v2, path, "cpu.max", quota, err));
	TRY(limit(cs, path, "memory.max", rs->memory_bytes, err));
	if (rs->memory_bytes)
		/* absent without swap accounting */
		(void)!cgroup_write(cs->v2, path, "memory.swap.max", "0", NULL);
	return limit(cs, path, "pids.max", rs->pids, err);
}

static int make(const struct cgroups *cs, const char *path, const struct resources *rs, bool all_devices,
		struct err *err)
{
	TRY(cgroup_mkdir(cs->v2, path, err));
	if (!cs->v2_limits)
		return 0;
	enable_controllers(cs, path);
	TRY(set_limits(cs, path, rs, err));
	return all_devices ? 0 : allow_devices(cs, path, err);
}

/* ---- life cycle ---- */

static int kill_all(const struct cgroups *cs, const char *path, struct err *err)
{
	AUTO(str) procs = { 0 };
	struct sv rest, line;
	int64_t pid;

	if (cgroup_write(cs->v2, path, "cgroup.kill", "1", NULL) == 0 ||
	    cgroup_read_file(cs->v2, path, "cgroup.procs", &procs, NULL) < 0)
		return 0;               /* killed, or no such group: nobody to kill */
	/* before Linux 5.14; frozen members still die */
	(void)!cgroup_write(cs->v2, path, "cgroup.freeze", "1", NULL);
	rest = str_sv(&procs);
	for (bool more = true; more;) {
		more = sv_cut(rest, '\n', &line, &rest);
		if (sv_to_i64(line, &pid) && pid > 0)
			(void)kill((pid_t)pid, SIGKILL);
	}
	return cgroup_write(cs->v2, path, "cgroup.freeze", "0", err);
}

static int remove_group(const struct cgroups *cs, const char *path, struct err *err)
{
	return cgroup_rmdir(cs->v2, path, err);
}

static int usage(const struct cgroups *cs, const char *path, int64_t *cpu_ns, int64_t *memory_bytes, struct err *err)
{
	AUTO(str) cpu = { 0 };
	AUTO(str) used = { 0 };
	AUTO(str) stat = { 0 };

	TRY(cgroup_read_file(cs->v2, path, "cpu.stat", &cpu, err));
	TRY(cgroup_read_file(cs->v2, path, "memory.current", &used, err));
	TRY(cgroup_read_file(cs->v2, path, "memory.stat", &stat, err));
	int64_t total = cgroup_number(str_sv(&used), NULL), inactive = cgroup_number(str_sv(&stat), "inactive_file");
	*cpu_ns = cgroup_number(str_sv(&cpu), "usage_usec") * 1000;
	*memory_bytes = inactive > 0 && inactive < total ? total - inactive : total;
	return 0;
}

static void oom_events(const struct cgroups *cs, const char *path, struct str *file)
{
	str_addf(file, "%s/%s/memory.events", cs->v2, path);
}

const struct cgroup_ops cgroup_v2 = { make, kill_all, remove_group, usage, oom_events };
