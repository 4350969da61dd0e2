/* render/kustomize/order.h - the order of the output. */
#pragma once

#include "render/kustomize/kustomization.h"
#include "render/kustomize/set.h"

/* spec: the top's sortOptions, or NULL; reorder: "legacy", "none", or NULL for the default, which is legacy. */
MUST_CHECK int order_apply(struct set *s, const struct sort_spec *spec, const char *reorder, struct err *err);
