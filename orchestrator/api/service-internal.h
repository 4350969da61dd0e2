/* orchestrator/api/service-internal.h - which cluster addresses and node ports are taken.
 *
 * Bits are set when a Service is prepared, and kept true by what is stored: the cache tells of every change. */
#pragma once

#include "base/str.h"
#include "orchestrator/api/cache-internal.h"

struct api;
struct request;

struct service_ranges {
	struct cache_listener listener;         /* first */
	uint32_t base, n;                       /* the network's first address, host order; how many */
	uint32_t next;                          /* where the search for a free one goes on */
	uint8_t *addresses, *ports;             /* a byte each: taken */
	struct resource *services;
};

MUST_CHECK int service_ranges_open(struct service_ranges *s, struct resource *services, const char *cidr,
				   struct err *err);
void service_ranges_close(struct service_ranges *s);

/* rows of the rules table */
int service_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		    struct err *err);
void service_give_up(const struct request *rq, const struct node *root, const struct node *before);
