#include "base/loop.h"
#include "base/str.h"
#include "base/vec.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

struct call { void (*fn)(void *); void *arg; };

struct signal_watch {
	uv_signal_t handle;     /* first: freed through it */
	void (*fn)(void *, int);
	void *arg;
};

struct loop {
	uv_loop_t uv;
	uv_async_t wake;
	uv_check_t turn_end;
	uv_idle_t soon_idle;
	pthread_mutex_t lock;           /* posted only */
	VEC(struct call) posted, soon, at_end;
	size_t holds;
};

static void run_calls(struct call *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].fn(v[i].arg);
	free(v);
}

static void on_wake(uv_async_t *a)
{
	struct loop *l = a->data;

	pthread_mutex_lock(&l->lock);
	struct call *v = l->posted.v;
	size_t n = l->posted.n;
	l->posted.v = NULL;
	l->posted.n = l->posted.cap = 0;
	pthread_mutex_unlock(&l->lock);
	run_calls(v, n);
}

static void on_turn_end(uv_check_t *c)
{
	struct loop *l = c->data;
	struct call *v = l->at_end.v;
	size_t n = l->at_end.n;

	l->at_end.v = NULL;
	l->at_end.n = l->at_end.cap = 0;
	run_calls(v, n);
}

static void on_soon(uv_idle_t *idle)
{
	struct loop *l = idle->data;
	struct call *v = l->soon.v;
	size_t n = l->soon.n;

	l->soon.v = NULL;
	l->soon.n = l->soon.cap = 0;
	run_calls(v, n);
	if (!l->soon.n && !l->at_end.n)
		uv_idle_stop(idle);
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l || uv_loop_init(&l->uv) || uv_async_init(&l->uv, &l->wake, on_wake))
		abort();
	signal(SIGPIPE, SIG_IGN);       /* a peer that goes away is an error of the write, not the end of the program */
	pthread_mutex_init(&l->lock, NULL);
	l->wake.data = l->turn_end.data = l->soon_idle.data = l;
	uv_unref((uv_handle_t *)&l->wake);
	uv_check_init(&l->uv, &l->turn_end);
	l->turn_end.data = l;
	uv_check_start(&l->turn_end, on_turn_end);
	uv_unref((uv_handle_t *)&l->turn_end);
	uv_idle_init(&l->uv, &l->soon_idle);
	l->soon_idle.data = l;
	return l;
}

void loop_run(struct loop *l) { uv_run(&l->uv, UV_RUN_DEFAULT); }
void loop_stop(struct loop *l) { uv_stop(&l->uv); }
struct uv_loop_s *loop_uv(struct loop *l) { return &l->uv; }
int64_t loop_now_ms(struct loop *l) { return (int64_t)uv_now(&l->uv); }

int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_text(struct str *out, int digits)
{
	struct timespec now;
	struct tm tm;
	char text[32], fraction[24];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(fraction, sizeof fraction, "%09ld", now.tv_nsec);
	str_addf(out, "%s.%.*sZ", text, digits, fraction);
}

static void free_signal(uv_handle_t *h) { free(h); }

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, h->type == UV_SIGNAL ? free_signal : NULL);
}

void loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (!l)
		return;
	while (l->holds)                /* their results come through the wake handle */
		uv_run(&l->uv, UV_RUN_ONCE);
	uv_walk(&l->uv, close_handle, NULL);
	while (uv_run(&l->uv, UV_RUN_DEFAULT))
		;
	if (uv_loop_close(&l->uv))
		abort();                /* a handle was opened while closing: a bug of ours */
	pthread_mutex_destroy(&l->lock);
	vec_free(&l->posted);
	vec_free(&l->soon);
	vec_free(&l->at_end);
	free(l);
	*lp = NULL;
}

/* ---- timers ---- */

struct timer {
	uv_timer_t handle;      /* first */
	void (*fn)(void *);
	void *arg;
	bool once;
};

static void free_handle(uv_handle_t *h) { free(h); }

static void on_timer(uv_timer_t *h)
{
	struct timer *t = (struct timer *)h;

	t->fn(t->arg);          /* may stop, and so free at the next turn, this timer */
}

static struct timer *timer_start(struct loop *l, int64_t ms, int64_t repeat, void (*fn)(void *), void *arg)
{
	struct timer *t = calloc(1, sizeof *t);

	if (!t)
		abort();
	uv_timer_init(&l->uv, &t->handle);
	t->fn = fn;
	t->arg = arg;
	uv_update_time(&l->uv);
	uv_timer_start(&t->handle, on_timer, ms > 0 ? (uint64_t)ms : 0, (uint64_t)repeat);
	return t;
}

struct timer *timer_after(struct loop *l, int64_t ms, void (*fn)(void *), void *arg)
{
	return timer_start(l, ms, 0, fn, arg);
}

struct timer *timer_every(struct loop *l, int64_t ms, void (*fn)(void *), void *arg)
{
	return timer_start(l, ms, ms > 0 ? ms : 1, fn, arg);
}

void timer_stop(struct timer **t)
{
	struct timer *gone = TAKE(*t);

	if (gone && !uv_is_closing((uv_handle_t *)&gone->handle))
		uv_close((uv_handle_t *)&gone->handle, free_handle);
}

/* ---- descriptors ---- */

struct poller {
	uv_poll_t handle;       /* first */
	void (*fn)(void *, short);
	void *arg;
};

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct poller *p = (struct poller *)h;
	short got = 0;

	if (status < 0)
		got = POLLERR;
	if (events & UV_READABLE)
		got |= POLLIN;
	if (events & UV_WRITABLE)
		got |= POLLOUT;
	if (events & UV_DISCONNECT)
		got |= POLLHUP;
	if (events & UV_PRIORITIZED)
		got |= POLLPRI;
	p->fn(p->arg, got);
}

struct poller *poller_start(struct loop *l, int fd, short events, void (*fn)(void *, short), void *arg)
{
	struct poller *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->fn = fn;
	p->arg = arg;
	if (uv_poll_init(&l->uv, &p->handle, fd)) {
		free(p);
		return NULL;
	}
	poller_events(p, events);
	return p;
}

void poller_events(struct poller *p, short events)
{
	int want = 0;

	if (events & POLLIN)
		want |= UV_READABLE;
	if (events & POLLOUT)
		want |= UV_WRITABLE;
	if (events & POLLPRI)
		want |= UV_PRIORITIZED;
	if (events & POLLHUP)
		want |= UV_DISCONNECT;
	if (want)
		uv_poll_start(&p->handle, want, on_poll);
	else
		uv_poll_stop(&p->handle);
}

void poller_stop(struct poller **p)
{
	struct poller *gone = TAKE(*p);

	if (gone && !uv_is_closing((uv_handle_t *)&gone->handle))
		uv_close((uv_handle_t *)&gone->handle, free_handle);
}

/* ---- jobs ---- */

struct job {
	uv_work_t work;         /* first */
	struct loop *loop;
	void (*run)(void *);
	void (*done)(void *);
	void *arg;
};

static void on_work(uv_work_t *w)
{
	struct job *j = (struct job *)w;

	j->run(j->arg);
}

static void on_work_done(uv_work_t *w, int status)
{
	struct job *j = (struct job *)w;

	(void)status;           /* jobs are never canceled: the caller's memory is in use */
	if (j->done)
		j->done(j->arg);
	free(j);
}

static struct job *job_new(struct loop *l, void (*run)(void *), void (*done)(void *), void *arg)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		abort();
	j->loop = l;
	j->run = run;
	j->done = done;
	j->arg = arg;
	return j;
}

void loop_job(struct loop *l, void (*run)(void *), void (*done)(void *), void *arg)
{
	struct job *j = job_new(l, run, done, arg);

	if (uv_queue_work(&l->uv, &j->work, on_work, on_work_done))
		abort();
}

void loop_hold(struct loop *l, int more)
{
	size_t before = l->holds;

	l->holds = (size_t)((int64_t)before + more);
	if (!before && l->holds)
		uv_ref((uv_handle_t *)&l->wake);
	else if (before && !l->holds)
		uv_unref((uv_handle_t *)&l->wake);
}

static void long_job_done(void *arg)
{
	struct job *j = arg;
	struct loop *l = j->loop;

	loop_hold(l, -1);
	if (j->done)
		j->done(j->arg);
	free(j);
}

static void *long_job_thread(void *arg)
{
	struct job *j = arg;

	j->run(j->arg);
	loop_post(j->loop, long_job_done, j);
	return NULL;
}

void loop_job_long(struct loop *l, void (*run)(void *), void (*done)(void *), void *arg)
{
	struct job *j = job_new(l, run, done, arg);
	pthread_attr_t attr;
	pthread_t thread;

	loop_hold(l, 1);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, long_job_thread, j))
		abort();
	pthread_attr_destroy(&attr);
}

/* ---- turns ---- */

void loop_soon(struct loop *l, void (*fn)(void *), void *arg)
{
	vec_push(&l->soon, ((struct call){ fn, arg }));
	uv_idle_start(&l->soon_idle, on_soon);
}

void loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
	pthread_mutex_lock(&l->lock);
	vec_push(&l->posted, ((struct call){ fn, arg }));
	uv_async_send(&l->wake);        /* under the lock: loop_free() may run as soon as the call was taken */
	pthread_mutex_unlock(&l->lock);
}

void loop_turn_end(struct loop *l, void (*fn)(void *), void *arg)
{
	vec_push(&l->at_end, ((struct call){ fn, arg }));
	uv_idle_start(&l->soon_idle, on_soon);  /* an idle handle makes the poll phase return at once */
}

static void on_signal(uv_signal_t *h, int signo)
{
	struct signal_watch *w = (struct signal_watch *)h;

	w->fn(w->arg, signo);
}

void loop_on_signal(struct loop *l, int signo, void (*fn)(void *, int), void *arg)
{
	struct signal_watch *w = calloc(1, sizeof *w);

	if (!w || uv_signal_init(&l->uv, &w->handle))
		abort();
	w->fn = fn;
	w->arg = arg;
	uv_signal_start(&w->handle, on_signal, signo);
	uv_unref((uv_handle_t *)&w->handle);
}
