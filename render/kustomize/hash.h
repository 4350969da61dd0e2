/* render/kustomize/hash.h - the suffix of generated names: a hash of the content. */
#pragma once

#include "render/kustomize/resource.h"

void resource_hash(const struct resource *r, char out[static 11]);      /* 10 characters and a NUL */
