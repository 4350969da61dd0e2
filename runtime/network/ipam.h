/* runtime/network/ipam.h - which address belongs to which pod: a file an address, so that a restart knows them.
 *
 * Addresses are given out in turn, so that one that was freed rests as long as possible. */
#pragma once

#include <netinet/in.h>
#include "base/err.h"
#include "base/map.h"

struct ipam {
	char *dir;
	uint32_t first, last, next;     /* addresses, host byte order */
	struct map by_key;              /* key -> (void *) address */
	struct map by_ip;               /* 4 bytes, host byte order -> anything */
};

MUST_CHECK int ipam_open(struct ipam *i, const char *dir, uint32_t first, uint32_t last, struct err *err);
/* the one it has, else a new one */
MUST_CHECK int ipam_take(struct ipam *i, const char *key, uint32_t *ip, struct err *err);
/* a key without an address: fine */
MUST_CHECK int ipam_give_back(struct ipam *i, const char *key, struct err *err);
void ipam_free(struct ipam *i);
