#include "base/fiber.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE ((size_t)1 << 20)
#else
#define STACK_SIZE ((size_t)256 << 10)  /* address space; only what was touched is memory */
#endif
#define POOL_MAX 64                     /* stacks kept for reuse */

struct fiber {
	struct loop *loop;
	const char *name;
	void (*fn)(void *);
	void *arg;
	ucontext_t ctx;
	void *stack;            /* STACK_SIZE bytes above one guard page */
	bool woken, parked, queued, canceled, ended;
	struct fiber *next_free;
#ifdef WITH_ASAN
	void *fake_stack;
#endif
};

/* Which fiber runs is a property of the thread: a loop has one, and tests may have several. */
static __thread struct {
	struct fiber *running;
	ucontext_t main;
	struct fiber *pool;
	unsigned pool_n;
#ifdef WITH_ASAN
	void *main_fake;
	const void *main_stack;
	size_t main_size;
#endif
} here;

static void *stack_new(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, STACK_SIZE + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
		       -1, 0);

	if (p == MAP_FAILED || mprotect(p, page, PROT_NONE))
		abort();
	return p + page;
}

static void stack_free(void *stack)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap((char *)stack - page, STACK_SIZE + page);
}

static void entry(void)
{
	struct fiber *f = here.running;

#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(NULL, &here.main_stack, &here.main_size);
#endif
	f->fn(f->arg);
	f->ended = true;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(NULL, here.main_stack, here.main_size);
#endif
	swapcontext(&f->ctx, &here.main);
}

static void recycle(struct fiber *f)
{
	if (here.pool_n < POOL_MAX) {
		madvise(f->stack, STACK_SIZE - (16 << 10), MADV_DONTNEED);      /* keep only the hot top */
		f->next_free = here.pool;
		here.pool = f;
		here.pool_n++;
		return;
	}
	stack_free(f->stack);
	free(f);
}

static void enter(struct fiber *f)
{
	here.running = f;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(&here.main_fake, f->stack, STACK_SIZE);
#endif
	swapcontext(&here.main, &f->ctx);
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(here.main_fake, NULL, NULL);
#endif
	here.running = NULL;
	if (f->ended)
		recycle(f);
}

static void run_queued(void *arg)
{
	struct fiber *f = arg;

	f->queued = false;
	f->parked = false;
	enter(f);
}

static void queue(struct fiber *f)
{
	if (f->queued)
		return;
	f->queued = true;
	loop_soon(f->loop, run_queued, f);
}

/* A fiber with a stack: one from the pool, or a new one. Not inlined: getcontext() may return twice, as far as gcc knows. */
static __attribute__((noinline)) struct fiber *acquire(void)
{
	struct fiber *f = here.pool;

	if (!f) {
		f = calloc(1, sizeof *f);
		if (!f)
			abort();
		f->stack = stack_new();
		return f;
	}
	here.pool = f->next_free;
	here.pool_n--;
#ifdef WITH_ASAN
	__asan_unpoison_memory_region(f->stack, STACK_SIZE);
#endif
	return f;
}

struct fiber *fiber_start(struct loop *l, const char *name, void (*fn)(void *), void *arg)
{
	struct fiber *const f = acquire();

	*f = (struct fiber){ .loop = l, .name = name, .fn = fn, .arg = arg, .stack = f->stack };
	getcontext(&f->ctx);
	f->ctx.uc_stack.ss_sp = f->stack;
	f->ctx.uc_stack.ss_size = STACK_SIZE;
	makecontext(&f->ctx, entry, 0);
	queue(f);
	return f;
}

struct fiber *fiber_self(void) { return here.running; }
struct loop *fiber_loop(void) { return here.running ? here.running->loop : NULL; }
bool fiber_canceled(void) { return here.running && here.running->canceled; }

/* Back to the loop until run_queued(). */
static void leave(struct fiber *f)
{
	f->parked = true;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(&f->fake_stack, here.main_stack, here.main_size);
#endif
	swapcontext(&f->ctx, &here.main);
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(f->fake_stack, &here.main_stack, &here.main_size);
#endif
}

int fiber_park(void)
{
	struct fiber *f = here.running;

	if (!f)
		abort();        /* blocking outside a fiber would stop the whole loop: a bug of ours */
	if (!f->woken && !f->canceled)
		leave(f);
	f->woken = false;
	return f->canceled ? -ERR_CANCELED : 0;
}

void fiber_park_until(const bool *done)
{
	struct fiber *f = here.running;

	while (!*done) {
		f->woken = false;
		leave(f);
	}
	f->woken = false;
}

void fiber_wake(struct fiber *f)
{
	if (!f || f->woken)
		return;
	f->woken = true;
	if (f->parked)
		queue(f);
}

void fiber_cancel(struct fiber *f)
{
	f->canceled = true;
	if (f->parked)
		queue(f);
}

static void wake_arg(void *arg) { fiber_wake(arg); }

struct sleep { struct fiber *fiber; bool fired; };

static void on_sleep_end(void *arg)
{
	struct sleep *s = arg;

	s->fired = true;
	fiber_wake(s->fiber);
}

int fiber_sleep(int64_t ms)
{
	struct sleep s = { fiber_self(), false };
	struct timer *t = timer_after(fiber_loop(), ms, on_sleep_end, &s);
	int r = 0;

	while (!s.fired && !r)
		r = fiber_park();
	timer_stop(&t);
	return r;
}

struct readiness { struct fiber *fiber; bool ready; };

static void on_ready(void *arg, short events)
{
	struct readiness *r = arg;

	(void)events;
	r->ready = true;
	fiber_wake(r->fiber);
}

int fiber_poll(int fd, short events)
{
	struct readiness r = { fiber_self(), false };
	struct poller *p = poller_start(fiber_loop(), fd, events, on_ready, &r);
	int res = 0;

	while (!r.ready && !res)
		res = fiber_park();
	poller_stop(&p);
	return res;
}

int fiber_yield(void)
{
	loop_soon(fiber_loop(), wake_arg, fiber_self());
	return fiber_park();
}

/* ---- jobs ---- */

struct awaited { void (*run)(void *); void *arg; struct fiber *fiber; bool done; };

static void run_awaited(void *arg)
{
	struct awaited *a = arg;

	a->run(a->arg);
}

static void awaited_done(void *arg)
{
	struct awaited *a = arg;

	a->done = true;
	a->fiber->woken = true;
	if (a->fiber->parked)
		queue(a->fiber);
}

static void await(void (*start)(struct loop *, void (*)(void *), void (*)(void *), void *), void (*run)(void *), void *arg)
{
	struct awaited a = { run, arg, fiber_self(), false };

	start(fiber_loop(), run_awaited, awaited_done, &a);
	while (!a.done)
		leave(a.fiber); /* not fiber_park(): a canceled fiber still waits, as the job uses its memory */
	a.fiber->woken = false;
}

void fiber_job(void (*run)(void *), void *arg) { await(loop_job, run, arg); }
void fiber_job_long(void (*run)(void *), void *arg) { await(loop_job_long, run, arg); }

/* ---- conditions ---- */

struct fiber_wait { struct fiber *fiber; struct fiber_wait *next; bool signaled; };

static void unlink_wait(struct fiber_cond *c, struct fiber_wait *w)
{
	for (struct fiber_wait **at = &c->first; *at; at = &(*at)->next)
		if (*at == w) {
			*at = w->next;
			return;
		}
}

int fiber_wait_ms(struct fiber_cond *c, int64_t ms)
{
	struct fiber_wait w = { fiber_self(), c->first, false };
	struct sleep s = { fiber_self(), false };
	struct timer *t = ms >= 0 ? timer_after(fiber_loop(), ms, on_sleep_end, &s) : NULL;
	int r = 0;

	c->first = &w;
	while (!w.signaled && !s.fired && !r)
		r = fiber_park();
	timer_stop(&t);
	if (!w.signaled)
		unlink_wait(c, &w);
	return r ? r : w.signaled ? 0 : -ERR_TIMEOUT;
}

int fiber_wait(struct fiber_cond *c) { return fiber_wait_ms(c, -1); }

void fiber_signal_all(struct fiber_cond *c)
{
	struct fiber_wait *w = TAKE(c->first);

	while (w) {
		struct fiber_wait *next = w->next;      /* w is gone once its fiber runs */

		w->signaled = true;
		fiber_wake(w->fiber);
		w = next;
	}
}

/* ---- groups ---- */

struct fiber_member {
	struct fiber_group *group;
	struct fiber *fiber;
	void (*fn)(void *);
	void *arg;
	struct fiber_member *next;
};

void fiber_group_init(struct fiber_group *g, struct loop *l) { *g = (struct fiber_group){ .loop = l }; }

static void run_member(void *arg)
{
	struct fiber_member *m = arg;
	struct fiber_group *g = m->group;

	m->fn(m->arg);
	for (struct fiber_member **at = &g->members; *at; at = &(*at)->next)
		if (*at == m) {
			*at = m->next;
			break;
		}
	free(m);
	if (!g->members)
		fiber_wake(g->joiner);
}

void fiber_group_start(struct fiber_group *g, const char *name, void (*fn)(void *), void *arg)
{
	struct fiber_member *m = calloc(1, sizeof *m);

	if (!m)
		abort();
	*m = (struct fiber_member){ .group = g, .fn = fn, .arg = arg, .next = g->members };
	g->members = m;
	m->fiber = fiber_start(g->loop, name, run_member, m);
}

void fiber_group_cancel(struct fiber_group *g)
{
	for (struct fiber_member *m = g->members; m; m = m->next)
		if (m->fiber != fiber_self())
			fiber_cancel(m->fiber);
}

void fiber_group_join(struct fiber_group *g)
{
	g->joiner = fiber_self();
	while (g->members) {                    /* not fiber_park(): also when canceled, the members must end first */
		g->joiner->woken = false;
		leave(g->joiner);
	}
	g->joiner->woken = false;
	g->joiner = NULL;
}

/* ---- commands ---- */

struct main_call { int (*fn)(void *); void *arg; int result; struct loop *loop; };

static void run_main(void *arg)
{
	struct main_call *m = arg;

	m->result = m->fn(m->arg);
	loop_stop(m->loop);
}

static void free_pool(void)
{
	while (here.pool) {
		struct fiber *f = here.pool;

		here.pool = f->next_free;
		stack_free(f->stack);
		free(f);
	}
	here.pool_n = 0;
}

int fiber_main(int (*fn)(void *), void *arg)
{
	struct loop *l = loop_new();
	struct main_call m = { fn, arg, 0, l };

	fiber_start(l, "main", run_main, &m);
	loop_run(l);
	loop_free(&l);
	free_pool();
	return m.result;
}
