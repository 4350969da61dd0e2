/* runtime/volume/volume.h - a pod's volumes on disk: first a plan, read off the pod on the loop, then work, done in
 * a job.
 *
 * Below DIR (one a pod): DIR/volumes/NAME, and DIR/subpaths/CONTAINER-N. ConfigMaps, Secrets and the like lie behind
 * a link ..data that is swapped when they change: a program sees all old files or all new ones. Secrets and
 * emptyDirs of medium Memory are tmpfs. */
#pragma once

#include <sys/types.h>
#include "base/vec.h"
#include "runtime/volume/downward.h"

struct volume_file { char *path; struct str data; mode_t mode; };

enum volume_type { VOLUME_FILES, VOLUME_EMPTY, VOLUME_HOST };

struct volume_plan {
	char *name;
	enum volume_type type;
	bool memory;                            /* on tmpfs */
	int64_t size_bytes;                     /* of a tmpfs; 0: the kernel's default */
	char *host_path, *host_type;            /* VOLUME_HOST: "", "Directory", "FileOrCreate" ... */
	VEC(struct volume_file) files;
	/* a ConfigMap, Secret or key that is not there yet: "configmap \"x\" not found" */
	char *missing;
};

struct volume_plans { struct volume_plan *v; size_t n, cap; };

/* How volumes see the cluster: an object of the pod's namespace, or NULL. kind: "ConfigMap", "Secret". */
struct volume_lookup {
	const struct node *(*get)(void *arg, const char *kind, const char *name);
	void *arg;
	/* A token of the pod's service account for an audience ("" : the API); NULL: there is none. May be NULL */
	const struct str *(*token)(void *arg, const char *audience, int64_t seconds);
};

/* All volumes of the pod. ERR_NOT_FOUND: one refers to what is not there yet (plan->missing says it); ERR_INVALID:
 * one is not offered or wrong. */
MUST_CHECK int volumes_plan(const struct pod_facts *f, const struct volume_lookup *l, struct volume_plans *out,
	struct err *err);
void volume_plans_free(struct volume_plans *p);
/* some volume shows this object */
bool volumes_refer(const struct node *pod, const char *kind, const char *name);

/* ---- work: blocks; in a job ---- */
struct volume_owner { bool set; gid_t gid; };   /* fsGroup */
/* Makes what is missing, and brings files up to date; idempotent. */
MUST_CHECK int volumes_make(const char *dir, const struct volume_plans *p, struct volume_owner owner, struct err *err);
/* Where a plan's volume lies on this machine. */
void volume_path(const char *dir, const struct volume_plan *p, struct str *out);
/* Binds root/sub, resolved without ever leaving root, onto DIR/subpaths/NAME, which is made; its path goes to out. A
 * sub that is missing is made as a directory. */
MUST_CHECK int volume_subpath(const char *dir, const char *name, const char *root, const char *sub, struct str *out,
	struct err *err);
/* Unmounts and removes everything below DIR/volumes and DIR/subpaths; hostPaths are left as they are. Absent is
 * fine. */
MUST_CHECK int volumes_remove(const char *dir, struct err *err);
