/* operator/app/jq.h - jq's path expressions, by libjq: which places of an object they name.
 *
 * Of the language only what walks paths and asks about values is taken: nothing that counts, loops, makes values of its own
 * or looks outside the object. So an expression ends soon and takes little, whoever wrote it. */
#pragma once

#include "base/doc.h"

/* ERR_INVALID: not such an expression. */
MUST_CHECK int jq_check(const char *expression, struct err *err);
/* Removes the places that it names from each of the objects (NULL: nothing). An object with which it ends in an error stays
 * as it is. ERR_INVALID: it is not an expression. */
MUST_CHECK int jq_remove(const char *expression, struct node *const *objects, size_t n, struct err *err);
