/* A container's spec as a plan: all defaults are decided here. */
#include "runtime/container/caps.h"
#include "runtime/container/container-internal.h"
#include "runtime/container/overlay.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define FILES_MAX 1048576
#define LAYERS_MAX 256

struct builder { struct str out; VEC(struct plan_step) steps; };

/* ---- parts of the file ---- */

static uint32_t add_text(struct builder *b, const char *s)
{
	uint32_t at = (uint32_t)b->out.n;

	if (!s)
		return 0;
	str_add(&b->out, (struct sv){ s, strlen(s) + 1 });
	return at;
}

static struct plan_array add_array(struct builder *b, const void *v, size_t n, size_t size)
{
	while (b->out.n % 8)
		str_add1(&b->out, '\0');
	struct plan_array a = { (uint32_t)b->out.n, (uint32_t)n };
	str_add(&b->out, (struct sv){ v, n * size });
	return a;
}

/* A list of strings; with a NULL slot after the last, as execve() wants it. */
static struct plan_array add_texts(struct builder *b, const char *const *v)
{
	VEC(plan_slot) slots = { 0 };
	struct plan_array a;

	for (; v && *v; v++)
		vec_push(&slots, ((plan_slot){ .offset = add_text(b, *v) }));
	vec_push(&slots, ((plan_slot){ .offset = 0 }));
	a = add_array(b, slots.v, slots.n, sizeof *slots.v);
	a.n--;
	vec_free(&slots);
	return a;
}

/* ---- the tree of every container ---- */

#define PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const struct { const char *target, *type, *data; unsigned flags, attributes; } base_mounts[] = {
	{ "/proc", "proc", NULL, PLAIN, 0 },
	{ "/dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME, 0 },
	{ "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC, 0 },
	{ "/dev/shm", "tmpfs", "mode=1777,size=65536k", PLAIN, 0 },
	{ "/dev/mqueue", "mqueue", NULL, PLAIN, 0 },
	{ "/sys", "sysfs", NULL, PLAIN, MOUNT_ATTR_RDONLY },
};
static const struct { const char *path; int major, minor; } base_devices[] = {
	{ "/dev/null", 1, 3 }, { "/dev/zero", 1, 5 }, { "/dev/full", 1, 7 }, { "/dev/random", 1, 8 },
	{ "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};
static const struct { const char *source, *target; } base_links[] = {
	{ "/proc/self/fd", "/dev/fd" }, { "/proc/self/fd/0", "/dev/stdin" }, { "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" }, { "pts/ptmx", "/dev/ptmx" },
};
static const char *const masked[] = {
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
	"/sys/firmware",
};
static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

#define EACH(i, table) for (size_t i = 0; i < sizeof(table) / sizeof *(table); i++)

static void add_mount(struct builder *b, const char *target, const char *type, const char *data, unsigned flags,
		      unsigned attributes)
{
	vec_push(&b->steps, ((struct plan_step){ .op = OP_MOUNT,
						 .target = add_text(b, target),
						 .type = add_text(b, type),
						 .data = add_text(b, data),
						 .flags = flags,
						 .attributes = attributes }));
}

static void add_device(struct builder *b, const char *path, mode_t mode, dev_t dev)
{
	vec_push(&b->steps, ((struct plan_step){ .op = OP_DEVICE, .target = add_text(b, path), .mode = mode,
		.dev = (uint32_t)((minor(dev) & 0xff) | major(dev) << 8 | (minor(dev) & ~0xffu) << 12) }));
}

/* A privileged container has the host's devices. Directories of /dev that are file systems of their own stay out. */
static void add_host_devices(struct builder *b, const char *dir, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		AUTO(str) path = { 0 };

		str_addf(&path, "%s/%s", dir, e->d_name);
		if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			add_device(b, str_c(&path), st.st_mode, st.st_rdev);
		else if (S_ISDIR(st.st_mode) && depth < 3 && !str_eq(e->d_name, "pts") && !str_eq(e->d_name, "shm"))
			add_host_devices(b, str_c(&path), depth + 1);
	}
	if (d)
		closedir(d);
}

/* Programs size themselves by the limits that they find here (memory, processors): read-only, from the cgroup
 * namespace. */
static void add_cgroup_mounts(struct builder *b, const struct cgroups *cs)
{
	if (cs->v2_limits) {
		add_mount(b, "/sys/fs/cgroup", "cgroup2", NULL, PLAIN, MOUNT_ATTR_RDONLY);
		return;
	}
	add_mount(b, "/sys/fs/cgroup", "tmpfs", "mode=755,size=64k", PLAIN, 0);
	for (size_t i = 0; i < cs->n_v1; i++) {
		AUTO(str) target = { 0 };

		str_addf(&target, "/sys/fs/cgroup/%s", cs->v1[i].controllers);
		if (cgroup_v1_used(cs, i))
			add_mount(b, str_c(&target), "cgroup", cs->v1[i].controllers, PLAIN, MOUNT_ATTR_RDONLY);
	}
}

static void add_base(struct builder *b, const struct containers *cs, const struct container_spec *s)
{
	EACH(i, base_mounts) {
		bool writable = s->privileged && base_mounts[i].attributes;

		add_mount(b, base_mounts[i].target, base_mounts[i].type, base_mounts[i].data, base_mounts[i].flags,
			  writable ? 0 : base_mounts[i].attributes);
	}
	EACH(i, base_devices)
		add_device(b, base_devices[i].path, S_IFCHR | 0666,
			   makedev(base_devices[i].major, base_devices[i].minor));
	if (s->privileged)
		add_host_devices(b, "/dev", 0);
	EACH(i, base_links)
		vec_push(&b->steps, ((struct plan_step){ .op = OP_LINK, .source = add_text(b, base_links[i].source),
							 .target = add_text(b, base_links[i].target) }));
	if (s->tty)
		vec_push(&b->steps, ((struct plan_step){ .op = OP_LINK, .source = add_text(b, "pts/0"),
							 .target = add_text(b, "/dev/console") }));
	add_cgroup_mounts(b, &cs->cgroups);
}

static void add_protection(struct builder *b)
{
	EACH(i, masked)
		vec_push(&b->steps, ((struct plan_step){ .op = OP_MASK, .target = add_text(b, masked[i]) }));
	EACH(i, read_only)
		vec_push(&b->steps, ((struct plan_step){ .op = OP_READ_ONLY, .target = add_text(b, read_only[i]),
							 .attributes = MOUNT_ATTR_RDONLY }));
}

/* ---- the mounts of the spec ---- */

static size_t depth_of(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += path[0] == '/' && path[1] && path[1] != '/';
	return n;
}

static int add_spec_mount(struct builder *b, const struct mount_spec *m, struct err *err)
{
	static const struct { const char *type; unsigned flags; } types[] = {
		{ "tmpfs", MS_NOSUID | MS_NODEV }, { "proc", PLAIN }, { "sysfs", PLAIN }, { "mqueue", PLAIN },
		{ "devpts", MS_NOSUID | MS_NOEXEC }, { "cgroup", PLAIN }, { "cgroup2", PLAIN },
	};
	unsigned attributes = m->read_only ? MOUNT_ATTR_RDONLY : 0;

	if (!m->target || m->target[0] != '/')
		return err_set(err, ERR_INVALID, "mount at \"%s\": the path must be absolute",
			       m->target ? m->target : "");
	if (str_eq(m->type, "bind")) {
		if (!m->source || m->source[0] != '/')
			return err_set(err, ERR_INVALID, "mount at \"%s\": its source \"%s\" must be an absolute path",
				       m->target, m->source ? m->source : "");
		vec_push(&b->steps, ((struct plan_step){ .op = OP_BIND,
							 .source = add_text(b, m->source),
							 .target = add_text(b, m->target),
							 .flags = m->recursive ? BIND_RECURSIVE : 0,
							 .attributes = attributes }));
		return 0;
	}
	EACH(i, types)
		if (str_eq(m->type, types[i].type)) {
			add_mount(b, m->target, m->type, m->data, types[i].flags, attributes);
			return 0;
		}
	return err_set(err, ERR_INVALID, "mount at \"%s\": there is no mount type \"%s\"", m->target,
		       m->type ? m->type : "");
}

/* A mount hides what was mounted below it before: the shallow ones come first, else in the order given. */
static int add_spec_mounts(struct builder *b, const struct container_spec *s, struct err *err)
{
	size_t done = 0;

	for (size_t depth = 0; done < s->n_mounts; depth++)
		for (size_t i = 0; i < s->n_mounts; i++)
			if (depth_of(s->mounts[i].target ? s->mounts[i].target : "") == depth) {
				TRY(add_spec_mount(b, &s->mounts[i], err));
				done++;
			}
	return 0;
}

/* ---- environment ---- */

static const char *env_get(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

static struct plan_array add_env(struct builder *b, const struct container_spec *s)
{
	VEC(const char *) env = { 0 };
	AUTO(str) host = { 0 };

	for (const char *const *e = s->env; e && *e; e++)
		vec_push(&env, *e);
	if (!env_get(s->env, "PATH"))
		vec_push(&env, "PATH=" PATH_DEFAULT);
	if (!env_get(s->env, "HOME"))
		vec_push(&env, s->uid ? "HOME=/" : "HOME=/root");
	if (s->tty && !env_get(s->env, "TERM"))
		vec_push(&env, "TERM=xterm");
	str_addf(&host, "HOSTNAME=%s", s->hostname ? s->hostname : "");
	if (s->hostname && !env_get(s->env, "HOSTNAME"))
		vec_push(&env, str_c(&host));
	vec_push(&env, NULL);
	struct plan_array a = add_texts(b, env.v);
	vec_free(&env);
	return a;
}

/* ---- namespaces, groups, limits ---- */

static uint32_t plan_flags(const struct container_spec *s)
{
	uint32_t f = s->pidns_fd >= 0 ? PLAN_JOIN_PID : s->host_pid ? 0 : PLAN_NEW_PID;

	f |= s->netns_fd >= 0 ? PLAN_JOIN_NET : s->host_net ? 0 : PLAN_NEW_NET;
	f |= s->ipcns_fd >= 0 ? PLAN_JOIN_IPC : s->host_ipc ? 0 : PLAN_NEW_IPC;
	f |= s->utsns_fd >= 0 ? PLAN_JOIN_UTS : PLAN_NEW_UTS;
	f |= s->read_only_root ? PLAN_READ_ONLY_ROOT : 0;
	f |= s->no_new_privs ? PLAN_NO_NEW_PRIVS : 0;
	f |= s->tty ? PLAN_TTY : 0;
	f |= overlay_takes_single_layers() ? PLAN_SINGLE_LAYERS : 0;
	f |= s->stdin_once ? PLAN_STDIN_ONCE : 0;
	return f | (s->stdin_open ? PLAN_STDIN_OPEN : 0);
}

static void add_cgroups(struct builder *b, struct plan *p, const struct cgroups *cs, const char *path)
{
	VEC(const char *) dirs = { 0 };
	AUTO(str) text = { 0 };

	for (size_t i = 0; i < cs->n_v1; i++)
		if (cgroup_v1_used(cs, i))
			vec_push(&dirs, str_fmt("%s/%s", cs->v1[i].dir, path));
	vec_push(&dirs, NULL);
	p->cgroups = add_texts(b, dirs.v);
	for (size_t i = 0; i < dirs.n; i++)
		free((char *)dirs.v[i]);
	vec_free(&dirs);
	p->cgroup = add_text(b, path);
	cgroup_oom_events(cs, path, &text);
	p->oom_events = text.n ? add_text(b, str_c(&text)) : 0;
	if (!cs->v2)
		return;
	str_cut(&text, 0);
	str_addf(&text, "%s/%s", cs->v2, path);
	p->cgroup_v2 = add_text(b, str_c(&text));
	str_addc(&text, "/cgroup.kill");
	p->cgroup_kill = add_text(b, str_c(&text));
}

/* Never above our own hard limit: raising it takes CAP_SYS_RESOURCE, which a container host need not have. */
static struct plan_array add_limits(struct builder *b)
{
	struct rlimit now = { FILES_MAX, FILES_MAX };
	struct plan_limit files = { .resource = RLIMIT_NOFILE };

	(void)getrlimit(RLIMIT_NOFILE, &now);
	files.soft = files.hard = now.rlim_max < FILES_MAX ? now.rlim_max : FILES_MAX;
	return add_array(b, &files, 1, sizeof files);
}

/* ---- the overlay ---- */

static int add_overlay(struct builder *b, struct plan *p, const struct container_spec *s, struct err *err)
{
	AUTO(str) options = { 0 };
	AUTO(str) path = { 0 };
	size_t n = 0;

	str_addc(&options, "volatile,redirect_dir=off,metacopy=off,upperdir=upper,workdir=work,lowerdir=");
	for (; s->layers && s->layers[n]; n++) {
		if (s->layers[n][0] != '/')
			return err_set(err, ERR_INVALID, "layer \"%s\" must be an absolute path", s->layers[n]);
		str_addf(&options, "%s%s", n ? ":" : "", s->layers[n]);
	}
	if (!n || n > LAYERS_MAX)
		return err_set(err, ERR_INVALID, "a container needs 1 to %d layers, not %zu", LAYERS_MAX, n);
	p->layers = add_texts(b, s->layers);
	p->overlay = add_text(b, str_c(&options));
	str_addf(&path, "%s/upper", s->dir);
	p->upper = add_text(b, str_c(&path));
	str_cut(&path, 0);
	str_addf(&path, "%s/work", s->dir);
	p->work = add_text(b, str_c(&path));
	return 0;
}

/* ---- all of it ---- */

static int check(const struct container_spec *s, struct err *err)
{
	if (!s->argv || !s->argv[0] || !s->argv[0][0])
		return err_set(err, ERR_INVALID,
			       "the container has no command: neither its image nor its spec names one");
	if (!s->dir || s->dir[0] != '/')
		return err_set(err, ERR_INVALID, "the state directory \"%s\" must be absolute", s->dir ? s->dir : "");
	if (!s->cgroup || !s->cgroup[0] || s->cgroup[0] == '/' || strstr(s->cgroup, ".."))
		return err_set(err, ERR_INVALID, "\"%s\" is not a control group path", s->cgroup ? s->cgroup : "");
	if (s->cwd && s->cwd[0] && s->cwd[0] != '/')
		return err_set(err, ERR_INVALID, "working directory \"%s\": must be an absolute path", s->cwd);
	return 0;
}

static int build(struct builder *b, struct plan *p, const struct containers *cs, const struct container_spec *s,
		 struct sv seccomp, struct err *err)
{
	const char *path = env_get(s->env, "PATH");

	TRY(caps_for(s, &p->caps, err));
	TRY(add_overlay(b, p, s, err));
	p->flags = plan_flags(s);
	p->id = add_text(b, s->id);
	p->dir = add_text(b, s->dir);
	p->log = add_text(b, s->log_path);
	p->log_max = s->log_max;
	p->hostname = add_text(b, s->hostname);
	p->cwd = add_text(b, s->cwd && s->cwd[0] ? s->cwd : "/");
	p->path = add_text(b, path ? path : PATH_DEFAULT);
	p->oom_score_adj = s->oom_score_adj;
	p->uid = s->uid;
	p->gid = s->gid;
	p->argv = add_texts(b, s->argv);
	p->env = add_env(b, s);
	p->groups = add_array(b, s->groups, s->n_groups, sizeof *s->groups);
	p->seccomp = add_array(b, seccomp.p, seccomp.n / sizeof(struct sock_filter), sizeof(struct sock_filter));
	p->limits = add_limits(b);
	add_cgroups(b, p, &cs->cgroups, s->cgroup);
	add_base(b, cs, s);
	TRY(add_spec_mounts(b, s, err));
	if (!s->privileged)
		add_protection(b);
	p->steps = add_array(b, b->steps.v, b->steps.n, sizeof *b->steps.v);
	return 0;
}

int plan_build(struct containers *cs, const struct container_spec *s, struct sv seccomp, struct str *out,
	       struct err *err)
{
	struct plan p = { .magic = PLAN_MAGIC };
	struct builder b = { 0 };

	TRY(check(s, err));
	str_add(&b.out, (struct sv){ (const char *)&p, sizeof p });     /* the place; filled in at the end */
	int r = build(&b, &p, cs, s, seccomp, err);
	p.size = (uint32_t)b.out.n;
	vec_free(&b.steps);
	if (r >= 0 && b.out.n > PLAN_MAX)
		r = err_set(err, ERR_TOO_LARGE, "arguments, environment and mounts are larger than %u bytes", PLAN_MAX);
	if (r >= 0) {
		memcpy(b.out.p, &p, sizeof p);
		str_move(out, &b.out);
	}
	str_free(&b.out);
	return r < 0 ? r : 0;
}

struct plan *plan_check(struct str *text)
{
	struct plan *p = (struct plan *)(void *)text->p;

	return text->n >= sizeof *p && p->magic == PLAN_MAGIC && p->size == text->n && p->cgroup < p->size ? p : NULL;
}
