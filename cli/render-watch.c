/* `cd render --watch`: renders again when something changes that was read. */
#include "cli/render.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SETTLE_MS 30            /* an editor writes a file in several steps */
#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB)

/* The directories of everything that was asked for; one that is absent is watched by its parent. */
static void watch_dirs(int fd, const struct vfs_reads *reads)
{
	struct sv dir, name;
	AUTO(str) path = { 0 };

	for (size_t i = 0; i < reads->n; i++) {
		str_cut(&path, 0);
		str_addf(&path, "/%s", reads->paths[i]);
		if (inotify_add_watch(fd, str_c(&path), EVENTS | IN_ONLYDIR) >= 0)
			continue;
		sv_cut_last(str_sv(&path), '/', &dir, &name);
		str_cut(&path, dir.n);
		(void)inotify_add_watch(fd, path.n ? str_c(&path) : "/", EVENTS);      /* a directory that is gone says nothing */
	}
}

static int drain(int fd, int timeout_ms, struct err *err)
{
	char buf[4096];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, timeout_ms);

	if (n > 0 && read(fd, buf, sizeof(buf)) < 0)
		return err_errno(err, "watch");
	return n;
}

static int wait_for_change(struct vfs *v, const struct vfs_reads *reads, struct err *err)
{
	AUTO_FD fd = inotify_init1(IN_CLOEXEC);
	int n;

	if (fd < 0)
		return err_errno(err, "watch");
	watch_dirs(fd, reads);
	/* What changed before the watches stood is seen here; what comes later wakes us. */
	while (!vfs_reads_changed(reads, v)) {
		TRY(drain(fd, -1, err));
		do
			TRY(n = drain(fd, SETTLE_MS, err));
		while (n);
	}
	return 0;
}

int render_watch(struct vfs *v, int (*again)(void *arg, struct vfs *traced), void *arg, struct err *err)
{
	for (;;) {
		struct vfs *traced = vfs_trace(v);
		AUTO(vfs_reads) reads = { 0 };

		(void)again(arg, traced);       /* an error was printed, and the next change may mend it */
		vfs_trace_take(traced, &reads);
		vfs_free(traced);
		TRY(wait_for_change(v, &reads, err));
	}
}
