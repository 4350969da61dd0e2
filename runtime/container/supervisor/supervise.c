/* The life of a container as its parent sees it: start, copy output, wait, write down the end. */
#include "supervisor.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>

struct life {
	struct context init;
	struct child child;
	struct log *log;
	int failure, outputs[STREAMS];  /* our ends of the pipes; -1: at its end */
	int input;                      /* -1: the container has none, or a terminal */
	int oom_events, cgroup_kill;    /* -1: none */
	int64_t started_ms;
};

static int fail(enum stage stage, uint32_t at, long error)
{
	report(&(struct report){ stage, (int32_t)-error, at, 0 });
	return 1;
}

/* A shared lock on every layer says "in use" to whoever wants to remove an image, for as long as we live. */
static long lock_layers(struct plan *p, uint32_t *at)
{
	const plan_slot *layers = PLAN_AT(p, p->layers, plan_slot);

	for (*at = 0; *at < p->layers.n; ++*at) {
		long fd = sys(openat, AT_FDCWD, layers[*at].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		long r = fd < 0 ? fd : sys(flock, fd, LOCK_SH | LOCK_NB);

		if (r < 0)
			return r == -EAGAIN ? -ENOENT : r;      /* being removed right now */
	}
	return 0;
}

static int open_file(struct plan *p, uint32_t path, int flags)
{
	return path ? (int)sys(openat, AT_FDCWD, PLAN_TEXT(p, path), flags | O_CLOEXEC) : -1;
}

static long make_pipe(int *read_end, int *write_end, int flags)
{
	int ends[2] = { -1, -1 };
	long r = sys(pipe2, ends, O_CLOEXEC);

	*read_end = ends[0];
	*write_end = ends[1];
	return r < 0 ? r : sys(fcntl, *read_end, F_SETFL, flags);
}

static long make_pipes(struct life *l, struct plan *p)
{
	long r = make_pipe(&l->failure, &l->init.failure_fd, 0);
	int ends[2];

	l->init.terminal = p->flags & PLAN_TTY;
	l->init.in = l->init.err = l->outputs[STREAM_ERR] = l->input = -1;
	if (r >= 0 && l->init.terminal) {
		r = sys(socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
		l->outputs[STREAM_OUT] = ends[0];
		l->init.out = ends[1];
		return r;
	}
	if (r >= 0)
		r = make_pipe(&l->outputs[STREAM_OUT], &l->init.out, O_NONBLOCK);
	if (r >= 0)
		r = make_pipe(&l->outputs[STREAM_ERR], &l->init.err, O_NONBLOCK);
	if (r >= 0 && p->flags & PLAN_STDIN_OPEN)       /* reads wait for who attaches: we keep the write end open */
		r = make_pipe(&l->init.in, &l->input, 0);
	return r >= 0 && l->input >= 0 ? sys(fcntl, l->input, F_SETFL, O_NONBLOCK) : r;
}

_Noreturn static void run_init(struct context *c)
{
	init_world(c);
	init_files(c);
	init_root(c);
	init_identity(c);
	init_program(c, PLAN_AT(c->plan, c->plan->argv, char *));
}

static uint64_t clone_flags(uint32_t plan_flags)
{
	uint64_t flags = CLONE_NEWNS;

	flags |= plan_flags & PLAN_NEW_NET ? CLONE_NEWNET : 0;
	flags |= plan_flags & PLAN_NEW_IPC ? CLONE_NEWIPC : 0;
	flags |= plan_flags & PLAN_NEW_UTS ? CLONE_NEWUTS : 0;
	flags |= plan_flags & PLAN_NEW_PID ? CLONE_NEWPID : 0;
	return flags;
}

int await_exec(struct context *c, int from, struct report *r)
{
	long n;

	sys(close, c->failure_fd);
	while ((n = sys(read, from, r, sizeof *r)) == -EINTR)
		;
	sys(close, from);
	return n == sizeof *r;
}

/* Our side of the container's terminal, which comes through the socket, takes the socket's place. */
static void take_terminal(struct life *l)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } control;
	char byte;
	struct iovec into = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	long r = sys(recvmsg, l->outputs[STREAM_OUT], &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	sys(close, l->outputs[STREAM_OUT]);
	l->outputs[STREAM_OUT] =
		r > 0 && m.msg_controllen >= CMSG_LEN(sizeof(int)) ? *(int *)(void *)CMSG_DATA(&control.head) : -1;
	if (l->outputs[STREAM_OUT] >= 0)
		sys(fcntl, l->outputs[STREAM_OUT], F_SETFL, O_NONBLOCK);
}

static int start_child(struct life *l, struct plan *p)
{
	int cgroup = open_file(p, p->cgroup_v2, O_PATH | O_DIRECTORY);
	struct report r;
	long pid;

	if (p->flags & PLAN_JOIN_PID && (pid = sys(setns, FD_PID, CLONE_NEWPID)) < 0)
		return fail(STAGE_NAMESPACE, 5, pid);
	if (p->cgroup_v2 && cgroup < 0)
		return fail(STAGE_CGROUP, ~0u, cgroup);
	l->started_ms = now_ms();
	pid = child_start(&l->child, clone_flags(p->flags), cgroup);
	if (pid == 0)
		run_init(&l->init);
	if (pid < 0)
		return fail(STAGE_CLONE, 0, pid);
	sys(close, l->init.out);
	if (l->init.err >= 0)
		sys(close, l->init.err);
	if (l->init.in >= 0)
		sys(close, l->init.in);
	if (!await_exec(&l->init, l->failure, &r)) {
		if (l->init.terminal)
			take_terminal(l);
		return 0;
	}
	child_wait(&l->child);
	report(&r);
	return 1;
}

static void add_process(struct text *t, const char *name, int pid)
{
	text_addc(t, name);
	text_addu(t, (uint64_t)pid, 0);
	text_addc(t, " ");
	text_addu(t, process_start_time(pid), 0);
	text_addc(t, "\n");
}

static int write_state(const struct life *l)
{
	char buffer[256];
	struct text t = { buffer, 0, sizeof buffer };

	add_process(&t, "supervisor ", (int)sys(getpid));
	add_process(&t, "container ", l->child.pid);
	text_addc(&t, "started_ms ");
	text_addu(&t, (uint64_t)l->started_ms, 0);
	text_addc(&t, "\n");
	return record_write("state", "state.new", t.p, t.n);
}

/* "oom_kill N" in memory.oom_control (v1) or memory.events (v2). */
static bool oom_killed(int fd)
{
	static const char key[] = "\noom_kill ";
	char buffer[512] = "\n";
	long n = fd < 0 ? -1 : sys(pread64, fd, buffer + 1, sizeof buffer - 1, 0);

	for (long i = 0; i < n; i++) {
		size_t k = 0;

		while (key[k] && i + (long)k <= n && buffer[i + (long)k] == key[k])
			k++;
		if (!key[k])
			return i + (long)k <= n && buffer[i + (long)k] > '0' && buffer[i + (long)k] <= '9';
	}
	return false;
}

static void write_exit(const struct life *l, int status)
{
	char buffer[128];
	struct text t = { buffer, 0, sizeof buffer };

	text_addc(&t, "code ");
	text_addu(&t, (uint64_t)status, 0);
	text_addc(&t, oom_killed(l->oom_events) ? "\noom 1" : "\noom 0");
	text_addc(&t, "\nfinished_ms ");
	text_addu(&t, (uint64_t)now_ms(), 0);
	text_addc(&t, "\n");
	record_write("exit", "exit.new", t.p, t.n);
}

/* One read. A terminal that nobody has open any more answers EIO. */
static void copy_some(struct life *l, int stream)
{
	long n = log_copy(l->log, stream, l->outputs[stream]);

	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR)) {
		sys(close, l->outputs[stream]);
		l->outputs[stream] = -1;
	}
}

static void copy_all(struct life *l, int stream)
{
	long n, total = 0;

	while (l->outputs[stream] >= 0 && total < 1 << 20 && (n = log_copy(l->log, stream, l->outputs[stream])) > 0)
		total += n;
}

/* Until the container's first process ends. What others still write later is not the container's output any more. */
static void watch(struct life *l)
{
	for (;;) {
		struct pollfd fds[1 + STREAMS + ATTACH_POLLS] = {
			{ l->child.pidfd, POLLIN, 0 },
			{ l->outputs[STREAM_OUT], POLLIN, 0 }, { l->outputs[STREAM_ERR], POLLIN, 0 },
		};
		int terminal = l->init.terminal ? l->outputs[STREAM_OUT] : -1;
		int attached = attach_watch(fds + 1 + STREAMS, terminal);

		if (sys(ppoll, fds, 1 + STREAMS + attached, 0, 0, 8) < 0)
			continue;
		attach_handle(fds + 1 + STREAMS, attached, terminal);
		for (int i = 0; i < STREAMS; i++)
			if (fds[i + 1].revents)
				copy_some(l, i);
		if (fds[0].revents)
			return;
	}
}

static void forget_plan(struct plan *p)
{
	static const struct { uint32_t flag; int fd; } spaces[] = {
		{ PLAN_JOIN_NET, FD_NET },
		{ PLAN_JOIN_IPC, FD_IPC },
		{ PLAN_JOIN_UTS, FD_UTS },
		{ PLAN_JOIN_PID, FD_PID },
	};

	for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (p->flags & spaces[i].flag)          /* the number is another file's, if not */
			sys(close, spaces[i].fd);
	sys(close, FD_PLAN);
	sys(munmap, p, p->size);
}

int supervise(struct plan *p)
{
	struct life l = { .init = { .plan = p } };
	uint32_t at;
	long r;

	if ((r = lock_layers(p, &at)) < 0)
		return fail(STAGE_LAYER, at, r);
	if (!(l.log = log_open(PLAN_TEXT(p, p->log), p->log_max)))
		return fail(STAGE_LOG, 0, log_error());
	if ((r = make_pipes(&l, p)) < 0)
		return fail(STAGE_PIPE, 0, r);
	l.oom_events = open_file(p, p->oom_events, O_RDONLY);
	l.cgroup_kill = open_file(p, p->cgroup_kill, O_WRONLY);
	if (start_child(&l, p))
		return 1;
	attach_start(p->flags & PLAN_TTY ? (p->flags & PLAN_STDIN_OPEN ? ATTACH_TERMINAL : -1) : l.input,
		p->flags & PLAN_STDIN_ONCE);
	forget_plan(p);
	if ((r = write_state(&l)) < 0)
		return fail(STAGE_STATE, 0, r);         /* the container dies with us */
	report(&(struct report){ .stage = STAGE_STARTED, .pid = l.child.pid });
	sys(close, FD_STATUS);
	watch(&l);
	r = child_wait(&l.child);
	if (l.cgroup_kill >= 0)                         /* others that lived in a shared pid namespace */
		sys(write, l.cgroup_kill, "1", 1);
	copy_all(&l, STREAM_OUT);
	copy_all(&l, STREAM_ERR);
	write_exit(&l, (int)r);
	return 0;
}
