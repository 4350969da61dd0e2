/* orchestrator/api/problems-internal.h - what is wrong with an object, field by field, until it is said in one error. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "kube/kind.h"

struct problems {
	struct str path;        /* of what is being looked at: "spec.ports[0].name" */
	struct err found;       /* its causes */
	size_t n;               /* those that are too many to be told, too */
	bool blocking;          /* of a kind that makes it useless to look any closer */
};

void problems_free(struct problems *p);
const char *problems_path(const struct problems *p);    /* "<nil>" at the root */
/* reason: "FieldValueInvalid"; the text is what stands behind the path. */
void problem(struct problems *p, const char *reason, const char *fmt, ...) PRINTF(3, 4);
/* The same for a field below: ".type", "[0]". */
void problem_below(struct problems *p, const char *below, const char *reason, const char *fmt, ...) PRINTF(4, 5);
void problem_value(struct problems *p, const struct node *v, const char *fmt, ...) PRINTF(3, 4);   /* Invalid value: v: ... */
/* 0 when there are none, else ERR_INVALID: `Jar.example.org "a" is invalid: ...`. */
MUST_CHECK int problems_error(const struct problems *p, const struct kind *k, const char *name, struct err *err);
