/* base/duplex.h - bytes in both directions, whatever carries them: descriptors, an upgraded connection, a stream of SPDY,
 * a channel of a WebSocket.
 *
 * Every call may park, and returns -ERR_CANCELED when its fiber is canceled. One fiber reads and one writes at a time;
 * they may be two. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct duplex { const struct duplex_ops *ops; };

struct duplex_ops {
	/* Some bytes, at most n; 0: the other side has ended. */
	int (*read)(struct duplex *d, char *buf, size_t n, struct err *err);
	/* All of data, once it is on its way: waits while the other side is slow. */
	int (*write)(struct duplex *d, struct sv data, struct err *err);
	/* The other side reads 0 after what was written; nothing is written after it. */
	void (*end)(struct duplex *d);
};

static inline int duplex_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	return d->ops->read(d, buf, n, err);
}
static inline int duplex_write(struct duplex *d, struct sv data, struct err *err)
{
	return data.n ? d->ops->write(d, data, err) : 0;
}
static inline void duplex_end(struct duplex *d) { d->ops->end(d); }

/* Copies until `from` has ended; does not end `to`. */
int duplex_copy(struct duplex *to, struct duplex *from, struct err *err);

/* Over descriptors that do not block: a pipe or a terminal (its hang-up is an end), or a socket, whose two are copies of
 * one, as a descriptor can be waited for once only. -1: there is none, reading ends at once and writing goes nowhere. */
struct duplex_fd { struct duplex base; int in, out; };
void duplex_fd_init(struct duplex_fd *d, int in, int out);      /* takes both over */
MUST_CHECK int duplex_fd_socket(struct duplex_fd *d, int fd, struct err *err);  /* takes fd over, also when it fails */
void duplex_fd_free(struct duplex_fd *d);                       /* closes them */
int duplex_fd_rest(struct duplex_fd *d, struct duplex *to);     /* what can be read without waiting goes to `to` */
