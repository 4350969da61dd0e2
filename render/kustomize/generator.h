/* render/kustomize/generator.h - objects that are made: config maps, secrets, charts. */
#pragma once

#include "render/kustomize/target.h"

struct generator;                                       /* one row each */
const struct generator *generator_find(const char *kind);       /* NULL: none */
const struct shape *generator_shape(const struct generator *g);

/* The kustomization's own generators, then those that its files configure. */
MUST_CHECK int generators_run(struct target *t, struct err *err);
