/* Starting the supervisor: a static program that is embedded here and runs from memory. */
#include "runtime/container/container-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* runtime/libraries.cmake builds it and says where it is. */
__asm__(".section .rodata\n"
	".global cd_supervisor_start\n.global cd_supervisor_end\n"
	"cd_supervisor_start:\n.incbin \"" CD_SUPERVISOR "\"\ncd_supervisor_end:\n"
	".previous\n");
extern const char cd_supervisor_start[], cd_supervisor_end[];

#define HIGH_FD 64      /* above every number that a supervisor is given */

/* Sealed: a container whose program is "#!/proc/self/exe" executes it, and must not be able to change it for the others.
 * Executed through a second, read-only descriptor: a file that is open for writing cannot be (ETXTBSY). */
int program_open(struct err *err)
{
	size_t n = (size_t)(cd_supervisor_end - cd_supervisor_start);
	AUTO_FD writable = memfd_create("cd-supervisor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char path[32];
	int high;

	if (writable < 0 || write(writable, cd_supervisor_start, n) != (ssize_t)n || fchmod(writable, 0500) ||
	    fcntl(writable, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		return err_errno(err, "put the supervisor into memory");
	snprintf(path, sizeof path, "/proc/self/fd/%d", writable);
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
	return high < 0 ? err_errno(err, "put the supervisor into memory") : high;
}

static int place(posix_spawn_file_actions_t *a, const struct spawn *sp, int *copies)
{
	for (int fd = FD_PLAN; fd < FD_N; fd++)
		if (sp->fds[fd] >= 0) {
			copies[fd] = fcntl(sp->fds[fd], F_DUPFD_CLOEXEC, HIGH_FD);
			if (copies[fd] < 0 || posix_spawn_file_actions_adddup2(a, copies[fd], fd))
				return -1;
		}
	for (int fd = 0; fd < FD_PLAN; fd++)
		if (posix_spawn_file_actions_addopen(a, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0))
			return -1;
	return 0;
}

static int spawn(const struct containers *cs, const struct spawn *sp, posix_spawn_file_actions_t *actions, pid_t *pid)
{
	posix_spawnattr_t attr;
	char path[32], *none[] = { NULL };
	sigset_t all;

	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &all);        /* a supervisor is ended by SIGKILL only; the clone unblocks */
	snprintf(path, sizeof path, "/proc/self/fd/%d", cs->program);
	errno = posix_spawn(pid, path, actions, &attr, (char *const *)sp->argv, none);
	posix_spawnattr_destroy(&attr);
	return errno ? -1 : 0;
}

int spawn_supervisor(const struct containers *cs, const struct spawn *sp, pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int copies[FD_N], r = 0;

	for (int i = 0; i < FD_N; i++)
		copies[i] = -1;
	posix_spawn_file_actions_init(&actions);
	if (place(&actions, sp, copies) || spawn(cs, sp, &actions, pid))
		r = err_errno(err, "start a supervisor");
	posix_spawn_file_actions_destroy(&actions);
	for (int i = 0; i < FD_N; i++)
		fd_close(&copies[i]);
	return r;
}
