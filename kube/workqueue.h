/* kube/workqueue.h - keys waiting to be worked on: each waits once, and is with one worker at a time.
 *
 * A key that is added while a worker has it waits again when the worker is done. A delayed key that is added at once does
 * not come a second time for its delay. Times are milliseconds of any one clock, given by the caller: no timers here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORKQUEUE_BACKOFF_MIN_MS 5
#define WORKQUEUE_BACKOFF_MAX_MS 300000

struct workqueue;

struct workqueue *workqueue_new(void);
void workqueue_free(struct workqueue **q);

void workqueue_add(struct workqueue *q, const char *key);
void workqueue_add_at(struct workqueue *q, const char *key, int64_t at_ms);     /* of several times the earliest counts */
/* The key failed: how long to wait before the next try; doubles from the minimum to the maximum until forgotten. */
int64_t workqueue_backoff_ms(struct workqueue *q, const char *key);
unsigned workqueue_failures(const struct workqueue *q, const char *key);
void workqueue_forget(struct workqueue *q, const char *key);                    /* it worked: the next failure is the first */

/* The next key in order of arrival, NULL: none is due. The text is the queue's, until workqueue_done(). */
const char *workqueue_take(struct workqueue *q, int64_t now_ms);
void workqueue_done(struct workqueue *q, const char *key);
int64_t workqueue_next_ms(const struct workqueue *q);   /* when the next delayed key is due; -1: none is delayed */
size_t workqueue_n(const struct workqueue *q);          /* keys waiting to be taken, delayed ones not counted */
