#include "base/proc.h"
#include "base/fiber.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The child leads a process group of its own. It is reaped only by proc_free(), so that its number cannot come to mean
 * another process while this struct lives. */
struct proc { pid_t pid; int pidfd; bool ended; int status; };

/* Descriptors 0 to 2 of the caller are moved up first: placing one must not overwrite the next. */
static int place(posix_spawn_file_actions_t *a, int fd, int as, int *copy)
{
	if (fd < 0)
		return posix_spawn_file_actions_addopen(a, as, "/dev/null", as ? O_WRONLY : O_RDONLY, 0);
	if (fd <= 2 && fd != as) {
		*copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (*copy < 0)
			return errno;
		fd = *copy;
	}
	return posix_spawn_file_actions_adddup2(a, fd, as);
}

static int spawn(const struct proc_opts *o, pid_t *pid)
{
	AUTO_FD in = -1;
	AUTO_FD out = -1;
	AUTO_FD errors = -1;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int r;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	r = place(&actions, o->in, 0, &in);
	if (!r)
		r = place(&actions, o->out, 1, &out);
	if (!r)
		r = place(&actions, o->err, 2, &errors);
	if (!r)
		r = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (!r && o->dir)
		r = posix_spawn_file_actions_addchdir_np(&actions, o->dir);
	if (!r)
		r = posix_spawnp(pid, o->argv[0], &actions, &attr, (char *const *)o->argv,
				 o->env ? (char *const *)o->env : environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return r;
}

struct proc *proc_start(const struct proc_opts *o, struct err *err)
{
	struct proc *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	errno = spawn(o, &p->pid);
	if (errno) {
		free(p);
		(void)err_errno(err, "start '%s'%s%s", o->argv[0], o->dir ? " in " : "", o->dir ? o->dir : "");
		return NULL;
	}
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);     /* close-on-exec by itself */
	if (p->pidfd < 0) {
		(void)err_errno(err, "start '%s': pidfd_open", o->argv[0]);
		proc_free(&p);
	}
	return p;
}

pid_t proc_pid(const struct proc *p) { return p->pid; }

/* True once the child has ended; it stays to be reaped. */
static bool look(struct proc *p, int flags)
{
	siginfo_t info = { 0 };

	if (p->ended)
		return true;
	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOWAIT | flags) || !info.si_pid)
		return false;
	p->ended = true;
	p->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return true;
}

static void wake(void *arg, short events)
{
	(void)events;
	fiber_wake(arg);
}

int proc_wait(struct proc *p)
{
	int r = 0;

	if (look(p, WNOHANG))
		return p->status;
	struct poller *poll = poller_start(fiber_loop(), p->pidfd, POLLIN, wake, fiber_self());
	while (!r && !look(p, WNOHANG))
		r = fiber_park();
	poller_stop(&poll);
	return r ? r : p->status;
}

void proc_kill(struct proc *p, int signo)
{
	(void)kill(-p->pid, signo);     /* nobody left in the group: as wanted */
}

static void await_end(void *arg)
{
	while (!look(arg, 0) && errno == EINTR)
		;
}

void proc_free(struct proc **pp)
{
	struct proc *p = TAKE(*pp);

	if (!p)
		return;
	proc_kill(p, SIGKILL);
	if (!look(p, WNOHANG) && fiber_self())
		fiber_job(await_end, p);
	await_end(p);
	(void)waitpid(p->pid, NULL, 0);
	fd_close(&p->pidfd);
	free(p);
}

/* ---- run to the end ---- */

struct run;

struct flow {                           /* one pipe between us and the child */
	struct run *run;
	int fd;
	struct poller *poll;
	struct str *to;                 /* collects here */
	bool overflow;
};

struct run { struct fiber *fiber; struct sv input; size_t max; struct flow in, out, err; };

static void flow_close(struct flow *f)
{
	poller_stop(&f->poll);
	fd_close(&f->fd);
	fiber_wake(f->run->fiber);
}

/* One piece; false: there is nothing more now. */
static bool flow_read(struct flow *f)
{
	char buf[8192];
	ssize_t n = read(f->fd, buf, sizeof buf);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		flow_close(f);
		return false;
	}
	size_t room = f->to ? f->run->max - f->to->n : (size_t)n;
	f->overflow |= (size_t)n > room;
	if (f->to)
		str_add(f->to, (struct sv){ buf, (size_t)n < room ? (size_t)n : room });
	if (f->overflow)
		fiber_wake(f->run->fiber);
	return true;
}

static void on_readable(void *arg, short events)
{
	(void)events;
	(void)flow_read(arg);
}

static void on_writable(void *arg, short events)
{
	struct flow *f = arg;
	struct sv *input = &f->run->input;
	ssize_t n = write(f->fd, input->p, input->n);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		*input = sv_drop(*input, (size_t)n);
	if (n < 0 || !input->n)         /* a child that does not read all of its input is not an error */
		flow_close(f);
}

/* theirs: the child's end. */
static int flow_open(struct flow *f, struct run *r, bool to_child, int *theirs, struct err *err)
{
	int fds[2];

	f->run = r;
	if (pipe2(fds, O_CLOEXEC))
		return err_errno(err, "pipe");
	f->fd = fds[to_child];
	*theirs = fds[!to_child];
	f->poll = poller_start(fiber_loop(), f->fd, to_child ? POLLOUT : POLLIN, to_child ? on_writable : on_readable, f);
	return 0;
}

/* Until stdout is closed and the child has ended; a grandchild may hold stderr open for long. */
static int pump(struct run *r, struct proc *p, const char *name, struct err *err)
{
	while (r->out.fd >= 0 && !r->out.overflow)
		if (fiber_park())
			return err_set(err, ERR_CANCELED, "'%s' was stopped", name);
	if (r->out.overflow)
		return err_set(err, ERR_TOO_LARGE, "'%s' printed more than %zu bytes", name, r->max);
	int status = proc_wait(p);
	if (status < 0)
		return err_set(err, ERR_CANCELED, "'%s' was stopped", name);
	while (r->err.fd >= 0 && flow_read(&r->err))
		;
	return status;
}

static int run_with(struct run *r, const struct proc_opts *o, struct err *err)
{
	AUTO_FD in = -1;
	AUTO_FD out = -1;
	AUTO_FD errors = -1;
	struct proc_opts with_pipes = *o;

	if (r->input.n)
		TRY(flow_open(&r->in, r, true, &in, err));
	TRY(flow_open(&r->out, r, false, &out, err));
	TRY(flow_open(&r->err, r, false, &errors, err));
	with_pipes.in = r->input.n ? in : o->in;
	with_pipes.out = out;
	with_pipes.err = errors;
	struct proc *p = proc_start(&with_pipes, err);
	if (!p)
		return -(int)(err ? err->code : ERR_IO);
	fd_close(&in);
	fd_close(&out);
	fd_close(&errors);
	int result = pump(r, p, o->argv[0], err);
	proc_free(&p);
	return result;
}

int proc_run(const struct proc_opts *o, struct sv input, size_t max, struct str *out, struct str *errors, struct err *err)
{
	struct run r = { .fiber = fiber_self(), .input = input, .max = max,
			 .in = { .fd = -1 }, .out = { .fd = -1, .to = out }, .err = { .fd = -1, .to = errors } };
	int result = run_with(&r, o, err);

	r.in.run = r.out.run = r.err.run = &r;
	flow_close(&r.in);
	flow_close(&r.out);
	flow_close(&r.err);
	return result;
}
