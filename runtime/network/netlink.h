/* runtime/network/netlink.h - netlink messages, many to a datagram, each with its own words for an error.
 *
 * nl_begin() starts a message; attributes are then put with libmnl's functions; the next nl_begin() or nl_send()
 * ends it. A message may grow to NL_MESSAGE_MAX bytes: its builder splits long lists. The kernel handles everything
 * that is sent before sendmsg() returns, so nothing here waits. */
#pragma once

#include <libmnl/libmnl.h>
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#define NL_MESSAGE_MAX ((size_t)64 << 10)

/* offset of the message; what it does; an errno that is no error */
struct nl_note { uint32_t at; char *what; int fine; };

struct nl_batch {                       /* { 0 } is empty */
	struct str bytes;
	VEC(struct nl_note) notes;
	bool open;
};

/* what: "add route to 10.0.0.0/8", copied. fine: EEXIST, ENODEV, ... or 0. The result is valid until the next call. */
struct nlmsghdr *nl_begin(struct nl_batch *b, uint16_t type, uint16_t flags, const void *head, size_t head_n, int fine,
			  const char *what, ...) PRINTF(7, 8);
struct nlmsghdr *nl_message(struct nl_batch *b);        /* the message begun last */
void nl_batch_free(struct nl_batch *b);

int nl_open(int bus, struct err *err);                  /* NETLINK_ROUTE, NETLINK_NETFILTER; a descriptor */
int nl_open_in(int netns_fd, int bus, struct err *err); /* the same in another network namespace */
/* Sends all and reads the answers. Messages answered with data go to on_data (may be NULL). The first error is
 * reported. */
MUST_CHECK int nl_send(int fd, struct nl_batch *b, void (*on_data)(void *arg, const struct nlmsghdr *m), void *arg,
	struct err *err);
