/* operator/app/project.h - what an AppProject allows (operator semantics 22). Pure. rules: spec of the project; NULL allows all. */
#pragma once

#include "operator/app/target.h"

/* ERR_INVALID with Argo CD's words: a source or the destination of the application is not allowed. */
MUST_CHECK int project_check(const struct node *rules, const struct app_spec *s, struct err *err);
/* May the application's project have this object? cluster_scoped: of a kind without namespaces. */
MUST_CHECK int project_check_object(const struct node *rules, const struct app_spec *s, const struct ref *r, bool cluster_scoped,
				    struct err *err);
