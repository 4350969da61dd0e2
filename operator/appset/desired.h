/* operator/appset/desired.h - the Applications that a set wants: its template, once for each set of parameters. Pure. */
#pragma once

#include "base/vec.h"
#include "kube/object.h"
#include "operator/appset/fill.h"

struct desired { struct doc **v; size_t n, cap; };      /* roots are whole Applications */

/* params: what generate() gave. Errors: a template that cannot be filled in, a name that is none, one that comes twice. */
MUST_CHECK int desired_make(struct desired *out, const struct object *set, const struct node *params, struct filler *f,
			    const struct kind *application, struct err *err);
void desired_free(struct desired *d);

enum sync_policy { POLICY_CREATE = 0, POLICY_UPDATE = 1, POLICY_DELETE = 2 };   /* bits; creating is always allowed */
unsigned sync_policy_of(const struct node *set);        /* spec.syncPolicy.applicationsSync */
