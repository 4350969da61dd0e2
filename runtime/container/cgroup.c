#include "runtime/container/cgroup.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64 << 10)

const struct cgroup_device cgroup_devices[] = {
	{ 'c', -1, -1, "m" }, { 'b', -1, -1, "m" },
	{ 'c', 1, 3, "rwm" }, { 'c', 1, 5, "rwm" }, { 'c', 1, 7, "rwm" }, { 'c', 1, 8, "rwm" }, { 'c', 1, 9, "rwm" },
	{ 'c', 5, 0, "rwm" }, { 'c', 5, 2, "rwm" }, { 'c', 136, -1, "rwm" },
};
const size_t cgroup_devices_n = sizeof cgroup_devices / sizeof *cgroup_devices;

/* ---- what is mounted ---- */

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

/* Mount points have space, tab, newline and backslash as three octal digits. */
static char *unescape(struct sv s)
{
	struct str out = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		const char *p = s.p + i;
		bool escaped = *p == '\\' && i + 3 < s.n && is_octal(p + 1);

		str_add1(&out, escaped ? (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')) : *p);
		i += escaped ? 3 : 0;
	}
	return str_take(&out);
}

static bool is_controller(struct sv name)
{
	static const char *const known[] = {
		"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (sv_eq_c(name, known[i]))
			return true;
	return false;
}

/* The controllers among a v1 mount's super options ("rw,cpu,cpuacct"). */
static char *controllers_of(struct sv options)
{
	struct str out = { 0 };
	struct sv one;

	for (bool more = true; more;) {
		more = sv_cut(options, ',', &one, &options);
		if (is_controller(one))
			str_addf(&out, "%s" SV_FMT, out.n ? "," : "", SV_ARG(one));
	}
	return str_take(&out);
}

static void read_mount(struct cgroups *cs, struct sv line)
{
	struct sv field[5], rest = line, type, options, ignored;

	for (size_t i = 0; i < 5; i++)          /* ... the fifth field is where it is mounted */
		if (!sv_cut(rest, ' ', &field[i], &rest))
			return;
	while (sv_cut(rest, ' ', &type, &rest) && !sv_eq_c(type, "-"))
		;
	if (!sv_cut(rest, ' ', &type, &rest) || !sv_cut(rest, ' ', &ignored, &options))
		return;
	if (sv_eq_c(type, "cgroup2") && !cs->v2)
		cs->v2 = unescape(field[4]);
	if (!sv_eq_c(type, "cgroup") || cs->n_v1 == CGROUP_V1_MAX)
		return;
	char *controllers = controllers_of(options);
	if (!*controllers || cgroup_v1_dir(cs, controllers)) {
		free(controllers);
		return;
	}
	cs->v1[cs->n_v1].dir = unescape(field[4]);
	cs->v1[cs->n_v1++].controllers = controllers;
}

int cgroups_read(struct cgroups *cs, struct sv mountinfo, struct err *err)
{
	struct sv line;

	*cs = (struct cgroups){ 0 };
	for (bool more = true; more;) {
		more = sv_cut(mountinfo, '\n', &line, &mountinfo);
		read_mount(cs, line);
	}
	cs->v2_limits = cs->v2 && !cgroup_v1_dir(cs, "memory");
	if (!cs->v2 && !cs->n_v1)
		return err_set(err, ERR_UNSUPPORTED, "no control groups are mounted: mount cgroup2 at /sys/fs/cgroup");
	return 0;
}

void cgroups_free(struct cgroups *cs)
{
	for (size_t i = 0; i < cs->n_v1; i++) {
		free(cs->v1[i].dir);
		free(cs->v1[i].controllers);
	}
	free(cs->v2);
	*cs = (struct cgroups){ 0 };
}

const char *cgroup_v1_dir(const struct cgroups *cs, const char *controller)
{
	for (size_t i = 0; i < cs->n_v1; i++) {
		struct sv rest = sv_c(cs->v1[i].controllers), one;

		for (bool more = true; more;) {
			more = sv_cut(rest, ',', &one, &rest);
			if (sv_eq_c(one, controller))
				return cs->v1[i].dir;
		}
	}
	return NULL;
}

/* A new cpuset group has no processors, so nothing could enter it; blkio has nothing to limit. The freezer is needed
 * only where v2 cannot kill a group at once. */
bool cgroup_v1_used(const struct cgroups *cs, size_t i)
{
	const char *c = cs->v1[i].controllers;

	return !str_eq(c, "cpuset") && !str_eq(c, "blkio") && !(str_eq(c, "freezer") && cs->v2);
}

/* ---- files ---- */

int cgroup_write(const char *dir, const char *path, const char *file, const char *value, struct err *err)
{
	AUTO(str) name = { 0 };

	str_addf(&name, "%s/%s/%s", dir, path, file);
	AUTO_FD fd = open(str_c(&name), O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_errno(err, "write '%s' to '%s'", value, str_c(&name));
	return 0;
}

int cgroup_read_file(const char *dir, const char *path, const char *file, struct str *out, struct err *err)
{
	AUTO(str) name = { 0 };

	str_addf(&name, "%s/%s/%s", dir, path, file);
	return file_read(str_c(&name), FILE_MAX, out, err);
}

int64_t cgroup_number(struct sv text, const char *key)
{
	struct sv line, name, value;
	int64_t n;

	for (bool more = true; more;) {
		more = sv_cut(text, '\n', &line, &text);
		if (!key)
			return sv_to_i64(sv_trim(line), &n) ? n : -1;
		if (sv_cut(line, ' ', &name, &value) && sv_eq_c(name, key))
			return sv_to_i64(sv_trim(value), &n) ? n : -1;
	}
	return -1;
}

/* Another thread may remove an empty parent in between: then from the start. */
int cgroup_mkdir(const char *dir, const char *path, struct err *err)
{
	AUTO(str) name = { 0 };
	int r = -1;

	for (int tries = 0; tries < 10 && r; tries++) {
		str_cut(&name, 0);
		str_addf(&name, "%s/", dir);
		r = 0;
		for (const char *at = path; *at && !r; at += strspn(at, "/")) {
			size_t n = strcspn(at, "/");

			str_addf(&name, "/%.*s", (int)n, at);
			at += n;
			if (mkdir(str_c(&name), 0755) && errno != EEXIST)
				r = -1;
		}
		if (r && errno != ENOENT)
			break;
	}
	return r ? err_errno(err, "create the control group '%s/%s'", dir, path) : 0;
}

int cgroup_rmdir(const char *dir, const char *path, struct err *err)
{
	AUTO(str) name = { 0 };
	char *slash;

	str_addf(&name, "%s/%s", dir, path);
	if (rmdir(str_c(&name)) && errno != ENOENT)
		return errno == EBUSY ? err_set(err, ERR_BUSY, "the control group '%s' still has members", str_c(&name))
				      : err_errno(err, "remove the control group '%s'", str_c(&name));
	while ((slash = strrchr(name.p + strlen(dir) + 1, '/'))) {
		*slash = '\0';
		if (rmdir(name.p))
			break;          /* others are below it */
	}
	return 0;
}

/* ---- both versions ---- */

int cgroup_make(const struct cgroups *cs, const char *path, const struct resources *rs, bool all_devices,
		struct err *err)
{
	if (cs->n_v1)
		TRY(cgroup_v1.make(cs, path, rs, all_devices, err));
	return cs->v2 ? cgroup_v2.make(cs, path, rs, all_devices, err) : 0;
}

int cgroup_kill(const struct cgroups *cs, const char *path, struct err *err)
{
	return (cs->v2 ? &cgroup_v2 : &cgroup_v1)->kill(cs, path, err);
}

int cgroup_remove(const struct cgroups *cs, const char *path, struct err *err)
{
	if (cs->v2)
		TRY(cgroup_v2.remove(cs, path, err));
	return cs->n_v1 ? cgroup_v1.remove(cs, path, err) : 0;
}

int cgroup_usage(const struct cgroups *cs, const char *path, int64_t *cpu_ns, int64_t *memory_bytes, struct err *err)
{
	return (cs->v2_limits ? &cgroup_v2 : &cgroup_v1)->usage(cs, path, cpu_ns, memory_bytes, err);
}

void cgroup_oom_events(const struct cgroups *cs, const char *path, struct str *file)
{
	(cs->v2_limits ? &cgroup_v2 : &cgroup_v1)->oom_events(cs, path, file);
}
