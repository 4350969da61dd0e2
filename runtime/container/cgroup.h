/* runtime/container/cgroup.h - control groups: v1, v2, or both at once, behind one interface.
 *
 * What limits (cpu, memory, pids, devices) and what the life cycle needs (kill, events) may live in different
 * hierarchies: in hybrid mode the limits are v1's and the life cycle is v2's. A path is relative: "cd/pod.../name"
 * names one group in every hierarchy that is used. Files of the kernel: no function blocks on anything slower. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "runtime/container/container.h"

#define CGROUP_V1_MAX 8

struct cgroups {                        /* what this machine has mounted */
	struct { char *dir, *controllers; } v1[CGROUP_V1_MAX];  /* "/sys/fs/cgroup/memory", "memory" */
	size_t n_v1;
	char *v2;                       /* NULL: not mounted */
	bool v2_limits;                 /* its controllers are v2's: there is no v1 */
};

/* From the text of /proc/self/mountinfo. ERR_UNSUPPORTED: no control groups at all. */
MUST_CHECK int cgroups_read(struct cgroups *cs, struct sv mountinfo, struct err *err);
void cgroups_free(struct cgroups *cs);

/* One implementation a version. Every function works on the group `path` in the hierarchies of its version. */
struct cgroup_ops {
	int (*make)(const struct cgroups *cs, const char *path, const struct resources *rs, bool all_devices,
		    struct err *err);
	int (*kill)(const struct cgroups *cs, const char *path, struct err *err);       /* SIGKILL to all members */
	/* ERR_BUSY: still has members */
	int (*remove)(const struct cgroups *cs, const char *path, struct err *err);
	int (*usage)(const struct cgroups *cs, const char *path, int64_t *cpu_ns, int64_t *memory_bytes,
		     struct err *err);
	/* with a line "oom_kill N" */
	void (*oom_events)(const struct cgroups *cs, const char *path, struct str *file);
};
extern const struct cgroup_ops cgroup_v1, cgroup_v2;

MUST_CHECK int cgroup_make(const struct cgroups *cs, const char *path, const struct resources *rs, bool all_devices,
			   struct err *err);
int cgroup_kill(const struct cgroups *cs, const char *path, struct err *err);
/* empty parents go too */
MUST_CHECK int cgroup_remove(const struct cgroups *cs, const char *path, struct err *err);
int cgroup_usage(const struct cgroups *cs, const char *path, int64_t *cpu_ns, int64_t *memory_bytes, struct err *err);
void cgroup_oom_events(const struct cgroups *cs, const char *path, struct str *file);
const char *cgroup_v1_dir(const struct cgroups *cs, const char *controller);     /* NULL: not mounted */
bool cgroup_v1_used(const struct cgroups *cs, size_t i);        /* hierarchies that containers are put into */

/* Shared by both versions. */
MUST_CHECK int cgroup_write(const char *dir, const char *path, const char *file, const char *value, struct err *err);
MUST_CHECK int cgroup_read_file(const char *dir, const char *path, const char *file, struct str *out, struct err *err);
/* "key N" on a line of its own; key NULL: the first; -1: none */
int64_t cgroup_number(struct sv text, const char *key);
MUST_CHECK int cgroup_mkdir(const char *dir, const char *path, struct err *err);        /* with parents */
MUST_CHECK int cgroup_rmdir(const char *dir, const char *path, struct err *err);        /* empty parents too */

/* Devices that every container may use; all may be made (mknod), which is harmless without the right to open them. */
struct cgroup_device { char type; int major, minor; const char *access; };      /* -1: any */
extern const struct cgroup_device cgroup_devices[];
extern const size_t cgroup_devices_n;
