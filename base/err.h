/* base/err.h - one error value: filled by the function that fails, read by the one that reports.
 *
 * Every function that can fail returns 0 or more when it worked and -enum err_code when not, and takes a struct err *
 * last, which may be NULL. An error is complete where it is made: what failed, where (file, line, field), why, what to do. */
#pragma once

#include <stdbool.h>
#include "base/scope.h"

enum err_code {
	ERR_OK,
	ERR_BAD_REQUEST,        /* not understood at all: syntax, wrong arguments */
	ERR_UNAUTHORIZED,
	ERR_FORBIDDEN,
	ERR_NOT_FOUND,
	ERR_NOT_ALLOWED,        /* the method does not exist for this resource */
	ERR_ALREADY_EXISTS,
	ERR_CONFLICT,           /* somebody changed it first: read again and retry */
	ERR_EXPIRED,            /* a revision that has been compacted away */
	ERR_TOO_LARGE,
	ERR_UNSUPPORTED,        /* a media type or feature that is not offered */
	ERR_INVALID,            /* understood, and not valid; see causes */
	ERR_BUSY,               /* too many requests: later */
	ERR_IO,                 /* disk, network, kernel: the code for everything unexpected */
	ERR_FULL,               /* no space left */
	ERR_UNAVAILABLE,
	ERR_TIMEOUT,
	ERR_CANCELED,           /* the caller gave up: parked fibers and jobs return this when they are told to stop */
	ERR_N
};

enum retry { RETRY_NEVER, RETRY_NOW, RETRY_LATER };

struct err_cause { char *field, *reason, *msg; };       /* "spec.replicas", "FieldValueInvalid", "must be ..." */

struct err {                    /* { 0 } is "no error" */
	enum err_code code;
	char *msg;
	struct err_cause *causes;
	size_t n_causes;
};

/* Each returns -code, so that `return err_set(...)` is the whole error path. e may be NULL. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);      /* drops older causes */
int err_errno(struct err *e, const char *fmt, ...) PRINTF(2, 3);                        /* code and text from errno */
int err_wrap(struct err *e, int r, const char *fmt, ...) PRINTF(3, 4);  /* returns r; "context: old message", keeps causes */
void err_cause(struct err *e, const char *field, const char *reason, const char *fmt, ...) PRINTF(4, 5);  /* adds one */
int err_move(struct err *to, struct err *from);         /* returns -code; *from is empty afterwards; to may be NULL */
void err_free(struct err *e);

static inline const char *err_msg(const struct err *e) { return e->msg ? e->msg : ""; }

const char *err_reason(enum err_code code);             /* "NotFound": API status reason and event reason */
int err_http(enum err_code code);                       /* 404 */
enum retry err_retry(enum err_code code);
enum err_code err_from_http(int status, const char *reason);    /* reason may be NULL; it tells the two 409s apart */
