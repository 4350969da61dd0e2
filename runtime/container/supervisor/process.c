/* Processes and the records about them. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

long child_start(struct child *ch, uint64_t flags, int cgroup_fd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&ch->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
	};
	long pid = sys(clone3, &args, sizeof args);

	if (pid > 0)
		ch->pid = (int)pid;
	return pid;
}

int child_wait(const struct child *ch)
{
	siginfo_t info;

	info.si_pid = 0;
	while (sys(waitid, P_PIDFD, ch->pidfd, &info, WEXITED, 0) == -EINTR)
		;
	return info.si_code == CLD_EXITED ? info.si_status & 255 : 128 + info.si_status;
}

uint64_t process_start_time(int pid)
{
	char path[32], stat[1024];
	struct text t = { path, 0, sizeof path - 1 };
	uint64_t ticks = 0;

	text_addc(&t, "/proc/");
	text_addu(&t, (uint64_t)pid, 0);
	text_addc(&t, "/stat");
	path[t.n] = 0;
	long fd = sys(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	long n = fd < 0 ? fd : sys(read, fd, stat, sizeof stat - 1);
	if (fd >= 0)
		sys(close, fd);
	if (n <= 0)
		return 0;
	stat[n] = 0;
	while (n && stat[n - 1] != ')')         /* the name, field 2, may hold anything */
		n--;
	for (int field = 2; field < 22 && stat[n]; n++)
		field += stat[n] == ' ';
	for (; stat[n] >= '0' && stat[n] <= '9'; n++)
		ticks = ticks * 10 + (uint64_t)(stat[n] - '0');
	return ticks;
}

int64_t now_ms(void)
{
	struct timespec t = { 0 };

	sys(clock_gettime, CLOCK_REALTIME, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Readers see no record or a whole one. Not synced: after a power cut nothing runs, and a missing record says so. */
int record_write(const char *name, const char *tmp, const char *text, size_t n)
{
	long fd = sys(openat, FD_DIR, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	long wrote = fd < 0 ? fd : sys(write, fd, text, n);

	if (fd >= 0)
		sys(close, fd);
	if (wrote < 0)
		return (int)wrote;
	return (size_t)wrote < n ? -ENOSPC : (int)sys(renameat2, FD_DIR, tmp, FD_DIR, name, 0);
}
