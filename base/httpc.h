/* base/httpc.h - the HTTP client: libcurl's multi interface on the loop; every call parks the fiber that makes it. */
#pragma once

#include "base/duplex.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

struct httpc;                   /* connections are kept and reused; one a loop is enough for most */

struct httpc *httpc_new(struct loop *l);
void httpc_free(struct httpc **c);

struct httpc_request {
	const char *method, *url;
	const char *const *headers;             /* "Name: value", NULL-terminated; may be NULL */
	struct sv body;
	struct sv ca_pem, cert_pem, key_pem;    /* empty: the system's CAs (or those of $SSL_CERT_FILE), no client certificate */
	bool insecure;
	const char *userpwd;                    /* "user:password" for basic authentication, or NULL */
	int64_t timeout_ms;                     /* of the whole exchange; 0: 30 s; -1: none (a watch) */
	size_t max_body;                        /* 0: 16 MB */
	bool follow;                            /* follow up to 5 redirects (never from https to http) */
	bool once;                              /* a new connection, which nobody uses again */
	const char *connect_to;                 /* "HOST:PORT:HOST:PORT": where requests to the first really go; empty: any, or the same. NULL */
	/* The body as it comes, on the loop, instead of in the answer. Less than 0 stops, and is what httpc_do() returns then,
	 * without an error text. May be NULL */
	int (*on_data)(void *arg, struct sv data);
	/* Called once when the status and the headers are known, before any data. May be NULL */
	void (*on_head)(void *arg, int status);
	void *arg;
};

struct httpc_response { int status; struct str headers, body; };       /* headers: raw lines of the last answer */

/* An answer with any status is 0; an error means that there was none (ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_TOO_LARGE,
 * ERR_CANCELED, ERR_IO), and says host and reason. */
MUST_CHECK int httpc_do(struct httpc *c, const struct httpc_request *rq, struct httpc_response *out, struct err *err);
/* "host:port" of a URL: without user and path, which may hold secrets. */
struct sv httpc_origin(const char *url);

/* A connection of its own, changed to another protocol: method, url, headers (Upgrade and Connection among them) and TLS of
 * the request count, its body is empty. 0: the server has answered 101, and *out carries the other protocol; or it has
 * answered something else, which *refused says, and *out is NULL. A proxy of the environment is used as for other requests. */
struct httpc_upgraded;
MUST_CHECK int httpc_upgrade(const struct httpc_request *rq, struct httpc_upgraded **out, struct httpc_response *refused,
			     struct err *err);
struct duplex *httpc_upgraded_duplex(struct httpc_upgraded *u);
void httpc_upgraded_free(struct httpc_upgraded **u);    /* closes it */

struct sv httpc_header(const struct httpc_response *r, const char *name);
void httpc_response_free(struct httpc_response *r);
