/* The container's tree: an overlay, pivot_root into it, then the plan's steps, whose paths can no longer leave it. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/mount.h>

#ifndef MOVE_MOUNT_T_EMPTY_PATH
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#endif

/* ---- the overlay ---- */

static long overlay_option(long fs, const char *key, const char *value)
{
	return sys(fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* One option a layer: see overlay.h. */
static long overlay_open(struct plan *p)
{
	const plan_slot *layers = PLAN_AT(p, p->layers, plan_slot);
	long fs = sys(fsopen, "overlay", FSOPEN_CLOEXEC), r = fs < 0 ? fs : 0;

	for (uint32_t i = 0; i < p->layers.n && r >= 0; i++)
		r = overlay_option(fs, "lowerdir+", layers[i].text);
	if (r >= 0)
		r = overlay_option(fs, "upperdir", PLAN_TEXT(p, p->upper));
	if (r >= 0)
		r = overlay_option(fs, "workdir", PLAN_TEXT(p, p->work));
	if (r >= 0)     /* plain files and directories in upper, whatever the kernel's defaults: a build packs them */
		r = overlay_option(fs, "redirect_dir", "off");
	if (r >= 0)
		r = overlay_option(fs, "metacopy", "off");
	if (r >= 0)     /* the upper directory never outlives the container: nothing in it needs a sync */
		r = sys(fsconfig, fs, FSCONFIG_SET_FLAG, "volatile", 0, 0);
	if (r >= 0)
		r = sys(fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
	if (r >= 0)
		r = sys(fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (fs >= 0)
		sys(close, fs);
	return r;
}

/* Mounts the root at DIR/rootfs and leaves the working directory in it. DIR by its path: a descriptor from before the
 * clone belongs to the host's mount namespace, where nothing may be mounted from here. */
static void mount_root(struct context *c)
{
	long r = sys(chdir, PLAN_TEXT(c->plan, c->plan->dir)), tree = -1;

	if (r >= 0 && c->plan->flags & PLAN_SINGLE_LAYERS) {
		r = tree = overlay_open(c->plan);
		if (r >= 0)
			r = sys(move_mount, tree, "", AT_FDCWD, "rootfs", MOVE_MOUNT_F_EMPTY_PATH);
	} else if (r >= 0) {
		r = sys(mount, "overlay", "rootfs", "overlay", 0, PLAN_TEXT(c->plan, c->plan->overlay));
	}
	if (r >= 0)
		r = sys(chdir, "rootfs");
	if (r < 0)
		init_fail(c, STAGE_OVERLAY, 0, r);
	if (tree >= 0)
		sys(close, tree);
}

/* ---- bind sources, while the host's tree is still there ---- */

static long set_attributes(long dir, const char *path, const struct plan_step *s, uint64_t propagation)
{
	struct mount_attr attr = { .attr_set = s->attributes, .propagation = propagation };
	unsigned flags = AT_EMPTY_PATH | (s->op == OP_BIND && s->flags & BIND_RECURSIVE ? AT_RECURSIVE : 0);

	return sys(mount_setattr, dir, path, flags, &attr, sizeof attr);
}

static void open_sources(struct context *c)
{
	struct plan_step *steps = PLAN_AT(c->plan, c->plan->steps, struct plan_step);

	for (uint32_t i = 0; i < c->plan->steps.n; i++) {
		struct plan_step *s = &steps[i];
		unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
		long fd;

		if (s->op != OP_BIND)
			continue;
		if (s->flags & BIND_RECURSIVE)
			flags |= AT_RECURSIVE;
		fd = sys(open_tree, AT_FDCWD, PLAN_TEXT(c->plan, s->source), flags);
		if (fd >= 0) {
			long r = set_attributes(fd, "", s, MS_PRIVATE);
			if (r < 0)
				init_fail(c, STAGE_SOURCE, i, r);
		}
		if (fd < 0)
			init_fail(c, STAGE_SOURCE, i, fd);
		s->tree = (int32_t)fd;
	}
}

/* ---- the steps ---- */

/* Makes the directories above a path, and the path too when last is set. */
static long make_dirs(char *path, bool last, uint32_t mode)
{
	long r = 0;

	for (char *at = path + 1; *path && *at && (!r || r == -EEXIST); at++)
		if (*at == '/') {
			*at = 0;
			r = sys(mkdirat, AT_FDCWD, path, 0755);
			*at = '/';
		}
	if (last && (!r || r == -EEXIST))
		r = sys(mkdirat, AT_FDCWD, path, mode ? mode : 0755);
	return r == -EEXIST ? 0 : r;
}

static long is_dir(long fd, bool *dir)
{
	struct statx st = { 0 };
	long r = sys(statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);

	*dir = (st.stx_mode & 0170000) == 0040000;
	return r;
}

static long bind_tree(struct plan *p, struct plan_step *s)
{
	char *target = PLAN_TEXT(p, s->target);
	bool dir = true;
	long r = is_dir(s->tree, &dir);

	if (r >= 0)
		r = make_dirs(target, dir, 0);
	if (r >= 0 && !dir) {
		r = sys(openat, AT_FDCWD, target, O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
		if (r >= 0)
			sys(close, r);
		else if (r != -EISDIR)
			r = 0;          /* what cannot be opened may still be there: the mount itself says */
	}
	if (r >= 0)
		r = sys(move_mount, s->tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
	sys(close, s->tree);
	return r;
}

static long mount_new(struct plan *p, struct plan_step *s)
{
	char *target = PLAN_TEXT(p, s->target);
	long r = make_dirs(target, true, s->mode);

	if (r >= 0)
		r = sys(mount, PLAN_TEXT(p, s->type), target, PLAN_TEXT(p, s->type), s->flags, PLAN_TEXT(p, s->data));
	if (r >= 0 && s->attributes)    /* on this mount only: the file system may be shared (sysfs, cgroup) */
		r = set_attributes(AT_FDCWD, target, s, 0);
	return r;
}

static long make_device(struct plan *p, struct plan_step *s)
{
	char *target = PLAN_TEXT(p, s->target);
	long r = make_dirs(target, false, 0);

	if (r >= 0)
		r = sys(mknodat, AT_FDCWD, target, s->mode, s->dev);
	return r == -EEXIST ? 0 : r;
}

static long make_link(struct plan *p, struct plan_step *s)
{
	long r = sys(symlinkat, PLAN_TEXT(p, s->source), AT_FDCWD, PLAN_TEXT(p, s->target));

	return r == -EEXIST ? 0 : r;
}

static long mask(struct plan *p, struct plan_step *s)
{
	const char *target = PLAN_TEXT(p, s->target);
	long r = sys(mount, "/dev/null", target, 0, MS_BIND, 0);

	if (r == -ENOTDIR)
		r = sys(mount, "tmpfs", target, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			"size=0,nr_inodes=1");
	return r == -ENOENT ? 0 : r;
}

static long make_read_only(struct plan *p, struct plan_step *s)
{
	const char *target = PLAN_TEXT(p, s->target);
	long r = sys(mount, target, target, 0, MS_BIND | MS_REC, 0);

	if (r >= 0)
		r = set_attributes(AT_FDCWD, target, s, 0);
	return r == -ENOENT ? 0 : r;
}

static void run_steps(struct context *c)
{
	static long (*const ops[])(struct plan *, struct plan_step *) = {
		[OP_MOUNT] = mount_new, [OP_BIND] = bind_tree, [OP_DEVICE] = make_device, [OP_LINK] = make_link,
		[OP_MASK] = mask, [OP_READ_ONLY] = make_read_only,
	};
	struct plan_step *steps = PLAN_AT(c->plan, c->plan->steps, struct plan_step);

	for (uint32_t i = 0; i < c->plan->steps.n; i++) {
		long r = ops[steps[i].op](c->plan, &steps[i]);

		if (r < 0)
			init_fail(c, STAGE_STEP, i, r);
	}
}

void init_cwd(struct context *c)
{
	char *cwd = PLAN_TEXT(c->plan, c->plan->cwd);
	long r = sys(chdir, cwd);

	char reached[4096];

	if (r == -ENOENT && (r = make_dirs(cwd, true, 0)) >= 0)
		r = sys(chdir, cwd);
	if (r >= 0)
		r = sys(getcwd, reached, sizeof reached);
	if (r >= 0 && reached[0] != '/')        /* "(unreachable)": some link led out of the root */
		r = -EXDEV;
	if (r < 0)
		init_fail(c, STAGE_CWD, 0, r);
}

void init_root(struct context *c)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	long r = sys(mount, "", "/", 0, MS_REC | MS_PRIVATE, 0);

	if (r < 0)
		init_fail(c, STAGE_NAMESPACE, 4, r);
	open_sources(c);
	mount_root(c);
	if ((r = sys(pivot_root, ".", ".")) < 0 || (r = sys(umount2, ".", MNT_DETACH)) < 0 || (r = sys(chdir, "/")) < 0)
		init_fail(c, STAGE_PIVOT, 0, r);
	sys(umask, 0);
	run_steps(c);
	sys(umask, 022);
	init_cwd(c);
	if (c->plan->flags & PLAN_READ_ONLY_ROOT &&
	    (r = sys(mount_setattr, AT_FDCWD, "/", 0, &read_only, sizeof read_only)) < 0)
		init_fail(c, STAGE_ROOT, 0, r);
}
