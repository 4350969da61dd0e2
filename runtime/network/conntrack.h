/* runtime/network/conntrack.h - forgetting UDP flows whose backend is gone.
 *
 * A TCP connection ends with its backend, and the next one sees the new rules. A UDP client that keeps its port has no
 * connection that could end: the kernel goes on sending to where its first packet went. */
#pragma once

#include <netinet/in.h>
#include "base/err.h"
#include "base/vec.h"

/* backends: address and port, network byte order */
struct conntrack_ends { struct sockaddr_in *v; size_t n, cap; };

MUST_CHECK int conntrack_forget_udp(const struct conntrack_ends *gone, struct err *err);
