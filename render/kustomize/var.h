/* render/kustomize/var.h - vars: names whose value is a field of some object, written as $(NAME). */
#pragma once

#include "render/kustomize/target.h"

/* Declares the kustomization's own variables, and marks the objects that give their values. */
MUST_CHECK int vars_merge(struct target *t, struct err *err);
/* ERR_ALREADY_EXISTS: a variable of that name is known. */
MUST_CHECK int vars_declare(struct accumulated *a, const struct var_spec *v, const struct doc *doc, struct err *err);
/* Writes the values into the fields that may hold variables. */
MUST_CHECK int vars_resolve(struct build *b, struct accumulated *a, struct err *err);
