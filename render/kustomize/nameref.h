/* render/kustomize/nameref.h - names of objects inside other objects follow when those are renamed. */
#pragma once

#include "render/kustomize/build.h"

MUST_CHECK int namerefs_fix(struct build *b, struct set *s, const struct config *config, struct err *err);
