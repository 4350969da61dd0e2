/* Control groups v1: a hierarchy a controller. */
#include "runtime/container/cgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define CPU_PERIOD_US 100000
#define KILL_ROUNDS 100

/* A limit of the group: nothing is written for 0, nor to a controller that is not there. */
static int limit(const struct cgroups *cs, const char *path, const char *controller, const char *file, int64_t value,
		 struct err *err)
{
	const char *dir = cgroup_v1_dir(cs, controller);
	char text[24];

	if (!dir || !value)
		return 0;
	snprintf(text, sizeof text, "%" PRId64, value);
	return cgroup_write(dir, path, file, text, err);
}

static int allow_devices(const struct cgroups *cs, const char *path, struct err *err)
{
	const char *dir = cgroup_v1_dir(cs, "devices");

	if (!dir)
		return 0;
	TRY(cgroup_write(dir, path, "devices.deny", "a", err));
	for (size_t i = 0; i < cgroup_devices_n; i++) {
		const struct cgroup_device *d = &cgroup_devices[i];
		char major[12] = "*", minor[12] = "*", rule[48];

		if (d->major >= 0)
			snprintf(major, sizeof major, "%d", d->major);
		if (d->minor >= 0)
			snprintf(minor, sizeof minor, "%d", d->minor);
		snprintf(rule, sizeof rule, "%c %s:%s %s", d->type, major, minor, d->access);
		TRY(cgroup_write(dir, path, "devices.allow", rule, err));
	}
	return 0;
}

static int make(const struct cgroups *cs, const char *path, const struct resources *rs, bool all_devices,
		struct err *err)
{
	struct err no_swap = { 0 };

	for (size_t i = 0; i < cs->n_v1; i++)
		if (cgroup_v1_used(cs, i))
			TRY(cgroup_mkdir(cs->v1[i].dir, path, err));
	TRY(limit(cs, path, "cpu", "cpu.shares", rs->cpu_shares, err));
	TRY(limit(cs, path, "cpu", "cpu.cfs_quota_us", rs->cpu_millis * (CPU_PERIOD_US / 1000), err));
	TRY(limit(cs, path, "memory", "memory.limit_in_bytes", rs->memory_bytes, err));
	if (limit(cs, path, "memory", "memory.memsw.limit_in_bytes", rs->memory_bytes, &no_swap) < 0)
		err_free(&no_swap);     /* a kernel without swap accounting: the limit is memory's alone */
	TRY(limit(cs, path, "pids", "pids.max", rs->pids, err));
	return all_devices ? 0 : allow_devices(cs, path, err);
}

/* Signals every member once; the number of them. */
static int kill_members(const char *dir, const char *path)
{
	AUTO(str) text = { 0 };
	struct sv rest, line;
	int64_t pid;
	int n = 0;

	if (cgroup_read_file(dir, path, "cgroup.procs", &text, NULL) < 0)
		return 0;
	rest = str_sv(&text);
	for (bool more = true; more;) {
		more = sv_cut(rest, '\n', &line, &rest);
		if (sv_to_i64(line, &pid) && pid > 0 && kill((pid_t)pid, SIGKILL) == 0)
			n++;
	}
	return n;
}

/* Frozen members cannot fork: after one round all have their signal. Without a freezer, until nobody is left to signal.
 */
static int kill_all(const struct cgroups *cs, const char *path, struct err *err)
{
	const char *freezer = cgroup_v1_dir(cs, "freezer"), *dir = freezer ? freezer : cs->v1[0].dir;
	int rounds = freezer ? 1 : KILL_ROUNDS;

	if (freezer && cgroup_write(freezer, path, "freezer.state", "FROZEN", NULL) < 0)
		return 0;               /* no such group: nobody to kill */
	while (rounds-- && kill_members(dir, path))
		;
	return freezer ? cgroup_write(freezer, path, "freezer.state", "THAWED", err) : 0;
}

static int remove_all(const struct cgroups *cs, const char *path, struct err *err)
{
	for (size_t i = 0; i < cs->n_v1; i++)
		if (cgroup_v1_used(cs, i))
			TRY(cgroup_rmdir(cs->v1[i].dir, path, err));
	return 0;
}

/* Memory is the working set: what the kernel could drop at once (inactive file pages) does not count. */
static int usage(const struct cgroups *cs, const char *path, int64_t *cpu_ns, int64_t *memory_bytes, struct err *err)
{
	const char *cpu = cgroup_v1_dir(cs, "cpuacct"), *memory = cgroup_v1_dir(cs, "memory");
	AUTO(str) ns = { 0 };
	AUTO(str) used = { 0 };
	AUTO(str) stat = { 0 };

	if (!cpu || !memory)
		return err_set(err, ERR_UNSUPPORTED, "usage needs the controllers cpuacct and memory");
	TRY(cgroup_read_file(cpu, path, "cpuacct.usage", &ns, err));
	TRY(cgroup_read_file(memory, path, "memory.usage_in_bytes", &used, err));
	TRY(cgroup_read_file(memory, path, "memory.stat", &stat, err));
	int64_t total = cgroup_number(str_sv(&used), NULL),
		inactive = cgroup_number(str_sv(&stat), "total_inactive_file");
	*cpu_ns = cgroup_number(str_sv(&ns), NULL);
	*memory_bytes = inactive > 0 && inactive < total ? total - inactive : total;
	return 0;
}

static void oom_events(const struct cgroups *cs, const char *path, struct str *file)
{
	const char *dir = cgroup_v1_dir(cs, "memory");

	if (dir)
		str_addf(file, "%s/%s/memory.oom_control", dir, path);
}

const struct cgroup_ops cgroup_v1 = { make, kill_all, remove_all, usage, oom_events };
