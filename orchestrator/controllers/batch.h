/* orchestrator/controllers/batch.h - many calls at once, in fibers of their own. */
#pragma once

#include "base/err.h"

/* Calls fn(arg, i) for every i below n, all at once; returns when all have returned, with the first error. */
int batch_all(size_t n, int (*fn)(void *arg, size_t i, struct err *err), void *arg, struct err *err);
/* The same in batches of 1, 2, 4... that end at the first one with an error: when every call would fail, few are made. */
int batch_slowly(size_t n, int (*fn)(void *arg, size_t i, struct err *err), void *arg, struct err *err);
