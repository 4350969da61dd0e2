/* orchestrator/controllers/shares.h - from a Service's split (kube/traffic.h) to weights of its addresses. */
#pragma once

#include "kube/informer.h"

/* Appends the weights of the subsets' ready addresses as JSON. A version without a ready pod leaves its share to the
 * others. False: the Service asks for no split, or no version with a share has a ready pod, so that all addresses serve. */
bool shares_write(const struct object *service, const struct node *subsets, const struct informer *pods, struct str *out);
