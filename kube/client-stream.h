/* kube/client-stream.h - programs in containers and connections to pods, for commands: the client's side of SPDY/3.1. */
#pragma once

#include "base/spdy.h"
#include "kube/client.h"

struct client_connection;       /* read by a fiber of its own until it is closed */
struct spdy *client_connection_spdy(struct client_connection *c);
void client_connection_close(struct client_connection **c);

struct program {                        /* what to run, or to attach to */
	const char *ns, *pod, *container;       /* container NULL: the only one */
	const char *const *argv;                /* NULL-terminated; NULL: attach to what runs */
	bool tty;
	/* Ours: in is read; out and err are written; size: JSON {"Width": columns, "Height": rows}, read. NULL: none. */
	struct duplex *in, *out, *err, *size;
};
/* Parks until it has ended. Its exit status, or -code. */
MUST_CHECK int client_run(struct client *c, const struct program *p, struct err *err);

/* A connection through which ports of a pod can be reached. */
MUST_CHECK int client_forwarding(struct client *c, const char *ns, const char *pod, struct client_connection **out,
				 struct err *err);
/* One connection to a port, copied to and from `local` until both sides have ended. number: another one for each. */
MUST_CHECK int client_forward(struct client_connection *c, unsigned number, uint16_t port, struct duplex *local,
			      struct err *err);
