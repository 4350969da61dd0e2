/* kube/traffic.h - shares of a Service's new connections, as annotations that controllers write and node agents read.
 *
 * A Service says how its pods share by a label, `timonier.dev/split`: {"label": "...", "weights": {"value": 900, ...}}; the
 * endpoints controller turns that into a weight for each address, `timonier.dev/weights` on the Endpoints:
 * {"10.244.0.5": 450, ...}. An address that is not listed has weight 1 when there is no annotation, and 0 when there is. */
#pragma once

#include "base/doc.h"

#define TRAFFIC_SPLIT "timonier.dev/split"
#define TRAFFIC_WEIGHTS "timonier.dev/weights"

struct traffic;                 /* the weights of one Endpoints; NULL: all addresses are equal */

struct traffic *traffic_read(const struct node *endpoints);
uint32_t traffic_weight(const struct traffic *t, const char *ip);
void traffic_free(struct traffic **t);
