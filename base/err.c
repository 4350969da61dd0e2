#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *reason; int http; enum retry retry; } codes[ERR_N] = {
	[ERR_OK]             = { "OK",                    200, RETRY_NEVER },
	[ERR_BAD_REQUEST]    = { "BadRequest",            400, RETRY_NEVER },
	[ERR_UNAUTHORIZED]   = { "Unauthorized",          401, RETRY_NEVER },
	[ERR_FORBIDDEN]      = { "Forbidden",             403, RETRY_NEVER },
	[ERR_NOT_FOUND]      = { "NotFound",              404, RETRY_NEVER },
	[ERR_NOT_ALLOWED]    = { "MethodNotAllowed",      405, RETRY_NEVER },
	[ERR_ALREADY_EXISTS] = { "AlreadyExists",         409, RETRY_NEVER },
	[ERR_CONFLICT]       = { "Conflict",              409, RETRY_NOW },
	[ERR_EXPIRED]        = { "Expired",               410, RETRY_NOW },
	[ERR_TOO_LARGE]      = { "RequestEntityTooLarge", 413, RETRY_NEVER },
	[ERR_UNSUPPORTED]    = { "UnsupportedMediaType",  415, RETRY_NEVER },
	[ERR_INVALID]        = { "Invalid",               422, RETRY_NEVER },
	[ERR_BUSY]           = { "TooManyRequests",       429, RETRY_LATER },
	[ERR_IO]             = { "InternalError",         500, RETRY_LATER },
	[ERR_FULL]           = { "InsufficientStorage",   507, RETRY_LATER },
	[ERR_UNAVAILABLE]    = { "ServiceUnavailable",    503, RETRY_LATER },
	[ERR_TIMEOUT]        = { "Timeout",               504, RETRY_LATER },
	[ERR_CANCELED]       = { "Canceled",              499, RETRY_NEVER },
};

static char *format(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	return s;
}

static char *copy(const char *s)
{
	char *c = strdup(s ? s : "");

	if (!c)
		abort();
	return c;
}

static void drop_causes(struct err *e)
{
	for (size_t i = 0; i < e->n_causes; i++) {
		free(e->causes[i].field);
		free(e->causes[i].reason);
		free(e->causes[i].msg);
	}
	free(e->causes);
	e->causes = NULL;
	e->n_causes = 0;
}

static int fill(struct err *e, enum err_code code, char *msg)
{
	if (!e) {
		free(msg);
		return -(int)code;
	}
	free(e->msg);
	e->code = code;
	e->msg = msg;
	return -(int)code;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *msg = format(fmt, ap);
	va_end(ap);
	if (e)
		drop_causes(e);
	return fill(e, code, msg);
}

static enum err_code code_of_errno(int no)
{
	switch (no) {
	case ENOENT: return ERR_NOT_FOUND;
	case EEXIST: return ERR_ALREADY_EXISTS;
	case EACCES:
	case EPERM:  return ERR_FORBIDDEN;
	case ENOSPC:
	case EDQUOT: return ERR_FULL;
	case ETIMEDOUT: return ERR_TIMEOUT;
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH: return ERR_UNAVAILABLE;
	default:     return ERR_IO;
	}
}

int err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	char *what = format(fmt, ap);
	va_end(ap);
	int r = err_set(e, code_of_errno(saved), "%s: %s", what, strerror(saved));
	free(what);
	return r;
}

int err_wrap(struct err *e, int r, const char *fmt, ...)
{
	va_list ap;

	if (!e || r >= 0)
		return r;
	va_start(ap, fmt);
	char *ctx = format(fmt, ap), *msg = NULL;
	va_end(ap);
	if (asprintf(&msg, "%s: %s", ctx, err_msg(e)) < 0)
		abort();
	free(ctx);
	fill(e, (enum err_code)-r, msg);
	return r;
}

void err_cause(struct err *e, const char *field, const char *reason, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	char *msg = format(fmt, ap);
	va_end(ap);
	e->causes = realloc(e->causes, (e->n_causes + 1) * sizeof *e->causes);
	if (!e->causes)
		abort();
	e->causes[e->n_causes++] = (struct err_cause){ copy(field), copy(reason), msg };
}

int err_move(struct err *to, struct err *from)
{
	int r = -(int)from->code;

	if (to) {
		err_free(to);
		*to = *from;
		*from = (struct err){ 0 };
	} else {
		err_free(from);
	}
	return r;
}

void err_free(struct err *e)
{
	drop_causes(e);
	free(e->msg);
	*e = (struct err){ 0 };
}

const char *err_reason(enum err_code code) { return codes[code].reason; }
int err_http(enum err_code code) { return codes[code].http; }
enum retry err_retry(enum err_code code) { return codes[code].retry; }

enum err_code err_from_http(int status, const char *reason)
{
	if (status < 400)
		return ERR_OK;
	for (int i = 1; reason && i < ERR_N; i++)
		if (codes[i].http == status && !strcmp(codes[i].reason, reason))
			return (enum err_code)i;
	for (int i = 1; i < ERR_N; i++)
		if (codes[i].http == status)
			return (enum err_code)i;
	return status < 500 ? ERR_BAD_REQUEST : ERR_IO;
}
