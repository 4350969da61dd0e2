/* kube/protobuf.h - objects in Kubernetes' protobuf encoding (application/vnd.kubernetes.protobuf), as documents.
 *
 * Clients that are configured for it send it, kubectl since 1.32 among them; answers to them are JSON, which all of them
 * accept. Pure. */
#pragma once

#include "base/doc.h"
#include "base/err.h"

struct protobuf;                /* the field numbers of all types: kube/schema/protobuf.numbers */

struct protobuf *protobuf_new(void);
void protobuf_free(struct protobuf **p);

/* *out: a new reference. What JSON would leave out (zero values) is left out. ERR_BAD_REQUEST; ERR_UNSUPPORTED for kinds
 * without numbers: their clients have to send JSON. */
MUST_CHECK int protobuf_read(const struct protobuf *p, struct sv body, struct doc **out, struct err *err);
