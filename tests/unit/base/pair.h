/* tests/unit/base/pair.h - two ends of a connection in one process: for protocols that have both sides here. */
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include "base/duplex.h"
#include "base/fiber.h"

struct pair { struct duplex_fd a, b; };

static inline int pair_open(struct pair *p, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return err_errno(err, "socketpair");
	TRY(duplex_fd_socket(&p->a, ends[0], err));
	return duplex_fd_socket(&p->b, ends[1], err);
}

static inline void pair_close(struct pair *p)
{
	duplex_fd_free(&p->a);
	duplex_fd_free(&p->b);
}
