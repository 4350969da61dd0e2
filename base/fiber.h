/* base/fiber.h - straight-line code on the loop: a fiber has its own stack and parks where it would block.
 *
 * A fiber runs until it parks (fiber_park, fiber_sleep, fiber_job, and everything built on them: client calls, HTTP,
 * store writes); only then can other code run. So there are no locks: what two statements do without parking in
 * between is atomic, and what was read before a park may have changed after it.
 * Errors: a parking call returns 0, or -ERR_CANCELED once fiber_cancel() was called; every later one returns it too. */
#pragma once

#include "base/loop.h"

struct fiber;

/* Starts fn(arg) on the loop's next turn. The name shows in logs. A fiber frees itself when fn returns. */
struct fiber *fiber_start(struct loop *l, const char *name, void (*fn)(void *arg), void *arg);
struct fiber *fiber_self(void);                 /* NULL: not in a fiber */
struct loop *fiber_loop(void);                  /* the loop of the running fiber */
void fiber_cancel(struct fiber *f);             /* f must not have ended: who cancels also joins (struct fiber_group) */
bool fiber_canceled(void);

/* Parks until fiber_wake(). A wake that comes first is kept: the next park returns at once. Always re-check the condition. */
int fiber_park(void);
void fiber_park_until(const bool *done);        /* who sets it wakes; not ended by cancel: for what uses the fiber's memory */
void fiber_wake(struct fiber *f);               /* from the loop's thread; NULL is fine */
int fiber_sleep(int64_t ms);
int fiber_poll(int fd, short events);            /* until the descriptor is ready: POLLIN, POLLOUT */
int fiber_yield(void);                          /* to the end of this turn's queue */

/* run(arg) on the pool (long: on a thread of its own). Not interrupted by cancel: returns when run has returned. */
void fiber_job(void (*run)(void *arg), void *arg);
void fiber_job_long(void (*run)(void *arg), void *arg);

/* A list of waiting fibers: for conditions. { 0 } is empty. */
struct fiber_cond { struct fiber_wait *first; };
int fiber_wait(struct fiber_cond *c);                           /* until a signal, or -ERR_CANCELED */
int fiber_wait_ms(struct fiber_cond *c, int64_t ms);            /* also -ERR_TIMEOUT */
void fiber_signal_all(struct fiber_cond *c);

/* Fibers that end together: an owner starts them in a group and waits for all before it frees what they use. */
struct fiber_group { struct loop *loop; struct fiber_member *members; struct fiber *joiner; };
void fiber_group_init(struct fiber_group *g, struct loop *l);
void fiber_group_start(struct fiber_group *g, const char *name, void (*fn)(void *arg), void *arg);
void fiber_group_cancel(struct fiber_group *g);                 /* asks; does not wait */
void fiber_group_join(struct fiber_group *g);                   /* waits for all, also when itself canceled */

/* Runs fn(arg) as a fiber on a loop of its own and returns what it returned: how commands use fibers. */
int fiber_main(int (*fn)(void *arg), void *arg);
