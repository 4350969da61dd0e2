/* base/loop.h - the event loop: one thread owns all state; what blocks is a job on the pool.
 *
 * All functions but loop_post() are called on the loop's thread. Callbacks run on the loop, outside any fiber. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

struct loop;
struct timer;
struct poller;

struct loop *loop_new(void);
void loop_run(struct loop *l);          /* until loop_stop(), or until nothing is left to wait for */
void loop_stop(struct loop *l);
void loop_free(struct loop **l);        /* after loop_run() returned; pending jobs are waited for */
struct uv_loop_s *loop_uv(struct loop *l);      /* for base/ itself: curl, http */

int64_t loop_now_ms(struct loop *l);    /* monotonic, as of this turn */
int64_t clock_ms(void);                 /* wall clock, milliseconds since 1970 */
struct str;
void clock_text(struct str *out, int digits);   /* appends it in RFC 3339, UTC, with 1 to 9 digits of a second's fraction */

/* Calls fn once after ms (or every ms). timer_stop(): sets *t to NULL; never called again; NULL is fine, also from fn. */
struct timer *timer_after(struct loop *l, int64_t ms, void (*fn)(void *arg), void *arg);
struct timer *timer_every(struct loop *l, int64_t ms, void (*fn)(void *arg), void *arg);
void timer_stop(struct timer **t);

/* Calls fn with POLLIN | POLLOUT | ... as long as fd is ready. The fd stays the caller's. */
struct poller *poller_start(struct loop *l, int fd, short events, void (*fn)(void *arg, short events), void *arg);
void poller_events(struct poller *p, short events);
void poller_stop(struct poller **p);

/* run(arg) on a thread of the pool, then done(arg) on the loop. arg belongs to the job in between. */
void loop_job(struct loop *l, void (*run)(void *arg), void (*done)(void *arg), void *arg);
/* The same on a thread of its own, for what may take minutes (git, pulls, builds): the pool stays free for what is short. */
void loop_job_long(struct loop *l, void (*run)(void *arg), void (*done)(void *arg), void *arg);

void loop_soon(struct loop *l, void (*fn)(void *arg), void *arg);       /* on the next turn */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);       /* from any thread */
void loop_hold(struct loop *l, int more);       /* +1: a thread of ours will post, so loop_run() must not return before -1 */
void loop_turn_end(struct loop *l, void (*fn)(void *arg), void *arg);   /* once, when this turn's callbacks have run: group commit */
void loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg);    /* while the loop lives */
