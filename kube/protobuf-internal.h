/* kube/protobuf-internal.h - the numbers of fields: kube/schema/protobuf.numbers as tables. */
#pragma once

#include "base/vec.h"
#include "kube/kind.h"

struct wire {
	uint32_t number;
	bool keep;                      /* also given when it has its zero value */
	const struct field *field;
	const struct type *merged;      /* instead: a message whose fields belong to this type */
};

struct wires { struct wire *v; size_t n, cap; };

struct protobuf { struct wires *types; };       /* by the type's place in the built-in ones */

const struct wires *wires_of(const struct protobuf *p, const struct type *t);
